"""What people ask of an alarm, and what maintenance did: each has an outcome that is told. Pure."""

from __future__ import annotations

from collections.abc import Callable

from foreshock.alerts import feedback
from foreshock.alerts.conditions import level
from foreshock.alerts.policy import Policy, Window
from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.settle import settle
from foreshock.alerts.states import Alarm, Context, Hold, Incident, Shelf, Step
from foreshock.alerts.turn import NS, OVERLAYS, By, Turn
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, WorkKind

AHEAD_NS = 300 * NS  # of the log: a clock that is further in the future is wrong
REMEMBERED = 64  # ids of commands: a repetition comes soon, or with a place that is known
WINDOWS = 20  # of an asset, by command


def command(policy: Policy, alarm: Alarm, asked: Command, context: Context) -> Step:
    """Do what a command asks for, or refuse it with a reason and without any effect.

    `context.origin` is the origin of the command; a repeated `command_id` is refused.

    Returns
    -------
    tuple of Alarm and tuple of Draft
        The first draft that names the command is its answer: `refused`, or what it asked for.
    """
    turn = Turn(policy, alarm, context, log_ns=context.origin.ingest_ns)
    by = By(asked.actor.strip(), asked.command_id, asked.kind)
    refused = _objection(alarm, asked, context) or _DO[asked.kind](turn, asked, by)
    if refused:
        turn = Turn(policy, alarm, context, log_ns=context.origin.ingest_ns)
        known = asked.alert_id == "" or (alarm.incident is not None and asked.alert_id == alarm.incident.alert_id)
        turn.answer(Change.REFUSED, refused, by, alert_id=None if known else "")
        return turn.done()
    turn.rest = turn.rest._replace(commands=(*alarm.commands, asked.command_id)[-REMEMBERED:])
    settle(turn)
    return turn.done()


def work(policy: Policy, alarm: Alarm, order: WorkOrder, context: Context) -> Step:
    """Join a work order to the alert that it is of; a repair or a replacement ends what the asset demanded.

    The open alert is meant where none is named; one that is named may be closed by then. A note, an order that is joined
    already, and one without an alert to join tell nothing. After a repair or a replacement the conditions of the points
    start anew as well: that is for the caller to do.
    """
    incident = alarm.incident
    concerned = incident is not None and order.alert_id in {"", incident.alert_id}
    done = order.kind in {WorkKind.REPAIR, WorkKind.REPLACEMENT}
    known = incident is not None and concerned and incident.work_order == order.work_order
    repeats = order.record_id in alarm.commands or (order.kind is WorkKind.OPENED and known)
    if repeats or order.kind is WorkKind.NOTE or not (concerned or order.alert_id or (done and incident)):
        return alarm, ()
    turn = Turn(policy, alarm, context, log_ns=context.origin.ingest_ns)
    by = By(order.actor or "maintenance", order.record_id)
    if concerned:
        if order.work_order:
            turn.set(work_order=order.work_order)
        turn.tell(Change.WORK_ORDER, _told(order), by=by)
    elif order.alert_id:
        turn.answer(Change.WORK_ORDER, _told(order), by, alert_id=order.alert_id, work_order=order.work_order)
    if done and incident is not None:  # whatever alert the order was opened for: it is another machine now
        turn.drop()
        turn.set(held=None, chattering=False)
        turn.why = f"{order.kind} by {by.actor}: the baseline starts anew"
    turn.rest = turn.rest._replace(commands=(*alarm.commands, order.record_id)[-REMEMBERED:])
    settle(turn)
    return turn.done()


def _told(order: WorkOrder) -> str:
    note = f": {order.note}" if order.note else ""
    return f"work order {order.work_order or '(no number)'}: {order.kind}{note}"


def _objection(alarm: Alarm, asked: Command, context: Context) -> str:
    """Why a command cannot be taken whatever it asks for; ""."""
    ahead_s = (asked.at_ns - context.origin.ingest_ns) / NS
    objections = (
        (not asked.actor.strip(), "a command needs the name of its actor"),
        (not asked.reason.strip(), "a command needs a reason"),
        (not asked.command_id, "a command needs an id"),
        (asked.command_id in alarm.commands, f"command {asked.command_id} was taken already"),
        (ahead_s * NS > AHEAD_NS, f"its clock is {ahead_s:.0f} s ahead of the log's"),
    )
    return next((text for objects, text in objections if objects), "")


def _open(turn: Turn, asked: Command) -> Incident | str:
    """The open alert that a command is for, or why there is none."""
    incident = turn.incident
    if incident is None:
        return f"no alert {asked.alert_id} is open" if asked.alert_id else f"no alert of {asked.asset} is open"
    if asked.alert_id not in {"", incident.alert_id}:
        return f"no alert {asked.alert_id} is open; {incident.alert_id} is"
    return incident


def _acknowledge(turn: Turn, asked: Command, by: By) -> str:
    incident = _open(turn, asked)
    if isinstance(incident, str):
        return incident
    if incident.raised_ns is None:
        return f"alert {incident.alert_id} was not raised ({incident.state}): there is nothing to acknowledge"
    if incident.base not in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED}:
        return f"alert {incident.alert_id} was acknowledged already, by {incident.acknowledged_by}"
    stands = incident.base is AlarmState.UNACKNOWLEDGED
    base = AlarmState.ACKNOWLEDGED if stands else AlarmState.NORMAL
    turn.set(base=base, acknowledged_by=by.actor, acknowledged_ns=turn.log_ns, respond_by_ns=None)
    if not stands:
        turn.set(over_ns=turn.now_ns)  # it is closed so long after both
    turn.tell(Change.ACKNOWLEDGED, asked.reason, state=incident.state if incident.state in OVERLAYS else base, by=by)
    return ""


def _shelve(turn: Turn, asked: Command, by: By) -> str:
    if asked.alert_id and isinstance(incident := _open(turn, asked), str):
        return incident
    longest_s = turn.policy.longest_shelf_s
    if asked.until_ns is None:
        return "a shelf needs an end: until"
    if asked.until_ns <= max(asked.at_ns, turn.log_ns):
        return "the end of a shelf must be in the future"
    if asked.until_ns - asked.at_ns > longest_s * NS:
        return f"a shelf lasts at most {longest_s / 3600:g} h; a longer stop is a maintenance window"
    turn.put_aside(Shelf(asked.until_ns, by.actor, asked.reason), asked.reason, by)
    return ""


def _unshelve(turn: Turn, asked: Command, by: By) -> str:
    if asked.alert_id and isinstance(incident := _open(turn, asked), str):
        return incident
    if turn.shelf is None:
        return f"the alarm of {asked.asset} is not shelved"
    turn.unshelve(asked.reason, by)
    return ""


def _close(turn: Turn, asked: Command, by: By) -> str:
    incident = _open(turn, asked)
    if isinstance(incident, str):
        return incident
    silent_s = (turn.log_ns - incident.heard_ns) / NS
    if turn.members and silent_s < turn.policy.stale_after_s:
        stands = ", ".join(f"{member.point} ({member.severity})" for member in turn.members)
        return f"it has not returned to normal: {stands}; shelve it, or announce a maintenance window"
    turn.close(asked.reason, by)
    return ""


def _freeze(turn: Turn, asked: Command, by: By) -> str:
    held = turn.rest.frozen
    if held is not None:
        return f"learning is held already, by {held.actor}: {held.reason}"
    turn.rest = turn.rest._replace(frozen=Hold(by.actor, asked.reason, asked.at_ns))
    turn.answer(Change.FROZEN, asked.reason, by, effect="learning is held")
    return ""


def _resume(turn: Turn, asked: Command, by: By) -> str:
    if turn.rest.frozen is None:
        return "learning is not held by anybody"
    turn.rest = turn.rest._replace(frozen=None)
    turn.answer(Change.RESUMED, asked.reason, by, effect="learning goes on, as far as nothing else holds it")
    return ""


def _window(turn: Turn, asked: Command, by: By) -> str:
    """Announce a window, or change one: `label_id` names the one that is changed, by the id of its command."""
    name = asked.label_id or asked.command_id
    others = tuple(w for w in turn.rest.windows if w.name != name and (w.ends_ns or 0) > turn.now_ns)
    known = next((w for w in turn.rest.windows if w.name == name), None)
    if asked.label_id and known is None:
        return f"no window {asked.label_id} of {asked.asset}: there is nothing to change"
    given_ns = known.starts_ns if known and asked.from_ns is None else asked.from_ns
    starts_ns = asked.at_ns if given_ns is None else given_ns
    if asked.until_ns is None:
        return "a maintenance window needs an end: until"
    if asked.until_ns <= starts_ns:
        return "a maintenance window must end after it begins"
    if asked.until_ns <= turn.log_ns and known is None:
        return "the maintenance window is over already"
    if len(others) >= WINDOWS:
        return f"{asked.asset} has {WINDOWS} maintenance windows already: a recurring one belongs into a policy"
    window = Window(name=name, holds=asked.holds, starts_ns=starts_ns, ends_ns=asked.until_ns)
    turn.rest = turn.rest._replace(windows=(*others, window))
    effect = f"window {name} holds {'alerting and learning' if asked.holds == 'both' else asked.holds}"
    turn.answer(Change.WINDOW, asked.reason, by, effect=effect)
    return ""


def _label(turn: Turn, asked: Command, by: By) -> str:
    incident = turn.incident
    own = incident if incident is not None and asked.alert_id == incident.alert_id else None
    end_ns = min(turn.now_ns, asked.at_ns)
    taken = feedback.take(
        turn.rest.labels,
        asked,
        level=level(turn.policy),
        score=own.initial_score if own else None,
        interval=(own.began_ns if own.raised_ns is None else own.raised_ns, end_ns) if own else None,
    )
    if taken.refused or taken.label is None:
        return taken.refused or "it is no label"
    turn.rest = turn.rest._replace(labels=taken.labels)
    named = asked.alert_id or taken.label.alert_id
    turn.answer(Change.LABELLED, asked.reason, by, alert_id=named, effect=taken.effect.sentence)
    return ""


_DO: dict[CommandKind, Callable[[Turn, Command, By], str]] = {
    CommandKind.ACKNOWLEDGE: _acknowledge,
    CommandKind.SHELVE: _shelve,
    CommandKind.UNSHELVE: _unshelve,
    CommandKind.CLOSE: _close,
    CommandKind.FREEZE: _freeze,
    CommandKind.RESUME: _resume,
    CommandKind.WINDOW: _window,
    CommandKind.LABEL: _label,
}
