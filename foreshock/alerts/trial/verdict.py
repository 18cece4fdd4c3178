"""Expected transitions against those that came, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foreshock.alerts.fields import hint
from foreshock.alerts.patterns import matches
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.trial.notation import Line, Unreadable, clock
from foreshock.alerts.vocabulary import Change, Severity, SuppressedBy

# what `name=...` of an expected line is compared with; texts may hold wildcards
_SHOWN: dict[str, Callable[[AlertTransition], str]] = {
    "actor": lambda t: t.actor,
    "owner": lambda t: t.owner,
    "next": lambda t: t.escalation[0] if t.escalation else "",
    "priority": lambda t: str(t.priority),
    "points": lambda t: ",".join(t.points),
    "state": lambda t: t.state,
    "before": lambda t: t.before,
    "score": lambda t: "" if t.score is None else f"{t.score:g}",
    "initial": lambda t: "" if t.initial_score is None else f"{t.initial_score:g}",
    "hypothesis": lambda t: t.hypothesis,
    "mode": lambda t: t.mode,
    "rule": lambda t: t.rule,
    "reason": lambda t: t.reason,
    "effect": lambda t: t.effect,
    "order": lambda t: t.work_order,
    "worst": lambda t: t.worst,
    "action": lambda t: t.action,
    "respond_by": lambda t: str(t.respond_by_ns or 0),  # shown as a time since the start
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One line of `expect`."""

    at_ns: int  # since the start
    change: Change
    severity: Severity | None = None
    by: SuppressedBy | None = None
    given: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a test. Each line begins with a space (as expected), - (did not come) or + (was not expected)."""

    file: str
    title: str
    passed: bool
    lines: tuple[str, ...]


def expected(line: Line) -> Expected:
    """Read a line of `expect`: "10m raised watch", "10m suppressed warning by parent", "12m overdue next='shift lead'".

    Raises
    ------
    Unreadable
        There is no such change, severity, reason or name.
    """
    if line.word not in set(Change):
        raise Unreadable(f'"{line.word}" is no transition; {hint(line.word, list(Change))}')
    words = list(line.words)
    by = None
    if "by" in words:
        at = words.index("by")
        reason = words[at + 1] if at + 2 == len(words) else ""
        if reason not in set(SuppressedBy):
            raise Unreadable(f'"by {reason}" is no reason; {hint(reason, list(SuppressedBy))}')
        by, words = SuppressedBy(reason), words[:at]
    if len(words) > 1 or (words and words[0] not in set(Severity)):
        raise Unreadable(f'"{" ".join(words)}" is no severity; {hint(words[0], list(Severity))}')
    for name, _ in line.given:
        if name not in _SHOWN:
            raise Unreadable(f'"{name}=" is not known of a transition; {hint(name, list(_SHOWN))}')
    severity = Severity(words[0]) if words else None
    return Expected(at_ns=line.at_ns, change=Change(line.word), severity=severity, by=by, given=line.given)


def judge(file: str, title: str, wanted: Sequence[Expected], got: Sequence[AlertTransition], starts_ns: int) -> Verdict:
    """Lay what was expected beside what came, in order of time."""
    lines: list[str] = []
    left, came = list(wanted), list(got)
    while left or came:
        want, have = next(iter(left), None), next(iter(came), None)
        at = None if have is None else have.at_ns - starts_ns
        if want is not None and have is not None and _is(want, have, starts_ns):
            lines.append(f"  {_shown(have, starts_ns, want)}")
            left.pop(0)
            came.pop(0)
        elif want is not None and (at is None or want.at_ns <= at):
            lines.append(f"- {_wanted(want)}")
            left.pop(0)
            if have is not None and at == want.at_ns and have.change is want.change:
                lines.append(f"+ {_shown(have, starts_ns, want)}")
                came.pop(0)
        elif have is not None:
            lines.append(f"+ {_shown(have, starts_ns)}")
            came.pop(0)
    return Verdict(file=file, title=title, passed=all(each[0] == " " for each in lines), lines=tuple(lines))


def _is(want: Expected, have: AlertTransition, starts_ns: int) -> bool:
    return (
        want.at_ns == have.at_ns - starts_ns
        and want.change is have.change
        and want.severity in {None, have.severity}
        and want.by in {None, have.suppressed_by}
        and all(matches([pattern], _value(name, have, starts_ns)) for name, pattern in want.given)
    )


def _value(name: str, have: AlertTransition, starts_ns: int) -> str:
    if name == "respond_by" and have.respond_by_ns is not None:
        return clock(have.respond_by_ns - starts_ns)
    return _SHOWN[name](have)


def _wanted(want: Expected) -> str:
    words = [clock(want.at_ns), want.change, *([want.severity] if want.severity else [])]
    return " ".join([*words, *(["by", want.by] if want.by else []), *_named(want.given)])


def _shown(have: AlertTransition, starts_ns: int, want: Expected | None = None) -> str:
    words = [clock(have.at_ns - starts_ns), have.change.value, have.severity.value]
    words += ["by", have.suppressed_by.value] if have.suppressed_by else []
    given = [] if want is None else [(name, _value(name, have, starts_ns)) for name, _ in want.given]
    told = "" if want is not None else f"  ({have.reason})"
    return " ".join([*words, *_named(given)]) + told


def _named(given: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{name}='{value}'" if " " in value or not value else f"{name}={value}" for name, value in given]
