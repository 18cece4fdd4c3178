"""The catalogue: names by convention, labels with bounds, and a documentation that says the same."""

from __future__ import annotations

import re
from pathlib import Path

from foreshock.streams.metrics.catalog import BY_NAME, METRICS, of_process
from foreshock.streams.metrics.model import Kind, Process

TABLE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
SERIES = 6000  # of one process, at most: what one scrape may weigh


def test_names_are_those_of_prometheus():
    """A name says its kind and its unit, and is there once."""
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"(foreshock|process|python_gc)_[a-z_]+", metric.name), metric.name
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        base = metric.name.removesuffix("_total")
        assert not metric.unit or base.endswith(f"_{metric.unit}"), metric.name
        assert not re.search(r"_(ms|us|milliseconds|kb|mb|percent|count|sum|bucket)$", base), metric.name
        assert metric.help.endswith("."), metric.name
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert metric.processes


def test_labels_have_bounds():
    """Each label is a closed set of words or says what bounds it; with the default settings a scrape stays small."""
    for metric in METRICS:
        for label in metric.labels:
            assert re.fullmatch(r"[a-z][a-z_]*", label.name)
            assert label.values or label.bound, f"{metric.name} {label.name}"
            assert 0 < label.most <= 10_001
            assert len(set(label.values)) == len(label.values) <= label.most
    for process in Process:
        closed = [metric for metric in of_process(process) if all(label.values for label in metric.labels)]
        series = 0
        for metric in closed:
            each = 1
            for label in metric.labels:
                each *= label.most
            series += each * (len(metric.buckets) + 3 if metric.buckets else 1)
        assert series < SERIES


def test_documentation_is_the_catalogue():
    """docs/metrics.md has a row for each metric with its kind, labels, processes, owner and meaning, and no other."""
    rows = re.findall(r"^\| `((?:foreshock|process|python)_\S+)` \| (.*?) \|$", TABLE, re.MULTILINE)
    expected = {
        metric.name: " | ".join(
            (
                metric.kind.value,
                ", ".join(f"`{label.name}`" for label in metric.labels),
                ", ".join(process.value for process in metric.processes),
                metric.owner.value,
                metric.help.replace("|", "\\|"),
            )
        )
        for metric in METRICS
    }

    assert dict(rows) == expected
    assert len(rows) == len(METRICS)
    bounds = {label.name: label.bound for metric in METRICS for label in metric.labels if label.bound}
    labels = TABLE.partition("## Labels")[2]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", labels, re.MULTILINE)) == bounds
