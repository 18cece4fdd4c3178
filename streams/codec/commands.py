"""From the fields of a command or a work order, as they were decoded, to the record of the contract; all checks of meaning are here.

What cannot be judged without the asset (is there such an alert? does a label overlap another?) is the Fleet's to refuse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.vocabulary import CommandKind, Holds, Verdict, WorkKind
from foreshock.contract import Reason
from foreshock.streams.codec import checks
from foreshock.streams.codec.checks import reject

LONGEST_TEXT = 4000
AHEAD_S = 300  # a sender's clock may be ahead of the broker's by so much
DAY_NS = 86_400_000_000_000
LONGEST_DAYS = 366  # of a shelf or a window: what is to stand for good belongs into the policy
# Fields that say something for some kinds only; with another kind they are a mistake, not something to pass over.
_ONLY_FOR: Mapping[str, frozenset[CommandKind]] = MappingProxyType(
    {
        "alert_id": frozenset(CommandKind) - {CommandKind.FREEZE, CommandKind.RESUME, CommandKind.WINDOW},
        "until_ns": frozenset({CommandKind.SHELVE, CommandKind.WINDOW, CommandKind.LABEL}),
        "from_ns": frozenset({CommandKind.WINDOW, CommandKind.LABEL}),
        "verdict": frozenset({CommandKind.LABEL}),
        "fault_code": frozenset({CommandKind.LABEL}),
        "label_id": frozenset({CommandKind.LABEL}),
        "accept": frozenset({CommandKind.LABEL}),
    }
)


def command(found: Mapping[str, Any], ingest_ns: int) -> Command:
    """Check the fields of a command.

    Parameters
    ----------
    found
        As they were decoded.
    ingest_ns
        When the broker took it; 0: not known, and then nothing is in the future.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    kind = CommandKind(_one_of("kind", found["kind"], tuple(CommandKind)))
    for name, kinds in _ONLY_FOR.items():
        if found[name] and kind not in kinds:
            fix = f"leave it out; it belongs to {', '.join(sorted(kinds))}"
            reject(Reason.MALFORMED, name, f"{name} says nothing in a command to {kind}", fix)
    verdict = found["verdict"]
    made = Command(
        command_id=checks.check_id("command_id", found["command_id"]),
        kind=kind,
        asset=checks.check_id("asset", found["asset"]),
        actor=_said("actor", found["actor"], "name who asks for it: a person or a system"),
        reason=_said("reason", found["reason"], "say why: it stands in the record of what it leads to", LONGEST_TEXT),
        at_ns=_not_ahead("at_ns", found["at_ns"], ingest_ns),
        alert_id=checks.check_label("alert_id", found["alert_id"]),
        until_ns=_time("until_ns", found["until_ns"]),
        from_ns=_time("from_ns", found["from_ns"]),
        holds=Holds(_one_of("holds", found["holds"], tuple(Holds))),
        verdict=None if verdict is None else Verdict(_one_of("verdict", verdict, tuple(Verdict))),
        fault_code=checks.check_label("fault_code", found["fault_code"]),
        note=_text("note", found["note"]),
        work_order=checks.check_label("work_order", found["work_order"]),
        label_id=checks.check_label("label_id", found["label_id"]),
        accept=found["accept"],
    )
    _check_times(made)
    _check_label(made)
    return made


def work_order(found: Mapping[str, Any], ingest_ns: int) -> WorkOrder:
    """Check the fields of a work order; see `command`.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    kind = WorkKind(_one_of("kind", found["kind"], tuple(WorkKind)))
    number = checks.check_label("work_order", found["work_order"])
    if not number.strip() and kind is not WorkKind.NOTE:
        reject(Reason.MALFORMED, "work_order", "work_order is empty", "send its number; a note alone may have none")
    downtime = found["downtime_s"]
    if downtime is not None and not 0 <= downtime < math.inf:
        reject(Reason.MALFORMED, "downtime_s", f"downtime_s is {downtime:g}", "send seconds, 0 or more, or null")
    return WorkOrder(
        record_id=checks.check_id("record_id", found["record_id"]),
        kind=kind,
        asset=checks.check_id("asset", found["asset"]),
        work_order=number,
        at_ns=_not_ahead("at_ns", found["at_ns"], ingest_ns),
        actor=_said("actor", found["actor"], "name who tells it: a person or a system"),
        alert_id=checks.check_label("alert_id", found["alert_id"]),
        failure_mode=checks.check_label("failure_mode", found["failure_mode"]),
        failure_cause=checks.check_label("failure_cause", found["failure_cause"]),
        planned=found["planned"],
        note=_text("note", found["note"]),
        downtime_s=downtime,
        finished_ns=_time("finished_ns", found["finished_ns"]),
        incident_id=checks.check_label("incident_id", found["incident_id"]),
    )


def _check_times(made: Command) -> None:
    """Refuse a shelf or a window without an end, one that is over before it begins, and one for ever."""
    if made.kind not in {CommandKind.SHELVE, CommandKind.WINDOW}:
        return
    if made.until_ns is None:
        reject(Reason.MALFORMED, "until_ns", f"a command to {made.kind} has no end", "send until when")
    start = made.at_ns if made.from_ns is None else made.from_ns
    if made.until_ns <= max(start, made.at_ns):
        over = "before it begins" if made.until_ns <= start else "before it was asked for"
        reject(Reason.BAD_TIMESTAMP, "until_ns", f"the {made.kind} is over {over}", "send an end that is still to come")
    if made.until_ns - start > LONGEST_DAYS * DAY_NS:
        days = (made.until_ns - start) / DAY_NS
        fix = f"send at most {LONGEST_DAYS} days; what is to stand for good belongs into the policy"
        reject(Reason.BAD_TIMESTAMP, "until_ns", f"the {made.kind} would last {days:.0f} days", fix)


def _check_label(made: Command) -> None:
    """Refuse a label that says nothing, or of nothing."""
    if made.kind is not CommandKind.LABEL:
        return
    if made.accept:
        if not made.label_id:
            reject(Reason.MALFORMED, "label_id", "no label is named to accept", "send the id of the label")
        return
    if made.verdict is None:
        known = ", ".join(Verdict)
        reject(Reason.MALFORMED, "verdict", "the label has no verdict", f"send one of {known}, or accept a label")
    if (made.from_ns is None) != (made.until_ns is None):
        missing = "from_ns" if made.from_ns is None else "until_ns"
        reject(Reason.MALFORMED, missing, f"the interval of the label has no {missing}", "send both ends, or neither")
    if made.from_ns is None and not made.alert_id and not made.label_id:
        fix = "send from_ns and until_ns, or alert_id, or the label_id that it revises"
        reject(Reason.MALFORMED, "from_ns", "the label is of no interval and of no alert", fix)
    if made.from_ns is not None and made.until_ns is not None and made.until_ns <= made.from_ns:
        reject(
            Reason.BAD_TIMESTAMP, "until_ns", "the interval of the label ends before it begins", "send from, then until"
        )


def _said(field: str, value: str, fix: str, longest: int = checks.LONGEST_ID) -> str:
    """Check a text that must say something."""
    if not value.strip():
        reject(Reason.MALFORMED, field, f"{field} is empty", fix)
    return _text(field, value, longest)


def _text(field: str, value: str, longest: int = LONGEST_TEXT) -> str:
    if len(value) > longest:
        sentence = f"{field} has {len(value)} characters, at most {longest} are allowed"
        reject(Reason.MALFORMED, field, sentence, "send a shorter text")
    return value


def _time(field: str, at_ns: int | None) -> int | None:
    return None if at_ns is None else checks.check_time(field, at_ns)


def _not_ahead(field: str, at_ns: int, ingest_ns: int) -> int:
    """Check the time of a record; a clock that is ahead would have it take effect in the future."""
    checks.check_time(field, at_ns)
    ahead_s = (at_ns - ingest_ns) / 1e9
    if ingest_ns and ahead_s > AHEAD_S:
        sentence = f"{field} is {ahead_s:.0f} s after the broker took the record"
        reject(Reason.BAD_TIMESTAMP, field, sentence, "set the sender's clock; times are UTC")
    return at_ns


def _one_of(field: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        names = ", ".join(repr(str(each)) for each in known)
        reject(Reason.MALFORMED, field, f"{field} is {value!r}", f"send one of {names}")
    return value
