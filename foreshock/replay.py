"""Replay: compute an anomaly event and its score again from what is on record, and compare every field, bit for bit.

    verdict = replay(recorded)
    verdict.equal, verdict.differences

It makes a Fleet of one measuring point, in the state that the case holds, and lets it receive the one record. Nothing
else is read. On another numeric platform the features may differ in their last bits: they are compared within
`FEATURE_ULPS`, and the score is computed from the recorded features, exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock import lineage
from foreshock.contract import Anomaly, Block, Score, SensorBlock
from foreshock.core.spec import FleetSpec
from foreshock.core.state import AssetState
from foreshock.detectors.reference import Reference
from foreshock.errors import StateRejected
from foreshock.features import catalog
from foreshock.fleet import Fleet
from foreshock.outcome import Outcome
from foreshock.records import to_tree
from foreshock.vocabulary import SHADOW

FEATURE_ULPS = 64  # float32 units in the last place that a feature may move from one numeric platform to another ...
FEATURE_SMALL = 1e-6  # ... or so far from a value near zero, where units in the last place mean nothing (logarithms)

# What a state that somebody made up makes the core raise: it has the right form, and numbers that no state has.
_HOSTILE = (ArithmeticError, ValueError, LookupError, TypeError, AttributeError, AssertionError)

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is on record about an event, decoded."""

    anomaly: Anomaly
    score: Score
    block: Block  # the record that the event came with
    state: AssetState  # of its measuring point, before the block
    spec: FleetSpec
    reference: Reference | None
    numeric_platform: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that came out otherwise; None: it is not there."""

    field: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a replay showed.

    `equal`: score and event came out again bit for bit. `notes` are sentences about what the comparison rests on.
    """

    event_id: str
    equal: bool
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


def replay(case: Recorded) -> Verdict:
    """Compute an event again and compare it with what is on record; another version or platform is a difference."""
    versions = tuple(_versions(case))
    elsewhere = any(each.field == "numeric_platform" for each in versions)
    try:
        outcome = _again(case, catalog.extract)
        found = tuple(compare(case.anomaly, case.score, outcome))
        if not elsewhere or not isinstance(case.block, SensorBlock):
            return verdict(case.anomaly, (*versions, *found))
        far = _far(case.score, outcome.score)
        exact = tuple(compare(case.anomaly, case.score, _again(case, _given(case.score))))
    except StateRejected as exc:
        return verdict(case.anomaly, (*versions, Difference("state", "restored", exc.sentence)))
    except _HOSTILE as exc:
        return verdict(case.anomaly, (*versions, Difference("state", "used", f"{type(exc).__name__}: {exc}")))
    return verdict(case.anomaly, (*versions, *far, *exact), _elsewhere(far, exact))


def verdict(anomaly: Anomaly, found: Sequence[Difference], *notes: str) -> Verdict:
    """Make the verdict on an event of what was found."""
    recorded, present = anomaly.lineage.code, lineage.code_version()
    if recorded != present:
        notes = (*notes, f"recorded by {recorded}, replayed by {present}")
    return Verdict(event_id=anomaly.event_id, equal=not found, differences=tuple(found), notes=notes)


def _elsewhere(far: Sequence[Difference], exact: Sequence[Difference]) -> str:
    features = f"{len(far)} features differ by more than" if far else "all features agree within"
    score = "does not come out the same" if exact else "comes out bit for bit the same"
    return (
        f"on another numeric platform: {features} {FEATURE_ULPS} units in the last place "
        f"(or {FEATURE_SMALL:g} near zero); from the recorded features the rest {score}"
    )


def _versions(case: Recorded) -> Iterator[Difference]:
    """Names of what a score is a function of, where they are not those of this installation."""
    spec, waveform = case.spec, isinstance(case.block, SensorBlock)
    present = {
        "model": spec.model_name if waveform else spec.telemetry_name,
        "feature_set": spec.feature_set.id if waveform else case.score.feature_set,
    }
    for name, now in present.items():
        then = getattr(case.score, name)
        if then and then != now:  # a record that was refused at the door has no feature set
            yield Difference(name, then, now)
    if case.numeric_platform != lineage.numeric_platform():
        yield Difference("numeric_platform", case.numeric_platform, lineage.numeric_platform())


def _again(case: Recorded, extract: Callable[[F32, float | None, catalog.FeatureSet], F32]) -> Outcome:
    fleet = Fleet(case.spec, reference=case.reference, extract=extract)
    fleet.restore(case.state)
    return fleet.receive([case.block])[0]


def _given(score: Score) -> Callable[[F32, float | None, catalog.FeatureSet], F32]:
    """Give the features on record in place of computing them."""
    recorded = np.array([score.rows[0].features], np.float32)

    def extract(x: F32, rate_hz: float | None, feature_set: catalog.FeatureSet) -> F32:
        computed = catalog.extract(x, rate_hz, feature_set)
        return recorded if recorded.shape == computed.shape else computed

    return extract


def _far(recorded: Score, replayed: Score) -> tuple[Difference, ...]:
    """Features that are farther apart than rounding explains."""
    then, now = (np.array(each.rows[0].features, np.float32) for each in (recorded, replayed))
    if then.shape != now.shape:
        return (Difference("score.rows[0].features", len(then), len(now)),)
    apart = np.abs(_ordered(then) - _ordered(now)) > FEATURE_ULPS
    wrong = apart & ~(np.abs(then - now) <= FEATURE_SMALL)
    return tuple(
        Difference(f"score.rows[0].features[{i}]", float(then[i]), float(now[i])) for i in np.flatnonzero(wrong)
    )


def _ordered(values: F32) -> npt.NDArray[np.int64]:
    """Numbers in the order of float32, one apart for neighbours."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def compare(anomaly: Anomaly, score: Score | None, outcome: Outcome) -> Iterator[Difference]:
    """Every field of event and score that is not what is on record; None: the score is not on record any more."""
    if score is not None:
        yield from differences("score", to_tree(_alone(score)), to_tree(outcome.score))
    event = next((each for each in outcome.anomalies if each.event_id == anomaly.event_id), None)
    if event is None:
        made = ", ".join(f"{each.phase} {each.event_id}" for each in outcome.anomalies) or "no event"
        yield Difference("anomaly", anomaly.event_id, made)
    else:
        yield from differences("anomaly", to_tree(_bare(anomaly)), to_tree(_bare(event)))


def _alone(score: Score) -> Score:
    """Take away what is told of a model in the shadow: the score has nothing of it, and neither has the case."""
    return replace(score, learning=score.learning.partition(SHADOW)[0])


def _bare(event: Anomaly) -> Anomaly:
    """Take away what is compared on its own: where the case is, which release computed it, on which platform."""
    return replace(event, lineage=replace(event.lineage, evidence="", code="", numeric_platform=""))


def differences(path: str, recorded: Any, replayed: Any) -> Iterator[Difference]:
    """Leaves of two trees that differ; numbers are compared by their bits."""
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        for name in (*recorded, *(each for each in replayed if each not in recorded)):
            yield from differences(f"{path}.{name}", recorded.get(name), replayed.get(name))
    elif isinstance(recorded, list) and isinstance(replayed, list):
        for i in range(max(len(recorded), len(replayed))):
            pair = (each[i] if i < len(each) else None for each in (recorded, replayed))
            yield from differences(f"{path}[{i}]", *pair)
    elif not _same(recorded, replayed):
        yield Difference(path, recorded, replayed)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return bool(a == b)
