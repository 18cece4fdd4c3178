"""The undisturbed run: a Fleet in this process, fed with the very records that stand on the input topic.

It uses the border, the decoder and the encoder of the product, and none of its streams: no consumer group, no checkpoint,
no ledger, nothing that a fault could touch. Its batches have a size of their own, because a result must not depend on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foreshock.contract import Anomaly, Asset, Block, DataQuality, DeadLetter, Outcome, Reason, Score
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import wire
from foreshock.streams.border import Border
from foreshock.streams.topics import TopicInfo
from tests.chaos.reading import Place, Record

BATCH = 97
Culprit = Callable[[Block], bool]


@dataclass(frozen=True, slots=True)
class Expected:
    """One output that an undisturbed run has."""

    topic: str
    place: Place
    id: str
    value: bytes


@dataclass
class Truth:
    """All that an undisturbed run gives.

    Attributes
    ----------
    inputs
        Every input record, partition by partition in order.
    outcomes
        The score or the dead letter of each.
    events
        Anomalies and quality, by their id.
    assets
        Which asset each input is of; "" for one that cannot be read.
    digests
        Of every asset at the end, by (partition, asset).
    """

    inputs: list[Place]
    outcomes: dict[Place, Expected] = field(default_factory=dict)
    events: dict[str, Expected] = field(default_factory=dict)
    assets: dict[Place, str] = field(default_factory=dict)
    digests: dict[tuple[int, str], str] = field(default_factory=dict)


class Undisturbed:
    """Runs the records of a topic through a Fleet.

    Parameters
    ----------
    spec
        As the workers have it.
    topics
        As they were found: names and ids are part of what comes out.
    assets
        Master data known before the first block.
    partitioner, largest
        As the workers have them.
    """

    def __init__(
        self,
        spec: FleetSpec,
        topics: Mapping[str, TopicInfo],
        *,
        assets: Sequence[Asset] = (),
        partitioner: str = "murmur2_random",
        largest: int = 1024 * 1024,
    ) -> None:
        self.fleet = Fleet(spec, assets=assets)
        decoder = wire.Decoder()
        self._border = Border(topics["sensors.v1"], partitioner=partitioner, largest=largest, decoder=decoder)
        self._encode = {kind: wire.Encoder(topic=topics[name].name).encode for kind, name in _TOPIC_OF.items()}
        self._encode_letter = wire.Encoder(topic=topics["dead-letters.v1"].name).encode

    def run(
        self,
        records: Sequence[Record],
        *,
        places: Mapping[int, Sequence[tuple[int, Sequence[Any]]]] | None = None,
        culprits: Collection[Culprit] = (),
    ) -> Truth:
        """Give everything that must come out.

        Parameters
        ----------
        records
            Of the input topic, partition by partition in order.
        places
            By partition, in order: what took effect before which offset (master data, ticks), as `state.v1` has it.
        culprits
            Blocks on which the worker is made to fail: each is a dead letter, and nothing of it is folded.
        """
        truth = Truth([record.place for record in records])
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[record.partition()].append(record)
        for partition in sorted(by_partition):
            for part in _cut(by_partition[partition], (places or {}).get(partition, ())):
                if isinstance(part, list):
                    self._batch(part, truth, culprits)
                else:
                    self._outside(part, truth)
        capture = getattr(self.fleet, "capture", None)
        if capture is not None:
            pairs = {(place[0], asset) for place, asset in truth.assets.items() if asset}
            truth.digests = {(partition, asset): capture(partition, asset).digest() for partition, asset in pairs}
        return truth

    def _batch(self, records: Sequence[Record], truth: Truth, culprits: Collection[Culprit]) -> None:
        blocks: list[Block] = []
        for record in records:
            made = self._decoded(record, culprits)
            if isinstance(made, DeadLetter):
                self._expect_letter(record.place, made, truth)
            else:
                blocks.append(made)
        for outcome in self.fleet.receive(blocks):
            self._expect(outcome, truth)

    def _decoded(self, record: Record, culprits: Collection[Culprit]) -> Block | DeadLetter:
        message: Any = record
        origin = self._border.origin(message)
        try:
            block = self._border.block(message, origin)
        except InputRejected as exc:
            rejected = exc
        else:
            if not any(culprit(block) for culprit in culprits):
                return block
            rejected = InputRejected(Reason.INTERNAL_ERROR, "the worker failed on this record")
        return wire.dead_letter(rejected, origin, record.key(), record.value(), list(record.headers()))

    def _expect(self, outcome: Outcome, truth: Truth) -> None:
        score = outcome.score
        place = (score.origin.partition, score.origin.offset)
        truth.assets[place] = score.asset
        truth.outcomes[place] = Expected("scores.v1", place, score.score_id, self._encode[Score](score))
        for event in (*outcome.anomalies, *outcome.quality):
            self._expect_event(event, place, truth)

    def _expect_event(self, event: Anomaly | DataQuality, place: Place, truth: Truth) -> None:
        topic = _TOPIC_OF[type(event)]
        truth.events[event.event_id] = Expected(topic, place, event.event_id, self._encode[type(event)](event))

    def _expect_letter(self, place: Place, letter: DeadLetter, truth: Truth) -> None:
        truth.assets[place] = ""
        value = b"" if letter.reason is Reason.INTERNAL_ERROR else self._encode_letter(letter)  # it tells the exception
        truth.outcomes[place] = Expected("dead-letters.v1", place, letter.event_id, value)

    def _outside(self, item: Any, truth: Truth) -> None:
        """Apply what came from outside the order."""
        if isinstance(item, Asset):
            self.fleet.receive([item])
        else:
            for event in self.fleet.tick(item):  # type: ignore[attr-defined]
                self._expect_event(event, (event.origin.partition, event.origin.offset), truth)


_TOPIC_OF: Mapping[type, str] = {Score: "scores.v1", Anomaly: "anomalies.v1", DataQuality: "quality.v1"}


def _cut(records: Sequence[Record], places: Sequence[tuple[int, Sequence[Any]]]) -> Iterator[list[Record] | Any]:
    """Batches of a partition, with what came from outside between them at its place."""
    waiting = [(offset, item) for offset, items in places for item in items]
    batch: list[Record] = []
    for record in records:
        while waiting and waiting[0][0] <= record.offset():
            if batch:
                yield batch
                batch = []
            yield waiting.pop(0)[1]
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
    for _, item in waiting:
        yield item
