"""Changed settings: a model by the new ones warms up in the shadow while the old one keeps scoring, point by point.

From the place on record at which the settings change:

- a model whose state the new settings can go on with (another budget, another warm-up) is theirs at once;
- any other gets an heir, which starts empty and sees each record after the old model has scored it. While it warms up
  it sees only what the old one finds calm, so that it never learns a fault as normal;
- an heir that is ready takes over after the first record at which no episode stands, neither of the old model nor of
  its own. After `PATIENCE_NS` it takes over in any case: the old episode is closed with the reason, and its own alarm
  begins anew, so that it is told.

All of this is a function of the records of the asset. What has heirs is received in parts that hold one record of an
asset each; nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from foreshock.contract import Anomaly, Asset, Block, ScoreState
from foreshock.core.acceptance import may_learn, succeed
from foreshock.core.admission import Admission
from foreshock.core.desk import refresh
from foreshock.core.events import farewell
from foreshock.core.points import Entry, Heir, Latest, Model, Owner, Point, Watch
from foreshock.core.recipe import Recipe
from foreshock.outcome import Outcome
from foreshock.vocabulary import SHADOW

PATIENCE_NS = 24 * 3600 * 1_000_000_000  # of ingest time, from when the heir is ready
_ACCEPTED = "label {} accepted this state as normal: it is part of the baseline from here on"
_CLOSED = "settings changed, and the new model has waited a day for the end of this episode: it judges from here on"


@dataclass(frozen=True, slots=True)
class Succession:
    """Leads the measuring points of an admission from one recipe to the next."""

    admission: Admission

    @property
    def busy(self) -> bool:
        """Whether anything may have a model in the shadow."""
        return any(each.succeeding for each in self.admission.partitions.values())

    def change(self, recipe: Recipe, number: int, offset: int) -> None:
        """Have a partition go over to a recipe before the record at `offset`; assets that are further have done so."""
        partition = self.admission.partition(number)
        partition.recipe = recipe
        for name, owner in partition.owners.items():
            if owner.folded > offset:
                continue
            begun = [self._begin(point, owner.record, recipe) for point in owner.points.values()]
            if any(begun):
                partition.touch(name, owner, offset)
            self._note(number, name, owner)
        for owner in partition.owners.values():
            refresh(owner, recipe)
        self.admission.settle()

    def _begin(self, point: Point, asset: Asset, recipe: Recipe) -> bool:
        """Begin it for one measuring point; False where nothing changes."""
        model, heir = point.model, point.heir
        kind = model.layout.kind
        if model.recipe.fits(recipe, asset, kind):
            if model.recipe.key == recipe.key and (heir is None or heir.label):
                return False
            if heir is not None and heir.label:
                heir.model = self._moved(heir.model, asset, recipe)
            elif heir is not None:
                self.admission.freed.append(heir.model)
                point.heir = None
            point.model = self._moved(model, asset, recipe)
            if point.former is not None:
                point.former = replace(point.former, model=self._moved(point.former.model, asset, recipe))
        elif heir is not None and heir.model.recipe.fits(recipe, asset, kind):
            if heir.model.recipe.key == recipe.key:
                return False
            heir.model = self._moved(heir.model, asset, recipe)
        else:
            if heir is not None:
                self.admission.freed.append(heir.model)
            if point.former is not None:  # nobody can go back to settings that are gone
                self.admission.freed.append(point.former.model)
                point.former = None
            fresh = self.admission.model(model.layout, asset, recipe)
            fresh.run, fresh.newest_ns = model.run, model.newest_ns
            point.heir = Heir(fresh)
        return True

    def _moved(self, model: Model, asset: Asset, recipe: Recipe) -> Model:
        """Give a model's state to a recipe that can go on with it."""
        if model.recipe.key == recipe.key:
            return model
        moved = self.admission.model(model.layout, asset, recipe)
        moved.lane.restore(moved.slot, model.lane.capture(model.slot))
        self.admission.freed.append(model)
        return replace(model, lane=moved.lane, slot=moved.slot, recipe=recipe)

    def parts(self, batch: Sequence[Block | Asset]) -> Iterator[list[Block | Asset]]:
        """Cut a batch so that no part holds two records of an asset that may have heirs."""
        part: list[Block | Asset] = []
        seen: set[tuple[int, str]] = set()
        for item in batch:
            if not isinstance(item, Asset):
                name = item.origin.partition, item.asset
                if name in seen:
                    yield part
                    part, seen = [], set()
                if item.asset in self.admission.partition(name[0]).succeeding:
                    seen.add(name)
            part.append(item)
        yield part

    def follow(self, entries: Sequence[Entry]) -> None:
        """Show the heirs what the models have scored, and have those take over whose time has come."""
        scored = [(entry, entry.point.heir) for entry in entries if entry.outcome is not None]
        pairs = [(entry, heir) for entry, heir in scored if heir is not None]
        shown = [
            (heir, replace(entry, model=heir.model, outcome=None, zoned=None))
            for entry, heir in pairs
            if heir.ready_ns >= 0 or (may_learn(entry, heir) if heir.label else _is_calm(entry))
        ]
        for lane, members in self.admission.by_lane([entry for _, entry in shown]):
            prepared = lane.prepare(members)
            lane.score(prepared)
            lane.outcomes(prepared)
        for heir, entry in shown:
            _note_progress(heir, entry)
        for entry, heir in pairs:
            self._step(entry, heir)
        for entry in entries:  # an heir may have gone with its layout as well
            self._note(entry.block.origin.partition, entry.block.asset, entry.owner)

    def _step(self, entry: Entry, heir: Heir) -> None:
        """Let an heir take over where it may; else say with the score how far it is."""
        outcome, model = _outcome(entry), entry.point.model
        now_ns = entry.block.origin.ingest_ns
        waiting = (model.episode is not None and not heir.label) or heir.model.episode is not None
        patient = heir.ready_ns >= 0 and now_ns - heir.ready_ns < PATIENCE_NS
        if heir.ready_ns >= 0 and not (waiting and patient) and not (heir.label and entry.exceeded):
            said = _ACCEPTED.format(heir.label) if heir.label else _CLOSED
            entry.outcome = replace(outcome, anomalies=(*outcome.anomalies, *_last_words(entry, outcome, said)))
            self._take_over(entry.point, heir)
            return
        told = "waits in the shadow until no alarm stands"
        if heir.ready_ns < 0:
            what = f"takes in what label {heir.label} accepted" if heir.label else "is warming up in the shadow"
            told = f"{what}, {100 * heir.share:.0f} %"
        learning = f"{outcome.score.learning}{SHADOW}{told}"
        entry.outcome = replace(outcome, score=replace(outcome.score, learning=learning))

    def _take_over(self, point: Point, heir: Heir) -> None:
        """Put an heir in the place of the old model; the limits' alarm goes on, whoever scores."""
        old, model = point.model, heir.model
        left = succeed(point, heir, model.newest_ns) if heir.label else old
        if left is not None:
            self.admission.freed.append(left)
        model.limits, old.limits = old.limits, Watch()
        for each in (model, old):  # nobody has heard of an episode of the new one: it begins anew, and is told then
            _begin_anew(each)
        point.model, point.heir = model, None

    def _note(self, number: int, name: str, owner: Owner) -> None:
        succeeding = self.admission.partition(number).succeeding
        if any(point.heir is not None for point in owner.points.values()):
            succeeding.add(name)
        else:
            succeeding.discard(name)


def _outcome(entry: Entry) -> Outcome:
    if entry.outcome is None:
        raise AssertionError("an entry that was scored has its outcome from its lane")
    return entry.outcome


def _is_calm(entry: Entry) -> bool:
    """Whether the old model sees nothing in a record that the new one must not learn as normal."""
    return not entry.held and not any(
        row.alarm or (row.value is not None and row.value >= 1.0) for row in _outcome(entry).score.rows
    )


def _note_progress(heir: Heir, shown: Entry) -> None:
    score = _outcome(shown).score
    heir.share = score.warmup
    if heir.ready_ns < 0 and score.rows[-1].state is ScoreState.SCORED:
        heir.ready_ns = shown.block.origin.ingest_ns


def _begin_anew(model: Model) -> None:
    """Forget the alarm of a model."""
    if model.episode is not None:
        tree = model.lane.capture(model.slot)
        for name in ("alarm_int", "alarm_float"):
            tree["model"][name][...] = 0
        model.lane.restore(model.slot, tree)
        model.episode = None


def _last_words(entry: Entry, outcome: Outcome, reason: str) -> tuple[Anomaly, ...]:
    """Close the episode that the old model leaves open; that of the limits goes on."""
    entry.left = replace(entry.point.model, limits=Watch())
    events = farewell(entry, Latest.of(outcome.score), reason)
    entry.left = None
    return events
