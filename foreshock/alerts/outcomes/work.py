"""Records of maintenance to jobs: what was done on an asset, when, and whether it was a failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind

_DONE = frozenset({WorkKind.REPAIR, WorkKind.REPLACEMENT})
NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One work order with all that was recorded of it. Times are ns."""

    asset: str
    work_order: str
    opened_ns: int  # its first record
    stopped_ns: int  # when the machine stopped: see `_stopped_ns`
    finished_ns: int | None  # None: still open
    planned: bool
    done: bool  # something was repaired or replaced
    failure_mode: str
    failure_cause: str
    alert_ids: tuple[str, ...]
    notes: int
    diagnosed_ns: int | None  # when a failure mode was first told
    downtime_s: float | None

    @property
    def failure(self) -> bool:
        """Corrective maintenance (ISO 14224, EN 13306): not planned, and a fault was found or repaired."""
        return not self.planned and (self.done or self.failure_mode != "")

    @property
    def repair_s(self) -> float | None:
        """Down time where it is stated, else from opened to finished; None while it is open."""
        if self.downtime_s is not None:
            return self.downtime_s
        return None if self.finished_ns is None else (self.finished_ns - self.opened_ns) / NS


def jobs(records: Iterable[WorkOrder]) -> tuple[Job, ...]:
    """Fold records to jobs, in the order in which they were opened.

    Parameters
    ----------
    records
        In any order, with or without repeats. A record without a number is a job of its own, a mere note none.
    """
    found: dict[tuple[str, str], dict[str, WorkOrder]] = {}
    for each in records:
        key = (each.asset, each.work_order or f"record {each.record_id}")
        found.setdefault(key, {}).setdefault(each.record_id, each)
    ordered = {key: sorted(group.values(), key=lambda each: each.at_ns) for key, group in found.items()}
    kept = [_job(key, group) for key, group in ordered.items() if key[1] == group[0].work_order or not _note(group)]
    return tuple(sorted(kept, key=lambda each: (each.opened_ns, each.asset, each.work_order)))


def _note(group: list[WorkOrder]) -> bool:
    return all(each.kind is WorkKind.NOTE for each in group)


def _job(key: tuple[str, str], group: list[WorkOrder]) -> Job:
    asset, number = key
    work = next((each for each in group if each.kind in _DONE), None)
    stated = [each.finished_ns for each in group if each.finished_ns is not None]
    closed = next((each.at_ns for each in group if each.kind is WorkKind.CLOSED), None)
    finished_ns = max(stated) if stated else closed
    downtime_s = next((each.downtime_s for each in reversed(group) if each.downtime_s is not None), None)
    alert_ids = tuple(dict.fromkeys(each.alert_id for each in group if each.alert_id))
    return Job(
        asset=asset,
        work_order=number,
        opened_ns=group[0].at_ns,
        stopped_ns=_stopped_ns(group, work if alert_ids else None, finished_ns, downtime_s),
        finished_ns=finished_ns,
        planned=any(each.planned for each in group),
        done=work is not None,
        failure_mode=next((each.failure_mode for each in reversed(group) if each.failure_mode), ""),
        failure_cause=next((each.failure_cause for each in reversed(group) if each.failure_cause), ""),
        alert_ids=alert_ids,
        diagnosed_ns=next((each.at_ns for each in group if each.failure_mode), None),
        notes=sum(1 for each in group if each.note.strip()),
        downtime_s=downtime_s,
    )


def _stopped_ns(
    group: list[WorkOrder], answer: WorkOrder | None, finished_ns: int | None, downtime_s: float | None
) -> int:
    """When the machine stopped: its stated down time before the end; of an order that answers an alert when the work was
    done, since the machine ran until then; else when the order was opened, since a failure is what opens one.
    """
    if finished_ns is not None and downtime_s is not None:
        return finished_ns - int(downtime_s * NS)
    return (answer or group[0]).at_ns
