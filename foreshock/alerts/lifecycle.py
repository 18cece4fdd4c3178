"""The life of an alert, after ISA-18.2: one incident of an asset at a time, from its first demand to `closed`. Pure.

Every function takes the policy, the state and a context, and gives the state after it with what is to be told.
"""

from __future__ import annotations

from collections.abc import Mapping

from foreshock.alerts.commands import command, work
from foreshock.alerts.conditions import Demand
from foreshock.alerts.policy import Policy
from foreshock.alerts.states import Alarm, Context, Draft, Step
from foreshock.alerts.transitions import transition

__all__ = ["Alarm", "Context", "Draft", "Step", "command", "due_ns", "step", "tick", "transition", "work"]


def step(policy: Policy, alarm: Alarm, demands: Mapping[str, Demand], context: Context) -> Step:
    """Take up what the measuring points of one row demand.

    Parameters
    ----------
    demands
        By measuring point: those that the row is of; the others stay as they were.
    context
        Of the row.

    Returns
    -------
    tuple of Alarm and tuple of Draft
        The state after the row, and the transitions, in order.
    """
    raise NotImplementedError


def tick(policy: Policy, alarm: Alarm, at_ns: int, context: Context) -> Step:
    """Take up that it is `at_ns` (log time): what runs out by time alone. A second one at the same time does nothing.

    It must only be called when all records before that time are folded in, as ticks of the worker are.
    """
    raise NotImplementedError


def due_ns(policy: Policy, alarm: Alarm, path: tuple[str, ...] = ()) -> int | None:
    """The next log time at which a tick would tell something; None: never. Cheap for an idle asset."""
    raise NotImplementedError
