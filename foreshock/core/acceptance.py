"""What a verdict does to baselines: a state that was accepted as normal is taken in, and given back when that is revised.

When a second person accepts a label `false`, each measuring point whose episode of that time is still open gets a model in
the shadow (`core/succession.py`). It begins with half of the baseline and learns the other half from the records that come
from there on, which is the state that the label calls normal: an alarm does not hold that, but

- nothing is learnt from a record whose score is above `HEADROOM` times the highest of the episode, or near the least score
  that was labelled true: what grows on is no state that anybody accepted;
- nothing while a static limit is exceeded, or somebody holds learning; and it does not take over then.

The baseline before the first such label is kept. It comes back when the label is revised, when one `true` is accepted of
the time in which it was learnt, and goes with a repair, a new layout, or settings of another shape. All of this is a
function of the records and of the places of commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from foreshock.alerts.feedback import Label
from foreshock.alerts.margin import CLEAR_OF_TRUE
from foreshock.alerts.vocabulary import Verdict
from foreshock.core.admission import Admission
from foreshock.core.points import Entry, Former, Heir, Model, Owner, Partition, Point
from foreshock.core.scores import WarmUp

HEADROOM = (
    1.3  # the margin over the largest healthy score that gave no false alarm on rigs: the same state scores no higher
)
Labels = tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Has the baselines of an admission follow the labels in force."""

    admission: Admission

    def follow(self, partition: Partition, owner: Owner, before: Labels, after: Labels) -> str:
        """Take up that the labels of an asset changed; say what that does to its baselines, "" for nothing."""
        known = {(each.label_id, each.revision) for each in before if each.in_force}
        new = [each for each in after if each.in_force and (each.label_id, each.revision) not in known]
        false = {each.label_id for each in after if each.in_force and each.verdict is Verdict.FALSE}
        revised = {each.label_id for each in after} - false  # one that is only forgotten, for its age, is not
        found = [
            sentence
            for name, point in sorted(owner.points.items())
            for sentence in self._point(name, point, owner, new, revised, _ceiling(after))
        ]
        if any(point.heir is not None for point in owner.points.values()):
            partition.succeeding.add(owner.record.asset)
        return "; ".join(found)

    def _point(
        self, name: str, point: Point, owner: Owner, new: list[Label], revised: set[str], most: float
    ) -> Iterator[str]:
        heir, former = point.heir, point.former
        true = [each for each in new if each.verdict is Verdict.TRUE]
        if heir is not None and heir.label and (heir.label in revised or any(t.until_ns > heir.since_ns for t in true)):
            self.admission.freed.append(heir.model)
            point.heir = None
            yield f"{name} does not take in what label {heir.label} accepted"
        if former is not None and (not revised.isdisjoint(former.labels) or any(_meets(t, former) for t in true)):
            self._back(point, former)
            yield f"the baseline of {name} is again that before label {former.labels[0]}"
        for label in new:
            if label.verdict is Verdict.FALSE and _stands(point.model, label):
                yield self._begin(name, point, owner, label, most)

    def _begin(self, name: str, point: Point, owner: Owner, label: Label, most: float) -> str:
        """Begin to take in the state of a measuring point."""
        zones = point.zones.episode is not None or point.gathering.memory.alarm.over > 0
        if zones or point.model.limits.episode is not None or point.model.limits.alarm.over > 0:
            return f"the baseline of {name} stays: a static limit is exceeded"
        if point.heir is not None or point.anew:
            return f"the baseline of {name} stays: it is changing already"
        model, lane = point.model, point.model.lane
        warmup = WarmUp.of(owner.record, model.recipe.spec)
        fresh = self.admission.model(model.layout, owner.record, model.recipe)
        lane.inherit(fresh.slot, model.slot, warmup.blocks, warmup.ns // 2)
        fresh.run, fresh.newest_ns, fresh.trend = model.run, model.newest_ns, model.trend
        ceiling = min(HEADROOM * lane.alarm(model.slot).peak, most)
        point.heir = Heir(fresh, label=label.label_id, since_ns=model.newest_ns, ceiling=ceiling)
        return (
            f"{name} takes in its present state, up to a score of {ceiling:.2f}, and goes by it when it has seen enough"
        )

    def _back(self, point: Point, former: Former) -> None:
        """Go on with the baseline before; an episode that is open goes on."""
        now, model = point.model, former.model
        model.lane.restore(model.slot, _with_alarm(model, now))
        model.run, model.newest_ns, model.trend = now.run, now.newest_ns, now.trend
        model.episode, model.limits = now.episode, now.limits
        self.admission.freed.append(now)
        point.model, point.former = model, None


def may_learn(entry: Entry, heir: Heir) -> bool:
    """Whether a record, which the model has scored, is of the state that a label accepted."""
    if entry.outcome is None or entry.held or entry.exceeded:
        return False
    return all(row.value is None or row.value < heir.ceiling for row in entry.outcome.score.rows)


def succeed(point: Point, heir: Heir, until_ns: int) -> Model | None:
    """Note that a state was taken in; the model that is given up for it, None where it is kept as the one before."""
    old, former = point.model, point.former
    if former is not None:
        point.former = replace(former, labels=(*former.labels, heir.label), until_ns=until_ns)
        return old
    point.former = Former(old, (heir.label,), heir.since_ns, until_ns)
    return None


def _with_alarm(model: Model, of: Model) -> dict[str, object]:
    """Arrays of a model, but for its alarm and its level, which are those of another one."""
    tree, other = model.lane.capture(model.slot), of.lane.capture(of.slot)
    for name in ("alarm_int", "alarm_float"):
        tree["model"][name] = other["model"][name]
    return {**tree, "level": other["level"]} if "level" in other else tree


def _ceiling(labels: Labels) -> float:
    """Score that is so near to one labelled true that nothing may be learnt from there on."""
    true = [e.score for e in labels if e.in_force and e.verdict is Verdict.TRUE and e.score is not None]
    return CLEAR_OF_TRUE * min(true) if true else float("inf")


def _meets(true: Label, former: Former) -> bool:
    """Whether a label is of a time in which a state was taken in."""
    return true.from_ns < former.until_ns and true.until_ns > former.since_ns


def _stands(model: Model, label: Label) -> bool:
    """Whether an episode of the time of a label is still open."""
    episode = model.episode
    return episode is not None and episode.started_ns < label.until_ns and label.from_ns <= model.newest_ns
