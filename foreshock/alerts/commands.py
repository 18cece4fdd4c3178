"""What people ask of an alarm, and what maintenance did: each has an outcome that is told. Pure."""

from __future__ import annotations

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.states import Alarm, Context, Step


def command(policy: Policy, alarm: Alarm, asked: Command, context: Context) -> Step:
    """Do what a command asks for, or refuse it with a reason and without any effect.

    `context.origin` is the origin of the command; a repeated `command_id` is refused.

    Returns
    -------
    tuple of Alarm and tuple of Draft
        The first draft that names the command is its answer: `refused`, or what it asked for.
    """
    raise NotImplementedError


def work(policy: Policy, alarm: Alarm, order: WorkOrder, context: Context) -> Step:
    """Join a work order to the alert that it is of; a repair or a replacement ends what the asset demanded.

    An order that is joined already, and one without an alert to join, tells nothing. After a repair or a replacement the
    conditions of the points start anew as well: that is for the caller to do.
    """
    raise NotImplementedError
