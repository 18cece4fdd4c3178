"""Sequence, time and rate of the blocks of one measuring point: what their order of arrival tells.

All rules look at the records only: source time, log-append time, sequence number, declared rate. Old recordings with
source times far in the past are normal; what counts is the order among them.
"""

from __future__ import annotations

from typing import NamedTuple

from foreshock.contract import Acquisition, Origin, QualityKind
from foreshock.features import timing
from foreshock.features.conditions import Finding
from foreshock.features.timing import NS, STILL, WINDOW_NS, Drift, Scatter

CLOCK_AHEAD_NS = 300 * NS
"""A source time this far ahead of the broker's is a wrong clock."""
CLOCK_BACK_NS = 300 * NS
"""A source time this far behind the last one is a clock that was set back, unless the block is an old one."""
REBASE_AFTER = 3
"""So many blocks in order on a clock that was set back, and the new time is taken."""
REMEMBERED = 16
"""Source times kept to tell a repeated block from a late one."""
RATE_TOLERANCE = 0.01
"""Declared rates closer than this are the same; crystal oscillators agree to 0.01 %."""
SPACING_TOLERANCE = 0.1
UNSTEADY_TOLERANCE = 0.4
"""The same where the spacing jitters."""
SPACING_BLOCKS = 3
"""Blocks whose spacing must contradict the rate before it is called wrong; one alone may be a late timestamp ..."""
ODD_ALIKE = 0.05
"""... and whose spacings must agree: times that scatter contradict it each in another way."""
MIXED = 0.5 * timing.JITTER
"""Scatter from which on single spacings contradict nothing: they are too long and too short in turn."""
HOLE = 1.5
"""Spacing over the usual one from which data is missing between two blocks."""
HOLE_IN_SEQUENCE = 2.5
"""The same where the sequence numbers say that no block is missing: up to here it may be a wrong rate."""
LEARNT_SPACINGS = 5
STEADY = 1.25
"""Ratio of usual spacings below which they are steady: timestamps of arrival jitter more, and then prove nothing."""


class Arrival(NamedTuple):
    """What the rules need of a block; times in ns."""

    source_ns: int
    ingest_ns: int
    sequence: int | None
    samples: int
    """Per channel."""
    rate_hz: float | None
    """As declared by the block."""
    registered_rate_hz: float | None
    """As registered for the measuring point; None: the first declared rate counts."""
    acquisition: Acquisition
    interval_s: float | None
    origin: Origin | None = None
    """Its coordinates; None: it is no sign of life."""
    levels: tuple[float, ...] = ()
    """Level of each channel (SI)."""
    speed_hz: float | None = None
    quantity: str = ""
    units: tuple[str, ...] = ()
    """As declared: of the block, or of each tag."""


class Place(NamedTuple):
    """Where a measuring point stands in its own time: the state of the rules."""

    source_ns: int
    sequence: int | None
    rate_hz: float | None
    """The rate that counts: registered, or the first that was declared."""
    recent: tuple[int, ...]
    """The last source times."""
    spacings: tuple[float, ...] = ()
    """First spacings, over the nominal one, while the usual spacing is being learnt."""
    usual: float | None = None
    """Mean of the middle ones of these; None while it is being learnt."""
    steady: bool = False
    """Whether they agree."""
    odd: int = 0
    """Blocks in a row whose spacing contradicts the rate, negative where they come too fast."""
    back: tuple[int, ...] = ()
    """Source times in order on a clock that was set back."""
    skip: bool = False
    """The time since the last folded block says nothing: its clock was wrong."""
    odd_ratio: float = 0.0
    """Spacing of the last of them, over the usual one."""
    scatter: Scatter = STILL
    window_ns: int = 0
    """Source time at which the present window began: within one the least delay counts ..."""
    least_ns: int = 0
    """... from source time to log-append time."""
    drift: Drift | None = None


class Reading(NamedTuple):
    """What one arrival showed."""

    place: Place
    findings: tuple[Finding, ...]
    late: bool
    """Repeated or out of order: not to be folded."""
    at_ns: int
    """The time to score at: source time, or ingest time where the clock is wrong."""


def read(place: Place | None, arrival: Arrival) -> Reading:
    """Judge one arrival against the last folded one.

    Parameters
    ----------
    place : Place or None
        State of the measuring point; None before its first block.
    arrival : Arrival

    Returns
    -------
    Reading
        With the state after the block. A late block changes no state but the count of a clock set back.
    """
    wrong_rate = _declared_rate(place, arrival)
    if arrival.source_ns > arrival.ingest_ns + CLOCK_AHEAD_NS:
        return _ahead(place, arrival, wrong_rate)
    if place is None or place.source_ns < 0:
        return Reading(_first(place, arrival), wrong_rate, late=False, at_ns=arrival.source_ns)
    if arrival.source_ns <= place.source_ns:
        return _behind(place, arrival, wrong_rate)
    learnt, odd, odd_ratio, scatter, spaced = _spacing(place, arrival)
    findings = (*wrong_rate, *_missing(place, arrival))
    if spaced:
        findings += tuple(f for f in spaced if f.kind not in {g.kind for g in findings})
    source_ns = arrival.source_ns
    window_ns, least_ns, drift, delay_ns = place.window_ns, place.least_ns, place.drift, arrival.ingest_ns - source_ns
    if not window_ns <= source_ns < window_ns + WINDOW_NS:
        drift = timing.drift(drift, window_ns, least_ns) if window_ns else None
        window_ns, least_ns = source_ns, delay_ns
    elif delay_ns < least_ns:
        least_ns = delay_ns
    if drift is not None and drift.stands:
        findings = (*findings, timing.drifting(drift))
    after = Place(
        source_ns,
        arrival.sequence,
        arrival.registered_rate_hz or place.rate_hz or arrival.rate_hz,
        (*place.recent[1 - REMEMBERED :], source_ns),
        learnt.spacings,
        learnt.usual,
        learnt.steady,
        odd,
        (),
        False,
        odd_ratio,
        scatter,
        window_ns,
        least_ns,
        drift,
    )
    return Reading(after, findings, late=False, at_ns=source_ns)


def _first(place: Place | None, arrival: Arrival) -> Place:
    rate, source_ns = (
        arrival.registered_rate_hz or (place.rate_hz if place else None) or arrival.rate_hz,
        arrival.source_ns,
    )
    delay_ns = arrival.ingest_ns - source_ns
    return Place(source_ns, arrival.sequence, rate, (source_ns,), window_ns=source_ns, least_ns=delay_ns)


def _declared_rate(place: Place | None, arrival: Arrival) -> tuple[Finding, ...]:
    """Compare the declared rate with the registered one, else with the first."""
    expected = arrival.registered_rate_hz or (place.rate_hz if place else None)
    if arrival.rate_hz is None or expected is None or abs(arrival.rate_hz / expected - 1.0) <= RATE_TOLERANCE:
        return ()
    source = "registered" if arrival.registered_rate_hz else "first declared"
    sentence = f"the block declares {arrival.rate_hz:g} samples/s, the {source} rate is {expected:g}"
    return (Finding(QualityKind.WRONG_RATE, "", arrival.rate_hz, expected, sentence),)


def _ahead(place: Place | None, arrival: Arrival, also: tuple[Finding, ...]) -> Reading:
    """A clock in the future: the block counts at its ingest time, and its source time is not believed."""
    lead = (arrival.source_ns - arrival.ingest_ns) / NS
    if place is not None and arrival.source_ns in place.recent:
        return Reading(place, (*also, _repeated(arrival)), late=True, at_ns=arrival.ingest_ns)
    sentence = f"the source time is {lead:.0f} s ahead of the broker's; the block is scored at its ingest time"
    finding = Finding(QualityKind.CLOCK, "", lead, CLOCK_AHEAD_NS / NS, sentence, usable=True)
    if place is None:
        rate = arrival.registered_rate_hz or arrival.rate_hz
        after = Place(-1, arrival.sequence, rate, (arrival.source_ns,))
    else:
        recent = (*place.recent[1 - REMEMBERED :], arrival.source_ns)
        after = place._replace(sequence=arrival.sequence, recent=recent, odd=0, skip=True)
    return Reading(after, (*also, finding), late=False, at_ns=arrival.ingest_ns)


def _repeated(arrival: Arrival) -> Finding:
    number = "" if arrival.sequence is None else f" (sequence {arrival.sequence})"
    sentence = f"a block with this source time{number} has been received before; it is not folded again"
    return Finding(QualityKind.DUPLICATE, "", None, None, sentence)


def _behind(place: Place, arrival: Arrival, also: tuple[Finding, ...]) -> Reading:
    """A source time not after the last: repeated, late, or a clock that was set back."""
    if arrival.source_ns in place.recent:
        return Reading(place, (*also, _repeated(arrival)), late=True, at_ns=arrival.source_ns)
    behind = (place.source_ns - arrival.source_ns) / NS
    sentence = f"the source time is {behind:g} s before that of the last folded block"
    late = Finding(QualityKind.LATE, "", behind, 0.0, sentence)
    if _overtaken(place, arrival):
        return Reading(place, (*also, late, _order(place, arrival, behind)), late=True, at_ns=arrival.source_ns)
    old = arrival.sequence is not None and place.sequence is not None and arrival.sequence <= place.sequence
    if arrival.source_ns > place.source_ns - CLOCK_BACK_NS or old:
        return Reading(place, (*also, late), late=True, at_ns=arrival.source_ns)
    sentence = f"the source time went back by {behind:g} s: the clock was set back"
    clock = Finding(QualityKind.CLOCK, "", -behind, -CLOCK_BACK_NS / NS, sentence, usable=True)
    back = (*place.back, arrival.source_ns) if not place.back or arrival.source_ns > place.back[-1] else ()
    if len(back) < REBASE_AFTER:
        waiting = place._replace(back=back, sequence=arrival.sequence, skip=True)
        return Reading(waiting, (*also, clock, late), late=True, at_ns=arrival.source_ns)
    after = place._replace(
        source_ns=arrival.source_ns,
        sequence=arrival.sequence,
        recent=back,
        back=(),
        skip=False,
        window_ns=0,
        drift=None,
    )
    return Reading(after, (*also, clock), late=False, at_ns=arrival.source_ns)


def _overtaken(place: Place, arrival: Arrival) -> bool:
    """Whether a block was overtaken on the way: it was taken among the last ones, and counts as a part of them."""
    if len(place.recent) < 2 or arrival.source_ns <= place.recent[0]:
        return False
    if arrival.sequence is None or place.sequence is None:  # from so far back it is a clock that was set back
        return arrival.source_ns > place.source_ns - CLOCK_BACK_NS
    return arrival.sequence < place.sequence


def _order(place: Place, arrival: Arrival, behind: float) -> Finding:
    later = sum(each > arrival.source_ns for each in place.recent)
    sentence = (
        f"{later} later blocks came before it, the last of them {behind:g} s later: the way does not keep the order"
    )
    return Finding(QualityKind.OUT_OF_ORDER, "", float(later), 0.0, sentence)


def _missing(place: Place, arrival: Arrival) -> tuple[Finding, ...]:
    """Count the blocks that the sequence numbers say are missing."""
    if arrival.sequence is None or place.sequence is None:
        return ()
    missing = arrival.sequence - place.sequence - 1
    if missing <= 0:
        return ()  # in order, or a device that started again or does not count
    sentence = f"{missing} blocks are missing between sequence {place.sequence} and {arrival.sequence}"
    return (Finding(QualityKind.GAP, "", float(missing), 0.0, sentence, usable=True),)


def _nominal_ns(place: Place, arrival: Arrival) -> float | None:
    """Time from block to block as promised; None where nothing promises it."""
    if arrival.interval_s is not None:
        return arrival.interval_s * NS
    rate = place.rate_hz or arrival.rate_hz
    if arrival.acquisition is Acquisition.CONTINUOUS and rate is not None:
        return arrival.samples / rate * NS
    return None


def _learn(place: Place, ratio: float) -> Place:
    """Take one of the first spacings; the mean of all but the outermost two becomes the usual one."""
    spacings = (*place.spacings, ratio)
    if len(spacings) < LEARNT_SPACINGS:
        return place._replace(spacings=spacings)
    middle = sorted(spacings)[1:-1]
    usual, steady = sum(middle) / len(middle), middle[-1] <= STEADY * middle[0]
    return place._replace(spacings=(), usual=usual, steady=steady)


_Spaced = tuple[Place, int, float, Scatter, tuple[Finding, ...]]


def _spacing(place: Place, arrival: Arrival) -> _Spaced:
    """Compare the time since the last block with what is promised and usual.

    Returns the place, how many spacings in a row were odd, the last of them, how they scatter, and the findings.
    """
    nominal = _nominal_ns(place, arrival)
    step = None if arrival.sequence is None or place.sequence is None else arrival.sequence - place.sequence
    told = step is not None and step > 1  # the numbers have told that blocks are missing
    scatter = place.scatter
    if nominal is None or told or place.skip or arrival.acquisition is Acquisition.TRIGGERED:
        return place, 0, 0.0, scatter, ()
    ratio = (arrival.source_ns - place.source_ns) / nominal
    usual = 1.0 if place.usual is None else place.usual
    after = _learn(place, ratio) if place.usual is None else place
    relative = ratio / usual
    if relative > (HOLE_IN_SEQUENCE if step == 1 else HOLE):
        return after, 0, 0.0, scatter, (_hole(arrival, ratio, nominal),)
    if place.usual is not None and (scatter is not STILL or abs(relative - 1.0) >= timing.SMALL):
        scatter = timing.scatter(scatter, relative, steady=place.steady)
    scattered = (timing.jitter(scatter, nominal * usual, steady=place.steady),) if scatter.stands else ()
    if arrival.acquisition is not Acquisition.CONTINUOUS:
        return after, 0, 0.0, scatter, scattered
    findings = _promise(arrival, usual, nominal, SPACING_TOLERANCE if place.steady else UNSTEADY_TOLERANCE)
    mixed = scatter.size - abs(scatter.lean) > MIXED
    if not place.steady or mixed or abs(relative - 1.0) <= SPACING_TOLERANCE:
        return after, 0, 0.0, scatter, (*findings, *scattered)
    alike = place.odd and abs(relative / place.odd_ratio - 1.0) <= ODD_ALIKE
    odd = (place.odd if alike else 0) + (1 if relative > 1.0 else -1)
    if abs(odd) >= SPACING_BLOCKS and arrival.rate_hz is not None:
        findings = (_contradiction(arrival.rate_hz, relative, usable=False),)
    return after, odd, relative, scatter, findings


def _hole(arrival: Arrival, ratio: float, nominal: float) -> Finding:
    sentence = f"{ratio * nominal / NS:g} s since the last block, {nominal / NS:g} s are promised"
    if arrival.interval_s is None:
        sentence += "; if blocks do not follow each other, state acquisition=snapshot or interval_s"
    return Finding(QualityKind.GAP, "", ratio, HOLE, sentence, usable=True)


def _contradiction(rate_hz: float, relative: float, *, usable: bool) -> Finding:
    seen = rate_hz / relative
    sentence = f"by the time between blocks the rate is {seen:.6g} samples/s, {rate_hz:g} is declared"
    return Finding(QualityKind.WRONG_RATE, "", seen, rate_hz, sentence, usable=usable)


def _promise(arrival: Arrival, usual: float, nominal: float, tolerance: float) -> tuple[Finding, ...]:
    """Report blocks that have never come as promised. Their samples may be right all the same, so they are usable."""
    if usual > HOLE:
        return (_hole(arrival, usual, nominal),)
    if abs(usual - 1.0) > tolerance and arrival.rate_hz is not None and arrival.interval_s is None:
        return (_contradiction(arrival.rate_hz, usual, usable=True),)
    return ()
