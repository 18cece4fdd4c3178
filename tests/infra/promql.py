"""What a PromQL expression asks for, held against what there is: names, labels and their values, counters where a rate is taken.

Prometheus answers a misspelt name or value with nothing, and a label that is missing on one side of an operator with nothing,
so an alert with such a fault never fires and no tool says so. Here each expression is parsed by Prometheus' grammar and the
labels of its result are worked out, which finds all of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, singledispatchmethod

import promql_parser as promql

TARGET = frozenset({"job", "instance"})  # what a scrape adds to every series
_PER_SECOND = {"rate", "irate", "increase", "resets"}
_SET_OPERATORS = {"and", "or", "unless"}
_KEEPING = {"topk", "bottomk", "limitk", "limit_ratio"}  # aggregations that keep the series they chose
_NO_LABELS = {"vector", "time", "scalar", "pi"}


@dataclass(frozen=True, slots=True)
class Series:
    """One name that can be asked for.

    Parameters
    ----------
    labels
        All that its series may have, those of the scrape among them.
    cumulative
        Whether it only grows: the one kind that `rate` and `increase` are right for.
    values
        The values of a label, where they are known beforehand.
    """

    labels: frozenset[str]
    cumulative: bool = False
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """An expression that was read.

    Parameters
    ----------
    names
        The series that it selects.
    problems
        One sentence for each fault.
    labels
        Of its result; None for a number.
    """

    names: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    labels: frozenset[str] | None = None


def read(expression: str, known: Mapping[str, Series]) -> Reading:
    """Parse an expression and check what it asks for against `known`, by name."""
    reading = Reading()
    try:
        parsed = _parse(expression)
    except ValueError as exc:
        reading.problems.append(f"is no PromQL: {exc}")
        return reading
    reading.labels = _Walk(known, reading).labels(parsed)
    return reading


_parse = cache(promql.parse)


class _Walk:
    """Goes down an expression and gives the labels of each part."""

    def __init__(self, known: Mapping[str, Series], reading: Reading) -> None:
        self._known = known
        self._reading = reading

    @singledispatchmethod
    def labels(self, node: promql.Expr) -> frozenset[str] | None:
        """Give the labels of a part's result; None for what has none, a number or a string."""
        del node

    @labels.register
    def _(self, node: promql.VectorSelector) -> frozenset[str]:
        return self._selected(node)

    @labels.register
    def _(self, node: promql.MatrixSelector) -> frozenset[str]:
        return self._selected(node.vector_selector)

    @labels.register(promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr)
    def _(self, node: promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr) -> frozenset[str] | None:
        return self.labels(node.expr)

    def _problem(self, sentence: str) -> None:
        self._reading.problems.append(sentence)

    def _selected(self, node: promql.VectorSelector) -> frozenset[str]:
        matched = {matcher.name for matcher in node.matchers.matchers}
        if not node.name:
            self._problem("selects without a name")
            return frozenset(matched)
        self._reading.names.add(node.name)
        series = self._known.get(node.name)
        if series is None:
            self._problem(f"there is no {node.name}")
            return frozenset(matched)
        if strange := matched - series.labels:
            self._problem(f"{node.name} has no label {', '.join(sorted(strange))}")
        for matcher in node.matchers.matchers:
            known = series.values.get(matcher.name)
            if known and "$" not in matcher.value and not _met(matcher, known):
                self._problem(f"{node.name} is never with {matcher.name} {matcher.value!r}")
        return series.labels

    @labels.register
    def _aggregated(self, node: promql.AggregateExpr) -> frozenset[str]:
        inner = self.labels(node.expr) or frozenset()
        if node.modifier is None:
            return inner if str(node.op) in _KEEPING else frozenset()
        named = frozenset(node.modifier.labels)
        if strange := named - inner:
            self._problem(f"{node.op} over {', '.join(sorted(strange))}, which nothing there has")
        if str(node.op) in _KEEPING:
            return inner
        return named if node.modifier.type == promql.AggModifierType.By else inner - named

    @labels.register
    def _called(self, node: promql.Call) -> frozenset[str] | None:
        name = node.func.name
        inner = [found for argument in node.args if (found := self.labels(argument)) is not None]
        labels = inner[0] if inner else None
        if name in _PER_SECOND:
            self._check_growing(name, node.args[0])
        if name == "histogram_quantile":
            if "le" not in (labels or ()):
                self._problem("histogram_quantile of series without `le`")
            return (labels or frozenset()) - {"le"}
        if name in {"absent", "absent_over_time"}:
            return _named_by_equality(node.args[0])
        if name in {"label_replace", "label_join"}:
            return (labels or frozenset()) | {node.args[1].val}
        if name in _NO_LABELS:
            return None if name in {"time", "scalar", "pi"} else frozenset()
        return labels

    def _check_growing(self, function: str, argument: promql.Expr) -> None:
        if isinstance(argument, promql.MatrixSelector):
            name = argument.vector_selector.name
            if name in self._known and not self._known[name].cumulative:
                self._problem(f"{function} of {name}, which is no counter")

    @labels.register
    def _combined(self, node: promql.BinaryExpr) -> frozenset[str] | None:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if left is None or right is None:
            return right if left is None else left
        matching = node.modifier.matching if node.modifier else None
        including = matching is not None and matching.type == promql.LabelModifierType.Include
        named = frozenset(matching.labels) if matching else frozenset()
        if including:
            if strange := named - (left & right):
                self._problem(f"{node.op} on {', '.join(sorted(strange))}, which not both sides have")
        elif str(node.op) != "or" and (strange := (left ^ right) - named):
            self._problem(f"{node.op} matches nothing: only one side has {', '.join(sorted(strange))}")
        if str(node.op) in _SET_OPERATORS:
            return left | right if str(node.op) == "or" else left
        return self._joined(node, left, right, named, including=including)

    @staticmethod
    def _joined(
        node: promql.BinaryExpr, left: frozenset[str], right: frozenset[str], named: frozenset[str], *, including: bool
    ) -> frozenset[str]:
        cardinality = node.modifier.card if node.modifier else promql.VectorMatchCardinality.OneToOne
        extra = frozenset((node.modifier.group_labels if node.modifier else None) or ())
        if cardinality == promql.VectorMatchCardinality.ManyToOne:
            return left | extra
        if cardinality == promql.VectorMatchCardinality.OneToMany:
            return right | extra
        if str(node.op) in {"==", "!=", ">", "<", ">=", "<="} and not (node.modifier and node.modifier.return_bool):
            return named if including else left - named
        return named if including else (left & right) - named


def _met(matcher: promql.Matcher, known: frozenset[str]) -> bool:
    """Whether a value, or each alternative of a pattern, is among the known ones."""
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return matcher.value in known
    return all(any(re.fullmatch(each, value) for value in known) for each in matcher.value.split("|"))


def _named_by_equality(node: promql.Expr) -> frozenset[str]:
    """Labels of `absent`: those that a plain selector asks for by `=`; of anything else none."""
    if not isinstance(node, promql.VectorSelector):
        return frozenset()
    return frozenset(matcher.name for matcher in node.matchers.matchers if matcher.op == promql.MatchOp.Equal)
