"""What each quality condition means for its sensor: who has to look, how grave it is, and why it is not the machine.

The health of a sensor is 1 where nothing stands; each condition that stands takes its share of what is left. So it is
within 0 and 1, falls with every condition that is raised, and rises with every one that is cleared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from foreshock.contract import QualityKind

GOOD = "good"
STATUSES = (GOOD, "maintenance_required", "out_of_specification", "check_function", "failure")
"""Status signals of NAMUR NE 107, each graver than the one before: a function check says "do not use this now"."""
LAYERS = ("machine", "sensor", "feature_pipeline", "model")
"""Where a fault can lie: the pipeline is all between the sensor and the model, gateways and links with it."""


class Verdict(NamedTuple):
    """What a kind of condition says."""

    cause: str
    """Who has to look: sensor, gateway or pipeline."""
    ne107: str
    """One of `STATUSES`."""
    layer: str
    """One of `LAYERS`; a condition may be found to be the machine's later."""
    loss: float
    """Share of the sensor's health that it takes."""
    why: str
    """How the layer is known."""


VERDICTS = {
    QualityKind.SILENT: Verdict(
        "gateway", "failure", "sensor", 1.0, "a machine that stands still is measured all the same"
    ),
    QualityKind.LATE: Verdict(
        "pipeline", "maintenance_required", "feature_pipeline", 0.1, "its samples are sound, they came after later ones"
    ),
    QualityKind.GAP: Verdict(
        "gateway", "maintenance_required", "feature_pipeline", 0.2, "what came is sound, records between are missing"
    ),
    QualityKind.DUPLICATE: Verdict(
        "pipeline",
        "maintenance_required",
        "feature_pipeline",
        0.1,
        "a sensor measures nothing twice, a link sends twice",
    ),
    QualityKind.OUT_OF_RANGE: Verdict(
        "sensor", "out_of_specification", "sensor", 0.5, "the sensor cannot measure such a value"
    ),
    QualityKind.FROZEN: Verdict(
        "sensor", "failure", "sensor", 1.0, "every live sensor has noise, and noise never repeats"
    ),
    QualityKind.CLIPPED: Verdict(
        "sensor", "out_of_specification", "sensor", 0.5, "no machine stops at one exact value"
    ),
    QualityKind.SPIKE: Verdict(
        "sensor", "out_of_specification", "sensor", 0.3, "an impact in the machine rings, these samples stand alone"
    ),
    QualityKind.WRONG_RATE: Verdict(
        "gateway", "failure", "sensor", 0.8, "the time between blocks or the master data contradict the declared rate"
    ),
    QualityKind.CLOCK: Verdict(
        "gateway", "out_of_specification", "sensor", 0.3, "the source time contradicts the broker's or goes back"
    ),
    QualityKind.COLD_START: Verdict(
        "pipeline", "check_function", "model", 0.0, "the model begins anew, the sensor is as it was"
    ),
    QualityKind.LOST: Verdict(
        "pipeline", "check_function", "feature_pipeline", 0.0, "the records were deleted before anybody read them"
    ),
    QualityKind.MISSING: Verdict("sensor", "failure", "sensor", 0.5, "the other values of the record came"),
    QualityKind.OUT_OF_ORDER: Verdict(
        "pipeline", "maintenance_required", "feature_pipeline", 0.1, "it was overtaken by records that were taken later"
    ),
    QualityKind.JITTER: Verdict(
        "gateway", "maintenance_required", "sensor", 0.2, "the mean interval is kept, its source times scatter about it"
    ),
    QualityKind.CLOCK_DRIFT: Verdict(
        "gateway", "maintenance_required", "sensor", 0.2, "its source time moves steadily against the broker's"
    ),
    QualityKind.UNIT_CHANGED: Verdict(
        "sensor",
        "check_function",
        "sensor",
        0.8,
        "the level leapt by the factor of two units from one block to the next",
    ),
    QualityKind.NOISE_FLOOR_GONE: Verdict(
        "sensor", "failure", "sensor", 1.0, "no machine is quieter than the noise of its own sensor"
    ),
}
LOUD = frozenset({QualityKind.CLIPPED, QualityKind.OUT_OF_RANGE})
"""What a machine can cause that is louder than its sensor can measure."""
LOUD_WHY = "the machine was in alarm before: it is louder than its sensor can measure"


def health(standing: Iterable[QualityKind]) -> float:
    """Health of a sensor on which these conditions stand, one entry for each kind and channel.

    Returns
    -------
    float
        Product of 1 - loss over the conditions; 1 where none stands.
    """
    left = 1.0
    for kind in standing:
        left *= 1.0 - VERDICTS[kind].loss
    return left


def status(standing: Iterable[QualityKind]) -> str:
    """The gravest status signal after NAMUR NE 107 of these conditions; "good" where none stands."""
    return max((VERDICTS[kind].ne107 for kind in standing), key=STATUSES.index, default=GOOD)
