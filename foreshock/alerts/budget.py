"""The alarm budget of a policy, until a solver on the fleet's own healthy scores is there: a line of the stated table.

It is stated by asset and month, by engineer and week, or both. How many alerts a week of one engineer are for an asset and
month follows from the assets that he answers for; the stricter of the two selects.
"""

from __future__ import annotations

from foreshock.alerts.policy import Policy
from foreshock.detectors.episodes import row_for

WEEKS_A_MONTH = 365.25 / 12 / 7


def strictest(
    budget_per_asset_month: float, budget_per_engineer_week: float | None, assets_per_engineer: float | None
) -> float:
    """The budget that selects the line of the table.

    Returns
    -------
    float
        Alerts per asset and month: `min(month, week * 365.25 / 12 / 7 / assets)`; without a week's budget, or without the
        number of assets, the month's.
    """
    if budget_per_engineer_week is None or assets_per_engineer is None:
        return budget_per_asset_month
    return min(budget_per_asset_month, budget_per_engineer_week * WEEKS_A_MONTH / assets_per_engineer)


def of(policy: Policy) -> float:
    """The same of a policy."""
    return strictest(policy.budget_per_asset_month, policy.budget_per_engineer_week, policy.assets_per_engineer)


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
