"""The product's walk: sensor records in, scores, anomalies, quality and dead letters out."""

from __future__ import annotations

from typing import Any

import faust

from foreshock.streams.errors import nothing_escapes
from foreshock.streams.intake.faust_base import BatchSchema
from foreshock.streams.intake.ingest import gather
from foreshock.streams.publish import Publisher
from foreshock.streams.state.gate import Gate
from foreshock.streams.walk import Walk


def declare(app: faust.App, topic: str, walk: Walk, publisher: Publisher, gate: Gate, *, limit: int) -> None:
    """Declare the agent of the input topic. Nothing leaves its body as an exception: see `streams/errors.py`."""

    @app.agent(app.topic(topic, schema=BatchSchema()), name="foreshock.score")
    async def score(stream: Any) -> None:
        async for event in stream.noack().events():
            with nothing_escapes():
                batch = await gather(stream, event, publisher, gate, limit=limit)
                walk.decode(batch)  # bytes -> blocks, or why not
                walk.receive(batch)  # blocks -> outcomes
                outbox = walk.encode(batch)  # outcomes -> bytes and headers
                publisher.publish(outbox)  # events, then scores; when the broker has them: batch.ack(), then telemetry
                batch.done()  # room for another poll
