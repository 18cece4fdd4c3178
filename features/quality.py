"""Can this block be believed? Sensor faults from its samples, link and clock faults from its order of arrival.

`inspect` measures many blocks at once; `judge` turns the figures of one block into findings; `step` folds them, and
what `arrival.read` says about sequence, time and rate, into the state of the measuring point. All are pure. A sensor
fault is never a machine fault: a block with an unusable finding is neither scored nor learnt.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from foreshock.contract import QualityKind
from foreshock.features import arrival as arrivals
from foreshock.features import conditions, levels
from foreshock.features.arrival import Arrival, Place
from foreshock.features.conditions import Conditions, Finding, Transition
from foreshock.features.excursions import SPIKE_SIGMA
from foreshock.features.inspection import Inspection, inspect
from foreshock.features.levels import Levels
from foreshock.features.silence import Pulse

__all__ = ["Arrival", "Finding", "Inspection", "PointState", "Step", "Transition", "inspect", "judge", "step"]

FROZEN_SHARE = 0.5
"""A row whose longest run of equal samples is at least this share of it is frozen."""
SPIKE_SHARE = 0.005
"""More isolated samples than this share are no longer few: something makes them."""
OVER_RANGE = 0.02
"""Beyond the stated measuring range by more than this share of its span, a value cannot have been measured."""
RENAMED_AFTER = 20
"""So many records in a row with other channels, and these are the ones that should be there: as a layout that changes."""
UNKNOWN = Levels()
MADE_OF = 4
"""First field of the state that is of what a record is made of."""


class PointState(NamedTuple):
    """Quality state of one measuring point."""

    place: Place | None = None
    digests: tuple[int, ...] = ()
    """Fingerprints of the channels of the last folded block."""
    standing: Conditions = ()
    pulse: Pulse = Pulse()
    """Signs of life: of every record, whatever became of it."""
    channels: tuple[str, ...] = ()
    """Channels or tags that should be there: those of the first record."""
    others: int = 0
    """Records in a row that had other ones."""
    units: tuple[str, ...] = ()
    """Of the last folded block, as declared."""
    last: tuple[float, ...] = ()
    """Levels of its channels (SI) ..."""
    speed_hz: float | None = None
    """... and the speed with them."""
    seen: int = 0
    """Blocks whose levels were seen, up to as many as levels are learnt from."""
    levels: Levels = UNKNOWN


class Step(NamedTuple):
    """What one block led to."""

    state: PointState
    kinds: tuple[QualityKind, ...]
    """What was found on this block, each kind once."""
    transitions: tuple[Transition, ...]
    usable: bool
    """Whether to score and learn it."""
    late: bool
    """Repeated or out of order: its outcome is `ScoreState.LATE`, and no state may take it in."""
    at_ns: int
    """The time to score it at."""
    reason: str
    """Why it is not usable; empty if it is."""


def judge(
    inspection: Inspection,
    index: int,
    channels: tuple[str, ...],
    count: int,
    measuring_range: tuple[float | None, float | None] = (None, None),
) -> tuple[Finding, ...]:
    """Turn the figures of one block into findings.

    Parameters
    ----------
    inspection : Inspection
        Of the batch.
    index : int
        The block in the batch.
    channels : tuple of str
        Names of its channels.
    count : int
        Samples per channel.
    measuring_range : (float or None, float or None)
        Smallest and largest value the sensor can give, in SI, where it is known.

    Returns
    -------
    tuple of Finding
        Channel by channel; a channel that is frozen or not finite has no other finding.
    """
    found: list[Finding] = []
    for c, channel in enumerate(channels):
        if not inspection.finite[index, c]:
            sentence = "the samples are not all finite numbers"
            found.append(Finding(QualityKind.OUT_OF_RANGE, channel, None, None, sentence))
            continue
        share = float(inspection.constant[index, c])
        if share >= FROZEN_SHARE:
            at = (
                f"the channel stands still at {float(inspection.high[index, c]):g}"
                if share == 1.0
                else "it stood still"
            )
            sentence = f"{at} for {share:.0%} of the block"
            found.append(Finding(QualityKind.FROZEN, channel, share, FROZEN_SHARE, sentence))
            continue
        found += _range(inspection, index, c, channel, measuring_range)
        clipped = int(inspection.clipped[index, c])
        if clipped and not any(f.kind is QualityKind.CLIPPED and f.channel == channel for f in found):
            stop = float(inspection.stop[index, c])
            sentence = f"{clipped} of {count} samples sit exactly on {stop:g}: the signal is cut off there"
            found.append(Finding(QualityKind.CLIPPED, channel, stop, None, sentence))
        spikes = int(inspection.spikes[index, c])
        if 0 < spikes <= max(4, SPIKE_SHARE * count):
            size = float(inspection.spike[index, c])
            sentence = f"{spikes} single samples of up to {size:.1f} standard deviations that nothing rings after"
            found.append(Finding(QualityKind.SPIKE, channel, size, SPIKE_SIGMA, sentence))
    return tuple(found)


def _range(
    inspection: Inspection, index: int, c: int, channel: str, measuring_range: tuple[float | None, float | None]
) -> list[Finding]:
    """Compare the extremes with the stated measuring range: at its end is clipped, well beyond is impossible."""
    lowest, highest = measuring_range
    span = abs(highest - lowest) if lowest is not None and highest is not None else None
    found: list[Finding] = []
    for value, limit, sign in (
        (float(inspection.high[index, c]), highest, 1.0),
        (float(inspection.low[index, c]), lowest, -1.0),
    ):
        if limit is None:
            continue
        excess = sign * (value - limit)
        if excess > OVER_RANGE * (span or abs(limit)):
            sentence = f"{value:g} is outside the measuring range, which ends at {limit:g}"
            found.append(Finding(QualityKind.OUT_OF_RANGE, channel, value, limit, sentence))
        elif excess >= 0.0:
            sentence = f"{value:g} is at the end of the measuring range: the sensor is overdriven"
            found.append(Finding(QualityKind.CLIPPED, channel, value, limit, sentence))
    return found[:1]


def _repeats(state: PointState, digests: tuple[int, ...], channels: tuple[str, ...]) -> tuple[Finding, ...]:
    """Channels whose samples are those of the block before, to the last bit. Noise never does that."""
    if not state.digests or set(state.digests).isdisjoint(digests) or len(state.digests) != len(digests):
        return ()
    sentence = "the samples are those of the block before, bit for bit"
    return tuple(
        Finding(QualityKind.FROZEN, channel, 1.0, FROZEN_SHARE, sentence)
        for channel, before, now in zip(channels, state.digests, digests, strict=True)
        if before == now
    )


def step(
    state: PointState,
    arrival: Arrival,
    findings: tuple[Finding, ...],
    digests: tuple[int, ...],
    channels: tuple[str, ...],
) -> Step:
    """Fold one block into the quality state of its measuring point.

    Parameters
    ----------
    state : PointState
        Before the block; `PointState()` before the first one.
    arrival : Arrival
        Its times, sequence number and rate.
    findings : tuple of Finding
        From `judge`.
    digests : tuple of int
        `Inspection.digest` of its channels.
    channels : tuple of str

    Returns
    -------
    Step
        With the state after the block. A late block changes neither the digests nor the place in time.
    """
    reading = arrivals.read(state.place, arrival)
    made_of: tuple[Any, ...] = state[MADE_OF:]
    if reading.late:
        found, digests = reading.findings, state.digests
    else:
        made_of, samples = _fold(state, arrival, channels)
        found = (*reading.findings, *findings, *_repeats(state, digests, channels), *samples)
    standing, transitions = conditions.step(state.standing, found)
    pulse, at = state.pulse, arrival.origin
    if at is not None:
        pulse = pulse.heard(at, arrival.interval_s, arrival.acquisition)
    after = PointState(reading.place, digests, standing, pulse, *made_of)
    if not found:
        return Step(after, (), transitions, usable=True, late=False, at_ns=reading.at_ns, reason="")
    kinds = tuple(dict.fromkeys(f.kind for f in found))
    blocking = next((f for f in found if not f.usable), None)
    reason = "" if blocking is None else _sentence(blocking)
    return Step(after, kinds, transitions, blocking is None, reading.late, reading.at_ns, reason)


def _fold(
    state: PointState, arrival: Arrival, channels: tuple[str, ...]
) -> tuple[tuple[Any, ...], tuple[Finding, ...]]:
    """Take in what a record is made of: channels, units, levels. Gives the fields of the state after `MADE_OF`."""
    found: tuple[Finding, ...] = ()
    _, _, _, _, expected, others, units, last, speed_hz, seen, known = state  # once for every record: written for speed
    now, declared = arrival.levels, arrival.units
    if now and levels.leaps(known, last, now):
        look = levels.Look(last, now, speed_hz, arrival.speed_hz, channels, arrival.quantity, seen)
        known, found = levels.step(known, look)
    if seen < levels.LEARNT:
        seen += 1
    if channels == expected:
        others = 0
        if declared != units:
            found += _redeclared(units, channels, declared)
    else:
        expected, others, absent = _absent(state, channels)
        found += absent
    return (expected, others, declared, now, arrival.speed_hz, seen, known), found


def _absent(state: PointState, channels: tuple[str, ...]) -> tuple[tuple[str, ...], int, tuple[Finding, ...]]:
    """Channels that should be there and are not, in a record that has other ones than expected.

    Returns the channels that are expected from here on, the records in a row that had other ones, and the findings.
    These are usable: whether what came can be scored is for the layout to say.
    """
    others = state.others + 1
    if not state.channels or others >= RENAMED_AFTER:
        return channels, 0, ()
    sentence = "it is not in the record; {} of {} that should be there came"
    gone = [name for name in state.channels if name not in channels]
    told = sentence.format(len(state.channels) - len(gone), len(state.channels))
    found = tuple(Finding(QualityKind.MISSING, name, None, None, told, usable=True) for name in gone)
    return state.channels, others, found


def _redeclared(units: tuple[str, ...], channels: tuple[str, ...], declared: tuple[str, ...]) -> tuple[Finding, ...]:
    """Units that are declared otherwise than in the block before. Samples are taken in SI, so they stay usable."""
    names = channels if len(declared) == len(channels) > 1 else ("",)
    sentence = "the record declares {}, the one before declared {}; values are taken in SI, so they can be compared"
    return tuple(
        Finding(QualityKind.UNIT_CHANGED, name, None, None, sentence.format(now, was), usable=True)
        for name, was, now in zip(names, units, declared, strict=False)  # () before the first record
        if was != now
    )


def _sentence(finding: Finding) -> str:
    where = f" {finding.channel}" if finding.channel else ""
    return f"{finding.kind}{where}: {finding.detail}"
