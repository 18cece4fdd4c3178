"""One measuring point against a policy: which severity its readings demand, and since when.

Every band of the policy is a condition of its own with a deadband, delays and N of M; the highest that stands is what
the point demands. `evaluate` is pure: time comes with the reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from foreshock.alerts.patterns import matches
from foreshock.alerts.policy import Band, Effect, Policy
from foreshock.alerts.states import Fall
from foreshock.alerts.vocabulary import Severity, SuppressedBy

NS = 1_000_000_000


class Reading(NamedTuple):
    """What one row of one measuring point says."""

    at_ns: int  # source time of the row
    value: float | None  # score: 1 is the boundary of normal; of a static limit, 1 is at the limit; None: not scored
    trend: float | None = None  # growth per hour
    hypothesis: str = ""
    effect: tuple[tuple[str, float, float], ...] = ()  # feature, value, expected; (): not known
    usable: bool = True
    running: bool = True
    inhibited: bool = False  # a fault of the sensor, of a kind that the policy names, stands
    mode: str = "model"  # model | static_limit
    anomaly_id: str = ""
    evidence: str = ""
    delayed_s: float = 0.0  # ingest time less source time


class Count(NamedTuple):
    """State of one band."""

    severity: Severity
    standing: bool = False
    over_ns: int | None = None  # source time of the first row that counts towards raising it
    under_ns: int | None = None  # and of the first below the clear level in a row, while it stands
    recent: int = 0  # bits of the last M rows, the newest lowest: 1 is at or above the level
    reached: bool = False  # N of M was reached since over_ns: only the delay was not


class Condition(NamedTuple):
    """State of one measuring point; equal to `Condition()` while nothing of it is above a level or was of late."""

    counts: tuple[Count, ...] = ()
    withheld: SuppressedBy | None = None  # of the last reading with a value


class Demand(NamedTuple):
    """What a measuring point demands after a reading.

    Attributes
    ----------
    severity
        Of the highest band that stands; None: nothing.
    rule
        The level that was crossed, with its figures.
    withheld
        Why it is not to be raised for this reading (sensor fault, minimum effect); None: it may be.
    missed
        A severity whose level was reached, and that was over before its delay or its N of M was (highest of those that
        ended with this reading).
    missed_by, missed_rule
        Why (fleeting, N of M), and its level with figures.
    falls
        How the demand ends by time alone (off-delays that run), in order of time.
    reading
        The reading.
    reached
        The highest band that the reading itself reaches; None: it is below, and what stands is kept by its deadband or delay.
    """

    severity: Severity | None
    rule: str
    withheld: SuppressedBy | None
    missed: Severity | None
    missed_by: SuppressedBy | None
    missed_rule: str
    falls: tuple[Fall, ...]
    reading: Reading
    reached: Severity | None = None


def lowest(policy: Policy, factor: float = 1.0) -> float:
    """The value below which a reading of a point with `Condition()` changes nothing, whatever its trend and hypothesis.

    Parameters
    ----------
    factor
        As for `evaluate`. A static limit is not scaled, so a factor above 1 does not raise this value.
    """
    scale = min(factor, 1.0)
    return min((level for band in policy.bands for level in _levels(band, scale)), default=math.inf)


def level(policy: Policy) -> float:
    """The score at which the policy raises anything at all: what feedback writes its sentences with."""
    return min((band.raise_at for band in policy.bands), default=math.inf)


def _levels(band: Band, scale: float) -> Iterator[float]:
    yield band.raise_at * scale
    if band.trend_at is not None:
        yield band.trend_score
    if band.hypotheses and band.hypothesis_at is not None:
        yield band.hypothesis_at * scale


def evaluate(policy: Policy, condition: Condition, reading: Reading, factor: float = 1.0) -> tuple[Condition, Demand]:
    """Fold one reading in.

    Parameters
    ----------
    policy
        What holds for the asset; bands that it no longer has are forgotten.
    condition
        The state before the reading.
    reading
        A row without a value (not scored, not usable, not running) changes nothing but what time alone ends. A machine
        that stops ends what was not raised so far. A reading of a faulty sensor ends nothing.
    factor
        Raise, clear and hypothesis levels are multiplied by it where the mode is `model`: the margin of this asset.

    Returns
    -------
    tuple of Condition and Demand
        The state after it, and what the point demands.
    """
    value = _value(reading)
    scale = factor if reading.mode == "model" else 1.0
    if not condition.counts and (value is None or value < lowest(policy, scale)):
        return condition, Demand(None, "", None, None, None, "", (), reading)
    before = {count.severity: count for count in condition.counts}
    counts: list[Count] = []
    stands: Band | None = None
    reached: Severity | None = None
    missed: tuple[Band, SuppressedBy] | None = None
    for band in sorted(policy.bands, key=_downwards):
        count = before.get(band.severity, Count(band.severity))
        after = _fold(band, count, reading, value, scale)
        if stands is not None and not after.standing:  # what demands more demands this as well
            after = Count(band.severity, standing=True, under_ns=_under(band, count, reading, value, scale))
        if count.over_ns is not None and after.over_ns is None and not after.standing:
            missed = missed or (band, SuppressedBy.FLEETING if count.reached else SuppressedBy.N_OF_M)
        if after.standing or after.over_ns is not None:
            counts.append(after)
        stands = stands or (band if after.standing else None)
        if reached is None and value is not None and _is_over(band, reading, value, scale):
            reached = band.severity
    withheld = condition.withheld if value is None else _withheld(policy, reading)
    demand = Demand(
        severity=stands.severity if stands else None,
        rule=_rule(stands, reading, scale) if stands and value is not None else "",
        withheld=SuppressedBy.SENSOR_FAULT if reading.inhibited else withheld,
        missed=missed[0].severity if missed else None,
        missed_by=missed[1] if missed else None,
        missed_rule=_missed_rule(missed[0], scale) if missed else "",
        falls=_falls(policy, counts),
        reading=reading,
        reached=reached,
    )
    return (Condition(tuple(counts), withheld) if counts else Condition()), demand


def _value(reading: Reading) -> float | None:
    value = reading.value if reading.usable and reading.running else None
    return None if value is None or math.isnan(value) else value


def _downwards(band: Band) -> int:
    return -band.severity.rank


def _fold(band: Band, count: Count, reading: Reading, value: float | None, scale: float) -> Count:
    """Fold a reading into the state of one band: first what time ended, then the value."""
    at_ns, off_ns = reading.at_ns, int(band.off_delay_s * NS)
    if count.standing and count.under_ns is not None and at_ns - count.under_ns >= off_ns:
        count = Count(band.severity)
    if count.standing:
        under_ns = _under(band, count, reading, value, scale)
        if under_ns is not None and at_ns - under_ns >= off_ns:
            return Count(band.severity)
        return count._replace(under_ns=under_ns)
    if value is None:
        return count if reading.running else Count(band.severity)
    over = _is_over(band, reading, value, scale)
    recent = (count.recent << 1 | over) & ((1 << band.m) - 1)
    if not recent:
        return Count(band.severity)
    over_ns = at_ns if count.over_ns is None else min(count.over_ns, at_ns)  # a clock may be set back
    enough = recent.bit_count() >= band.n
    if enough and over and at_ns - over_ns >= int(band.on_delay_s * NS):
        return Count(band.severity, standing=True)
    return Count(band.severity, False, over_ns, None, recent, count.reached or enough)


def _is_over(band: Band, reading: Reading, value: float, scale: float) -> bool:
    """Say whether a reading reaches a band: by its score, by its trend, or by what it is a sign of."""
    if value >= band.raise_at * scale:
        return True
    trends = band.trend_at is not None and reading.trend is not None and reading.trend >= band.trend_at
    if trends and value >= band.trend_score:
        return True
    signed = band.hypothesis_at is not None and value >= band.hypothesis_at * scale
    return signed and _shows(band, reading)


def _shows(band: Band, reading: Reading) -> bool:
    return matches(band.hypotheses, reading.hypothesis)


def _under(band: Band, count: Count, reading: Reading, value: float | None, scale: float) -> int | None:
    """Since when the readings of a standing band are below its clear level; None: they are not."""
    if value is None or reading.inhibited:
        return count.under_ns
    if value >= band.clear_at * scale or _is_over(band, reading, value, scale):
        return None
    return reading.at_ns if count.under_ns is None else min(count.under_ns, reading.at_ns)


def _withheld(policy: Policy, reading: Reading) -> SuppressedBy | None:
    """Why a demand is not to be raised for this reading. What is not known withholds nothing."""
    if reading.inhibited:
        return SuppressedBy.SENSOR_FAULT
    least = policy.minimum_effect
    if least is None:
        return None
    judged = [each for each in reading.effect if not least.features or matches(least.features, each[0])]
    if not judged or any(_matters(least, value, expected) for _, value, expected in judged):
        return None
    return SuppressedBy.MINIMUM_EFFECT


def _matters(least: Effect, value: float, expected: float) -> bool:
    change = abs(value - expected)
    absolute = least.absolute is None or change > least.absolute
    return absolute and (least.relative is None or change > least.relative * abs(expected))


def _falls(policy: Policy, counts: Sequence[Count]) -> tuple[Fall, ...]:
    """What the demand falls to, and when, while nothing else comes: `counts` are in order, the highest first."""
    delays = {band.severity: int(band.off_delay_s * NS) for band in policy.bands}
    ends = [
        (count.severity, None if count.under_ns is None else count.under_ns + delays[count.severity])
        for count in counts
        if count.standing
    ]
    falls: list[Fall] = []
    last_ns = 0
    for place, (_, end_ns) in enumerate(ends):
        if end_ns is None:
            break
        last_ns = max(last_ns, end_ns)
        below = next((other for other, at_ns in ends[place + 1 :] if at_ns is None or at_ns > last_ns), None)
        if not falls or falls[-1].severity is not below:
            falls.append(Fall(last_ns, below))
    return tuple(falls)


def _rule(band: Band, reading: Reading, scale: float) -> str:
    """Write the level that a reading reached, or the one that it is kept by, with its figures."""
    value = reading.value or 0.0
    what = "score" if reading.mode == "model" else "value / limit"
    if value >= band.raise_at * scale:
        text = f"{what} {value:.4g} >= {band.raise_at * scale:.4g}"
    elif not _is_over(band, reading, value, scale):
        return f"{band.severity}: {what} {value:.4g}; cleared below {band.clear_at * scale:.4g}"
    elif band.hypothesis_at is not None and value >= band.hypothesis_at * scale and _shows(band, reading):
        text = f"{what} {value:.4g} >= {band.hypothesis_at * scale:.4g} with {reading.hypothesis}"
    else:
        text = f"trend {reading.trend:.4g}/h >= {band.trend_at:.4g}/h at {what} {value:.4g} >= {band.trend_score:.4g}"
    return f"{band.severity}: {text}{_conditions(band)}"


def _missed_rule(band: Band, scale: float) -> str:
    return f"{band.severity}: score >= {band.raise_at * scale:.4g}{_conditions(band)}"


def _conditions(band: Band) -> str:
    rows = f", {band.n} of {band.m} rows" if band.m > 1 else ""
    return rows + (f", for {band.on_delay_s:g} s" if band.on_delay_s else "")
