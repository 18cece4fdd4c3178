"""The door of the Fleet: which measuring point a record is of, whether it may be scored, and in which lane."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from foreshock import fleet_quality
from foreshock.contract import Asset, Block, Outcome, ScoreState, SensorBlock
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.detectors.reference import Reference
from foreshock.features.catalog import MIN_SAMPLES
from foreshock.fleet_events import farewell
from foreshock.fleet_points import Entry, Key, Lane, Layout, Model, Point
from foreshock.fleet_scores import Names, score, unscored
from foreshock.fleet_spec import FleetSpec
from foreshock.fleet_telemetry import TelemetryLane
from foreshock.fleet_waveform import WaveformLane


@dataclass(slots=True)
class Admission:
    """Master data, measuring points and lanes."""

    spec: FleetSpec
    reference: Reference | None
    assets: dict[str, Asset] = field(default_factory=dict)
    points: dict[Key, Point] = field(default_factory=dict)
    lanes: dict[Layout, Lane] = field(default_factory=dict)
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
                asset = self.asset(item.asset)
                entries.append(Entry(item, asset, self._point(item, asset)))
        fleet_quality.look(entries)
        for entry in entries:
            fleet_quality.judge(entry)
            if entry.refused is None or entry.refused[0] is not ScoreState.LATE:
                self._layout(entry)
            entry.model = entry.point.model
        return entries

    def _point(self, block: Block, asset: Asset) -> Point:
        key = (block.origin.partition, block.asset, block.point)
        point = self.points.get(key)
        if point is None:
            point = self.points[key] = Point(key, self._model(Layout.of(block), asset))
        return point

    def _layout(self, entry: Entry) -> None:
        """A record of another layout is not usable; after enough of them in a row the model starts anew on it."""
        point, layout = entry.point, Layout.of(entry.block)
        if layout == point.model.layout:
            point.strange, point.strange_blocks = None, 0
            if layout.kind == "waveform" and layout.samples < MIN_SAMPLES:
                entry.refused = (
                    ScoreState.NOT_USABLE,
                    f"{layout.samples} samples have no spectrum: {MIN_SAMPLES} needed",
                )
            return
        point.strange_blocks = point.strange_blocks + 1 if layout == point.strange else 1
        point.strange = layout
        reason = f"block layout changed from {point.model.layout} to {layout}"
        if point.strange_blocks >= LAYOUT_BLOCKS:
            self.freed.append(point.model)
            entry.left, point.model = point.model, self._model(layout, entry.asset)
            point.quality = fleet_quality.anew(point.quality)
            reason += "; the model starts anew with the next one"
        entry.refused = (ScoreState.NOT_USABLE, reason)

    def _model(self, layout: Layout, asset: Asset) -> Model:
        lane = self._lane(layout)
        return Model(layout, lane, lane.take(asset))

    def _lane(self, layout: Layout) -> Lane:
        """The lane of a layout, made at its first record."""
        found = self.lanes.get(layout)
        if found is None:
            waveform = layout.kind == "waveform"
            found = WaveformLane(self.spec, layout, self.reference) if waveform else TelemetryLane(self.spec, layout)
            self.lanes[layout] = found
        return found

    def by_lane(self, entries: Sequence[Entry]) -> list[tuple[Lane, list[Entry]]]:
        """Entries that may be scored, by lane, each lane's in input order."""
        groups: dict[int, tuple[Lane, list[Entry]]] = {}
        for entry in entries:
            if entry.refused is None and entry.model is not None:
                lane = entry.model.lane
                groups.setdefault(id(lane), (lane, []))[1].append(entry)
        return list(groups.values())

    def close(self, entry: Entry) -> Outcome:
        """Outcome of an entry; one that was refused at the door gets its reason here."""
        outcome = entry.outcome or self._refusal(entry)
        entry.point.latest = outcome.score
        return outcome

    def _refusal(self, entry: Entry) -> Outcome:
        if entry.refused is None:
            raise AssertionError("an admitted entry has its outcome from its lane")
        state, reason = entry.refused
        latest, block = entry.point.latest, entry.block
        anomalies = farewell(entry, latest, reason) if entry.left is not None and latest is not None else ()
        names = Names("", self.spec.model_name, self.spec.policy_name)
        before = latest.rows[-1] if latest and entry.left is None else None
        alarm, trend = (before.alarm, before.trend) if before else (False, None)
        times = (block.source_ns,) if isinstance(block, SensorBlock) else tuple(block.times_ns.tolist())
        rows = tuple(unscored(ns, state, reason, alarm=alarm, trend=trend) for ns in times)
        record = score(entry, names, rows, warmup=latest.warmup if latest else 0.0, learning=f"held: {reason}")
        return Outcome(score=record, anomalies=anomalies, quality=entry.quality)

    def settle(self) -> None:
        """Give back the slots that the batch left behind: only now are their last blocks through."""
        for model in self.freed:
            model.lane.give_back(model.slot)
        self.freed.clear()

    def release(self, partitions: Collection[int]) -> None:
        """Forget the measuring points of these input partitions."""
        self._drop([key for key in self.points if key[0] in partitions])

    def forget(self, partition: int, asset: str) -> None:
        """Forget the measuring points of one asset."""
        self._drop([key for key in self.points if key[0] == partition and key[1] == asset])

    def _drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            model = self.points.pop(key).model
            model.lane.give_back(model.slot)
