"""The margin of an asset after what people said of its alerts: a function of the labels in force, of nothing before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from foreshock.alerts.vocabulary import Verdict

FACTOR_STEP = (
    1.1  # of one false alert more than true ones: a tenth, about the spread of the largest of 60 healthy scores
)
FACTOR_MOST = 1.5  # the next but one line of the budget table (1.3 -> 1.8 is 1.4): more is for the budget to say
CLEAR_OF_TRUE = 0.95  # the raised level stays so far under the least score that was labelled true


class Judged(Protocol):
    """What of a label the margin is a function of."""

    @property
    def verdict(self) -> Verdict:
        """What was said."""

    @property
    def score(self) -> float | None:
        """The score that raised the alert."""

    @property
    def in_force(self) -> bool:
        """Whether it counts."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What labels change.

    Attributes
    ----------
    margin_factor
        1 to `FACTOR_MOST`. Every raise and clear level of the policy that is compared with a score of a model is
        multiplied by it, for this asset. Static limits, trends and suppression are not touched.
    sentence
        What changed and why, with its figures; for `AlertTransition.effect`.
    """

    margin_factor: float
    sentence: str


def effect(labels: Iterable[Judged], *, asset: str, level: float = 1.0, before: float = 1.0) -> Effect:
    """The margin that follows from the labels in force.

    `factor = min(step ** max(false - true, 0), most, c * s / level)`, at least 1, where `s` is the least score among
    alerts labelled true: a raised threshold never hides what was a fault once.

    Parameters
    ----------
    labels
        All labels of the asset; only those in force count, in any order.
    asset
        For the sentence.
    level
        Score at which the policy raises without labels.
    before
        The factor before, for the sentence.

    Returns
    -------
    Effect
        The factor, 1 to 1.5, and the sentence.
    """
    counted = [each for each in labels if each.in_force]
    false = sum(each.verdict is Verdict.FALSE for each in counted)
    true = sum(each.verdict is Verdict.TRUE for each in counted)
    wanted = FACTOR_STEP ** max(false - true, 0)
    least = min((e.score for e in counted if e.verdict is Verdict.TRUE and e.score is not None), default=None)
    highest = FACTOR_MOST if least is None else min(FACTOR_MOST, CLEAR_OF_TRUE * least / level)
    factor = max(min(wanted, highest), 1.0)
    bound = ""
    if wanted > factor:
        bound = f"; it goes no higher than {factor * level:.2f}, " + (
            f"the most is {FACTOR_MOST} times" if highest >= FACTOR_MOST else f"an alert at {least:.2f} was true"
        )
    why = f"because {_alerts(false)} labelled false and {true or 'none'} true{bound}"
    return Effect(factor, f"threshold of {asset} {_moved(before * level, factor * level)}, {why}")


def _moved(old: float, new: float) -> str:
    if f"{old:.2f}" == f"{new:.2f}":
        return f"stays at {new:.2f}"
    return f"{'raised' if new > old else 'lowered'} from {old:.2f} to {new:.2f}"


def _alerts(count: int) -> str:
    return {0: "no alert is", 1: "1 alert is"}.get(count, f"{count} alerts are")
