"""From a draft to the record of `alerts.v1`: identity, place, and who is to do what, from the policy. Pure."""

from __future__ import annotations

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.states import Context, Draft


def transition(policy: Policy, draft: Draft, context: Context) -> AlertTransition:
    """Make the record of a transition.

    Its id is `event_id("alert.<change>", origin, row, asset, number)`; that of the alert came with its first demand.
    """
    raise NotImplementedError
