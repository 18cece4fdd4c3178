"""One measuring point against a policy: which severity its readings demand, and since when.

Every band of the policy is a condition of its own with a deadband, delays and N of M; the highest that stands is what
the point demands. `evaluate` is pure: time comes with the reading.
"""

from __future__ import annotations

from typing import NamedTuple

from foreshock.alerts.policy import Policy
from foreshock.alerts.states import Fall
from foreshock.alerts.vocabulary import Severity, SuppressedBy


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
    """

    severity: Severity | None
    rule: str
    withheld: SuppressedBy | None
    missed: Severity | None
    missed_by: SuppressedBy | None
    missed_rule: str
    falls: tuple[Fall, ...]
    reading: Reading


def lowest(policy: Policy, factor: float = 1.0) -> float:
    """The value below which a reading of a point with `Condition()` changes nothing, whatever its trend and hypothesis.

    Parameters
    ----------
    factor
        As for `evaluate`.
    """
    raise NotImplementedError


def evaluate(policy: Policy, condition: Condition, reading: Reading, factor: float = 1.0) -> tuple[Condition, Demand]:
    """Fold one reading in.

    Parameters
    ----------
    policy
        What holds for the asset; bands that it no longer has are forgotten.
    condition
        The state before the reading.
    reading
        A row without a value (not scored, not usable, not running) changes nothing but what time alone ends.
    factor
        Raise, clear and hypothesis levels are multiplied by it where the mode is `model`: the margin of this asset.

    Returns
    -------
    tuple of Condition and Demand
        The state after it, and what the point demands.
    """
    raise NotImplementedError
