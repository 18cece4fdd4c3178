"""What an asset remembers of its alerts, and its way into a snapshot and back.

Only what differs from an asset that was never above a level is written down; a state without any of it is that of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from foreshock.alerts.conditions import Condition
from foreshock.alerts.files import DEFAULT
from foreshock.alerts.policy import Policy
from foreshock.alerts.states import Alarm
from foreshock.contract import Origin
from foreshock.records import from_tree, to_tree

KNOWN = 8  # topics, or partitions of them, that an asset remembers its commands of


class Said(NamedTuple):
    """What the latest anomaly event of a measuring point said: its blocks between two events say no more than a score."""

    point: str
    mode: str
    anomaly_id: str
    hypothesis: str
    effect: tuple[Moved, ...]
    over: bool  # its episode is closed
    evidence: str = ""  # sha256 of that event's case, once it is known


class Moved(NamedTuple):
    """A feature that the anomaly rests on."""

    feature: str
    value: float
    expected: float


class Taken(NamedTuple):
    """How far an asset has taken up what is for it on a partition of a topic."""

    topic: str
    topic_id: str
    partition: int
    next: int


@dataclass(slots=True)
class Alerts:
    """The alerts of one asset.

    The last four follow from the rest and are kept for speed.
    """

    policy: Policy = DEFAULT
    alarm: Alarm = field(default_factory=Alarm)
    conditions: dict[str, Condition] = field(default_factory=dict)  # by measuring point; of a quiet one there is none
    said: dict[tuple[str, str], Said] = field(default_factory=dict)  # by measuring point and mode
    taken: tuple[Taken, ...] = ()
    topic: str = ""  # where its records come from: what a tick tells is told in their order
    topic_id: str = ""
    site: str = ""
    held: str = ""  # why learning is held, in evidence: the state of a case has nothing else of the alerts
    parent: str = ""  # a parent asset whose alarm stands
    repair: str = ""  # record of `maintenance.v1` that its baselines started anew with last
    floor: float = 0.0  # while it is restful, a value below this changes nothing
    margin: float = 1.0  # of the levels that scores of a model are compared with, after what people said of its alerts
    holding: bool = False  # whether there is anything that may hold learning
    restless: bool = False  # whether something stands, or did of late

    def took(self, origin: Origin) -> bool:
        """Say whether what stands there was taken up before."""
        return any(each[:3] == _place(origin) and each.next > origin.offset for each in self.taken)

    def take(self, origin: Origin) -> None:
        """Note that what stands there is taken up. A topic that was made again counts from its start."""
        others = [each for each in self.taken if (each.topic, each.partition) != (origin.topic, origin.partition)]
        self.taken = (*others, Taken(*_place(origin), origin.offset + 1))[-KNOWN:]


def _place(origin: Origin) -> tuple[str, str, int]:
    return origin.topic, origin.topic_id, origin.partition


def tree_of(alerts: Alerts) -> dict[str, Any]:
    """Tree of what differs from a fresh asset; empty for one that is."""
    parts: dict[str, Any] = {
        "policy": None if alerts.policy.version == DEFAULT.version else alerts.policy,
        "alarm": None if alerts.alarm == Alarm() else alerts.alarm,
        "conditions": {name: to_tree(alerts.conditions[name]) for name in sorted(alerts.conditions)},
        "said": tuple(alerts.said[key] for key in sorted(alerts.said)),
        **{name: getattr(alerts, name) for name in _PLAIN},
    }
    return {name: value if name == "conditions" else to_tree(value) for name, value in parts.items() if value}


_PLAIN = ("taken", "topic", "topic_id", "site", "held", "parent", "repair")


def alerts_of(tree: Mapping[str, Any], known: dict[str, Policy]) -> Alerts:
    """Build what `tree_of` has written down.

    Parameters
    ----------
    known
        Policies by version, to be shared: thousands of assets have the same one.

    Raises
    ------
    ValueError
        It is not that.
    """
    alerts = Alerts()
    for name, value in tree.items():
        if name == "policy":
            policy = from_tree(Policy, value)
            alerts.policy = known.setdefault(policy.version, policy)
        elif name == "alarm":
            alerts.alarm = from_tree(Alarm, value)
        elif name == "conditions":
            alerts.conditions = {from_tree(str, key): from_tree(Condition, each) for key, each in value.items()}
        elif name == "said":
            alerts.said = {(each.point, each.mode): each for each in from_tree(tuple[Said, ...], value)}
        elif name == "taken":
            alerts.taken = from_tree(tuple[Taken, ...], value)
        elif name in _PLAIN:
            setattr(alerts, name, from_tree(str, value))
        else:
            raise ValueError(f"alerts have no {name!r}")
    return alerts
