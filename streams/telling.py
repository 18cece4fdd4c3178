"""Who hears what came of records, once it is on the broker: traces, metrics, the log, the cache. None of them can hold it up or lose it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from foreshock.alerts.records import AlertTransition
from foreshock.contract import DataQuality, DeadLetter
from foreshock.outcome import Outcome
from foreshock.streams.cache import Cache
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.journal import Journal
from foreshock.streams.metrics.worker import Meters
from foreshock.streams.outputs import Outputs
from foreshock.streams.publish import Outbox, Publisher
from foreshock.streams.state.places import Told
from foreshock.streams.telemetry import BatchTimes, Telemetry


class Telling:
    """Tells them.

    Parameters
    ----------
    publisher, outputs
        For what is told without a record of the input.
    cache, telemetry, meters
        Who hears it.
    """

    def __init__(
        self, publisher: Publisher, outputs: Outputs, cache: Cache, telemetry: Telemetry, meters: Meters
    ) -> None:
        self._publisher = publisher
        self._outputs = outputs
        self._cache = cache
        self._telemetry = telemetry
        self._meters = meters
        self._journal = Journal()

    def publish(self, found: Sequence[Told]) -> None:
        """Publish what is told about sensors, and of alerts, without a record of the input."""
        if not found:
            return
        now_ns = time.time_ns()
        quality = [each for each in found if isinstance(each, DataQuality)]
        alerts = [each for each in found if isinstance(each, AlertTransition)]
        events = [
            *self._outputs.quality(quality, now_ns),
            *(each for told in alerts for each in self._outputs.alert(told, now_ns)),
        ]

        def delivered(_: Outbox) -> None:
            self._cache.tell(found)
            self._telemetry.told(alerts, now_ns)
            self._meters.told(found)
            self._journal.told(found)

        self._publisher.publish(Outbox(events, (), delivered))

    def delivered(self, batch: Batch, items: Sequence[Outcome | DeadLetter], outbox: Outbox) -> None:
        """Pass on what became of a batch."""
        stages = batch.stages_ns
        times = BatchTimes(
            received=batch.received_ns,
            started=batch.started_ns,
            decoded=stages.get("decoded", 0),
            quality=stages.get("quality", 0),
            features=stages.get("features", 0),
            scored=stages.get("score", 0),
            policy=stages.get("policy", 0),
            encoded=stages.get("encoded", 0),
            delivered=stages.get("delivered", 0),
        )
        kept = self._telemetry.record(times, items, offsets=outbox.offsets)
        self._meters.batch(batch, items, kept)
        self._journal.tell(items)
        self._cache.put([item for item in items if isinstance(item, Outcome)])
