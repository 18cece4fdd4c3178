"""The Fleet: sensor blocks of many assets in, what became of each of them out.

    fleet = Fleet(FleetSpec(), assets=[pump])
    for outcome in fleet.receive(batch):
        print(outcome.score.rows[-1].value, outcome.anomalies)

This is the whole product without its connections. It has no clock, no client and no log; the worker, `foreshock
evaluate` and the tests drive the same object. It does, for each block, in order:

    enter       master data, quality, lateness, layout   core/admission.py, core/quality.py
    prepare     features, run state                      features/, for all blocks of a layout at once
    look        now and then blocks to a longer window   core/windows.py: vectors, zones, diagnoses of registered assets
    score       score -> rank -> alarm -> gate -> learn  detectors/, compiled, block by block per measuring point
    outcomes    ids, decision, contributions, lineage    core/events.py, core/scores.py, lineage.py
    close       reading -> condition -> alarm            core/desk.py, alerts/: what the policy makes of it

Score first, learn then; never from a bad block, while the machine does not run, or in alarm. The outcome of a block is
bit for bit the same however the stream was cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlertTransition
from foreshock.contract import Asset, Block, DataQuality, Tick
from foreshock.core.admission import Admission
from foreshock.core.census import Census, census
from foreshock.core.deadlines import Deadlines
from foreshock.core.desk import Desk, name
from foreshock.core.orders import Item, Orders
from foreshock.core.points import AssetStatus, PointView, models_of, status, views
from foreshock.core.recipe import Recipe
from foreshock.core.room import Room
from foreshock.core.silence import Silence
from foreshock.core.spec import FleetSpec
from foreshock.core.state import AssetState
from foreshock.core.store import Store
from foreshock.core.succession import Succession
from foreshock.core.tagging import look
from foreshock.core.telemetry import PreparedRows
from foreshock.core.waveform import Extract
from foreshock.core.windows import Windows
from foreshock.detectors.reference import Reference
from foreshock.features import catalog
from foreshock.outcome import Outcome

__all__ = ["AssetState", "AssetStatus", "Fleet", "FleetSpec", "Recipe"]


class Fleet:
    """Models, alarms and master data of many assets.

    Parameters
    ----------
    spec
        Settings of detection.
    reference
        Reference of an asset class; None: every asset is measured on its own scale.
    assets
        Master data known from the start; more may come in any batch.
    on_stage
        Called with the name of each stage of `receive` when it is done: "quality", "features", "score", "policy". A shell that
        has a clock can take the time of it.
    extract
        What computes the features of a waveform: a replay on another numeric platform gives those on record.
    policies
        Alerting of assets that get no policy by an item on record, the closest of each; (): the default policy.
    """

    def __init__(
        self,
        spec: FleetSpec,
        *,
        reference: Reference | None = None,
        assets: Iterable[Asset] = (),
        on_stage: Callable[[str], None] | None = None,
        extract: Extract = catalog.extract,
        policies: Sequence[Policy] = (),
    ) -> None:
        self.spec = spec
        self.on_stage = on_stage or _ignore
        self._admission = Admission(spec, reference, extract, Desk(tuple(policies)))
        self._stored = Store(self._admission)
        self._room = Room(self._admission)
        self._silence = Silence(self._admission)
        self._orders = Orders(self._admission)
        self._deadlines = Deadlines(self._admission)
        self._succession = Succession(self._admission)
        self._windows = Windows()
        self.receive(list(assets))

    def receive(self, batch: Sequence[Block | Asset]) -> list[Outcome]:
        """Fold a batch in: exactly one Outcome for each Block, in order; an Asset updates master data from there on."""
        if not self._succession.busy:
            return self._receive(batch)
        return [outcome for part in self._succession.parts(batch) for outcome in self._receive(part)]

    def _receive(self, batch: Sequence[Block | Asset]) -> list[Outcome]:
        entries = self._admission.enter(batch)
        self.on_stage("quality")
        work = [(lane, lane.prepare(members)) for lane, members in self._admission.by_lane(entries)]
        self._windows.look(entries)
        self.on_stage("features")
        for lane, prepared in work:
            lane.score(prepared)
        self.on_stage("score")
        for lane, prepared in work:
            lane.outcomes(prepared)
        look(sheet for _, rows in work if isinstance(rows, PreparedRows) for sheet in rows.sheets)
        if self._succession.busy:
            self._succession.follow(entries)
        outcomes = [self._admission.close(entry) for entry in entries]
        self._admission.settle()
        self.on_stage("policy")
        return outcomes

    def crowded(self, blocks: Sequence[Block]) -> Mapping[tuple[int, int], str]:
        """Say which records of a batch would begin more state than there is room for, by partition and offset.

        Whoever reads what others may send asks this before `receive`, and leaves them out.
        """
        return self._room.crowded(blocks)

    def name(self, outcome: Outcome, cases: Mapping[str, str]) -> None:
        """Learn the sha256 of the cases of an outcome's events, by their ids, before anything else is given to its asset.

        Only who stores the record knows them. Transitions that rest on these events later name their cases.
        """
        found = self._admission.partitions.get(outcome.score.origin.partition)
        owner = found.owners.get(outcome.score.asset) if found else None
        if owner is not None and cases:
            name(owner.alerts, cases)

    def take_up(self, item: Item, partition: int, offset: int) -> list[AlertTransition]:
        """Take up what was put on record in the order of a partition, before the record at `offset`.

        Parameters
        ----------
        item
            Master data, the policy of some assets, the alarm of their parent, or a command or work order with its place on its own topic. What an
            asset has taken up already, or is further than, is left out: all that is on record may be given again.

        Returns
        -------
        list of AlertTransition
            What it led to.
        """
        return self._orders.take_up(item, partition, offset)

    def policies(self, partition: int) -> Mapping[str, str]:
        """Version of the policy that each asset of a partition has."""
        return self._orders.policies(partition)

    def parents(self, partition: int) -> Mapping[str, str]:
        """Parent whose alarm stands, of the assets of a partition that were told of one."""
        return self._orders.parents(partition)

    def newcomers(self, partition: int) -> list[str]:
        """Assets of a partition that were met since this was asked last; they have the default policy."""
        return self._orders.newcomers(partition)

    def overdue(self, partition: int, at_ns: int, since_ns: int = 0) -> bool:
        """Say whether a tick at that wall-clock time would tell a sensor silent, or change an alert; changes nothing.

        Only to be asked when the partition was read to its end after `at_ns`: what lies unread in it is no silence.
        """
        return self._deadlines.overdue(partition, at_ns) or self._silence.overdue(partition, at_ns, since_ns)

    def tick(self, tick: Tick) -> list[DataQuality | AlertTransition]:
        """Tell the sensors silent from which nothing came for too long, once each; their next record clears it.

        Then the alerts that time alone changes: nobody acknowledged, a shelf has expired, it is over for long enough.
        A function of the state and the tick. Assets that are further than its place are left alone.
        """
        return [*self._silence.tick(tick), *self._deadlines.tick(tick)]

    def status(self, asset: str) -> AssetStatus | None:
        """Why an asset has a score or not; None for one that was never seen."""
        owners = [owner for owner in self._admission.owned(asset) if owner.points]
        if not owners:
            return None
        points = (status(name, point) for owner in owners for name, point in owner.points.items())
        return AssetStatus(asset, owners[0].record.registered, tuple(points))

    def views(self, partition: int) -> list[PointView]:
        """What is known of each measuring point of a partition, for those who show it."""
        found = self._admission.partitions.get(partition)
        return list(views(found)) if found else []

    def folded(self, partition: int, asset: str) -> int:
        """Next offset of an asset's order: records below it must not be given again; 0 where nothing was folded in."""
        return self._stored.folded(partition, asset)

    def dirty(self, partition: int) -> Mapping[str, int]:
        """Asset to the first offset that changed it since a checkpoint had it, the oldest first."""
        return self._stored.dirty(partition)

    def capture(self, partition: int, asset: str) -> AssetState:
        """Copy everything that decides about an asset.

        Raises
        ------
        KeyError
            The asset is not on this partition.
        """
        return self._stored.capture(partition, asset)

    def clean(self, partition: int, asset: str, offset: int) -> None:
        """Note that a checkpoint has the asset's state, captured at `offset`."""
        self._stored.clean(partition, asset, offset)

    def restore(self, state: AssetState, *, dirty: int | None = None) -> None:
        """Go on with a captured state; what the Fleet held of this asset is dropped.

        Parameters
        ----------
        dirty
            First offset of it that no checkpoint has; None: one has all of it.

        Raises
        ------
        StateRejected
            It is of another shape, or does not fit: the asset keeps its master data where that can be read, starts
            cold, and says so with its next outcome.
        """
        self._stored.restore(state, dirty)

    @property
    def recipe(self) -> Recipe:
        """What is configured."""
        return self._admission.recipe

    def recipe_of(self, partition: int) -> Recipe:
        """What models of a partition are started by: what is configured, until something else is said."""
        return self._admission.recipe_of(partition)

    def know(self, key: str, recipe: Recipe | str) -> None:
        """Learn what states mean that name this recipe; a text says why they cannot be gone on with."""
        if isinstance(recipe, Recipe):
            self._admission.recipes[key] = recipe
            self._admission.recipes.setdefault(recipe.key, Recipe(recipe.spec, recipe.reference))
        else:
            self._admission.strange[key] = recipe

    def known(self, key: str) -> Recipe | None:
        """What a state means that names this recipe; None where it cannot be gone on with."""
        return self._admission.recipes.get(key)

    def begin(self, partition: int, key: str) -> None:
        """Begin a partition with a recipe that is known, before anything of it is restored; else with what is configured."""
        self._admission.partition(partition).recipe = self._admission.recipes.get(key)

    def change(self, key: str, partition: int, offset: int) -> None:
        """Have a partition go over to a recipe that is known, before the record at `offset`; a place that is on record.

        Models whose state fits go on with it. The others keep scoring until one by the new recipe, which learns in their
        shadow, is past its warm-up and no alarm stands (`core/succession.py`).
        """
        recipe = self._admission.recipes.get(key)
        if recipe is not None:
            self._succession.change(recipe, partition, offset)

    def recipes(self, partition: int) -> set[str]:
        """Keys of all recipes by which something of a partition is computed."""
        found = self._admission.partitions.get(partition)
        points = [point for owner in found.owners.values() for point in owner.points.values()] if found else []
        return {self.recipe_of(partition).key, *(model.recipe.key for point in points for model in models_of(point))}

    def census(self) -> Census:
        """Count measuring points by state, over all partitions; some milliseconds for 10,000 of them."""
        return census(self._admission.partitions.values())

    def master_data(self, partition: int, asset: str) -> Asset | None:
        """Master data that an asset is scored with; None for one that the partition does not know."""
        found = self._admission.partitions.get(partition)
        owner = found.owners.get(asset) if found else None
        return owner.record if owner else None

    def adopt_cold(self, partition: int, asset: str, reason: str) -> None:
        """Let an asset start cold: its next outcome carries a quality event `cold_start` with the reason."""
        self._admission.forget(partition, asset).cold = reason

    def release(self, partitions: Collection[int]) -> None:
        """Drop all state of these input partitions: another worker has them now."""
        self._admission.release(partitions)

    def forget(self, partition: int, asset: str) -> None:
        """Drop all state of one asset, which cannot be trusted: it starts cold."""
        self._admission.forget(partition, asset)


def _ignore(_stage: str) -> None:
    """Take no notice."""
