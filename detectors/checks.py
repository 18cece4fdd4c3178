"""The check suite of every detector: what the Fleet relies on, each as one check.

    for check in detector_checks():
        check(lambda: HalfSpaceTrees(6))

A check takes a factory of fresh, equal detectors for vectors of `FEATURES` and raises AssertionError with a sentence.
Wherever a new detector is added, add its factory to tests/detectors/test_checks.py.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.detectors.protocol import Detector

Factory = Callable[[], Detector]
Check = Callable[[Factory], None]
FEATURES = 6
WARM = 200  # vectors after which every detector must be ready


def detector_checks() -> tuple[Check, ...]:
    """All checks."""
    return (
        check_cold_is_not_ready,
        check_ready_after_warm_up,
        check_score_is_a_finite_number,
        check_score_is_pure,
        check_same_stream_same_state,
        check_no_aliasing_with_input,
        check_refuses_what_is_not_finite,
        check_bounded_state,
        check_ranks_a_far_outlier_high,
    )


def stream(count: int, seed: int = 11) -> npt.NDArray[np.float32]:
    """Healthy vectors: correlated noise."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(FEATURES) + 0.3 * rng.normal(size=(FEATURES, FEATURES))
    return (rng.normal(size=(count, FEATURES)) @ mixing).astype(np.float32)


def _taught(make: Factory, count: int = WARM) -> Detector:
    detector = make()
    for x in stream(count):
        detector.learn_one(x)
    return detector


def _require(*, that: bool, sentence: str) -> None:
    if not that:
        raise AssertionError(sentence)


def check_cold_is_not_ready(make: Factory) -> None:
    """A detector that has seen nothing says so."""
    _require(that=not make().ready, sentence="a fresh detector claims to be ready")


def check_ready_after_warm_up(make: Factory) -> None:
    """Enough healthy vectors make it ready."""
    _require(that=_taught(make).ready, sentence=f"not ready after {WARM} vectors")


def check_score_is_a_finite_number(make: Factory) -> None:
    """Scores are finite floats from the first one on, far away too."""
    detector = make()
    for x in stream(WARM):
        _require(that=math.isfinite(detector.score_one(x)), sentence="a score is not finite")
        detector.learn_one(x)
    far = np.full(FEATURES, 1e6, np.float32)
    _require(that=math.isfinite(detector.score_one(far)), sentence="the score of a far vector is not finite")


def check_score_is_pure(make: Factory) -> None:
    """Scoring changes no state: the digest stays, and the same vector scores the same again."""
    detector = _taught(make)
    before, probes = detector.digest(), stream(20, seed=5)
    first = [detector.score_one(x) for x in probes]
    _require(that=detector.digest() == before, sentence="score_one changed the state")
    _require(that=[detector.score_one(x) for x in probes] == first, sentence="the same vector scored differently")


def check_same_stream_same_state(make: Factory) -> None:
    """Two detectors of one factory and one stream are equal to the last bit, and a different stream shows."""
    one, two, other = _taught(make), _taught(make), _taught(make, WARM - 1)
    _require(that=one.digest() == two.digest(), sentence="the same stream led to different states")
    _require(that=one.digest() != other.digest(), sentence="the digest does not see the last vector")
    probes = stream(20, seed=7)
    same = [one.score_one(x) == two.score_one(x) for x in probes]
    _require(that=all(same), sentence="the same stream led to different scores")


def check_no_aliasing_with_input(make: Factory) -> None:
    """What was learnt does not change when the caller reuses its buffer, and the buffer is left alone."""
    detector, buffer = make(), np.empty(FEATURES, np.float32)
    for x in stream(WARM):
        buffer[:] = x
        detector.learn_one(buffer)
        _require(that=bool((buffer == x).all()), sentence="learn_one wrote into its input")
    buffer[:] = -999.0
    _require(that=detector.digest() == _taught(make).digest(), sentence="the state holds on to the input buffer")


def check_refuses_what_is_not_finite(make: Factory) -> None:
    """NaN and infinity are refused by both verbs and leave no trace."""
    detector = _taught(make)
    before = detector.digest()
    for bad in (math.nan, math.inf):
        x = stream(1)[0]
        x[2] = bad
        for verb in (detector.score_one, detector.learn_one):
            _require(that=_refuses(verb, x), sentence=f"{verb.__name__} took {bad}")
    _require(that=detector.digest() == before, sentence="a refused vector left a trace")


def _refuses(verb: Callable[[Any], Any], x: npt.NDArray[np.float32]) -> bool:
    try:
        verb(x)
    except ValueError:
        return True
    return False


def check_bounded_state(make: Factory) -> None:
    """A second and a third stretch of stream take no more memory than the first has."""
    detector = _taught(make)
    x = stream(3 * WARM, seed=3)
    for row in x[: 2 * WARM]:
        detector.learn_one(row)
    before = _size(detector)
    for row in x[2 * WARM :]:
        detector.learn_one(row)
    after = _size(detector)
    _require(that=after <= 1.1 * before, sentence=f"state grew from {before} to {after} bytes")


def check_ranks_a_far_outlier_high(make: Factory) -> None:
    """A vector ten deviations away in every feature scores above nine of ten healthy ones."""
    detector = _taught(make)
    healthy = sorted(detector.score_one(x) for x in stream(50, seed=13))
    far = detector.score_one(10 * np.where(np.arange(FEATURES) % 2, -1, 1).astype(np.float32))
    _require(that=far > healthy[44], sentence=f"a far outlier scored {far}, healthy ones up to {healthy[-1]}")


def _size(value: Any, seen: set[int] | None = None) -> int:
    """Bytes of an object graph; arrays by their data."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, type):
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return value.nbytes
    return sys.getsizeof(value) + sum(_size(part, seen) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple | set) or type(value).__name__ == "deque":
        yield from value
    elif hasattr(value, "__dict__"):
        yield from vars(value).values()
