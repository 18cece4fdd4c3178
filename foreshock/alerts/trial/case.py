"""A test file: which policy, which asset, what its points measure, what happens meanwhile, and what is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from foreshock.alerts.documents import Node, NotADocument, read
from foreshock.alerts.fields import FilesRejected, Problem, Table, hint
from foreshock.alerts.files import policy_from
from foreshock.alerts.policy import Policy
from foreshock.alerts.trial.happenings import Happening, happening
from foreshock.alerts.trial.notation import NS, Row, Unreadable, line, series, span
from foreshock.alerts.trial.verdict import Expected, expected
from foreshock.contract import Asset

MONDAY_NS = 1_767_571_200 * NS  # 2026-01-05T00:00:00Z: when a test starts that does not say
_POINT = "drive-end"  # of a series that is given alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One policy test."""

    file: str
    title: str
    policy: Policy
    asset: Asset
    starts_ns: int
    rows: tuple[tuple[str, tuple[Row, ...]], ...]  # by measuring point
    when: tuple[Happening, ...]
    until_ns: int  # since the start: so long time goes on
    expect: tuple[Expected, ...]


def load_case(name: str, text: str, read_policy: Callable[[str], str]) -> Case:
    """Read a test.

    Parameters
    ----------
    name, text
        Of the test's file.
    read_policy
        Gives the text of the policy's file, by its name as the test has it; raises OSError or UnicodeDecodeError.

    Raises
    ------
    FilesRejected
        With every problem of the test and of the policy that it names.
    """
    try:
        document = read(name, text)
    except NotADocument as exc:
        raise FilesRejected([Problem(name, exc.line, "", str(exc), "")]) from None
    if not isinstance(document.value, dict) or not document.value:
        raise FilesRejected([Problem(name, 0, "", "holds no test", "docs/policies.md shows one")])
    problems: list[Problem] = []
    case = _case(Table(name, document, "", problems), read_policy)
    if case is None:
        raise FilesRejected(sorted(problems, key=lambda each: (each.file != name, each.line)))
    return case


def _case(table: Table, read_policy: Callable[[str], str]) -> Case | None:
    title = table.text("title", required="say what the policy is expected to do")
    policy = _policy(table, read_policy)
    starts = table.moment("starts")
    every = table.seconds("every", 10.0, above=0)
    rows = _rows(table, max(round(every * NS), 1))
    when = tuple(_lines(table, "when", lambda text: happening(line(text))))
    expect = tuple(_lines(table, "expect", lambda text: expected(line(text))))
    if "expect" not in table.node.value:
        table.problem("expect", "is missing", 'list the transitions: ["2m raised watch"]; [] says that nothing happens')
    points = {point for point, _ in rows}
    for each in when:
        if each.point and each.point not in points:
            table.problem("when", f"has point={each.point}, which has no scores", hint(each.point, sorted(points)))
    ends = [series[-1].at_ns for _, series in rows if series] + [each.at_ns for each in when]
    until = _until(table)
    asset = _asset(table)
    if not table.done() or policy is None:
        return None
    return Case(
        file=table.file,
        title=title,
        policy=policy,
        asset=asset,
        starts_ns=MONDAY_NS if starts is None else starts,
        rows=rows,
        when=tuple(sorted(when, key=lambda each: each.at_ns)),
        until_ns=max([until, *ends]),
        expect=tuple(sorted(expect, key=lambda each: each.at_ns)),
    )


def _policy(table: Table, read_policy: Callable[[str], str]) -> Policy | None:
    """Read the policy that the test names or holds, with what the test changes in it."""
    given = table.given("policy")
    changes = table.table("with")
    node: Node | None = table.node.value.get("policy")
    file = table.file
    if isinstance(given, str):
        file = given
        try:
            node = read(given, read_policy(given))
        except (OSError, UnicodeDecodeError) as exc:
            table.problem(
                "policy",
                f'is "{given}", which cannot be read: {getattr(exc, "strerror", None) or exc}',
                "name it from the test's place",
            )
            return None
        except NotADocument as exc:
            table.problems.append(Problem(given, exc.line, "", str(exc), ""))
            return None
    elif not isinstance(given, dict):
        table.problem("policy", "is missing", "name its file, or write it here as a table")
        return None
    if node is None:
        return None
    policy = policy_from(file, node, table.problems)
    if policy is None or changes is None:
        return policy
    return policy_from(f"{table.file} (with)", merged(node, changes.node), table.problems)


def merged(base: Node, over: Node) -> Node:
    """Lay the keys of one table over another; bands by their severity, tables key by key."""
    found: dict[str, Node] = dict(base.value)
    for key, node in over.value.items():
        there = found.get(key)
        if there is not None and isinstance(node.value, dict) and isinstance(there.value, dict):
            found[key] = merged(there, node)
        elif key == "bands" and there is not None and isinstance(node.value, dict):
            found[key] = Node(_bands(there.value, node.value), there.line)
        else:
            found[key] = node
    return Node(found, base.line)


def _bands(bands: list[Node], over: dict[str, Node]) -> list[Node]:
    left = dict(over)
    found = []
    for band in bands:
        change = left.pop(band.value["severity"].value, None)
        found.append(merged(band, change) if change is not None else band)
    return found + [merged(Node({"severity": Node(key, node.line)}, node.line), node) for key, node in left.items()]


def _rows(table: Table, every_ns: int) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    given = table.given("scores")
    if isinstance(given, str):
        given = {_POINT: given}
    if not isinstance(given, dict) or not given or not all(isinstance(each, str) for each in given.values()):
        table.problem(
            "scores", "is missing" if given is None else "is no series", 'give "0.2x10 1.2x5", or one for each point'
        )
        return ()
    found: list[tuple[str, tuple[Row, ...]]] = []
    for point, text in given.items():
        try:
            found.append((point, series(text, every_ns)))
        except Unreadable as exc:
            table.problem("scores", f"of {point}: {exc}")
    return tuple(found)


def _lines(table: Table, key: str, reader: Callable[[str], Any]) -> list[Any]:
    """Read each line of a list; one that is wrong is noted with its own line number."""
    found = []
    texts = table.texts(key)
    nodes = table.node.value[key].value if key in table.node.value else []
    for number, text in enumerate(texts):
        try:
            found.append(reader(text))
        except Unreadable as exc:
            place = nodes[number].line if isinstance(nodes, list) else table.line(key)
            table.bad = True
            table.problems.append(Problem(table.file, place, key, str(exc), ""))
    return found


def _until(table: Table) -> int:
    given = table.given("until")
    if given is None:
        return 0
    found = span(given) if isinstance(given, str) else None
    if found is None:
        table.problem("until", f"is {given}", 'give a time since the start: "2h"')
    return found or 0


def _asset(policy: Table) -> Asset:
    table = policy.table("asset")
    asset = Asset(asset="pump-7", path=("acme", "hamburg", "hall-1", "line-3"), asset_class="pump")
    if table is None:
        return asset
    path = table.text("path")
    found = replace(
        asset,
        asset=table.text("asset") or asset.asset,
        asset_class=table.text("class") or asset.asset_class,
        path=tuple(path.split("/")) if path else asset.path,
        criticality=table.word("criticality", ("low", "medium", "high"), asset.criticality),
    )
    table.done()
    policy.bad = policy.bad or table.bad
    return found
