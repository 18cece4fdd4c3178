"""The door of the Fleet: which measuring point a record is of, whether it may be scored, and in which lane."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from foreshock.contract import Asset, Block, ScoreState, SensorBlock
from foreshock.core import quality
from foreshock.core.desk import Desk, settle
from foreshock.core.events import farewell
from foreshock.core.evidence import parting
from foreshock.core.points import Entry, Lane, Latest, Layout, Model, Owner, Partition, Point, models_of
from foreshock.core.recipe import Recipe
from foreshock.core.scores import Names, score, unscored
from foreshock.core.spec import FleetSpec
from foreshock.core.telemetry import TelemetryLane
from foreshock.core.waveform import Extract, WaveformLane
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.detectors.reference import Reference
from foreshock.features import catalog
from foreshock.features.catalog import MIN_SAMPLES
from foreshock.outcome import Outcome


@dataclass(slots=True)
class Admission:
    """Master data, measuring points and lanes."""

    spec: FleetSpec
    reference: Reference | None
    extract: Extract = catalog.extract
    desk: Desk = field(default_factory=Desk)
    assets: dict[str, Asset] = field(default_factory=dict)  # master data that came without a place
    partitions: dict[int, Partition] = field(default_factory=dict)
    lanes: dict[tuple[str, Layout], Lane] = field(default_factory=dict)  # by recipe and layout
    freed: list[Model] = field(default_factory=list)
    recipe: Recipe = field(init=False)  # as configured
    recipes: dict[str, Recipe] = field(default_factory=dict)  # that state may name, by key
    strange: dict[str, str] = field(default_factory=dict)  # and those that cannot be run, with the reason

    def __post_init__(self) -> None:
        """Know what is configured."""
        self.recipe = Recipe(self.spec, self.reference)
        self.recipes[self.recipe.key] = self.recipe

    def recipe_of(self, number: int) -> Recipe:
        """What models of a partition are started by."""
        found = self.partitions.get(number)
        return self.recipe if found is None else self.recipe_in(found)

    def recipe_in(self, partition: Partition) -> Recipe:
        """The same, of the partition at hand."""
        return partition.recipe or self.recipe

    def partition(self, number: int) -> Partition:
        """An input partition, made at its first record."""
        found = self.partitions.get(number)
        if found is None:
            found = self.partitions[number] = Partition()
        return found

    def owner(self, partition: Partition, name: str) -> Owner:
        """An asset of a partition, made at its first record; one that nobody registered has defaults."""
        found = partition.owners.get(name)
        if found is None:
            record = self.assets.get(name) or Asset(asset=name, registered=False)
            found = partition.owners[name] = Owner(record)
            partition.newcomers.append(name)
            self.desk.open(found, self.recipe_in(partition))
        return found

    def owned(self, name: str) -> list[Owner]:
        """An asset wherever it is: on one partition, unless somebody sent it to two."""
        return [each.owners[name] for each in self.partitions.values() if name in each.owners]

    def register(self, asset: Asset) -> None:
        """Take up master data from here on."""
        self.assets[asset.asset] = asset
        for partition in self.partitions.values():
            if asset.asset in partition.owners:
                self.know(partition, asset, partition.next)

    def know(self, partition: Partition, asset: Asset, offset: int) -> None:
        """Take up master data of an asset of a partition, before the record at `offset`."""
        owner = self.owner(partition, asset.asset)
        owner.record = asset
        self.desk.open(owner, self.recipe_in(partition))
        settle(asset.asset, owner, partition)  # by another policy other times may be due
        partition.touch(asset.asset, owner, offset)

    def enter(self, batch: Sequence[Block | Asset]) -> list[Entry]:
        """Take up master data and admit blocks, in order: a record counts for what comes after it."""
        entries = []
        for item in batch:
            if isinstance(item, Asset):
                self.register(item)
            else:
                entries.append(self._entry(item))
        quality.look(entries)
        for entry in entries:
            point = entry.point
            entry.was = (point.quality, point.strange, point.strange_blocks)
            quality.judge(entry)
            if entry.refused is None or entry.refused[0] is not ScoreState.LATE:
                if point.anew:
                    self._begin_anew(entry)
                self._layout(entry)
            entry.model = point.model
            self.desk.hold(entry)
        return entries

    def _entry(self, block: Block) -> Entry:
        offset, name = block.origin.offset, block.asset
        partition = self.partition(block.origin.partition)
        owner = self.owner(partition, name)
        folded = owner.folded
        if offset < folded:
            raise ValueError(f"offset {offset} of {name} is folded in already: the next one is {folded}")
        owner.folded = partition.next = offset + 1
        if not partition.heard_ns:
            partition.heard_ns = block.origin.ingest_ns
        if owner.since is None:
            partition.touch(name, owner, offset)
        point = owner.points.get(block.point)
        if point is None:
            recipe = self.recipe_of(block.origin.partition)
            point = owner.points[block.point] = Point(self.model(Layout.of(block), owner.record, recipe))
        return Entry(block, owner.record, owner, point, folded)

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
            entry.left = entry.left or point.model
            self.renew(point, entry.asset, entry.block.origin.partition, layout)
            point.quality = quality.anew(point.quality)
            reason += "; the model starts anew with the next one"
        entry.refused = (ScoreState.NOT_USABLE, reason)

    def _begin_anew(self, entry: Entry) -> None:
        """Give up a baseline that somebody ended: the first record after it begins the next one; `Windows` gives up the rest."""
        point = entry.point
        entry.left, entry.anew = point.model, point.anew
        self.renew(point, entry.asset, entry.block.origin.partition)
        point.model.newest_ns, point.anew = entry.left.newest_ns, ""
        point.quality = quality.forget(point.quality)

    def renew(self, point: Point, asset: Asset, number: int, layout: Layout | None = None) -> None:
        """Start the model of a measuring point anew, by what holds for its partition; the slots are free after `settle`."""
        self.freed += models_of(point)
        point.model = self.model(layout or point.model.layout, asset, self.recipe_of(number))
        point.heir = point.former = None

    def model(self, layout: Layout, asset: Asset, recipe: Recipe) -> Model:
        """Start a model for a layout."""
        lane = self.lanes.get((recipe.key, layout))
        if lane is None:
            lane = self.lanes[recipe.key, layout] = self.lane(layout, recipe)
        return Model(layout, lane, lane.take(asset), recipe)

    def lane(self, layout: Layout, recipe: Recipe) -> Lane:
        """Make the lane of a layout."""
        waveform = layout.kind == "waveform"
        return WaveformLane(recipe, layout, self.extract) if waveform else TelemetryLane(recipe, layout)

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
        if entry.vectors:
            outcome = replace(outcome, vectors=entry.vectors, diagnoses=entry.diagnoses)
        if entry.left is not None and entry.point.latest is not None:
            outcome = self._part(entry, entry.left, entry.point.latest, outcome)
        entry.point.score = outcome.score
        if entry.owner.cold:
            told = quality.cold_start(entry, entry.owner.cold)
            entry.owner.cold = ""
            outcome = replace(outcome, quality=(told, *outcome.quality))
        if entry.standing or outcome.quality:
            outcome = quality.attributed(entry, outcome)
        alerts = self.desk.look(entry, outcome, self.partitions)
        return replace(outcome, alerts=alerts) if alerts else outcome

    def _part(self, entry: Entry, left: Model, latest: Latest, outcome: Outcome) -> Outcome:
        """Close what was open on a model that is given up, and say why it is."""
        events = farewell(entry, latest, entry.anew or (entry.refused[1] if entry.refused else ""))
        told = (quality.cold_start(entry, entry.anew),) if entry.anew else ()
        return replace(
            outcome,
            anomalies=(*events, *outcome.anomalies),
            evidence=(*(parting(entry, left, latest, events) if events else ()), *outcome.evidence),
            quality=(*told, *outcome.quality),
        )

    def _refusal(self, entry: Entry) -> Outcome:
        if entry.refused is None:
            raise AssertionError("an admitted entry has its outcome from its lane")
        state, reason = entry.refused
        latest, block = entry.point.latest, entry.block
        spec = (entry.model or entry.point.model).recipe.spec
        names = Names("", spec.model_name, spec.policy_name)
        before = latest if entry.left is None else None
        alarm, trend = (before.alarm, before.trend) if before else (False, None)
        times = (block.source_ns,) if isinstance(block, SensorBlock) else tuple(block.times_ns.tolist())
        rows = tuple(unscored(ns, state, reason, alarm=alarm, trend=trend) for ns in times)
        record = score(entry, names, rows, warmup=latest.warmup if latest else 0.0, learning=f"held: {reason}")
        return Outcome(score=record, quality=entry.quality)

    def settle(self) -> None:
        """Give back the slots that the batch left behind: only now are their last blocks through."""
        for model in self.freed:
            self._give_back(model)
        self.freed.clear()

    def _give_back(self, model: Model) -> None:
        """Give a slot back, and with its last one the lane: producers may go through layouts without end."""
        lane, place = model.lane, (model.recipe.key, model.layout)
        lane.give_back(model.slot)
        if not lane.used and self.lanes.get(place) is lane:
            del self.lanes[place]

    def release(self, partitions: Collection[int]) -> None:
        """Forget all of these input partitions."""
        for number in partitions:
            partition = self.partitions.pop(number, None)
            for owner in partition.owners.values() if partition else ():
                self.drop_points(owner)

    def forget(self, number: int, name: str) -> Owner:
        """Forget all of one asset but its master data."""
        partition = self.partition(number)
        owner = self.owner(partition, name)
        self.drop_points(owner)
        partition.dirty.pop(name, None)
        partition.succeeding.discard(name)
        fresh = partition.owners[name] = Owner(owner.record)
        self.desk.open(fresh, self.recipe_in(partition))
        return fresh

    def drop_points(self, owner: Owner) -> None:
        """Give back what the measuring points of an asset hold."""
        for point in owner.points.values():
            for model in models_of(point):
                self._give_back(model)
        owner.points.clear()
