"""The alarm budget of a policy, until a solver on the fleet's own healthy scores is there: a line of the stated table."""

from __future__ import annotations

from foreshock.detectors.episodes import row_for


def factor(budget: float, detection_budget: float) -> float:
    """What the levels of a policy are multiplied by, because scores are scaled for another budget.

    A score is 1 at the largest healthy score times the margin of the detection's budget. Had it been scaled with the
    margin of the policy's, it would be so many times smaller; so the levels are so many times higher instead.

    Parameters
    ----------
    budget
        Of the policy: alerts per asset and month.
    detection_budget
        `[detection] budget`, by which the published scores are scaled.

    Returns
    -------
    float
        1 where both select the same line of the table.
    """
    return row_for(budget).margin / row_for(detection_budget).margin
