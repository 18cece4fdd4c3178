"""The values of the metrics of one process: plain numbers and arrays, written where things happen, read by who scrapes.

Writing takes no lock. A reader in another thread sees each number whole and may see two that belong together a moment
apart, which is what any scrape sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt

from foreshock.streams.metrics.catalog import of_process
from foreshock.streams.metrics.model import Kind, Metric, Process

Labels = tuple[str, ...]
EXEMPLAR_S = 60.0  # for so long the exemplar of a bucket stands before another may take its place


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation of a bucket whose trace was kept.

    Attributes
    ----------
    trace_id
        32 hexadecimal digits.
    span_id
        Of the span that is the record's in our part of the trace.
    value
        What was observed.
    at_s
        Unix time.
    """

    trace_id: str
    span_id: int
    value: float
    at_s: float


@dataclass(slots=True)
class Histogram:
    """Counts of observations by bucket; the last one has no upper bound."""

    bounds: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    sum: float = 0.0
    exemplars: dict[int, Exemplar] = field(default_factory=dict)

    def observe(self, values: npt.ArrayLike, times: int = 1) -> None:
        """Take observations, each so many times.

        Parameters
        ----------
        values
            [n] or a number, in the metric's unit.
        times
            How many observations each stands for.
        """
        found = np.atleast_1d(np.asarray(values, dtype=np.float64))
        self.counts += times * np.bincount(np.searchsorted(self.bounds, found), minlength=self.counts.size)
        self.sum += times * float(found.sum())

    def remember(self, value: float, trace_id: str, span_id: int, at_s: float) -> None:
        """Keep an observation, which was counted, as the exemplar of its bucket, unless a recent one is there."""
        bucket = int(np.searchsorted(self.bounds, value))
        known = self.exemplars.get(bucket)
        if known is None or at_s - known.at_s >= EXEMPLAR_S:
            self.exemplars[bucket] = Exemplar(trace_id, span_id, value, at_s)


class Values:
    """All values of one process; every series whose labels are known beforehand is there from the start, at 0.

    Parameters
    ----------
    process
        Which metrics there are.
    """

    def __init__(self, process: Process) -> None:
        self.metrics: tuple[Metric, ...] = of_process(process)
        self._kinds = {metric.name: metric for metric in self.metrics}
        self._numbers: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = {}
        for metric in self.metrics:
            known = [labels.values for labels in metric.labels]
            series = list(product(*known)) if all(known) else []
            if metric.kind is Kind.HISTOGRAM:
                self._histograms[metric.name] = {labels: _histogram(metric) for labels in series}
            else:
                self._numbers[metric.name] = dict.fromkeys(series, 0.0)

    def add(self, name: str, labels: Labels = (), amount: float = 1.0) -> None:
        """Count."""
        series = self._numbers[name]
        series[labels] = series.get(labels, 0.0) + amount

    def put(self, name: str, value: float, labels: Labels = ()) -> None:
        """Set a gauge, or a counter that is counted elsewhere."""
        self._numbers[name][labels] = value

    def replace(self, name: str, series: Mapping[Labels, float]) -> None:
        """Set all series of a metric at once: what is not among them any more is gone."""
        self._numbers[name] = dict(series)

    def histogram(self, name: str, labels: Labels = ()) -> Histogram:
        """Give a histogram to observe with; it is made with its first use."""
        series = self._histograms[name]
        if labels not in series:
            series[labels] = _histogram(self._kinds[name])
        return series[labels]

    def numbers(self, name: str) -> Sequence[tuple[Labels, float]]:
        """Read a counter or a gauge."""
        return list(self._numbers[name].items())

    def histograms(self, name: str) -> Sequence[tuple[Labels, Histogram]]:
        """Read a histogram: counts by bucket, not accumulated."""
        return [
            (labels, Histogram(each.bounds, each.counts.copy(), each.sum, dict(each.exemplars)))
            for labels, each in list(self._histograms[name].items())
        ]


def _histogram(metric: Metric) -> Histogram:
    return Histogram(np.array(metric.buckets), np.zeros(len(metric.buckets) + 1, np.int64))
