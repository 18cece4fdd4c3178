"""Where the policy of an asset meets its records: each block, in order, once its outcome is known.

Most blocks of most assets are below every level while nothing stands: those cost two comparisons. For the others each
row is a `Reading` of its measuring point, the point's `Condition` says what it demands, and the `Alarm` of the asset what
that changes. A row without a score is no evidence of anything: it moves no condition towards normal, and an alert stands
while the machine is stopped, or its sensor is faulty, until time alone ends it.

Whether the alarm of a parent stands comes from outside, as an item on record (`Inhibited`): nothing here looks at another
asset.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from foreshock.alerts import budget, lifecycle, margin, windows
from foreshock.alerts.conditions import Condition, Reading, evaluate, level, lowest
from foreshock.alerts.files import resolve
from foreshock.alerts.policy import Policy
from foreshock.alerts.quiet import heard, lags, unmoved
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.states import Context, Lead, Step
from foreshock.alerts.vocabulary import Holds
from foreshock.contract import Anomaly, Mode, Phase, RunState, ScoreRow, ScoreState
from foreshock.core.points import Entry, Owner, Partition
from foreshock.core.recipe import Recipe
from foreshock.core.standing import Alerts, Moved, Said
from foreshock.outcome import Outcome

SPARE = 64  # entries of the heap of due times above twice the assets, before it is made anew
_LEARNING = frozenset({Holds.LEARNING, Holds.BOTH})


@dataclass(frozen=True, slots=True)
class Desk:
    """Alerting of all assets of a Fleet.

    Attributes
    ----------
    policies
        What assets have a policy from that get none by an item on record; (): `DEFAULT`.
    known
        Policies by version, as they came by.
    """

    policies: Sequence[Policy] = ()
    known: dict[str, Policy] = field(default_factory=dict)

    def open(self, owner: Owner, recipe: Recipe) -> None:
        """Give a new asset, or one with new master data, the policy that covers it."""
        self.govern(owner, resolve(self.policies, owner.record) if self.policies else owner.alerts.policy, recipe)

    def govern(self, owner: Owner, policy: Policy, recipe: Recipe) -> None:
        """Let a policy hold from here on."""
        owner.alerts.policy = self.known.setdefault(policy.version, policy)
        refresh(owner, recipe)

    def hold(self, entry: Entry) -> None:
        """Say of a record at the door whether somebody holds learning."""
        alerts = entry.owner.alerts
        if alerts.holding:
            path = entry.asset.path
            entry.held = alerts.held or windows.learning_held(alerts.policy, alerts.alarm, path, entry.at_ns)

    def look(self, entry: Entry, outcome: Outcome, partitions: Mapping[int, Partition]) -> tuple[AlertTransition, ...]:
        """Take up what became of a record."""
        alerts = entry.owner.alerts
        if not alerts.restless and not outcome.anomalies:
            for row in outcome.score.rows:
                if row.value is not None and row.value >= alerts.floor:
                    break
            else:
                return ()
        if entry.refused is not None and entry.refused[0] is ScoreState.LATE:
            return ()
        if _passes(entry, outcome, partitions):
            return ()
        told = tuple(self._rows(entry, outcome))
        settle(entry.block.asset, entry.owner, partitions[entry.block.origin.partition])
        return told

    def _rows(self, entry: Entry, outcome: Outcome) -> Iterable[AlertTransition]:
        alerts, score, name = entry.owner.alerts, outcome.score, entry.block.point
        factor = alerts.margin * scale(alerts.policy, (entry.model or entry.point.model).recipe)
        origin = entry.block.origin
        alerts.topic, alerts.topic_id, alerts.site = origin.topic, origin.topic_id, entry.block.site
        events = list(outcome.anomalies)
        for number, row in enumerate(score.rows):
            while events and (events[0].lineage.inputs[0].row or 0) <= number:
                hear(alerts, events.pop(0))
            if row.state is ScoreState.LATE:
                continue
            mode = Mode.STATIC_LIMIT if row.p_value is None else score.mode
            reading = _reading(entry, row, mode, alerts)
            condition = alerts.conditions.get(name, Condition())
            condition, demand = evaluate(alerts.policy, condition, reading, factor)
            if condition == Condition():
                alerts.conditions.pop(name, None)
            else:
                alerts.conditions[name] = condition
            context = Context(
                asset=entry.asset,
                origin=origin,
                at_ns=reading.at_ns,
                row=number,
                site=entry.block.site,
                running=row.run_state is RunState.RUNNING,
                maintenance=entry.context.maintenance,
                parent=alerts.parent,
            )
            yield from apply(alerts, lifecycle.step(alerts.policy, alerts.alarm, {name: demand}, context), context)
        if name not in alerts.conditions:
            for key in [key for key, each in alerts.said.items() if each.over and key[0] == name]:
                del alerts.said[key]


def _passes(entry: Entry, outcome: Outcome, partitions: Mapping[int, Partition]) -> bool:
    """Take up a row below every level that changes nothing but when its asset was heard last; False: it may do more."""
    alerts, rows, point = entry.owner.alerts, outcome.score.rows, entry.block.point
    row = rows[0]
    if (
        len(rows) > 1
        or outcome.anomalies
        or row.p_value is None
        or row.value is None
        or not row.value < alerts.floor
        or outcome.score.mode is not Mode.MODEL
        or entry.context.maintenance
    ):
        return False
    policy, origin = alerts.policy, entry.block.origin
    at_ns = min(row.source_ns, entry.at_ns)
    condition = alerts.conditions.get(point)
    if condition is None:
        if any(said.over and said.point == point for said in alerts.said.values()):  # it is forgotten now
            return False
        demands = None
    else:
        factor = alerts.margin * scale(policy, (entry.model or entry.point.model).recipe)
        if not unmoved(policy, condition, at_ns, row.value, factor) or _inhibited(entry, policy):
            return False
        demands = condition.counts[0].severity
    late = lags(alerts.alarm, at_ns, origin.ingest_ns)
    lag_ns = origin.ingest_ns - at_ns
    after = heard(
        policy,
        alerts.alarm,
        point=point,
        demands=demands,
        value=row.value,
        at_ns=at_ns,
        log_ns=origin.ingest_ns,
        parent=alerts.parent,
        due_ns=lifecycle.due_ns(policy, alerts.alarm, entry.asset.path, lag_ns) if late else entry.owner.due_ns,
    )
    if after is None:
        return False
    alerts.alarm = after
    alerts.topic, alerts.topic_id, alerts.site = origin.topic, origin.topic_id, entry.block.site
    if late:
        settle(entry.block.asset, entry.owner, partitions[origin.partition])
    return True


def _inhibited(entry: Entry, policy: Policy) -> bool:
    """Whether a fault of the sensor stands, of a kind that the policy names."""
    return any(each.finding.kind.value in policy.inhibit_on for each in entry.standing)


def scale(policy: Policy, recipe: Recipe) -> float:
    """What the levels of a policy are multiplied by, for scores that are scaled by a recipe's budget."""
    return budget.factor(budget.of(policy), recipe.spec.budget)


def refresh(owner: Owner, recipe: Recipe) -> None:
    """Work out what follows from policy and alarm: to be called when something from outside changed them.

    `recipe` is what models of its partition are started by; models that are there may have others.
    """
    alerts = owner.alerts
    policy, alarm = alerts.policy, alerts.alarm
    name = owner.record.asset
    alerts.margin = margin.effect(alarm.labels, asset=name, level=level(policy)).margin_factor if alarm.labels else 1.0
    recipes = (recipe, *(point.model.recipe for point in owner.points.values()))
    alerts.floor = lowest(policy, alerts.margin * min(scale(policy, each) for each in recipes))
    held = (each.holds in _LEARNING for each in (*policy.windows, *alarm.windows))
    alerts.holding = bool(alerts.held) or alarm.frozen is not None or any(held)


def apply(alerts: Alerts, step: Step, context: Context) -> list[AlertTransition]:
    """Let a step be the state from here on, and make the records of it."""
    alerts.alarm, drafts = step
    return [lifecycle.transition(alerts.policy, each, context) for each in drafts]


def settle(name: str, owner: Owner, partition: Partition) -> None:
    """Note whether something stands, and when it is due next."""
    alerts = owner.alerts
    alerts.restless = bool(alerts.conditions) or not alerts.alarm.idle
    incident = alerts.alarm.incident
    if incident is not None and incident.parent != alerts.parent:
        due_ns: int | None = 0  # it has not heard of it: with the next tick, if no record comes before
    else:
        due_ns = lifecycle.due_ns(alerts.policy, alerts.alarm, owner.record.path)
    if due_ns != owner.due_ns:
        owner.due_ns = due_ns
        if due_ns is not None:
            heapq.heappush(partition.due, (due_ns, name))
            if len(partition.due) > 2 * len(partition.owners) + SPARE:  # most of it is void
                owners = partition.owners.items()
                partition.due = [(each.due_ns, known) for known, each in owners if each.due_ns is not None]
                heapq.heapify(partition.due)


def hear(alerts: Alerts, event: Anomaly) -> None:
    """Remember what an anomaly event said of its measuring point."""
    alerts.said[event.point, event.mode.value] = Said(
        point=event.point,
        mode=event.mode.value,
        anomaly_id=event.event_id,
        hypothesis=event.hypothesis,
        effect=tuple(
            Moved(each.feature, each.value, each.expected)
            for each in event.contributions
            if each.value is not None and each.expected is not None
        ),
        over=event.phase is Phase.CLOSED,
    )


def name(alerts: Alerts, cases: Mapping[str, str]) -> None:
    """Learn the sha256 of the cases of anomaly events: whatever still rests on one of them names it from here on."""
    for key, said in alerts.said.items():
        if said.anomaly_id in cases:
            alerts.said[key] = said._replace(evidence=cases[said.anomaly_id])
    alarm, incident = alerts.alarm, alerts.alarm.incident
    if incident is not None:
        members = tuple(each._replace(lead=_named(each.lead, cases)) for each in alarm.members)
        named = incident._replace(lead=_named(incident.lead, cases))
        alerts.alarm = alarm._replace(incident=named, members=members)


def _named(lead: Lead, cases: Mapping[str, str]) -> Lead:
    return lead._replace(evidence=cases[lead.anomaly_id]) if lead.anomaly_id in cases else lead


def _reading(entry: Entry, row: ScoreRow, mode: Mode, alerts: Alerts) -> Reading:
    at_ns = min(row.source_ns, entry.at_ns)  # a clock that is ahead counts as late as the broker's
    said = alerts.said.get((entry.block.point, mode.value))
    return Reading(
        at_ns=at_ns,
        value=row.value,
        trend=row.trend,
        hypothesis=said.hypothesis if said else "",
        effect=said.effect if said else (),
        usable=row.state is not ScoreState.NOT_USABLE,
        running=row.run_state is RunState.RUNNING,
        inhibited=_inhibited(entry, alerts.policy),
        mode=mode.value,
        anomaly_id=said.anomaly_id if said else "",
        evidence=said.evidence if said else "",
        delayed_s=(entry.block.origin.ingest_ns - at_ns) / 1e9,
    )
