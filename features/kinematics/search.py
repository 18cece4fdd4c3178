"""Search the envelopes of a window for families of lines; the search is paid for.

Each line adds its nats, at most `CAP`, so that a family stands for many lines and not for one strong one. What a sum
reaches by noise alone is known (Gamma), and the odds are multiplied by all that was tried: channels, bands, places
within the slip, patterns of lines and families (Bonferroni: an upper bound).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.kinematics import bands, lines
from foreshock.features.kinematics.geometry import GEAR, INNER, OUTER, ROLLING, Family
from foreshock.features.kinematics.speed import Speed

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SLIP = 0.02
"""Rolling elements slip: the frequencies of a bearing are up to so much off those of its geometry."""
CAP = 16.0
"""Nats that one line adds at most."""
PLATEAU = 0.9
"""Share of the best sum that a place nearby must have to be taken instead."""
SHOWS = 6.0
"""Nats from which on a single line counts as found."""
TURNS = 40.0
"""Turns of a segment: lines 1/40 order apart, a 20th of any cage's order."""
WIDTHS = 4
"""Bandwidths that are tried: the narrowest that holds two harmonics, and its doubles."""
HARMONICS = 3
GUARD = 2.0
"""Lines closer to a multiple of a shaft, in resolved lines, may be that shaft's."""
OWN = 1.3
"""Nats of such a line over those at the multiple itself from which on it is a line of its own."""
ITSELF = 0.6
"""Resolved lines about a multiple that are the multiple itself, and `SPEED_ERROR` of it more."""
SPEED_ERROR = 0.0007
"""How well the speed is known, relative."""
SHAFT_LINES = 15
"""Multiples of the shaft that say whether a band knows the shaft at all."""
APART = 4.0
"""Resolved lines by which sidebands must be apart to be counted one by one."""
GEAR_LINES = (3, 12)
"""Harmonics of its shaft by which a damaged tooth is known: an eccentric gear makes the first two as well."""
EXPLAINED = 4
"""Harmonics, and sidebands to either side of each, that the fault of a part explains."""
OTHER_SHAFTS = 10
"""Multiples of other shafts that are left out of a family."""


class Banded(NamedTuple):
    """Spectra of the envelopes of all bands of one width of one channel."""

    channel: int
    low_hz: F64
    width_hz: float
    unit: F64
    """What an amplitude of 1 in `spectra` is in the unit of the signal [bands]."""
    spectra: lines.Spectra


class Window(NamedTuple):
    """A window, ready to be searched."""

    banded: tuple[Banded, ...]
    turns: float
    """Of a segment: lines are resolved to 1/turns orders."""
    families: tuple[Family, ...]
    rate_hz: float
    """Of the samples."""
    guard: float

    @property
    def bands(self) -> int:
        """Number of bands in all channels."""
        return sum(len(each.low_hz) for each in self.banded)


class Seen(NamedTuple):
    """A line of a family, where it was looked for."""

    name: str
    multiple: int
    """Of the fundamental."""
    side: int
    """Number of the sideband, negative below; 0 for the harmonic itself."""
    order: float
    nats: float
    """Not capped; 0 for a line that counts as a shaft's."""


class Match(NamedTuple):
    """The best place of a family."""

    family: Family
    odds: float
    """-ln of the probability that noise does so well anywhere that was looked at; negative: more than likely."""
    banded: int
    band: int
    order: float
    """Of the fundamental, as found."""
    lines: tuple[Seen, ...]
    """Of the pattern."""


def segment_turns(families: Iterable[Family]) -> float:
    """Turns of a segment that keep every fundamental apart from the multiples of its shaft, 40 to 100."""
    gaps = [abs(f.order / f.shaft - round(f.order / f.shaft)) * f.shaft for f in families if f.fault != GEAR]
    wide = [2.5 / gap for gap in gaps if gap > 0.02]
    return min(100.0, max([TURNS, *wide]))


def prepare(
    x: F32, rate_hz: float, speed: Speed, families: tuple[Family, ...], *, guard: float = GUARD
) -> Window | None:
    """Spectra of the envelopes of a window over orders; None where its rate is too low for three harmonics.

    Parameters
    ----------
    x : float32 [channels, n]
    rate_hz : float
    speed : Speed
        Known and not 0.
    families : tuple of Family
        At least one.
    guard : float
        Lines that are closer to a multiple of a shaft, in resolved lines, count for no bearing.
    """
    n = x.shape[1]
    top = max(f.order * GEAR_LINES[1] / HARMONICS if f.fault == GEAR else f.order + f.side for f in families)
    hz, longest = speed.hz or 0.0, segment_turns(families)
    widths = [j for j in range(bands.LEVELS + 1) if n >> j >= bands.LEAST_POINTS]
    fits = [j for j in widths if rate_hz / 2.0 / 2**j >= 2.0 * top * hz]
    if not fits:
        return None
    found = []
    for channel in range(len(x)):
        white = bands.whitened(bands.spectrum(np.ascontiguousarray(x[channel])))
        for halvings in range(max(0, fits[-1] - WIDTHS + 1), fits[-1] + 1):
            of = bands.level(white.one_sided, n, rate_hz, halvings)
            highest = min(2.0 * HARMONICS * top, 0.9 * of.width_hz / hz)
            spectra = lines.spectra(of.envelopes, of.rate_hz, speed, longest, highest)
            unit = bands.rms(white.around, n, halvings)
            found.append(Banded(channel, of.low_hz, of.width_hz, unit, spectra))
    turns = lines.segments(n / rate_hz * hz, longest)[0]
    return Window(tuple(found), turns, families, rate_hz, guard)


class Pattern(NamedTuple):
    """Lines at `multiple` times the fundamental plus `side` times the distance of the sidebands."""

    multiples: F64
    sides: F64


@cache
def patterns(fault: str) -> tuple[Pattern, ...]:
    """Patterns of a fault: few lines or many, without and with sidebands."""
    if fault == GEAR:
        return (_pattern(range(GEAR_LINES[0], GEAR_LINES[1] + 1), 0),)
    if fault == OUTER:
        return (_pattern(range(1, 4), 0), _pattern(range(1, 7), 0))
    return (_pattern(range(1, 4), 0), _pattern(range(1, 4), 1), _pattern(range(1, 3), 2))


def _pattern(harmonics: Iterable[int], sides: int) -> Pattern:
    pairs = [(k, j) for k in harmonics for j in range(-sides, sides + 1)]
    return Pattern(np.array([k for k, _ in pairs], np.float64), np.array([j for _, j in pairs], np.float64))


def search(window: Window, family: Family) -> Match:
    """Best place of a family: over channels, bands, slip and patterns."""
    apart = family.side * window.turns >= APART
    tried = tuple(each for each in patterns(family.fault) if apart or not each.sides.any())
    return max((_best(window, family, each, len(tried)) for each in tried), key=lambda match: match.odds)


def _best(window: Window, family: Family, pattern: Pattern, patterns_tried: int) -> Match:
    highest = float(pattern.multiples.max())
    low, high = span(window, family)
    step = window.banded[0].spectra.step / highest
    at = np.arange(low, high + step, step) if high > low else np.array([family.order])
    orders = at[:, None] * pattern.multiples + family.side * pattern.sides
    near = _near(orders, family, window)
    top, where = -1.0, (0, 0, 0)
    for i, each in enumerate(window.banded):
        total = np.minimum(_counted(each.spectra, orders, near, family, window.turns), CAP).sum(axis=2)
        best = int(np.argmax(total))
        band, place = divmod(best, len(at))
        if total[band, place] > top:
            top, where = float(total[band, place]), (i, band, place)
    i, band, place = where
    place = _summit(window, window.banded[i].spectra, (orders, near), family, band, place)
    looks = max(1.0, 2.0 * (high - low) * window.turns * highest)
    trials = looks * window.bands * patterns_tried * len(window.families)
    odds = float(lines.log_gamma_tail(float(len(pattern.multiples)), np.array([max(top, 0.0)]))[0]) - math.log(trials)
    here = [(shaft, beside[place : place + 1]) for shaft, beside in near]
    nats = _counted(window.banded[i].spectra, orders[place : place + 1], here, family, window.turns)[band, 0]
    pairs = [(int(k), int(j)) for k, j in zip(pattern.multiples, pattern.sides, strict=True)]
    seen = tuple(
        Seen(_name(family, k, j), k, j, order, u)
        for (k, j), order, u in zip(pairs, orders[place].tolist(), nats.tolist(), strict=True)
    )
    return Match(family, odds, i, band, float(at[place]), seen)


def _summit(
    window: Window,
    spectra: lines.Spectra,
    places: tuple[F64, list[tuple[float, Bools]]],
    family: Family,
    band: int,
    place: int,
) -> int:
    """Go to the place nearby where the lines, not capped, are highest: on strong lines the cap makes a plateau."""
    orders, near = places
    reach = max(1, round(1.5 / window.turns / max(float(orders[1, 0] - orders[0, 0]), 1e-9))) if len(orders) > 1 else 0
    some = slice(max(0, place - reach), place + reach + 1)
    here = [(shaft, beside[some]) for shaft, beside in near]
    nats = _counted(spectra, orders[some], here, family, window.turns)[band]
    total = np.minimum(nats, CAP).sum(axis=1)
    heights = np.where(total >= PLATEAU * total[place - some.start], np.sqrt(nats).sum(axis=1), 0.0)
    return some.start + int(np.argmax(heights))


def span(window: Window, family: Family) -> tuple[float, float]:
    """Orders in which the fundamental of a family may lie: the slip and half a resolved line; a gear does not slip."""
    if family.fault == GEAR:
        return family.order, family.order
    reach = SLIP * family.order + 0.5 / window.turns
    return family.order - reach, family.order + reach


def pick(spectra: lines.Spectra, orders: F64) -> F64:
    """Nats at some orders [places, lines]: [bands, places, lines]; 0 beyond the spectrum."""
    at = np.rint(orders / spectra.step).astype(np.int64)
    inside = (at > 0) & (at < spectra.nats.shape[1])
    found: F64 = spectra.nats[:, np.where(inside, at, 0)] * inside
    return found


def _near(orders: F64, family: Family, window: Window) -> list[tuple[float, Bools]]:
    """Which lines are near the multiples of each shaft, of its own for a gear not: (shaft, [places, lines])."""
    guard = window.guard / window.turns
    found: list[tuple[float, Bools]] = []
    for shaft in sorted({1.0, *(f.shaft for f in window.families)}):
        multiple = np.rint(orders / shaft)
        near: Bools = (np.abs(orders - multiple * shaft) < guard) & (multiple > 0)
        if shaft not in {1.0, family.shaft}:
            near &= multiple <= OTHER_SHAFTS
        if near.any() and not (family.fault == GEAR and shaft == family.shaft):
            found.append((shaft, near))
    return found


def _counted(spectra: lines.Spectra, orders: F64, near: list[tuple[float, Bools]], family: Family, turns: float) -> F64:
    """Nats of lines [bands, places, lines], 0 for those that are a shaft's.

    A line beside a multiple of a shaft is its own where it stands higher than the multiple itself. Where it does not, and
    the band shows no other multiple, it still counts for an outer race or a rolling element: these have no sidebands at
    the shaft's speed that would be multiples too.
    """
    nats = pick(spectra, orders)
    for shaft, beside in near:
        some = np.flatnonzero(beside.any(axis=0))
        multiple = np.rint(orders[:, some] / shaft) * shaft
        at = np.unique(multiple)
        top = _itself(spectra, at, turns)[:, np.searchsorted(at, multiple)]
        own = nats[:, :, some] >= OWN * top
        if family.fault in {OUTER, ROLLING}:
            others = np.arange(1.0, SHAFT_LINES + 1.0) * shaft
            far = np.abs(others / family.order - np.rint(others / family.order)) * family.order
            shown = _itself(spectra, others[far > 2.0 * SLIP * others], turns).max(axis=1, initial=0.0)
            own |= (shown < SHOWS)[:, None, None]
        nats[:, :, some] *= own | ~beside[:, some]
    return nats


def _itself(spectra: lines.Spectra, orders: F64, turns: float) -> F64:
    """Largest nats about each order, as far as the speed may be off: [bands, orders]."""
    reach = np.maximum(1, np.rint((ITSELF / turns + SPEED_ERROR * orders) / spectra.step)).astype(np.int64)
    most = int(reach.max(initial=1))
    offsets = np.arange(-most, most + 1)
    at = np.rint(orders / spectra.step).astype(np.int64)[:, None] + np.where(
        np.abs(offsets) <= reach[:, None], offsets, 0
    )
    inside = (at > 0) & (at < spectra.nats.shape[1])
    found: F64 = (spectra.nats[:, np.where(inside, at, 0)] * inside).max(axis=2, initial=0.0)
    return found


def _name(family: Family, multiple: int, side: int) -> str:
    unit = {OUTER: "BPFO", INNER: "BPFI", ROLLING: "2xBSF", GEAR: "shaft"}[family.fault]
    text = unit if multiple == 1 else f"{2 * multiple}xBSF" if family.fault == ROLLING else f"{multiple}x{unit}"
    spacing = "FTF" if family.fault == ROLLING else "shaft"
    if side == 0:
        return text
    return f"{text}{'+' if side > 0 else '-'}{'' if abs(side) == 1 else abs(side)}{spacing}"


def on_skirt(window: Window, match: Match) -> bool:
    """Whether a match is the skirt of a peak outside the span: the fundamental grows beyond the end of what may be."""
    spectra = window.banded[match.banded].spectra
    low, high = span(window, match.family)
    reach = 2.0 / window.turns
    outside = [np.arange(low - reach, low, spectra.step), np.arange(high, high + reach, spectra.step)[1:]]
    beyond = np.concatenate([each[np.abs(each - match.order) < reach] for each in outside])
    if match.family.fault == GEAR or len(beyond) == 0:
        return False
    around = pick(spectra, np.concatenate([[match.order], beyond])[:, None])[match.band, :, 0]
    return bool(around[1:].max() > around[0])


def lopsided(window: Window, match: Match) -> float:
    """How far the middle of the sidebands of a fundamental is from it, in their distance: 0 where they are its own.

    Of a line that is itself a sideband of something else the middle is near 1 or -1.
    """
    if match.family.side == 0.0:
        return 0.0
    sides = np.arange(-2.0, 3.0)
    spectra = window.banded[match.banded].spectra
    nats = pick(spectra, (match.order + sides * match.family.side)[None])[match.band, 0]
    return float((sides * nats).sum() / max(float(nats.sum()), 1.0))


def weight(nats: Sequence[float] | F64) -> float:
    """Sum of amplitudes over the noise: what families are compared by, not capped."""
    return float(np.sqrt(np.maximum(np.asarray(nats, np.float64), 0.0)).sum())


def rival(window: Window, match: Match) -> tuple[float, float]:
    """Look for harmonics of anything else that are stronger in the same band, once the lines of a family are taken out.

    Returns
    -------
    tuple
        Weight of the strongest three harmonics whose fundamental is outside the span of the family, and not at double of
        it (of a rolling element, which strikes two races, at half neither); and the order of that fundamental.
    """
    spectra, family = window.banded[match.banded].spectra, match.family
    nats = spectra.nats[match.band].copy()
    step, own = spectra.step, np.arange(1.0, EXPLAINED + 1.0)[:, None] * match.order
    sides = np.arange(-EXPLAINED, EXPLAINED + 1.0) * family.side if family.side else np.zeros(1)
    places = np.rint((own + sides).ravel() / step).astype(np.int64)
    wide = round(2.0 / window.turns / step)
    taken = (places[:, None] + np.arange(-wide, wide + 1)).ravel()
    nats[taken[(taken >= 0) & (taken < len(nats))]] = 0.0
    nats[-1] = 0.0  # where lines beyond the spectrum are looked up
    bearing = [f.order for f in window.families if f.fault != GEAR] or [1.0]
    at = np.arange(0.5 * min(bearing), 1.5 * max(bearing), step / HARMONICS)
    low, high = span(window, family)
    for factor in (0.5, 1.0, 2.0) if family.fault == ROLLING else (1.0, 2.0):
        at = at[(at < factor * low) | (at > factor * high)]
    orders = at[:, None] * np.arange(1.0, HARMONICS + 1.0)
    lines_at = np.minimum(np.rint(orders / step).astype(np.int64), len(nats) - 1)
    free = np.ones(orders.shape, np.bool_)
    for _, near in _near(orders, family, window):
        free &= ~near
    weights = np.sqrt(np.maximum(nats[lines_at] * free, 0.0)).sum(axis=1)
    best = int(np.argmax(weights))
    return float(weights[best]), float(at[best])
