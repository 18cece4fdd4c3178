"""What reaches an asset from outside the order of its records, beside new master data and ticks."""

from __future__ import annotations

from dataclasses import dataclass

from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlarmRecord, Command, WorkOrder
from foreshock.contract import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A command or a work order, and where it stands on its topic: an asset takes it once."""

    origin: Origin  # on `control.v1` or `maintenance.v1`; ids of what it leads to are functions of it
    item: Command | WorkOrder

    @property
    def asset(self) -> str:
        """Whom it is for."""
        return self.item.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The policy that these assets have from here on."""

    policy: Policy
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibited:
    """The parent of these assets whose alarm stands from here on; "" for none."""

    parent: str
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An alert that stands on `alarms.v1` while the state of its asset is lost."""

    origin: Origin  # of its record there; `ingest_ns` is when that was noticed
    record: AlarmRecord

    @property
    def asset(self) -> str:
        """Whose alert it is."""
        return self.record.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record of `control.v1` or `maintenance.v1` that cannot be used: its sender is told, and nothing else comes of it."""

    origin: Origin
    asset: str  # its key: whom it may have been for
    reason: str  # what is wrong with it, and what to send instead
    command_id: str = ""  # as far as it could be read
    actor: str = ""
