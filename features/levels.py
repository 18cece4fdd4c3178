"""The level of each channel from block to block: units that change, and a noise floor that goes.

Both are found where the level leaps, for a sensor that fails does so from one block to the next, and where nothing leaps
nothing is looked at. A leap by the factor of two units at one speed is a unit; one upwards may be a machine that broke as well, so it
is told and its blocks are scored, for a fault is never refused. A fall below the sensor's own noise, or a
collapse at one speed, is a sensor that hears nothing any more. A machine that starts or stops leaps as well: at another
speed, or, where no speed is known, between levels that it had before.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from foreshock.contract import QualityKind
from foreshock.features.conditions import Finding

LEAP = 4.0
"""A level that changes by less from one block to the next is not looked at."""
FACTORS = {
    "acceleration": (9.80665, 1000.0, 39.37, 100.0),  # g and m/s2 (and an amplifier's 20 dB), milli, inch, centi
    "velocity": (25.4, 1000.0, 39.37),  # inch and mm, milli, inch and m
    "displacement": (25.4, 1000.0, 39.37),
    "pressure": (14.5038, 6.894757, 1000.0, 100.0),  # bar and psi, psi and kPa, milli, hecto
}
"""Ratios of the units that a sensor of a quantity is likely to be set to."""
ANY_FACTORS = (1000.0,)
TOLERANCE = 0.22
"""Of a factor (natural log): three deviations of two levels of a steady machine, which scatter by 5 %."""
EXPONENT, PER_SPEED = 1.5, 0.7
"""... and goes with the speed (broadband noise) to its square (shaft orders): this power of it, give or take."""
SAME_SPEED = 0.3
"""Speeds (natural log of their ratio) up to which levels may be compared: no machine leaps within them."""
TURNS_HZ = 0.05
"""Slower than this is standing."""
QUIETER = 5.0
"""Below the level at standstill by this factor there is less noise than the sensor itself makes."""
MUCH_QUIETER = 30.0
"""The same where no speed says that the machine stood: what looked like a standstill may have been a slow turning."""
STOOD_BLOCKS = 8
"""Blocks at standstill from which on its level is known."""
STOOD = 20.0
"""Without a speed, a lowest level this far below the highest ..."""
REST = 1.5
"""... to which the level keeps within this factor, is a standstill."""
COLLAPSE = 30.0
"""A level that falls by this factor at one speed has not followed its machine."""
LEARNT = 32
"""Blocks before anything is known of a level."""
STILL_GONE = 4.0
"""A dead channel that rises above its dead level by this factor is alive."""


class Held(NamedTuple):
    """What was found on a channel and holds until its level says otherwise."""

    channel: int
    kind: QualityKind
    before: float
    """Level before it."""
    after: float
    """Level with it."""
    factor: float
    """Of the unit; 0.0 for a noise floor."""
    speed_hz: float | None
    """Shaft speed with it."""


class Levels(NamedTuple):
    """What is known of the levels of a measuring point; a new one only where something leaps or is learnt."""

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    """Lowest and highest level of each channel so far."""
    floor: tuple[float, ...] = ()
    """Lowest level at standstill; 0 before the first."""
    stood: tuple[int, ...] = ()
    """Blocks behind it, up to `STOOD_BLOCKS`."""
    least: tuple[float, ...] = ()
    """Levels below it are looked at."""
    held: tuple[Held, ...] = ()


class Look(NamedTuple):
    """What is looked at: one block, and what it is held against."""

    last: tuple[float, ...]
    now: tuple[float, ...]
    """Levels of the channels in the block before and in this one (SI); 0 where a channel is constant."""
    was_hz: float | None
    is_hz: float | None
    """Shaft speed in both; None where it is not stated."""
    channels: tuple[str, ...]
    quantity: str
    blocks: int
    """Blocks whose levels were seen before."""

    @property
    def faster(self) -> float | None:
        """Natural log of the ratio of the speeds; 0 where both stand, infinite where one does, None where one is unknown."""
        if self.was_hz is None or self.is_hz is None:
            return None
        was, now = abs(self.was_hz), abs(self.is_hz)
        if was <= TURNS_HZ or now <= TURNS_HZ:
            return 0.0 if max(was, now) <= TURNS_HZ else math.inf
        return math.log(now / was)

    @property
    def comparable(self) -> bool:
        """Whether both speeds are known and near."""
        faster = self.faster
        return faster is not None and abs(faster) <= SAME_SPEED

    def is_factor(self, ratio: float, factor: float) -> bool:
        """Whether a ratio of levels is this factor, at speeds that are comparable or not known."""
        faster = self.faster or 0.0
        off = math.log(ratio) - EXPONENT * faster - math.log(factor)
        return abs(off) <= TOLERANCE + PER_SPEED * abs(faster)


def leaps(known: Levels, last: tuple[float, ...], now: tuple[float, ...]) -> bool:
    """Say whether `step` has to look: a level that leaves what is known, that leaps, or a finding that holds.

    Parameters
    ----------
    known : Levels
    last, now : tuple of float
        Levels of the channels in the block before and in this one (SI).
    """
    if known.held or len(last) != len(now) or len(known.low) != len(now):
        return True
    for was, level, least, high in zip(last, now, known.least, known.high, strict=True):
        if not least <= level <= high or not was <= LEAP * level <= LEAP * LEAP * was:
            return True
    return False


def step(known: Levels, look: Look) -> tuple[Levels, tuple[Finding, ...]]:
    """Look at the levels of one block.

    Returns
    -------
    Levels
        After the block. A channel with a finding teaches nothing.
    tuple of Finding
        Not usable, as such a block says nothing of the machine; but for a level that leapt upwards.
    """
    now = look.now
    if len(look.last) != len(now) or len(known.low) != len(now):
        none = (0.0,) * len(now)
        return Levels(now, now, none, (0,) * len(now), now), ()
    findings: list[Finding] = []
    held: list[Held] = []
    learnt: list[tuple[float, float, float, int, float]] = []
    before = {each.channel: each for each in known.held}
    for c, level in enumerate(now):
        found = _look(known, before.get(c), look, c)
        if found is not None:
            held.append(found)
        if found is not None and level > 0.0:
            findings.append(_told(found, look.channels[c], level))
        row = known.low[c], known.high[c], known.floor[c], known.stood[c], known.least[c]
        learnt.append(_learnt(row, level, look) if found is None and level > 0.0 else row)
    low, high, floor, stood, least = zip(*learnt, strict=True)
    return Levels(low, high, floor, stood, least, tuple(held)), tuple(findings)


def _look(known: Levels, held: Held | None, look: Look, c: int) -> Held | None:
    """What is found on a channel. One that is constant says nothing: what held still holds."""
    level, was = look.now[c], look.last[c]
    if level == 0.0:
        return held
    if held is not None:
        return held if _holds(held, level, was, look) else None
    if look.blocks < LEARNT or was == 0.0:
        return None
    return _found(known, look, c)


def _learnt(
    row: tuple[float, float, float, int, float], level: float, look: Look
) -> tuple[float, float, float, int, float]:
    """Take a level in: lowest, highest, the one at standstill, and below which level to look again."""
    low, high, floor, stood, _ = row
    low, high = min(low or level, level), max(high, level)
    rests = level <= REST * low and high >= STOOD * low if look.is_hz is None else abs(look.is_hz) <= TURNS_HZ
    if rests:
        floor, stood = min(floor or level, level), min(stood + 1, STOOD_BLOCKS)
    wanted = stood < STOOD_BLOCKS and high >= STOOD * low
    return low, high, floor, stood, REST * low if wanted else low


def _factor(ratio: float, look: Look) -> float:
    """The factor of two units that a ratio of levels is, or its inverse; 0.0 where it is none."""
    for factor in FACTORS.get(look.quantity, ANY_FACTORS):
        signed = factor if ratio > 1.0 else 1.0 / factor
        if look.is_factor(ratio, signed):
            return signed
    return 0.0


def _found(known: Levels, look: Look, c: int) -> Held | None:
    """What a leap of a channel means, if it means anything."""
    was, level, comparable = look.last[c], look.now[c], look.comparable
    ratio, floor = level / was, known.floor[c] if known.stood[c] >= STOOD_BLOCKS else 0.0
    if not 1.0 / LEAP < ratio < LEAP:
        new = level > LEAP * known.high[c] or level < floor / LEAP
        if comparable or (look.faster is None and new):
            factor = _factor(ratio, look)
            if factor:
                return Held(c, QualityKind.UNIT_CHANGED, was, level, factor, look.is_hz)
        if comparable and ratio <= 1.0 / COLLAPSE:
            return Held(c, QualityKind.NOISE_FLOOR_GONE, was, level, 0.0, look.is_hz)
    if level < floor / (MUCH_QUIETER if look.is_hz is None else QUIETER):
        return Held(c, QualityKind.NOISE_FLOOR_GONE, floor, level, 0.0, look.is_hz)
    return None


def _holds(held: Held, level: float, last: float, look: Look) -> bool:
    """Whether a finding still holds: a dead channel until it is louder, a unit until the level is what it was.

    A leap back ends a changed unit, and so does a level at the speed of then that is nearer to the one before it.
    """
    if held.kind is QualityKind.NOISE_FLOOR_GONE:
        return level <= STILL_GONE * held.after
    may = look.comparable or look.faster is None
    if may and last > 0.0 and look.is_factor(level / last, 1.0 / held.factor):
        return False
    if not look._replace(was_hz=held.speed_hz).comparable:
        return True
    return abs(math.log(level / held.after)) < abs(math.log(level / held.before))


def _told(held: Held, channel: str, level: float) -> Finding:
    if held.kind is QualityKind.UNIT_CHANGED:
        ratio = held.after / held.before
        sentence = (
            f"the level went from {held.before:.3g} to {held.after:.3g} from one block to the next, a factor of {ratio:.4g}: "
            f"that of two units ({held.factor:.4g}); it holds until the level goes back or a repair ends the baseline"
        )
        up = ratio > 1.0
        sentence += "; it may be the machine, so it is scored" if up else ""
        return Finding(held.kind, channel, ratio, held.factor, sentence, usable=up)
    sentence = (
        f"the level is {level:.3g}, below {held.before:.3g} of the sensor itself: the channel hears nothing any more"
    )
    return Finding(held.kind, channel, level, held.before, sentence)
