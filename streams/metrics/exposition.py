"""The values as a scrape shows them: Prometheus' text format, or OpenMetrics with exemplars where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from foreshock.streams.metrics import model
from foreshock.streams.metrics.model import Kind
from foreshock.streams.metrics.values import Histogram, Values

_Bucket = tuple[str, float] | tuple[str, float, Exemplar]


class Exposition(Collector):
    """Writes scrapes.

    Parameters
    ----------
    values
        What is shown: all of its metrics, each time.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def write(self, accept: str) -> tuple[bytes, str]:
        """Give the body of a scrape and its content type, by the `Accept` header of who asks."""
        encoder, content_type = choose_encoder(accept)
        return encoder(self._registry), content_type

    def describe(self) -> list[Metric]:
        """Say nothing beforehand: the catalogue has no two metrics of one name."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every metric of the process, with the series that it has now."""
        for metric in self._values.metrics:
            names = [label.name for label in metric.labels]
            if metric.kind is Kind.HISTOGRAM:
                yield self._histogram(metric, names)
                continue
            shape = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
            family = shape(metric.name, metric.help, labels=names)
            for labels, value in self._values.numbers(metric.name):
                family.add_metric(labels, value)
            yield family

    def _histogram(self, metric: model.Metric, names: list[str]) -> HistogramMetricFamily:
        family = HistogramMetricFamily(metric.name, metric.help, labels=names)
        for labels, found in self._values.histograms(metric.name):
            family.add_metric(labels, _buckets(found), found.sum)
        return family


def _buckets(found: Histogram) -> list[_Bucket]:
    """Give the accumulated counts by upper bound, with their exemplars."""
    bounds = (floatToGoString(bound) for bound in (*found.bounds.tolist(), float("inf")))  # type: ignore[no-untyped-call]  # theirs
    buckets: list[_Bucket] = []
    for number, (bound, count) in enumerate(zip(bounds, np.cumsum(found.counts).tolist(), strict=True)):
        known = found.exemplars.get(number)
        if known is None:
            buckets.append((bound, count))
        else:
            shown = {"trace_id": known.trace_id, "span_id": f"{known.span_id:016x}"}
            buckets.append((bound, count, Exemplar(shown, known.value, known.at_s)))
    return buckets
