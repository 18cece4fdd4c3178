"""How urgent an alert is: 1 to 4, with what that was computed from. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import PriorityInput
from foreshock.alerts.vocabulary import Severity
from foreshock.contract import Asset

CRITICALITY = {"low": 0.0, "medium": 1.0, "high": 2.0, "critical": 3.0}  # any other word counts as medium
LEAST = 4


def priority(
    policy: Policy, severity: Severity, asset: Asset, *, running: bool = True
) -> tuple[int, tuple[PriorityInput, ...]]:
    """Priority of an alert, and its inputs.

    The weighted sum of severity (0 to 3), criticality of the asset (0 to 3), days until a spare part is there, and
    whether production runs (0 or 1), against the cuts of the policy: at or above the first it is 1, the second 2, and
    so on to 4.

    Parameters
    ----------
    policy
        Its weights and cuts; lead days by asset class or asset, the first pattern that matches.
    running
        Whether production runs.

    Returns
    -------
    tuple of int and tuple of PriorityInput
        1 is the most urgent. The inputs are unweighted; the last is the sum.
    """
    weights = policy.priority
    lead_days = next(
        (
            days
            for pattern, days in weights.lead_days
            if fnmatchcase(asset.asset_class, pattern) or fnmatchcase(asset.asset, pattern)
        ),
        0.0,
    )
    inputs = (
        ("severity", weights.severity, float(severity.rank)),
        ("criticality", weights.criticality, CRITICALITY.get(asset.criticality.strip().lower(), 1.0)),
        ("spares_lead_days", weights.spares_lead_days, lead_days),
        ("running_production", weights.running_production, 1.0 if running else 0.0),
    )
    total = sum(weight * value for _, weight, value in inputs)
    found = next((place for place, cut in enumerate(weights.cuts, start=1) if total >= cut), LEAST)
    recorded = (*((name, value) for name, _, value in inputs), ("sum", total))
    return min(found, LEAST), tuple(PriorityInput(name=name, value=value) for name, value in recorded)
