"""Which fault of which part a window points to (ISO 13379-1): lines of known faults, and the odds that they are noise.

The rule: a family of lines is named where noise would do as well less than once in e**`LEAST` windows, whatever
was tried paid for (`features/kinematics/search.py`); where its fundamental shows; and where nothing outside the
geometry, and no other family, is stronger in the same band: lines that fit no part are no fault of one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.kinematics import bands, lines, search
from foreshock.features.kinematics.geometry import GEAR, INNER, OUTER, ROLLING, Family, families
from foreshock.features.kinematics.levels import key, levels, octave, octaves_of
from foreshock.features.kinematics.search import Match, Window
from foreshock.features.kinematics.speed import Speed
from foreshock.machines import Asset
from foreshock.signals import Line
from foreshock.vocabulary import MaskReason

F32 = npt.NDArray[np.float32]

LEAST = 20.0
"""Nats: 2e-9 a window. Machines are no Gaussian noise, and a window a minute is half a million a year."""
GEAR_SHARE = 0.7
"""Share of the harmonics of its shaft that a damaged tooth shows: a short blow has them all."""
GEAR_RISE = 1.5
"""Over its baseline, where that is known: any gear turns a little out of true from its first day."""
SIDEBANDS = {OUTER: 0, INNER: 1, ROLLING: 2}
"""Sidebands of the fundamental that must show."""
LOPSIDED = 0.5
"""Distances of a sideband by which the middle of the sidebands may be off the fundamental."""
LEAST_S = 1.0
LEAST_TURNS = 12.0
"""Shorter windows do not tell a fault frequency from another 5 % off."""

LEAST_HEARD = 2.0
"""Turns of a block below which it has no rhythm."""
LIKELY = 7.0
"""Nats for the hypothesis of a block in alarm: there is something, and odds of 1e-3 say what."""

_CONSTANTS = (
    *(LEAST, GEAR_SHARE, GEAR_RISE, sorted(SIDEBANDS.items()), LOPSIDED, LEAST_TURNS),
    *(search.SLIP, search.CAP, search.SHOWS, search.TURNS, search.WIDTHS, search.HARMONICS, search.GUARD, search.OWN),
    *(search.ITSELF, search.SPEED_ERROR, search.SHAFT_LINES, search.APART, search.GEAR_LINES, search.EXPLAINED),
    *(search.OTHER_SHAFTS, search.PLATEAU, bands.TONE, bands.TONE_LINES, bands.TONE_HZ_SHARE),
    *(lines.PADDING, lines.LEVEL_LINES, lines.OVERLAP),
)
METHOD = "diagnosis-v1@" + hashlib.sha256(repr(_CONSTANTS).encode()).hexdigest()[:16]
"""Name, version and hash of the constants of what decides."""

PARTS = {
    OUTER: "outer race of bearing",
    INNER: "inner race of bearing",
    ROLLING: "rolling element of bearing",
    GEAR: "tooth of",
}


class Found(NamedTuple):
    """What a window points to."""

    fault: str = ""  # "outer_race", "inner_race", "rolling_element", "gear"; "" for none
    component: str = ""
    family: str = ""
    channel: int = 0
    lines: tuple[Line, ...] = ()
    unit: str = ""
    amplitude: float | None = None
    baseline: float | None = None
    prominence: float | None = None
    confidence: float = 0.0
    sentence: str = ""
    mask: MaskReason = MaskReason.NONE
    amplitudes: Mapping[str, float] = {}  # of every family that was looked for: what a baseline is made of
    band_hz: tuple[float, float] = (0.0, 0.0)  # that was demodulated
    p_value: float = 1.0


def least_seconds(asset: Asset, speed_hz: float | None) -> float:
    """Give the length of window that the diagnosis of an asset asks for: bins of a 16th of its cages' speed, or less."""
    if not speed_hz:
        return LEAST_S
    return max(LEAST_S, search.segment_turns(families(asset)) / speed_hz)


def diagnose(
    x: F32,
    rate_hz: float | None,
    speed: Speed,
    asset: Asset,
    baseline: Mapping[str, float],
    *,
    unit: str = "",
    hears: tuple[str, ...] = (),
) -> Found:
    """Name the fault whose lines stand out of a window, or none.

    Parameters
    ----------
    x : float32 [channels, n]
        Without a tachometer's channel.
    rate_hz : float or None
    speed : Speed
    asset : Asset
    baseline : mapping
        Amplitudes of the families after commissioning, as `Found.amplitudes` gave them; empty while they are not known.
    unit : str
        Of the samples.
    hears : tuple of str
        Names of the parts that the measuring point can hear; empty: all.
    """
    known = families(asset, hears)
    mask = _mask(x, rate_hz, speed, known)
    if mask is not MaskReason.NONE or rate_hz is None:
        return Found(unit=unit, mask=mask)
    window = search.prepare(x, rate_hz, speed, known)
    if window is None:
        return Found(unit=unit, mask=MaskReason.RATE_TOO_LOW)
    matches = [search.search(window, family) for family in known]
    amplitudes = levels(x, rate_hz, speed, window, matches)
    best = _choose(window, matches, amplitudes, baseline)
    if best is None:
        return Found(unit=unit, amplitudes=amplitudes, sentence=_nothing(matches, speed))
    return _found(window, best, speed, amplitudes, baseline, unit)


def hypothesis(x: F32, rate_hz: float | None, speed_hz: float | None, asset: Asset) -> str:
    """Say what a block in alarm sounds like; "" where nothing clearly does.

    A name for what was found, never a reason to alarm. A block has few turns: lines lie as far apart as they can be
    told, multiples of the shaft cannot be left out, and a fault frequency 5 % off may pass.

    Parameters
    ----------
    x : float32 [channels, n]
    rate_hz, speed_hz : float or None
    asset : Asset
    """
    known = families(asset)
    mask = _mask(x, rate_hz, Speed(speed_hz), known)
    if rate_hz is None or mask not in {MaskReason.NONE, MaskReason.WINDOW_TOO_SHORT}:
        return ""
    if x.shape[1] / rate_hz * (speed_hz or 0.0) < LEAST_HEARD or not np.isfinite(x).all():
        return ""
    short = mask is MaskReason.WINDOW_TOO_SHORT
    window = search.prepare(x, rate_hz, Speed(speed_hz), known, guard=0.0 if short else search.GUARD)
    if window is None:
        return ""
    best = max((search.search(window, family) for family in known), key=lambda match: match.odds)
    if best.odds < LIKELY or not (_gear_shows(window, best) if best.family.fault == GEAR else _plain(window, best)):
        return ""
    return _found(window, best, Speed(speed_hz), {}, {}, "").sentence


def _mask(x: F32, rate_hz: float | None, speed: Speed, known: tuple[Family, ...]) -> MaskReason:
    """Why nothing can be looked for."""
    hz, rate = speed.hz or 0.0, rate_hz or 1.0
    reasons = (
        (rate_hz is None, MaskReason.NO_RATE),
        (not known, MaskReason.NO_GEOMETRY),
        (len(x) == 0, MaskReason.CHANNEL_ABSENT),
        (speed.hz is None, MaskReason.NO_SPEED),
        (hz <= 0.0, MaskReason.ZERO_SPEED),
        (x.shape[1] / rate * hz < LEAST_TURNS, MaskReason.WINDOW_TOO_SHORT),
        (not np.isfinite(x).all(), MaskReason.NOT_FINITE),
        (x.size > 0 and bool((x.max(axis=1) == x.min(axis=1)).all()), MaskReason.CONSTANT),
    )
    return next((reason for holds, reason in reasons if holds), MaskReason.NONE)


def _choose(
    window: Window, matches: list[Match], amplitudes: Mapping[str, float], baseline: Mapping[str, float]
) -> Match | None:
    """Give the family that is named."""
    for match in sorted(matches, key=lambda each: -each.odds):
        if match.odds < LEAST:
            return None
        if match.family.fault == GEAR:
            name = _level(window, match)
            if _gear_shows(window, match) and (name not in baseline or amplitudes[name] > GEAR_RISE * baseline[name]):
                return match
        elif _complete(match) and _centred(window, match) and _strongest(window, match):
            return match
    return None


def _gear_shows(window: Window, match: Match) -> bool:
    """Whether a tooth gives blows: nearly all harmonics of its shaft show, each by itself."""
    apart = match.family.shaft * window.turns >= search.APART
    return apart and sum(line.nats >= search.SHOWS for line in match.lines) >= GEAR_SHARE * len(match.lines)


def _centred(window: Window, match: Match) -> bool:
    """Whether it is the top of a peak, and the middle of its sidebands."""
    return not search.on_skirt(window, match) and abs(search.lopsided(window, match)) <= LOPSIDED


def _plain(window: Window, match: Match) -> bool:
    """Whether the fundamental and a harmonic show, and nothing in the same band is stronger."""
    shown = [u >= search.SHOWS for u in _harmonics(match)]
    return shown[0] and sum(shown) > 1 and _strongest(window, match)


def _strongest(window: Window, match: Match) -> bool:
    """Whether nothing else in the same band is stronger."""
    return search.weight(_harmonics(match)) > search.rival(window, match)[0]


def _complete(match: Match) -> bool:
    """Whether the fundamental shows, and of what passes through the load zone, sidebands as well.

    A defect of an inner race is loaded once a turn of the shaft, one of a rolling element once a turn of the cage
    (Randall and Antoni 2011, section 2): lines at the right place without them are of something else.
    """
    near = {line.side: line.nats >= search.SHOWS for line in match.lines if line.multiple == 1}
    return near[0] and sum(near.values()) > SIDEBANDS[match.family.fault]


def _harmonics(match: Match) -> list[float]:
    """Nats of the first three harmonics without sidebands."""
    return [line.nats for line in match.lines if line.side == 0 and line.multiple <= search.HARMONICS]


def _level(window: Window, match: Match) -> str:
    """Name of the amplitude that a match is compared with its baseline by."""
    band = window.banded[match.banded]
    centre = float(band.low_hz[match.band]) + 0.5 * band.width_hz
    return key(match, octave(window.rate_hz, centre, octaves_of(window)))


def _nothing(matches: list[Match], speed: Speed) -> str:
    best = max(matches, key=lambda each: each.odds)
    return (
        f"no fault: at {speed.hz or 0.0:.2f} Hz nothing stands out by the lines of {len(matches)} families; the nearest is "
        f"{best.family.name} of {best.family.component}"
    )


def _found(
    window: Window,
    best: Match,
    speed: Speed,
    amplitudes: Mapping[str, float],
    baseline: Mapping[str, float],
    unit: str,
) -> Found:
    band, hz, name = window.banded[best.banded], speed.hz or 0.0, _level(window, best)
    told = _lines(window, best, hz)
    prominence = sum(line.amplitude / line.background for line in told) / len(told)
    own = search.weight(_harmonics(best))
    other = search.rival(window, best)[0] if best.family.fault != GEAR else 0.0
    clear = 1.0 - 0.5 * min(1.0, other / own) if own > 0.0 else 1.0
    confidence = (1.0 - math.exp(-best.odds / LEAST)) * clear
    low = float(band.low_hz[best.band])
    found = Found(
        fault=best.family.fault,
        component=best.family.component,
        family=best.family.name,
        channel=band.channel,
        lines=told,
        unit=unit,
        amplitude=amplitudes.get(name),
        baseline=baseline.get(name),
        prominence=prominence,
        confidence=confidence,
        amplitudes=amplitudes,
        band_hz=(low, low + band.width_hz),
        p_value=math.exp(-best.odds),
    )
    return found._replace(sentence=_sentence(found, best, hz))


def _lines(window: Window, best: Match, hz: float) -> tuple[Line, ...]:
    """Give the lines that were found."""
    band, told = window.banded[best.banded], []
    unit = float(band.unit[best.band])
    for line in best.lines:
        if line.nats >= search.SHOWS:
            at = round(line.order / band.spectra.step)
            told.append(
                Line(
                    name=line.name,
                    expected_hz=(line.order + line.multiple * (best.family.order - best.order)) * hz,
                    found_hz=line.order * hz,
                    amplitude=float(band.spectra.amplitude[best.band, at]) * unit,
                    background=float(band.spectra.level[best.band, at]) * unit,
                )
            )
    return tuple(told)


def _sentence(found: Found, best: Match, hz: float) -> str:
    """Say it to a person."""
    what = f"{PARTS[found.fault]} {found.component}: {found.family} {best.order * hz:.1f} Hz"
    if found.fault != GEAR:
        what += f" ({100.0 * (best.order / best.family.order - 1.0):+.1f} % of geometry)"
    sides = " with sidebands" if any(("+" in line.name or "-" in line.name) for line in found.lines) else ""
    text = (
        f"{what}, {len(found.lines)} of {len(best.lines)} lines{sides} at {found.prominence or 0.0:.1f} x the background of the "
        f"envelope in {found.band_hz[0]:.0f}-{found.band_hz[1]:.0f} Hz"
    )
    if found.baseline and found.amplitude is not None:
        text += f", {found.amplitude / found.baseline:.1f} x the baseline"
    return f"{text}; noise does so in one of 1e{best.odds / math.log(10.0):.0f} windows"
