"""What is checked on a field of an input, whichever framing it came in. Every refusal names the field and what to mend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from foreshock.contract import Measure, Reason
from foreshock.errors import InputRejected
from foreshock.units import Unit, resolve

SLOWEST_HZ = 1e-6  # a sample in eleven days
FASTEST_HZ = 1e12  # no sensor samples faster, and what is computed from a rate stays a number
OLDEST_NS = 946_684_800_000_000_000  # 2000-01-01
LONGEST_ID = 255
MOST_CHANNELS = 64
MOST_TAGS = 1024
NEWEST_NS = 4_102_444_800_000_000_000  # 2100-01-01: beyond it the number is no time in nanoseconds
_NANOSECONDS = "send nanoseconds since 1970-01-01 UTC"
_COARSER = ((1_000_000_000, "seconds"), (1_000_000, "milliseconds"), (1_000, "microseconds"))


def reject(reason: Reason, field: str, sentence: str, fix: str) -> NoReturn:
    """Refuse a record.

    Raises
    ------
    InputRejected
        Always.
    """
    raise InputRejected(reason, sentence, field=field, fix=fix)


def check_id(field: str, value: str) -> str:
    """Check the name of an asset, a point, a channel or a tag."""
    if not value.strip():
        reject(Reason.MALFORMED, field, f"{field} is empty", f"send the {field}'s name")
    if len(value) > LONGEST_ID:
        sentence = f"{field} has {len(value)} characters, at most {LONGEST_ID} are allowed"
        reject(Reason.MALFORMED, field, sentence, "send a shorter name")
    if not value.isprintable():
        reject(Reason.MALFORMED, field, f"{field} holds control characters", "send a printable name")
    return value


def check_label(field: str, value: str) -> str:
    """Check a name that may be empty: a site, a gateway, a device, a flag."""
    if len(value) > LONGEST_ID:
        sentence = f"{field} has {len(value)} characters, at most {LONGEST_ID} are allowed"
        reject(Reason.MALFORMED, field, sentence, "send a shorter name")
    return value


def check_names(field: str, values: Sequence[str], most: int) -> tuple[str, ...]:
    """Check the names of channels or tags: there is one, not too many, none twice."""
    if not values:
        reject(Reason.MALFORMED, field, f"{field} is empty", f"name every one of the {field}")
    if len(values) > most:
        sentence = f"{len(values)} {field}, at most {most} are allowed"
        reject(Reason.MALFORMED, field, sentence, "split them over several measuring points")
    for value in values:
        check_id(field, value)
    if len(set(values)) != len(values):
        twice = next(value for value in values if list(values).count(value) > 1)
        reject(Reason.MALFORMED, field, f"{field} holds {twice!r} twice", "give each a name of its own")
    return tuple(values)


def check_rate(rate: float | None) -> float | None:
    """Check a sampling rate in Hz; None is "not stated"."""
    if rate is None or SLOWEST_HZ <= rate <= FASTEST_HZ:
        return rate
    reject(
        Reason.BAD_RATE,
        "sampling_rate_hz",
        f"the sampling rate is {rate:g} Hz, it must be at least {SLOWEST_HZ:g} and at most {FASTEST_HZ:g}",
        "send the samples per second and channel; null only where it is really not known",
    )


def check_positive(field: str, value: float | None) -> float | None:
    """Check a duration or another figure that must be above 0 where it is stated."""
    if value is None or 0 < value < math.inf:
        return value
    reject(Reason.MALFORMED, field, f"{field} is {value:g}, it must be above 0", "send a positive number, or null")


def check_finite(field: str, value: float | None) -> float | None:
    """Check a number that may be null but not NaN or infinite."""
    if value is None or math.isfinite(value):
        return value
    reject(Reason.NOT_FINITE, field, f"{field} is {value}", "send a finite number, or null where it is not known")


def check_time(field: str, at_ns: int) -> int:
    """Check a source time; a number in a coarser unit than nanoseconds falls before 2000 and is told apart."""
    if OLDEST_NS <= at_ns < NEWEST_NS:
        return at_ns
    if at_ns == 0:
        reject(Reason.BAD_TIMESTAMP, field, f"{field} is missing or 0", _NANOSECONDS)
    if at_ns >= NEWEST_NS:
        reject(Reason.BAD_TIMESTAMP, field, f"{field} = {at_ns} is after 2100", _NANOSECONDS)
    for factor, name in _COARSER:
        if OLDEST_NS <= at_ns * factor < NEWEST_NS:
            sentence = f"{field} = {at_ns} is a timestamp before 2000; it looks like {name}"
            reject(Reason.BAD_TIMESTAMP, field, sentence, f"{_NANOSECONDS}: multiply by {factor}")
    reject(Reason.BAD_TIMESTAMP, field, f"{field} = {at_ns} is a timestamp before 2000", _NANOSECONDS)


def check_unit(quantity: str, unit: str, measure: Measure = Measure.INSTANTANEOUS) -> tuple[Unit, Measure]:
    """Find the unit, and what it says beside the field `measure`."""
    found = resolve(quantity, unit)
    if found.measure is None or found.measure == measure:
        return found, measure
    if measure is not Measure.INSTANTANEOUS:
        sentence = f"the unit {unit!r} says {found.measure}, the field measure says {measure}"
        reject(Reason.UNIT_MISMATCH, "measure", sentence, "say it once: a plain unit, and the field measure")
    return found, found.measure


def check_waveform_unit(quantity: str, unit: str) -> Unit:
    """Find the unit of samples: each is a value at one instant, and SI is a factor away."""
    found, measure = check_unit(quantity, unit)
    if measure is not Measure.INSTANTANEOUS:
        sentence = f"the unit {unit!r} is for {measure} values, a waveform has one value per instant"
        reject(Reason.UNIT_MISMATCH, "unit", sentence, f"send the plain unit {found.ucum!r}, or a TelemetryFrame")
    if found.shift:
        sentence = f"samples in {found.ucum} have no common zero with SI"
        reject(Reason.UNIT_MISMATCH, "unit", sentence, "send a waveform in K, or a TelemetryFrame")
    return found


def check_samples(samples: Any) -> None:
    """Refuse NaN and infinite samples; `samples` is [channels, count].

    The product of the samples with themselves is finite if all are, unless they are so large that it overflows: only then
    is each one looked at.
    """
    if samples.dtype.kind != "f":
        return
    if math.isfinite(np.vdot(samples, samples)):
        return
    bad = np.argwhere(~np.isfinite(samples))
    if len(bad):
        channel, number = (int(each) for each in bad[0])
        sentence = f"{len(bad)} samples are not finite, the first is number {number} of channel {channel}"
        fix = "leave the block out or repair it; a gap in the samples cannot be sent as NaN"
        reject(Reason.NOT_FINITE, "samples", sentence, fix)
