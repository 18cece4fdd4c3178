"""The vital signs of a running Foreshock, as two looks a few seconds apart found them. Pure records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Labels = tuple[tuple[str, str], ...]  # sorted pairs of name and value
Series = Mapping[str, Mapping[Labels, float]]  # by the name of the series


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The metrics of one process, read twice.

    Attributes
    ----------
    url
        Where they were read.
    kind
        worker, deliver or cases.
    error
        "" or why the second look found nothing.
    before, after
        All series of both looks; empty where nothing answered.
    span_s
        Seconds between the looks.
    """

    url: str
    kind: str
    error: str = ""
    before: Series = field(default_factory=dict)
    after: Series = field(default_factory=dict)
    span_s: float = 0.0

    def value(self, name: str, **labels: str) -> float:
        """Sum of the series with these labels, at the second look; 0 where there is none."""
        return sum(self._of(self.after, name, labels).values())

    def has(self, name: str) -> bool:
        """Say whether the second look found the series at all."""
        return bool(self.after.get(name))

    def grown(self, name: str, **labels: str) -> float:
        """By how much a counter grew between the looks; one that began anew counts from zero."""
        before = self._of(self.before, name, labels)
        after = self._of(self.after, name, labels)
        return sum(now - (was if now >= (was := before.get(each, 0.0)) else 0.0) for each, now in after.items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """Values at the second look, by the values of a label."""
        found: dict[str, float] = {}
        for labels, value in self.after.get(name, {}).items():
            key = dict(labels).get(label, "")
            found[key] = found.get(key, 0.0) + value
        return found

    def quantile(self, name: str, share: float, **labels: str) -> float | None:
        """Upper bound of the bucket that holds a share of what a histogram saw between the looks; None: it saw nothing."""
        bounds: dict[float, float] = {}
        for each, now in self._of(self.after, f"{name}_bucket", labels).items():
            was = self.before.get(f"{name}_bucket", {}).get(each, 0.0)
            bound = float(dict(each)["le"].replace("+Inf", "inf"))
            bounds[bound] = bounds.get(bound, 0.0) + now - (was if now >= was else 0.0)
        total = max(bounds.values(), default=0.0)
        if not total:
            return None
        return next(bound for bound in sorted(bounds) if bounds[bound] >= share * total or math.isinf(bound))

    @staticmethod
    def _of(series: Series, name: str, labels: Mapping[str, str]) -> Mapping[Labels, float]:
        wanted = set(labels.items())
        return {each: value for each, value in series.get(name, {}).items() if wanted <= set(each)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionVitals:
    """One partition of the input.

    Attributes
    ----------
    number
        Of the partition.
    led
        Whether it has a leader.
    in_sync, replicas
        How many copies there are, and how many there should be.
    owner
        Which worker of the group has it; "" for nobody.
    arrived
        Records that came between the looks.
    done
        Records that were done between the looks: committed, or counted by the worker that has it.
    lag
        Records that are not done, at the second look.
    """

    number: int
    led: bool = True
    in_sync: int = 1
    replicas: int = 1
    owner: str = ""
    arrived: int = 0
    done: int = 0
    lag: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a diagnosis needs of a Score; `value` is None where there was none."""

    asset: str
    point: str
    at_ns: int
    state: str
    value: float | None
    model: str
    feature_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A change on quality.v1."""

    asset: str
    point: str
    kind: str
    raised: bool
    at_ns: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter."""

    reason: str
    asset: str
    sentence: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """All that was found.

    Attributes
    ----------
    now_ns
        Time of the second look.
    span_s
        Seconds between the looks.
    group
        Consumer group of the workers.
    broker_error
        "" or why the brokers cannot be asked.
    answers_s
        How long each of some small requests took the brokers.
    missing
        Topics of the contract that are not there.
    members, group_state
        Workers in the group, and its state in Kafka's words.
    partitions
        Of the input, in the order of their numbers.
    pulses
        Processes whose metrics were asked for.
    scores, quality, letters
        What was published of late, the oldest first.
    cache
        "" or why the cache says nothing; None where none is set.
    sinks
        Names of the sinks of the settings.
    """

    now_ns: int
    span_s: float
    group: str
    broker_error: str = ""
    answers_s: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    members: int = 0
    group_state: str = "stable"
    partitions: tuple[PartitionVitals, ...] = ()
    pulses: tuple[Pulse, ...] = ()
    scores: tuple[Scored, ...] = ()
    quality: tuple[Quality, ...] = ()
    letters: tuple[Letter, ...] = ()
    cache: str | None = None
    sinks: tuple[str, ...] = ()

    @property
    def workers(self) -> tuple[Pulse, ...]:
        """Workers that answered."""
        return tuple(each for each in self.pulses if each.kind == "worker" and not each.error)

    @property
    def lag(self) -> int:
        """Records that wait, of all partitions."""
        return sum(each.lag for each in self.partitions)

    @property
    def behind(self) -> bool:
        """Whether more waits than comes within two seconds, and at least some records: what is under way is no lag."""
        arrived = sum(each.arrived for each in self.partitions)
        return self.lag > max(20.0, 2.0 * arrived / max(self.span_s, 1e-9))
