"""Where the alert of an asset stands, and why something is not alerted: a sentence from its last changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from foreshock.alerts.vocabulary import AlarmState, Change
from foreshock.answers.facts import Facts, Line, Seen, clock

SHOWN = 4
# what people and maintenance are told of: no change of where the alert stands
_ANSWERS = frozenset(
    {Change.LABELLED, Change.WORK_ORDER, Change.WINDOW, Change.FROZEN, Change.RESUMED, Change.REFUSED, Change.OVERDUE}
)


def standing(facts: Facts) -> Seen | None:
    """Give the last change of the asset's alert, where one stands or something is kept from being one."""
    found = next((each for each in facts.alerts if each.record["change"] not in _ANSWERS), None)
    if found is None or found.record["change"] == Change.CLOSED:
        return None
    over = found.record["state"] == AlarmState.NORMAL and not found.record["suppressed_by"]
    return None if over else found


def sentence(facts: Facts) -> str:
    """Say where the alert stands; "" where there is none."""
    found = standing(facts)
    if found is None:
        return ""
    told = found.record
    name, since = f"alert {told['alert_id'][:8]}", f"since {clock(told['at_ns'])}"
    if told["state"] == AlarmState.SHELVED:
        until = f" until {clock(told['shelved_until_ns'])}" if told["shelved_until_ns"] else ""
        return f" Its alarm is shelved{until} by {told['actor']}: {told['reason']}."
    if told["suppressed_by"]:
        why = told["suppressed_by"].replace("_", " ")
        return f" It is not alerted {since} because of {why}: {told['reason']}."
    if told["state"] == AlarmState.OUT_OF_SERVICE:
        return f" It is out of service {since}: {told['reason']}."
    state = told["state"].replace("_", " ")
    by = f" by {told['acknowledged_by']}" if told["acknowledged_by"] else f", and {told['owner']} is to act"
    return f" Its {name} ({told['severity']}) is {state}{by}, {since}."


def lines(facts: Facts) -> Iterator[Line]:
    """Give its last changes as facts."""
    for seen in facts.alerts[:SHOWN]:
        told = seen.record
        alert = f" {told['alert_id'][:8]}" if told["alert_id"] else ""
        text = f"{told['change'].replace('_', ' ')}{alert} by {told['actor']}: {told['reason']}"
        yield Line("alert", text, seen.source, seen.at_ns)
    found = standing(facts)
    if found is not None and found.record["action"]:
        yield Line("to do", found.record["action"], f"policy {found.record['policy']}", found.at_ns)
