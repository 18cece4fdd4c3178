"""How urgent an alert is: 1 to 4, with what that was computed from. Pure."""

from __future__ import annotations

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import PriorityInput
from foreshock.alerts.vocabulary import Severity
from foreshock.contract import Asset


def priority(
    policy: Policy, severity: Severity, asset: Asset, *, running: bool = True
) -> tuple[int, tuple[PriorityInput, ...]]:
    """Priority of an alert, and its inputs.

    Returns
    -------
    tuple of int and tuple of PriorityInput
        1 is the most urgent.
    """
    raise NotImplementedError
