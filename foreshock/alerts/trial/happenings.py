"""What happens during a policy test beside the scores: lines of `when`."""

from __future__ import annotations

from dataclasses import dataclass

from foreshock.alerts.fields import hint
from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.trial.notation import Line, Unreadable, span
from foreshock.alerts.vocabulary import CommandKind, Holds, Verdict, WorkKind
from foreshock.vocabulary import QualityKind

COMMANDS = {"ack": CommandKind.ACKNOWLEDGE} | {
    each.value: each for each in CommandKind if each is not CommandKind.ACKNOWLEDGE
}
# word -> what may follow it; () is any text
SETTINGS: dict[str, tuple[str, ...]] = {
    "trend": (),
    "hypothesis": (),
    "effect": (),
    "fault": (*(each.value for each in QualityKind), "none"),
    "machine": ("running", "stopped", "maintenance"),
    "parent": (),
    "mode": ("model", "static_limit"),
    "late": (),
    "backlog": (),
}
_ASKED = frozenset(
    {"by", "reason", "for", "from", "until", "holds", "id", "of", "alert", "at", "code", "note", "order"}
)
_WORKED = frozenset({"by", "order", "id", "alert", "mode", "planned", "note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of `when`: a command, a work order, or a setting of the readings from then on."""

    at_ns: int
    word: str
    words: tuple[str, ...] = ()
    point: str = ""  # of a setting; "": all
    asked: Command | WorkOrder | None = None  # with times since the start
    until_ns: int = 0  # backlog


def happening(line: Line) -> Happening:
    """Read a line of `when`.

    Raises
    ------
    Unreadable
        Its word is not known, or what follows does not fit.
    """
    if line.word in COMMANDS:
        return Happening(at_ns=line.at_ns, word=line.word, asked=_command(line))
    if line.word == "work":
        return Happening(at_ns=line.at_ns, word=line.word, asked=_work(line))
    if line.word not in SETTINGS:
        raise Unreadable(f'"{line.word}" is nothing that can happen; {hint(line.word, [*COMMANDS, "work", *SETTINGS])}')
    _only(line, {"point", "until"} if line.word == "backlog" else {"point"})
    _fits(line)
    until = _time(line, "until") or 0
    return Happening(at_ns=line.at_ns, word=line.word, words=line.words, point=line.get("point"), until_ns=until)


def _fits(line: Line) -> None:
    word, words = line.word, line.words
    allowed = SETTINGS[word]
    if allowed and (len(words) != 1 or words[0] not in allowed):
        raise Unreadable(f'"{word} {" ".join(words)}": {hint(words[0] if words else "", allowed)}')
    if word == "backlog" and not line.get("until"):
        raise Unreadable('a backlog says when it comes: "10m backlog until=1h"')
    if word in {"hypothesis", "parent", "late"} and len(words) != 1:
        raise Unreadable(f'"{word}" is followed by one word or text, or by none')
    if word == "late" and span(words[0]) is None and words[0] != "none":
        raise Unreadable(f'"late {words[0]}": give a time, "late 10m", or none')
    numbers = {"trend": words[:1], "effect": words[1:]}.get(word, ())
    if words != ("none",) and (
        not all(map(_is_number, numbers)) or len(words) != {"trend": 1, "effect": 3}.get(word, len(words))
    ):
        raise Unreadable(
            {"trend": '"trend 0.2", or none', "effect": '"effect rms 1.1 1.0" (value, expected), or none'}[word]
        )


def _command(line: Line) -> Command:
    _only(line, _ASKED)
    kind = COMMANDS[line.word]
    accept = line.words == ("accept",)
    if kind is CommandKind.LABEL and not accept and (len(line.words) != 1 or line.words[0] not in set(Verdict)):
        raise Unreadable(f'"label {" ".join(line.words)}": say {", ".join(Verdict)}, or accept')
    if kind is not CommandKind.LABEL and line.words:
        raise Unreadable(f'"{" ".join(line.words)}" does not belong to {line.word}; write name=value')
    if line.get("holds", "both") not in set(Holds):
        raise Unreadable(f"holds={line.get('holds')}: {hint(line.get('holds'), list(Holds))}")
    until = _time(line, "until")
    lasts = _time(line, "for")
    return Command(
        command_id=line.get("id"),
        kind=kind,
        asset="",
        actor=line.get("by", "operator"),
        reason=line.get("reason", "as agreed"),
        at_ns=line.at_ns if (at := _time(line, "at")) is None else at,
        alert_id=line.get("alert"),
        until_ns=until if lasts is None else line.at_ns + lasts,
        from_ns=_time(line, "from"),
        holds=Holds(line.get("holds", "both")),
        verdict=Verdict(line.words[0]) if kind is CommandKind.LABEL and not accept else None,
        fault_code=line.get("code"),
        note=line.get("note"),
        work_order=line.get("order"),
        label_id=line.get("of"),
        accept=accept,
    )


def _work(line: Line) -> WorkOrder:
    _only(line, _WORKED)
    if len(line.words) != 1 or line.words[0] not in set(WorkKind):
        raise Unreadable(f'"work {" ".join(line.words)}": say {", ".join(WorkKind)}')
    return WorkOrder(
        record_id=line.get("id"),
        kind=WorkKind(line.words[0]),
        asset="",
        work_order=line.get("order"),
        at_ns=line.at_ns,
        actor=line.get("by", "operator"),
        alert_id=line.get("alert"),
        failure_mode=line.get("mode"),
        planned=line.get("planned") == "yes",
        note=line.get("note"),
    )


def _only(line: Line, known: set[str] | frozenset[str]) -> None:
    for name, _ in line.given:
        if name not in known:
            raise Unreadable(f'"{name}=" does not belong to {line.word}; {hint(name, sorted(known))}')


def _time(line: Line, name: str) -> int | None:
    text = line.get(name)
    found = span(text) if text else None
    if text and found is None:
        raise Unreadable(f"{name}={text} is no time; write {name}=10m")
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
