"""How the source times of a measuring point move: about their interval (jitter), and against the broker's (drift).

Jitter is the mean distance of the spacings from the usual one that their mean does not explain: a rate that is wrong has
a mean, times that scatter have none. Drift is told from the least delay within some seconds between source time and
log-append time, which no queue on the way makes smaller: where it moves by the same amount again and again, the sensor's
clock goes wrong. What moves faster than any clock is a backlog that is read late, or a recording.
"""

from __future__ import annotations

from typing import NamedTuple

from foreshock.contract import QualityKind
from foreshock.features.conditions import Finding

NS = 1_000_000_000

WEIGHT = 1.0 / 16.0
"""Of one spacing in the means."""
SMALL = 1e-3
"""A spacing this near to the usual one does not scatter."""
LARGE = 0.5
"""... and what one spacing may count at most: a single late stamp is no jitter."""
JITTER = 0.10
"""Mean scatter, as a share of the interval, of times that were steady when they were learnt ..."""
UNSTEADY_JITTER = 0.30
"""... and of others: a gateway that stamps on arrival scatters by 0.2."""
CALM = 0.6
"""Share of the limit below which jitter is over."""

WINDOW_NS = 20 * NS
"""Source time within which the least delay counts."""
STEPS = 8
"""Windows in a row whose least delay moves alike: by chance that happens once in 200 000 times."""
LEAST_DRIFT = 100e-6
"""A free crystal is good for 50 millionths."""
DRIFT = 200e-6
"""17 s a day."""
DRIFTED_S = 0.1
"""Drift is told from so much on: the least delay in a network moves by some hundredths of a second."""
NO_CLOCK = 0.02
"""No clock goes this wrong: that is a backlog, or a recording."""
ALIKE = 2.0
"""Steps differ from their mean by less than this factor."""


class Scatter(NamedTuple):
    """Means over the last spacings, each relative to the usual one."""

    lean: float = 0.0
    """Mean of spacing - 1."""
    size: float = 0.0
    """Mean of its amount."""
    stands: bool = False
    """Whether it is jitter."""


class Drift(NamedTuple):
    """A row of windows whose least delay moves alike."""

    start_ns: int
    start_delay_ns: int
    """Source time of the first window, and its least delay."""
    last_ns: int
    delay_ns: int
    """The same of the last one."""
    steps: int = 0
    stands: bool = False
    """Whether it is a drift."""

    @property
    def rate(self) -> float:
        """By which the sensor's clock goes too fast; negative where it goes too slow."""
        return (self.start_delay_ns - self.delay_ns) / max(1, self.last_ns - self.start_ns)


def scatter(before: Scatter, relative: float, *, steady: bool) -> Scatter:
    """Take one spacing in.

    Parameters
    ----------
    before : Scatter
    relative : float
        Spacing over the usual one.
    steady : bool
        Whether the first spacings agreed.
    """
    off = min(LARGE, max(-LARGE, relative - 1.0))
    lean = before.lean + WEIGHT * (off - before.lean)
    size = before.size + WEIGHT * (abs(off) - before.size)
    if size < SMALL:
        return STILL
    limit = JITTER if steady else UNSTEADY_JITTER
    return Scatter(lean, size, size - abs(lean) > (CALM * limit if before.stands else limit))


STILL = Scatter()


def jitter(found: Scatter, interval_ns: float, *, steady: bool) -> Finding:
    """Say it; the samples are sound, so the block is usable."""
    share, limit = found.size - abs(found.lean), JITTER if steady else UNSTEADY_JITTER
    sentence = (
        f"the source times scatter by {share:.0%} of their interval of {interval_ns / NS:g} s, {limit:.0%} is the limit"
    )
    return Finding(QualityKind.JITTER, "", share, limit, sentence, usable=True)


def drift(before: Drift | None, at_ns: int, delay_ns: int) -> Drift:
    """Take the least delay of one window in.

    Parameters
    ----------
    before : Drift or None
        None before the first window.
    at_ns : int
        Source time at which the window began.
    delay_ns : int
        Least time from source time to log-append time in it.
    """
    anew = Drift(at_ns, delay_ns, at_ns, delay_ns)
    if before is None or at_ns <= before.last_ns:
        return anew
    step = (before.delay_ns - delay_ns) / (at_ns - before.last_ns)
    if not LEAST_DRIFT <= abs(step) <= NO_CLOCK:
        return anew
    if before.steps and not 1.0 / ALIKE <= step / before.rate <= ALIKE:
        return anew
    after = before._replace(last_ns=at_ns, delay_ns=delay_ns, steps=before.steps + 1)
    moved = abs(after.start_delay_ns - delay_ns) / NS
    stands = after.steps >= STEPS and moved >= DRIFTED_S and abs(after.rate) >= DRIFT
    return after._replace(stands=stands)


def drifting(found: Drift) -> Finding:
    """Say it; the samples are sound, so the block is usable."""
    rate, moved = found.rate, (found.start_delay_ns - found.delay_ns) / NS
    word = "ahead of" if moved > 0 else "behind"
    sentence = (
        f"the clock went {abs(moved):.3g} s {word} the broker's within {(found.last_ns - found.start_ns) / NS:.0f} s, "
        f"{rate * 1e6:+.0f} millionths; synchronise it"
    )
    return Finding(
        QualityKind.CLOCK_DRIFT, "", rate * 1e6, (DRIFT if rate > 0 else -DRIFT) * 1e6, sentence, usable=True
    )
