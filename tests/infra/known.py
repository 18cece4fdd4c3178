"""What can be asked for: the catalogue of metrics, what Prometheus and the collector add, and what our rules record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from foreshock.streams.metrics.catalog import METRICS
from foreshock.streams.metrics.model import Kind, Metric
from tests.infra.promql import TARGET, Series, read

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "infra" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yaml"))
RUNBOOKS = ROOT / "docs" / "runbooks"

# Of Prometheus itself, and of the collector's span metrics (infra/otel/collector.yaml).
_SPAN = TARGET | {"service_name", "span_name", "span_kind", "status_code", "messaging_destination_name"}
OTHERS = {
    "up": Series(TARGET),
    "ALERTS": Series(
        TARGET | {"alertname", "alertstate", "severity", "owner", "partition", "sink", "reason", "setting"}
    ),
    "traces_span_metrics_calls_total": Series(_SPAN, cumulative=True),
    "traces_span_metrics_duration_seconds_bucket": Series(_SPAN | {"le"}, cumulative=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule of infra/prometheus/rules/: `name` is that of the alert, or of what is recorded."""

    name: str
    file: str
    expression: str
    alerts: bool
    severity: str
    owner: str
    annotations: Mapping[str, str]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of files and groups."""
    return tuple(
        Rule(
            name=rule.get("alert") or rule["record"],
            file=path.name,
            expression=rule["expr"],
            alerts="alert" in rule,
            severity=rule.get("labels", {}).get("severity", ""),
            owner=rule.get("labels", {}).get("owner", ""),
            annotations=rule.get("annotations", {}),
        )
        for path in RULE_FILES
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    )


def series(metrics: Iterable[Metric] = METRICS) -> dict[str, Series]:
    """Everything that a query may name, by name: what our rules record has the labels that their expressions give."""
    known = OTHERS | dict(_of_metrics(metrics))
    recorded = {rule.name: rule for rule in rules() if not rule.alerts}
    for name, rule in recorded.items():
        known[name] = Series(read(rule.expression, known).labels or frozenset())
    return known


def _of_metrics(metrics: Iterable[Metric]) -> Iterator[tuple[str, Series]]:
    for metric in metrics:
        labels = TARGET | {label.name for label in metric.labels}
        values = {label.name: frozenset(label.values) for label in metric.labels if label.values}
        for name in metric.series:
            if name.endswith("_bucket"):
                bounds = {form for bound in metric.buckets for form in (f"{bound:g}", str(float(bound)))}
                yield (
                    name,
                    Series(labels | {"le"}, cumulative=True, values=values | {"le": frozenset(bounds | {"+Inf"})}),
                )
            else:
                yield name, Series(labels, cumulative=metric.kind is not Kind.GAUGE, values=values)


def load(path: str) -> Any:
    """A YAML file of the checkout."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
