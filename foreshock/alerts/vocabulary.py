"""The closed sets of words of alerting. They are part of the contract: consumers match on these codes."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How bad it is. The order of the members is that of severity."""

    INFO = "info"
    WATCH = "watch"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Place in the order, from 0."""
        return _RANK[self._value_]


_RANK = {severity.value: place for place, severity in enumerate(Severity)}


class AlarmState(StrEnum):
    """Where an alarm stands; the states of ISA-18.2."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    SHELVED = "shelved"  # by an operator, for a time, with a reason
    SUPPRESSED = "suppressed"  # by design: by logic of the policy
    OUT_OF_SERVICE = "out_of_service"  # maintenance


class Change(StrEnum):
    """What a record of `alerts.v1` tells."""

    RAISED = "raised"
    ESCALATED = "escalated"
    DE_ESCALATED = "de_escalated"
    ACKNOWLEDGED = "acknowledged"
    REALARMED = "re_alarmed"
    OVERDUE = "overdue"  # nobody acknowledged it in its response window: the next of the chain is told
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"  # it would have been raised or escalated; `suppressed_by` says why it was not
    UNSUPPRESSED = "unsuppressed"
    REMOVED_FROM_SERVICE = "removed_from_service"
    RETURNED_TO_SERVICE = "returned_to_service"
    RETURNED_TO_NORMAL = "returned_to_normal"
    CLOSED = "closed"
    LABELLED = "labelled"  # feedback was given; `effect` says what it changed
    WORK_ORDER = "work_order"  # maintenance took it up, or was done with it
    WINDOW = "window"  # somebody announced a maintenance window of the asset
    FROZEN = "frozen"  # somebody holds learning
    RESUMED = "resumed"
    REFUSED = "refused"  # a command that had no effect; `reason` says why
    JOINED = "joined"  # of the incident of a line: the alert of one more machine is part of it
    LEFT = "left"  # of the incident of a line: the alert of one machine was closed, others stand
    MEMBER_CHANGED = "member_changed"  # of the incident of a line: it stands as before, one of its alerts does not


class SuppressedBy(StrEnum):
    """Why something above a level of the policy is not alerted."""

    SHELVED = "shelved"
    MAINTENANCE_WINDOW = "maintenance_window"
    OUT_OF_SERVICE = "out_of_service"
    SENSOR_FAULT = "sensor_fault"  # a fault of the sensor inhibits what it says of the machine
    PARENT = "parent"  # an alarm of the parent asset stands
    MINIMUM_EFFECT = "minimum_effect"
    REFRACTORY = "refractory"
    RATE_LIMIT = "rate_limit"
    CHATTERING = "chattering"
    FLEETING = "fleeting"  # it was over before the on-delay was
    N_OF_M = "n_of_m"
    CLEARED_WHILE_DELAYED = "cleared_while_delayed"  # of a backlog: over before anybody could have been told


class GroupBy(StrEnum):
    """Whose alerts are one incident for those who are told of incidents (`incidents.v1`)."""

    ASSET = "asset"
    LINE = "line"


class CommandKind(StrEnum):
    """What an operator or a system may ask for on `control.v1`."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    CLOSE = "close"
    FREEZE = "freeze"  # hold learning
    RESUME = "resume"  # let it learn again
    WINDOW = "window"  # a maintenance window of an asset
    LABEL = "label"  # a verdict on an interval, or the acceptance of one


class Holds(StrEnum):
    """What a maintenance window holds."""

    ALERTING = "alerting"
    LEARNING = "learning"
    BOTH = "both"


class Verdict(StrEnum):
    """What a person says of an interval of an asset."""

    TRUE = "true"
    FALSE = "false"
    NEUTRAL = "neutral"  # a scheduled replacement after drift, an operator's stop: neither


class WorkKind(StrEnum):
    """What a record of `maintenance.v1` tells."""

    OPENED = "opened"
    CLOSED = "closed"
    NOTE = "note"
    REPAIR = "repair"
    REPLACEMENT = "replacement"
