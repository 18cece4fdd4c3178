"""The verifier: what came out of a disturbed run, against what an undisturbed one gives.

lost        an input that has no outcome although the group went past it
pending     an input that has no outcome yet, and nothing went past it
repeated    outcomes that stand on their topic more than once, same id and same bytes: at least once allows it
duplicated  an input with outcomes under several ids: a consumer that dedupes by id counts it twice
reordered   an outcome of an asset whose first copy stands after the first copy of a later input of that asset
different   an output whose bytes are not those of the undisturbed run
missing     an event that the undisturbed run has, of an input that was dealt with
strange     an output that the undisturbed run does not have
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foreshock.streams import wire
from tests.chaos.reading import Output, Place
from tests.chaos.undisturbed import Expected, Truth

OUTCOMES = ("scores.v1", "dead-letters.v1")
WINDOWS = ("features.v1", "diagnoses.v1")
_TELLING = ("asset", "kind", "phase", "raised", "change", "state", "detail", "reason", "ended", "fault")
Ranges = list[tuple[int, int, int]]
"""Partition, first offset and last offset of unbroken runs."""


@dataclass
class Verdict:
    """What the verifier found; see the module."""

    inputs: int = 0
    lost: Ranges = field(default_factory=list)
    pending: Ranges = field(default_factory=list)
    repeated: int = 0
    repeated_events: int = 0
    duplicated: list[Place] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    digests_equal: int = 0
    own: list[Output] = field(default_factory=list)  # what the pipeline told of itself

    @property
    def faults(self) -> dict[str, list[object]]:
        """Everything that must not be."""
        names = ("lost", "pending", "duplicated", "reordered", "different", "missing", "strange", "digests")
        return {name: found[:8] for name in names if (found := getattr(self, name))}

    def told(self) -> str:
        """The figures, and the first few of everything that must not be."""
        return "\n".join([str(self), *(f"  {name}: {each}" for name, found in self.faults.items() for each in found)])

    def __str__(self) -> str:
        """The figures in one line."""
        counted = ", ".join(f"{name} {len(found)}" for name, found in self.all_lists().items())
        return f"{self.inputs} inputs: {counted}, repeated {self.repeated}, digests equal {self.digests_equal}"

    def all_lists(self) -> Mapping[str, Sequence[object]]:
        """What is counted, by name."""
        names = ("lost", "pending", "duplicated", "reordered", "different", "missing", "strange", "digests")
        return {name: getattr(self, name) for name in names}


def judge(
    truth: Truth,
    outputs: Sequence[Output],
    committed: Mapping[int, int],
    *,
    digests: Mapping[tuple[int, str], str] | None = None,
    excused: Collection[Place] = (),
) -> Verdict:
    """Compare a disturbed run with the undisturbed one.

    Parameters
    ----------
    truth
        The undisturbed run.
    outputs
        Everything on the output topics.
    committed
        How far the group is, by partition.
    digests
        Of every asset's final state; None: they were not read.
    excused
        Inputs whose outputs were destroyed from outside (a deleted topic): a loss of these is not counted here.
    """
    own = [each for each in outputs if each.pipeline and each.id not in truth.events]
    verdict = Verdict(inputs=len(truth.inputs), own=own)
    told = [each for each in outputs if each not in own] if own else outputs
    outcomes = [each for each in told if each.topic in OUTCOMES]
    events = [each for each in told if each.topic not in OUTCOMES]
    done = _outcomes(verdict, truth, outcomes, committed, excused)
    _events(verdict, truth, events, done - set(excused))
    _order(verdict, outcomes)
    _order(verdict, events)
    if digests is not None:
        _digests(verdict, truth, digests)
    return verdict


def _outcomes(
    verdict: Verdict,
    truth: Truth,
    outcomes: Iterable[Output],
    committed: Mapping[int, int],
    excused: Collection[Place],
) -> set[Place]:
    """Lost, pending, repeated, duplicated, different outcomes; give the inputs that have one."""
    ids: dict[Place, set[str]] = defaultdict(set)
    passed: dict[int, int] = dict(committed)
    copies: set[str] = set()
    for each in outcomes:
        expected = truth.outcomes.get(each.place) if each.place else None
        if expected is None or each.place is None:
            verdict.strange.append(_named(each))
            continue
        ids[each.place].add(each.id)
        verdict.repeated += each.id in copies
        copies.add(each.id)
        _compare(verdict, expected, each)
        if each.topic == "scores.v1":  # scores leave in input order: what stands before the last of them was passed
            passed[each.place[0]] = max(passed.get(each.place[0], 0), each.place[1] + 1)
    without = [place for place in truth.inputs if place not in ids and place not in excused]
    verdict.lost = ranges([place for place in without if place[1] < passed.get(place[0], 0)])
    verdict.pending = ranges([place for place in without if place[1] >= passed.get(place[0], 0)])
    verdict.duplicated = sorted(place for place, found in ids.items() if len(found) > 1)
    return set(ids)


def _events(verdict: Verdict, truth: Truth, events: Iterable[Output], done: set[Place]) -> None:
    copies: set[str] = set()
    for each in events:
        expected = truth.events.get(each.id)
        if expected is None:
            verdict.strange.append(_named(each))
            continue
        verdict.repeated_events += each.id in copies
        copies.add(each.id)
        _compare(verdict, expected, each)
    verdict.missing = [
        f"{each.topic} {each.id} of {each.place}: {_short(each.value)}"
        for each in truth.events.values()
        if each.id not in copies and each.place in done
    ]


def _short(value: bytes | None) -> str:
    """What an event is about."""
    if not value:
        return "takes its key back"
    record = wire.decode_output(value)["record"]
    return " ".join(str(record[name]) for name in _TELLING if name in record)


def _order(verdict: Verdict, outputs: Iterable[Output]) -> None:
    """The first copies of what one asset has on one topic stand in the order of its inputs."""
    last: dict[tuple[str, int, bytes | None, str], Place] = {}
    seen: set[str] = set()
    for each in sorted(outputs, key=lambda output: (output.topic, output.at)):
        if each.id in seen or each.place is None:
            continue
        seen.add(each.id)
        # a window that a gap ends is told with the record after the gap, and points do not wait for each other
        point = str(each.record["point"]) if each.topic in WINDOWS else ""
        line = (each.topic, each.at[0], each.key, point)
        if line in last and each.place < last[line]:
            verdict.reordered.append(f"{_named(each)} after {last[line]}")
        last[line] = max(each.place, last.get(line, each.place))


def _digests(verdict: Verdict, truth: Truth, digests: Mapping[tuple[int, str], str]) -> None:
    for key in sorted(truth.digests.keys() | digests.keys()):
        if truth.digests.get(key) == digests.get(key):
            verdict.digests_equal += 1
        else:
            verdict.digests.append(f"{key}: {digests.get(key, 'none')} instead of {truth.digests.get(key, 'none')}")


def _compare(verdict: Verdict, expected: Expected, found: Output) -> None:
    if expected.topic != found.topic or expected.value not in (None, found.value):
        verdict.different.append(f"{_named(found)}: {', '.join(_fields(expected, found)) or 'bytes'}")


def _fields(expected: Expected, found: Output) -> list[str]:
    """The fields that differ."""
    if expected.topic != found.topic:
        return [f"on {found.topic} instead of {expected.topic}"]
    if not expected.value or not found.value:
        return ["takes its key back" if expected.value else "has a value, and should take its key back"]
    return list(_differences("", wire.decode_output(expected.value)["record"], found.record))


def _differences(name: str, wanted: Any, found: Any) -> Iterator[str]:
    """Name each value in two trees that differs."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in wanted.keys() | found.keys():
            yield from _differences(f"{name}.{key}".lstrip("."), wanted.get(key), found.get(key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, pair in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{name}[{index}]", *pair)
    elif repr(wanted) != repr(found):
        yield f"{name} is {found!r:.90} instead of {wanted!r:.90}"


def _named(output: Output) -> str:
    return (
        f"{output.topic} {output.at} of {output.place} {output.id[:8]} {(output.key or b'').decode('utf-8', 'replace')}"
    )


def ranges(places: Iterable[Place]) -> Ranges:
    """Places as unbroken runs: [(partition, first, last)]."""
    found: Ranges = []
    for partition, offset in sorted(places):
        if found and found[-1][0] == partition and found[-1][2] == offset - 1:
            found[-1] = (partition, found[-1][1], offset)
        else:
            found.append((partition, offset, offset))
    return found


def counted(found: Ranges) -> int:
    """How many places the runs hold."""
    return sum(last - first + 1 for _, first, last in found)
