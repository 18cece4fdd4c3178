"""The stages of a batch, from bytes to bytes, without a broker: the tests drive this object as the agent does.

Whatever is wrong with a record, it ends as exactly one outcome: a score, or a dead letter with a reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from foreshock.contract import DeadLetter, QualityKind
from foreshock.errors import InputRejected
from foreshock.outcome import Outcome
from foreshock.streams.border import Border
from foreshock.streams.errors import attempt, attempt_each
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.outputs import Outputs
from foreshock.streams.publish import Outbox, Output
from foreshock.streams.state.folding import Folding

Delivered = Callable[[Batch, Sequence[Outcome | DeadLetter], Outbox], None]


class Walk:
    """Takes batches from bytes to bytes.

    Parameters
    ----------
    folding
        Gives blocks to the product.
    border
        Bytes to blocks.
    outputs
        Outcomes to bytes.
    delivered
        Called when a batch is on the broker and acknowledged: telemetry and the cache.
    """

    def __init__(self, folding: Folding, border: Border, outputs: Outputs, delivered: Delivered) -> None:
        self._folding = folding
        self._border = border
        self._outputs = outputs
        self._delivered = delivered
        self._batch: Batch | None = None
        self.published: Mapping[int, int] = {}  # by partition: outputs of inputs below are out since long

    def decode(self, batch: Batch) -> None:
        """Turn records into blocks, or say why not."""
        border = self._border
        batch.origins = [border.origin(record) for record in batch.records]
        batch.inputs = attempt_each(border.block, batch.records, batch.origins)
        batch.mark("decoded")

    def receive(self, batch: Batch) -> None:
        """Have the Fleet receive the blocks. Where it fails nothing comes of the batch now: its records come again."""
        self._batch = batch
        results = self._folding.receive(batch)
        if results is None:
            batch.void()
        else:
            batch.results = results

    def encode(self, batch: Batch) -> Outbox:
        """Write the outputs of the batch, but for what is on the broker already."""
        scored_ns = time.time_ns()
        events: list[Output] = []
        scores: list[Output] = []
        items: list[Outcome | DeadLetter] = []
        for record, origin, result in zip(batch.records, batch.origins, batch.results, strict=True):
            if result is None:
                batch.repeated.append(origin.partition)
                continue
            if origin.offset < self.published.get(origin.partition, 0):
                events += self._news(result, scored_ns)
                batch.repeated.append(origin.partition)
                continue
            if isinstance(result, InputRejected):
                rejected = result
            else:
                written = attempt(self._outputs.outcome, result, scored_ns, record)
                if not isinstance(written, InputRejected):
                    scores.append(written[0])
                    batch.sizes.append(len(record.value() or b""))
                    events += written[1]
                    items.append(result)
                    continue
                rejected = written
            letter = self._outputs.letter(rejected, record, origin)
            events.append(self._outputs.dead(letter, scored_ns))
            items.append(replace(letter, value=None))  # what telemetry says of it does not need the payload
        batch.mark("encoded")
        return Outbox(events, scores, partial(self._deliver, batch, items))

    def _news(self, result: Outcome | InputRejected, scored_ns: int) -> list[Output]:
        """Give what the outputs that are out cannot tell: that the asset has lost its state meanwhile."""
        if isinstance(result, InputRejected):
            return []
        return self._outputs.quality([q for q in result.quality if q.kind is QualityKind.COLD_START], scored_ns)

    def stage(self, stage: str) -> None:
        """Note that the Fleet is through with a stage of the batch."""
        if self._batch is not None:
            self._batch.mark(stage)

    def _deliver(self, batch: Batch, items: Sequence[Outcome | DeadLetter], outbox: Outbox) -> None:
        batch.ack()
        batch.mark("delivered")
        self._delivered(batch, items, outbox)
