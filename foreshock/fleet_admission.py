"""The door of the Fleet: which measuring point a record is of, whether it may be scored, and in which lane."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from foreshock.contract import Asset, Block, Outcome, ScoreState, SensorBlock
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.detectors.reference import Reference
from foreshock.fleet_points import Entry, Key, Layout, Model, Point
from foreshock.fleet_scores import Names, score, unscored
from foreshock.fleet_spec import FleetSpec
from foreshock.fleet_waveform import WaveformLane

_AHEAD_NS = 300 * 1_000_000_000  # a source clock that runs further ahead of the broker's is not believed


@dataclass(slots=True)
class Admission:
    """Master data, measuring points and lanes."""

    spec: FleetSpec
    reference: Reference | None
    assets: dict[str, Asset] = field(default_factory=dict)
    points: dict[Key, Point] = field(default_factory=dict)
    lanes: dict[Layout, WaveformLane] = field(default_factory=dict)
    freed: list[Model] = field(default_factory=list)

    def asset(self, name: str) -> Asset:
        """Master data of an asset; defaults for one that nobody registered."""
        known = self.assets.get(name)
        if known is None:
            known = self.assets[name] = Asset(asset=name, registered=False)
        return known

    def enter(self, batch: Sequence[Block | Asset]) -> list[Entry]:
        """Take up master data and admit blocks, in order: a record counts for what comes after it."""
        entries = []
        for item in batch:
            if isinstance(item, Asset):
                self.assets[item.asset] = item
            else:
                entries.append(self.admit(item))
        return entries

    def admit(self, block: Block) -> Entry:
        """Find or start the measuring point of a record and decide whether it may be scored."""
        asset, layout = self.asset(block.asset), Layout.of(block)
        key = (block.origin.partition, block.asset, block.point)
        point = self.points.get(key)
        if point is None:
            point = self.points[key] = Point(key, self._model(layout, asset))
        first_ns, last_ns = times(block)
        late = first_ns <= point.last_ns
        ahead = last_ns - block.origin.ingest_ns > _AHEAD_NS
        entry = Entry(block, asset, point, point.model, block.origin.ingest_ns if ahead else first_ns)
        if late:
            entry.refused = (ScoreState.LATE, "source time is not after the last block of this measuring point")
        else:
            point.last_ns = last_ns
            entry.refused = self._layout(point, layout, asset)
        return entry

    def _layout(self, point: Point, layout: Layout, asset: Asset) -> tuple[ScoreState, str] | None:
        """A record of another layout is not usable; after enough of them in a row the model starts anew on it."""
        if layout == point.model.layout:
            point.strange, point.strange_blocks = None, 0
            return None
        point.strange_blocks = point.strange_blocks + 1 if layout == point.strange else 1
        point.strange = layout
        reason = f"block layout changed from {point.model.layout} to {layout}"
        if point.strange_blocks >= LAYOUT_BLOCKS:
            self.freed.append(point.model)
            point.model = self._model(layout, asset)
            reason += "; the model starts anew with the next one"
        return ScoreState.NOT_USABLE, reason

    def _model(self, layout: Layout, asset: Asset) -> Model:
        lane = self.lane(layout)
        return Model(layout, lane, lane.take(asset))

    def lane(self, layout: Layout) -> WaveformLane:
        """The lane of a layout, made at its first record."""
        found = self.lanes.get(layout)
        if found is None:
            found = self.lanes[layout] = WaveformLane(self.spec, layout, self.reference)
        return found

    def by_lane(self, entries: Sequence[Entry]) -> list[tuple[WaveformLane, list[Entry]]]:
        """Entries that may be scored, by lane, each lane's in input order."""
        groups: dict[Layout, list[Entry]] = {}
        for entry in entries:
            if entry.refused is None:
                groups.setdefault(entry.model.layout, []).append(entry)
        return [(self.lanes[layout], members) for layout, members in groups.items()]

    def close(self, entry: Entry) -> Outcome:
        """Outcome of an entry; one that was refused at the door gets its reason here."""
        outcome = entry.outcome or self._refusal(entry)
        entry.point.latest = outcome.score
        return outcome

    def _refusal(self, entry: Entry) -> Outcome:
        if entry.refused is None:
            raise AssertionError("an admitted entry has its outcome from its lane")
        state, reason = entry.refused
        names = Names("", self.spec.model_name, self.spec.policy_name)
        row = unscored(times(entry.block)[1], state, reason, alarm=entry.model.episode is not None)
        latest = entry.point.latest
        record = score(entry, names, (row,), warmup=latest.warmup if latest else 0.0, learning=f"held: {reason}")
        return Outcome(score=record, quality=entry.quality)

    def settle(self) -> None:
        """Give back the slots that the batch left behind: only now are their last blocks through."""
        for model in self.freed:
            model.lane.give_back(model.slot)
        self.freed.clear()

    def release(self, partitions: Collection[int]) -> None:
        """Forget the measuring points of these input partitions."""
        for key in [key for key in self.points if key[0] in partitions]:
            point = self.points.pop(key)
            point.model.lane.give_back(point.model.slot)


def times(block: Block) -> tuple[int, int]:
    """Source time of the oldest and the newest row; a waveform block has one, that of its first sample."""
    if isinstance(block, SensorBlock):
        return block.source_ns, block.source_ns
    return int(block.times_ns.min()), int(block.times_ns.max())
