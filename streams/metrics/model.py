"""What a metric is: its name by Prometheus' conventions, its kind, its labels and how many values each may have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLUGGISH_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
QUICK_S = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Kind(StrEnum):
    """How a metric behaves. Names of counters end in `_total`."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Process(StrEnum):
    """Who exposes a metric."""

    WORKER = "worker"
    DELIVER = "deliver"
    CASES = "cases"


class Owner(StrEnum):
    """Who is asked when it looks wrong: the panels and rules that use a metric are theirs."""

    PLATFORM = "platform"  # who runs Kafka and the workers
    INTEGRATION = "integration"  # who sends: gateways and sensors
    DETECTION = "detection"  # who answers for models and thresholds
    ALERTING = "alerting"  # who answers for policies and for delivery


@dataclass(frozen=True, slots=True)
class Label:
    """A label and its bound.

    Attributes
    ----------
    name
        Of the label.
    values
        All values there are; () where they come from data.
    most
        How many values there can be.
    bound
        What bounds them, as a sentence; "" where `values` says all.
    """

    name: str
    values: tuple[str, ...]
    most: int
    bound: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of the catalogue.

    Attributes
    ----------
    name
        As Prometheus shows it; the series of a histogram add `_bucket`, `_sum` and `_count`.
    kind, unit
        The unit is that of the name ("seconds", "bytes"), or "" where it counts or is a ratio of nothing.
    help
        A sentence for the scrape and the documentation.
    owner
        Who is asked about it.
    labels
        In the order in which their values are given.
    processes
        Who exposes it.
    buckets
        Upper bounds of a histogram, without the infinite one.
    exemplars
        Whether its buckets carry trace ids.
    """

    name: str
    kind: Kind
    help: str
    owner: Owner
    unit: str = ""
    labels: tuple[Label, ...] = ()
    processes: tuple[Process, ...] = (Process.WORKER,)
    buckets: tuple[float, ...] = ()
    exemplars: bool = False

    @property
    def series(self) -> tuple[str, ...]:
        """Names that a query may use."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(self.name + end for end in ("_bucket", "_sum", "_count"))
        return (self.name,)


def values(name: str, *found: str) -> Label:
    """Declare a label by all its values."""
    return Label(name, found, len(found))


def counter(
    name: str, owner: Owner, text: str, *labels: Label, processes: tuple[Process, ...] = (Process.WORKER,)
) -> Metric:
    """Declare a counter."""
    return Metric(
        name=name, kind=Kind.COUNTER, help=text, owner=owner, unit=_unit(name), labels=labels, processes=processes
    )


def gauge(
    name: str, owner: Owner, text: str, *labels: Label, processes: tuple[Process, ...] = (Process.WORKER,)
) -> Metric:
    """Declare a gauge."""
    return Metric(
        name=name, kind=Kind.GAUGE, help=text, owner=owner, unit=_unit(name), labels=labels, processes=processes
    )


def histogram(
    name: str,
    owner: Owner,
    text: str,
    buckets: tuple[float, ...],
    *labels: Label,
    processes: tuple[Process, ...] = (Process.WORKER,),
    exemplars: bool = False,
) -> Metric:
    """Declare a histogram."""
    return Metric(
        name=name,
        kind=Kind.HISTOGRAM,
        help=text,
        owner=owner,
        unit=_unit(name),
        labels=labels,
        processes=processes,
        buckets=buckets,
        exemplars=exemplars,
    )


def _unit(name: str) -> str:
    last = name.removesuffix("_total").rpartition("_")[2]
    return last if last in {"seconds", "bytes", "ratio"} else ""
