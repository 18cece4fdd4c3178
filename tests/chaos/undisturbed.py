"""The undisturbed run: a Fleet in this process, fed with the very records that stand on the input topic.

It uses the border, the core and the output codec of the product, and none of its streams: no consumer group, no checkpoint,
no ledger, nothing that a fault could touch. Its batches have a size of their own, because a result must not depend on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from foreshock.alerts.items import Refused
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.refusals import refusal
from foreshock.classes.completing import completed
from foreshock.classes.sources import shipped
from foreshock.contract import Asset, Block, DataQuality, DeadLetter, Reason, Tick
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import wire
from foreshock.streams.border import Border
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.cases.naming import Naming
from foreshock.streams.outputs import TOPIC_OF, Outputs
from foreshock.streams.publish import Output
from foreshock.streams.state.records import TickRequest
from foreshock.streams.topics import TopicInfo
from tests.chaos.reading import Place, Record

BATCH = 97
Culprit = Callable[[Block], bool]
Places = Mapping[int, Sequence[tuple[int, Sequence[Any]]]]
"""By partition, in order: what took effect from outside before the record at an offset."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One output that an undisturbed run has."""

    topic: str
    place: Place
    id: str
    value: bytes | None  # None: not known beforehand; no bytes: it takes its key back


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
        Anomalies, their cases, quality, changes of alerts and what stood after each, by their id.
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


class _NoTelemetry:
    """Traces stand in headers, which are compared with nobody's."""

    def traceparent_for(self, *_: Any, **__: Any) -> str:
        return "00-" + "1" * 32 + "-" + "1" * 16 + "-00"


class Undisturbed:
    """Runs the records of a topic through a Fleet.

    Parameters
    ----------
    spec
        As the workers have it.
    topics
        As they were found: names and ids are part of what comes out.
    assets
        Master data known before the first block, as it was sent, where none of it is on record as a place.
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
        self.fleet = Fleet(spec, assets=[completed(each, shipped()) for each in assets])
        self._border = Border(topics["sensors.v1"], partitioner=partitioner, largest=largest, decoder=wire.Decoder())
        self._name = Naming(self.fleet, Casebook())
        self._topic_of = {topics[name].name: name for name in TOPIC_OF.values()}
        self._outputs = Outputs(
            topics,
            encoders={name: wire.Encoder(topic=topics[name].name) for name in TOPIC_OF.values()},
            framing="single-object",
            telemetry=_NoTelemetry(),  # type: ignore[arg-type]
            worker="undisturbed",
            casebook=Casebook(),
        )

    def run(
        self, records: Sequence[Record], *, places: Places | None = None, culprits: Collection[Culprit] = ()
    ) -> Truth:
        """Give everything that must come out.

        What the Fleet has folded in already, because it was restored, is left out.

        Parameters
        ----------
        records
            Of the input topic, partition by partition in order.
        places
            What took effect from outside (master data, ticks), as `state.v1` has it.
        culprits
            Blocks on which the worker is made to fail: each is a dead letter, and nothing of it is folded.
        """
        truth = Truth([record.place for record in records])
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_partition[record.partition()].append(record)
        for partition in sorted({*by_partition, *(places or {})}):
            for part in _cut(by_partition[partition], (places or {}).get(partition, ())):
                if isinstance(part, list):
                    self._batch(part, truth, culprits)
                else:
                    self._outside(partition, *part, truth)
        pairs = {(place[0], asset) for place, asset in truth.assets.items() if asset}
        truth.digests = {pair: self.fleet.capture(*pair).digest() for pair in pairs}
        return truth

    def _batch(self, records: Sequence[Record], truth: Truth, culprits: Collection[Culprit]) -> None:
        blocks: list[Block] = []
        given: list[Record] = []
        for record in records:
            made = self._decoded(record, culprits)
            if isinstance(made, DeadLetter):
                self._expect_letter(record.place, made, truth)
                continue
            truth.assets[record.place] = made.asset
            if record.offset() >= self.fleet.folded(record.partition(), made.asset):
                blocks.append(made)
                given.append(record)
        for record, outcome in zip(given, self._name(self.fleet.receive(blocks), cast(Any, given)), strict=True):
            message: Any = record
            score, events = self._outputs.outcome(outcome, 0, message)
            truth.outcomes[record.place] = self._expected(score, record.place)
            for event in events:
                truth.events[event.record_id] = self._expected(event, record.place)

    def _expected(self, output: Output, place: Place) -> Expected:
        return Expected(self._topic_of[output.topic], place, output.record_id, output.value or b"")

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
        return self._outputs.letter(rejected, message, origin)

    def _expect_letter(self, place: Place, letter: DeadLetter, truth: Truth) -> None:
        truth.assets[place] = ""
        expected = self._expected(self._outputs.dead(letter, 0), place)
        if letter.reason is Reason.INTERNAL_ERROR:  # its sentence tells the exception
            expected = Expected(expected.topic, place, expected.id, None)
        truth.outcomes[place] = expected

    def _outside(self, partition: int, offset: int, item: Any, truth: Truth) -> None:
        """Apply what came from outside the order before the record at an offset."""
        for told in self._took(partition, offset, item):
            if isinstance(told, DataQuality):
                self._expect_silence(told, truth)
            else:
                for output in self._outputs.alert(told, 0):
                    truth.events[output.record_id] = self._expected(output, (partition, offset - 1))

    def _took(self, partition: int, offset: int, item: Any) -> Sequence[DataQuality | AlertTransition]:
        """Let an item take effect, and give what comes of it."""
        if isinstance(item, TickRequest):
            tick = Tick(partition=partition, offset=offset, at_ns=item.at_ns, since_ns=item.since_ns)
            return self.fleet.tick(tick)
        if isinstance(item, Refused):
            return [refusal(item)]
        if isinstance(item, Asset) and self.fleet.folded(partition, item.asset) > offset:
            return []
        return self.fleet.take_up(item, partition, offset)

    def _expect_silence(self, event: DataQuality, truth: Truth) -> None:
        place = (event.origin.partition, event.origin.offset)
        truth.events[event.event_id] = Expected("quality.v1", place, event.event_id, wire.Encoder().encode(event))


def _cut(records: Sequence[Record], places: Sequence[tuple[int, Sequence[Any]]]) -> Iterator[list[Record] | Any]:
    """Batches of a partition, with what came from outside between them at its place."""
    waiting = [(offset, item) for offset, items in places for item in items]
    batch: list[Record] = []
    for record in records:
        while waiting and waiting[0][0] <= record.offset():
            if batch:
                yield batch
                batch = []
            yield waiting.pop(0)
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
    yield from waiting
