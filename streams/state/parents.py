"""Which assets have a parent whose alarm stands: where their state says another, it is put on record for them.

The policy of an asset names its parents by patterns (`parents`); an asset is inhibited by the alarm of its parent, and of
what its own policy names above that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foreshock.alerts.files import resolve
from foreshock.alerts.items import Inhibited
from foreshock.alerts.patterns import matches
from foreshock.alerts.policy import Policy
from foreshock.contract import Asset
from foreshock.fleet import Fleet

log = logging.getLogger("foreshock.worker")

MOST = 300  # assets of one item
HIGHEST = 10  # parents above parents


@dataclass(frozen=True, slots=True)
class Alarmed:
    """What `alarms.v1` says of an alert: whose it is, "" where it was closed, and whether somebody is called by it."""

    alert_id: str
    asset: str
    stands: bool


class Parents:
    """Compares the alarms that stand with what the Fleet goes by.

    Parameters
    ----------
    fleet
        Says of which parent each asset knows.
    policies
        As they were loaded at start.
    """

    def __init__(self, fleet: Fleet, policies: Sequence[Policy]) -> None:
        self._fleet = fleet
        self._policies = tuple(policies)
        self._children = tuple({child for policy in policies for child, _ in policy.parents})
        self._standing: dict[str, str] = {}  # alert to asset
        self._looked: set[int] = set()  # partitions of which nothing is due

    def hear(self, alarm: Alarmed) -> None:
        """Note that an alarm stands, or no longer does."""
        before = self._standing.pop(alarm.alert_id, None)
        if alarm.stands:
            self._standing[alarm.alert_id] = alarm.asset
        if before != self._standing.get(alarm.alert_id):
            self._looked.clear()

    def changed(self, number: int) -> None:
        """Note that a partition has other assets, or other policies."""
        self._looked.discard(number)

    def due(self, number: int) -> list[Inhibited] | None:
        """Give all that has to be put on record for a partition; None where nothing changed since this was asked."""
        if number in self._looked:
            return None
        self._looked.add(number)
        return list(self._due(number))

    def _due(self, number: int) -> Iterator[Inhibited]:
        there = self._fleet.parents(number)
        standing = sorted(set(self._standing.values()))
        wanted: dict[str, list[str]] = {}
        for name in self._fleet.policies(number):
            parent = self._parent(number, name, standing) if standing and matches(self._children, name) else ""
            if there.get(name, "") != parent:
                wanted.setdefault(parent, []).append(name)
        for parent, names in wanted.items():
            said = f"inhibited by the alarm of {parent}" if parent else "no longer inhibited by a parent"
            log.info("partition %d: %s: %s", number, said, ", ".join(names[:10]) + (" ..." if names[10:] else ""))
            for at in range(0, len(names), MOST):
                yield Inhibited(parent=parent, assets=tuple(names[at : at + MOST]))

    def _parent(self, number: int, name: str, standing: Sequence[str]) -> str:
        """The closest parent of an asset whose alarm stands; ""."""
        policy = resolve(self._policies, self._fleet.master_data(number, name) or Asset(asset=name, registered=False))
        below = name
        for _ in range(HIGHEST):
            above = next((parent for child, parent in policy.parents if matches([child], below)), "")
            found = next((each for each in standing if each != name and matches([above], each)), "")
            if found or not above:
                return found
            below = above
        return ""
