"""Feedback: what people say of an interval of an asset, and what that changes. Pure.

A label is a verdict on an interval of one asset. One person proposes it, another accepts it; only what is accepted has
an effect. A revision is a new proposal under the same id, and until it is accepted the version before stays in force.
Every version stands on `control.v1`; the state of an asset keeps what is in force and what is proposed, nothing else.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from foreshock.alerts.margin import FACTOR_MOST, Effect, effect
from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import Verdict

KEPT = 100  # labels of an asset; with more, those of the oldest intervals go out of force
# ISO 14224, tables B.15 (failure modes: three letters, VIB, BRD, OHE ...) and B.2 (mechanisms: a number, 2.6 is fatigue).
_FAULT_CODE = re.compile(r"[A-Z]{3}|[1-6](\.[0-9])?")

__all__ = ["FACTOR_MOST", "KEPT", "Effect", "Label", "Taken", "effect", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One version of a label, proposed or in force. It covers [from_ns, until_ns)."""

    label_id: str  # command_id of its first proposal
    revision: int = 1
    from_ns: int
    until_ns: int
    verdict: Verdict
    fault_code: str = ""  # after ISO 14224
    note: str = ""
    work_order: str = ""
    alert_id: str = ""
    score: float | None = None  # that raised the alert; None: not known, or no alert
    proposed_by: str
    proposed_ns: int
    command_id: str  # of this version
    accepted_by: str = ""  # "": proposed only
    accepted_ns: int | None = None

    @property
    def in_force(self) -> bool:
        """Whether a second person accepted it."""
        return self.accepted_by != ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a command: the labels after it, and the answer.

    Attributes
    ----------
    labels
        All labels of the asset after the command.
    label
        The version that was proposed or accepted; None where the command was refused.
    effect
        The margin after the command, and the sentence for `AlertTransition.effect`.
    refused
        "" or why the command had no effect, for `AlertTransition.reason`.
    """

    labels: tuple[Label, ...]
    label: Label | None
    effect: Effect
    refused: str = ""


def take(
    labels: tuple[Label, ...],
    command: Command,
    *,
    level: float = 1.0,
    score: float | None = None,
    interval: tuple[int, int] | None = None,
) -> Taken:
    """Take a LABEL command up: propose a label, revise one, or accept one.

    Parameters
    ----------
    labels
        Labels of the asset so far.
    command
        Its kind is LABEL.
    level
        Score at which the policy alone raises the band in question: what the sentence is written with.
    score
        The score that raised the alert that the command names, where it names one.
    interval
        Start and end of that alert in ns: the interval of the label where the command states none.

    Returns
    -------
    Taken
        A refusal leaves the labels as they were.
    """
    before = effect(labels, asset=command.asset, level=level)
    found = _accept(labels, command) if command.accept else _propose(labels, command, score, interval)
    if isinstance(found, str):
        return Taken(labels, None, before, found)
    after = _kept((*(each for each in labels if not _gives_way(each, found)), found))
    if found.in_force:
        return Taken(after, found, effect(after, asset=command.asset, level=level, before=before.margin_factor))
    agreed = dataclasses.replace(found, accepted_by="?")
    then = _kept((*(each for each in labels if not _gives_way(each, agreed)), agreed))
    would = effect(then, asset=command.asset, level=level, before=before.margin_factor).sentence
    waits = f"nothing yet: label {found.label_id} waits for a second person; accepted: {would}"
    return Taken(after, found, Effect(before.margin_factor, waits))


def _propose(
    labels: tuple[Label, ...], command: Command, score: float | None, interval: tuple[int, int] | None
) -> Label | str:
    """Make the next version of a label, or say why there is none."""
    versions = [each for each in labels if each.label_id == command.label_id]
    if command.label_id and not versions:
        return f"no label {command.label_id} of {command.asset}: nothing to revise"
    given = versions[-1] if versions else None
    start_ns, end_ns = interval or ((given.from_ns, given.until_ns) if given else (None, None))
    start_ns = command.from_ns if command.from_ns is not None else start_ns
    end_ns = command.until_ns if command.until_ns is not None else end_ns
    refused = _refused(labels, command, start_ns, end_ns)
    if refused or start_ns is None or end_ns is None or command.verdict is None:
        return refused
    return Label(
        label_id=command.label_id or command.command_id,
        revision=given.revision + 1 if given else 1,
        from_ns=start_ns,
        until_ns=end_ns,
        verdict=command.verdict,
        fault_code=command.fault_code,
        note=command.note or command.reason,
        work_order=command.work_order,
        alert_id=command.alert_id or (given.alert_id if given else ""),
        score=score if score is not None or given is None else given.score,
        proposed_by=command.actor,
        proposed_ns=command.at_ns,
        command_id=command.command_id,
    )


def _refused(labels: tuple[Label, ...], command: Command, start_ns: int | None, end_ns: int | None) -> str:
    """Say why a proposal cannot be taken, or ""."""
    if start_ns is None or end_ns is None:
        return "a label needs an interval: the alert that it is of, or from and until"
    code = command.fault_code
    objections = (
        (not command.actor.strip(), "a label needs the name of who gives it"),
        (
            any(each.command_id == command.command_id for each in labels),
            f"command {command.command_id} was taken already",
        ),
        (command.verdict is None, "a label needs a verdict: true, false or neutral"),
        (start_ns >= end_ns, "the interval of a label must end after it starts"),
        (end_ns > command.at_ns, "a label is of what was: its interval must not end after the command"),
        (
            code != "" and not _FAULT_CODE.fullmatch(code),
            f"fault code {code!r} is not of ISO 14224: three letters (VIB) or a mechanism (2.6)",
        ),
    )
    found = next((text for objects, text in objections if objects), "")
    return found or _overlap(labels, command.label_id, start_ns, end_ns)


def _overlap(labels: tuple[Label, ...], label_id: str, start_ns: int, end_ns: int) -> str:
    """Say which other label covers part of an interval, or ""."""
    for each in labels:
        if each.label_id != label_id and each.from_ns < end_ns and start_ns < each.until_ns:
            return f"it overlaps label {each.label_id} ({each.verdict} by {each.proposed_by}): revise that one"
    return ""


def _accept(labels: tuple[Label, ...], command: Command) -> Label | str:
    """Put the proposed version of a label in force, or say why not."""
    versions = [each for each in labels if each.label_id == command.label_id]
    proposed = next((each for each in versions if not each.in_force), None)
    actor = command.actor.strip()
    if not actor:
        return "a label needs the name of who accepts it"
    if not versions:
        return f"no label {command.label_id or '(none named)'} of {command.asset}: nothing to accept"
    if proposed is None:
        return f"label {command.label_id} was accepted already, by {versions[-1].accepted_by}"
    if actor.casefold() == proposed.proposed_by.strip().casefold():
        return f"{actor} proposed label {command.label_id}: somebody else has to accept it"
    return dataclasses.replace(proposed, accepted_by=actor, accepted_ns=command.at_ns)


def _gives_way(old: Label, new: Label) -> bool:
    """Whether a version ends with the new one: an accepted one by an accepted one, a proposal by either."""
    return old.label_id == new.label_id and (new.in_force or not old.in_force)


def _kept(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    """The labels of the newest intervals, in the order of their start; of one id the version in force goes first."""
    ids = dict.fromkeys(each.label_id for each in sorted(labels, key=lambda each: (-each.until_ns, each.label_id)))
    kept = set(list(ids)[:KEPT])
    return tuple(
        sorted(
            (each for each in labels if each.label_id in kept),
            key=lambda each: (each.from_ns, each.label_id, each.revision),
        )
    )
