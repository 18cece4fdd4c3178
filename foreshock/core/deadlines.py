"""What time alone changes of alerts: a response window that ends unanswered, a shelf that expires, an alert that is over.

Each asset knows when it is due next; a heap of these for each partition answers every second whether one is, without
a look at the others.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from foreshock.alerts import lifecycle
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.states import Context
from foreshock.contract import Origin, Tick
from foreshock.core.admission import Admission
from foreshock.core.desk import apply, refresh, settle
from foreshock.core.points import Owner, Partition


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Ticks, for the alerts of an admission."""

    admission: Admission

    def overdue(self, number: int, at_ns: int) -> bool:
        """Say whether a tick would change anything; changes nothing but the heap."""
        partition = self.admission.partitions.get(number)
        return partition is not None and _first(partition, at_ns) is not None

    def tick(self, tick: Tick) -> list[AlertTransition]:
        """Take up that it is so late, by asset. One that is further than the tick's place has seen it already."""
        partition = self.admission.partition(tick.partition)
        due: dict[str, Owner] = {}
        while (name := _first(partition, tick.at_ns)) is not None:
            heapq.heappop(partition.due)
            due[name] = partition.owners[name]
            due[name].due_ns = None
        told: list[AlertTransition] = []
        for name, owner in sorted(due.items(), key=lambda each: each[0]):
            if owner.folded <= tick.offset:
                told += self._asset(owner, tick)
                refresh(owner, self.admission.recipe_in(partition))
                partition.touch(name, owner, tick.offset)
            settle(name, owner, partition)
        return told

    def _asset(self, owner: Owner, tick: Tick) -> list[AlertTransition]:
        alerts = owner.alerts
        heard = (point.quality.pulse.last for point in owner.points.values())
        last = next(
            (each for each in heard if each is not None), None
        )  # None: its state was given up, or it never sent
        origin = Origin(
            topic=last.topic if last else alerts.topic,
            topic_id=last.topic_id if last else alerts.topic_id,
            partition=tick.partition,
            offset=tick.offset,
            ingest_ns=tick.at_ns,
        )
        context = Context(asset=owner.record, origin=origin, at_ns=tick.at_ns, site=alerts.site, parent=alerts.parent)
        return apply(alerts, lifecycle.tick(alerts.policy, alerts.alarm, tick.at_ns, context), context)


def _first(partition: Partition, at_ns: int) -> str | None:
    """The asset that is due first, if one is; what the heap has of old is thrown away."""
    while partition.due and partition.due[0][0] <= at_ns:
        due_ns, name = partition.due[0]
        owner = partition.owners.get(name)
        if owner is not None and owner.due_ns == due_ns:
            return name
        heapq.heappop(partition.due)
    return None
