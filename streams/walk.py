"""The stages of a batch, from bytes to bytes, without a broker: the tests drive this object as the agent does.

Whatever is wrong with a record, it ends as exactly one outcome: a score, or a dead letter with a reason.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from foreshock.contract import Asset, Block, DeadLetter, Outcome
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet
from foreshock.streams.border import Border
from foreshock.streams.custody import Custody
from foreshock.streams.errors import attempt, attempt_each
from foreshock.streams.ingest import Batch
from foreshock.streams.outputs import Outputs
from foreshock.streams.publish import Outbox, Output

Delivered = Callable[[Batch, Sequence[Outcome | DeadLetter], Outbox], None]


class Walk:
    """Takes batches from bytes to bytes.

    Parameters
    ----------
    fleet
        The product.
    border
        Bytes to blocks.
    outputs
        Outcomes to bytes.
    custody
        Is told how far the Fleet is.
    delivered
        Called when a batch is on the broker and acknowledged: telemetry and the cache.
    """

    def __init__(self, fleet: Fleet, border: Border, outputs: Outputs, custody: Custody, delivered: Delivered) -> None:
        self._fleet = fleet
        self._border = border
        self._outputs = outputs
        self._custody = custody
        self._delivered = delivered
        self._batch: Batch | None = None
        fleet.on_stage = self._stage
        self.assets: deque[Asset] = deque()  # master data that came since the last batch

    def decode(self, batch: Batch) -> None:
        """Turn records into blocks, or say why not."""
        border = self._border
        batch.origins = [border.origin(record) for record in batch.records]
        batch.inputs = attempt_each(border.block, batch.records, batch.origins)
        batch.mark("decoded")

    def receive(self, batch: Batch) -> None:
        """Have the Fleet receive the blocks; master data that came meanwhile goes first."""
        self._batch = batch
        while self.assets:
            attempt(self._fleet.receive, [self.assets.popleft()])
        blocks = [each for each in batch.inputs if not isinstance(each, InputRejected)]
        outcomes = attempt(self._fleet.receive, blocks)
        results = iter(self._one_by_one(blocks) if isinstance(outcomes, InputRejected) else outcomes)
        batch.results = [each if isinstance(each, InputRejected) else next(results) for each in batch.inputs]
        for event in batch.events:
            self._custody.fold(event.message.tp, event.message.offset + 1)

    def encode(self, batch: Batch) -> Outbox:
        """Write the outputs of the batch."""
        scored_ns = time.time_ns()
        events: list[Output] = []
        scores: list[Output] = []
        items: list[Outcome | DeadLetter] = []
        for record, origin, result in zip(batch.records, batch.origins, batch.results, strict=True):
            if isinstance(result, InputRejected):
                rejected = result
            else:
                written = attempt(self._outputs.outcome, result, scored_ns, record)
                if not isinstance(written, InputRejected):
                    scores.append(written[0])
                    events += written[1]
                    items.append(result)
                    continue
                rejected = written
            letter = self._outputs.letter(rejected, record, origin)
            events.append(self._outputs.dead(letter, scored_ns))
            items.append(replace(letter, value=None))  # what telemetry says of it does not need the payload
        batch.mark("encoded")
        return Outbox(events, scores, partial(self._deliver, batch, items))

    def _stage(self, stage: str) -> None:
        if self._batch is not None:
            self._batch.mark(stage)

    def _deliver(self, batch: Batch, items: Sequence[Outcome | DeadLetter], outbox: Outbox) -> None:
        batch.ack()
        batch.mark("delivered")
        self._delivered(batch, items, outbox)

    def _one_by_one(self, blocks: Sequence[Block]) -> list[Outcome | InputRejected]:
        """Find the block on which the Fleet fails, after it failed on the batch.

        How much of the batch the Fleet had folded in is not known, and folding a block twice would be worse than starting
        again. So the assets of the batch start cold, which each of their scores says, and no other asset is touched. Then
        every block runs alone; one that fails becomes a dead letter, and its asset starts cold once more.
        """
        for partition, asset in {(block.origin.partition, block.asset) for block in blocks}:
            self._fleet.forget(partition, asset)
        outcomes: list[Outcome | InputRejected] = []
        for block in blocks:
            result = attempt(self._fleet.receive, [block])
            if isinstance(result, InputRejected):
                self._fleet.forget(block.origin.partition, block.asset)
                outcomes.append(result)
            else:
                outcomes += result
        return outcomes
