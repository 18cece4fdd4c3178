"""From the table of a file to a `Policy`: every key with its default, its limits, and what must fit together."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from foreshock.alerts.budget import strictest
from foreshock.alerts.fields import WEEKDAYS, Table, hint, say
from foreshock.alerts.patterns import matches
from foreshock.alerts.policy import Band, Effect, Policy, Priority, Window
from foreshock.alerts.vocabulary import GroupBy, Holds, Severity
from foreshock.detectors.episodes import row_for
from foreshock.vocabulary import QualityKind

_DEFAULT: dict[str, Any] = {each.name: each.default for kind in (Policy, Band, Priority) for each in fields(kind)}
MOST_ROWS = 60  # of n of m: the state has a bit for each, in 64
_WHO = "say who acts on it, for all bands or in each"
_RUNBOOK = "list the steps, for all bands or in each"
_ACTION = "recommend what to do, for all bands or in each"
_RESPOND = 'say how long the owner has: "8h"'
_CHAIN = "list who is told next when nobody answers"


def policy_of(table: Table) -> Policy | None:
    """Read one policy; None where something in it is wrong, which is noted in `table.problems`."""
    noted = len(table.problems)
    name = table.text("name", required="give the policy a name: it stands in every event")
    if "@" in name or any(letter.isspace() for letter in name):
        table.problem("name", f'is "{name}"', "use letters, digits and dashes")
    budgets = {
        "budget_per_asset_month": table.number("budget_per_asset_month", _DEFAULT["budget_per_asset_month"], above=0),
        "budget_per_engineer_week": table.number("budget_per_engineer_week", None, above=0),
        "assets_per_engineer": table.number("assets_per_engineer", None, above=0),
    }
    if budgets["assets_per_engineer"] is not None and budgets["budget_per_engineer_week"] is None:
        table.problem("assets_per_engineer", "is nothing without budget_per_engineer_week", "give both or neither")
    given: dict[str, Any] = {
        "name": name,
        "covers": table.texts("covers"),
        "sites": table.texts("sites"),
        "bands": _bands(table, 1.0 if table.bad else strictest(**budgets)),
        "minimum_effect": _effect(table),
        "refractory_s": table.seconds("refractory", _DEFAULT["refractory_s"]),
        "most_per_hour": table.whole("most_per_hour", _DEFAULT["most_per_hour"], least=1),
        "chattering_per_min": table.whole("chattering_per_min", _DEFAULT["chattering_per_min"], least=2),
        "close_after_s": table.seconds("close_after", _DEFAULT["close_after_s"]),
        "stale_after_s": table.seconds("stale_after", _DEFAULT["stale_after_s"], above=0),
        "realarm_after_s": table.seconds("realarm_after", _DEFAULT["realarm_after_s"], above=0),
        "longest_shelf_s": table.seconds("longest_shelf", _DEFAULT["longest_shelf_s"], above=0),
        "inhibit_on": _kinds(table),
        "parents": _parents(table),
        "page_delayed_s": table.seconds("page_delayed", _DEFAULT["page_delayed_s"]),
        **budgets,
        "windows": _windows(table),
        "priority": _priority(table),
        **_group(table),
    }
    table.done()
    return None if len(table.problems) > noted else Policy(**given)


def _group(table: Table) -> dict[str, Any]:
    """Read whose alerts are one incident; a window without a line would be read by nobody."""
    by = GroupBy(table.word("group_by", [each.value for each in GroupBy], _DEFAULT["group_by"]))
    window_s = table.seconds("group_window", _DEFAULT["group_window_s"], above=0)
    if "group_window" in table.node.value and by is not GroupBy.LINE:
        table.problem("group_window", "is nothing without a line", 'give group_by = "line" as well')
    return {"group_by": by, "group_window_s": window_s}


def _bands(policy: Table, budget: float) -> tuple[Band, ...]:
    """Read the bands; what people do stands in each, or once above them for all."""
    given = set(policy.node.value)
    for_all = {
        "owner": policy.text("owner"),
        "runbook": policy.texts("runbook", required=_RUNBOOK if "runbook" in given else ""),
        "action": policy.text("action"),
        "respond_within_s": policy.seconds("respond_within", None, above=0),
        "escalation": policy.texts("escalation", required=_CHAIN if "escalation" in given else ""),
    }
    bands: list[Band] = []
    for table in policy.tables("bands", required="a policy has at least one band: [[bands]]"):
        band = _band(table, for_all, given, budget)
        _order(table, band, bands)
        bands.append(band)
    return tuple(bands)


def _band(table: Table, for_all: dict[str, Any], given: set[str], budget: float) -> Band:
    row = row_for(budget)
    words = [each.value for each in Severity]
    severity = table.word("severity", words, Severity.WATCH, required=f"one of {', '.join(words)}")
    n = table.whole("n", None, least=1, most=MOST_ROWS)
    m = table.whole("m", None, least=1, most=MOST_ROWS)
    band = Band(
        severity=Severity(severity),
        raise_at=table.number("raise_at", 0.0, above=0, required="give the score at which it begins: raise_at = 1.0"),
        clear_at=table.number("clear_at", 0.0, least=0, required="give the score below which it ends: clear_at = 0.8"),
        on_delay_s=table.seconds("on_delay", row.hold_s),
        off_delay_s=table.seconds("off_delay", _DEFAULT["off_delay_s"]),
        n=n if n is not None else m or row.hold_blocks,
        m=m if m is not None else n or row.hold_blocks,
        trend_at=table.number("trend_at", None, above=0),
        trend_score=table.number("trend_score", _DEFAULT["trend_score"], above=0),
        hypotheses=table.texts("hypotheses"),
        hypothesis_at=table.number("hypothesis_at", None, above=0),
        owner=table.text("owner", required="" if "owner" in given else _WHO) or for_all["owner"],
        runbook=table.texts("runbook", required="" if "runbook" in given else _RUNBOOK) or for_all["runbook"],
        action=table.text("action", required="" if "action" in given else _ACTION) or for_all["action"],
        respond_within_s=table.seconds(
            "respond_within",
            for_all["respond_within_s"] or 0.0,
            above=0,
            required="" if "respond_within" in given else _RESPOND,
        ),
        escalation=table.texts("escalation", required="" if "escalation" in given else _CHAIN) or for_all["escalation"],
    )
    _fit(table, band)
    table.done()
    return band


def _fit(table: Table, band: Band) -> None:
    """Note what in a band cannot be together."""
    if table.bad:
        return
    if band.clear_at >= band.raise_at:
        table.problem(
            "clear_at",
            f"is {band.clear_at:g}, not below raise_at = {band.raise_at:g}",
            "it would clear where it begins",
        )
    if band.n > band.m:
        table.problem("n", f"is {band.n} of the last {band.m}: that is never so", "give n <= m")
    if bool(band.hypotheses) != (band.hypothesis_at is not None):
        missing = "hypothesis_at" if band.hypotheses else "hypotheses"
        given = "hypotheses" if band.hypotheses else "hypothesis_at"
        table.problem(given, f"is nothing without {missing}", "give both or neither")
    elif band.hypothesis_at is not None and not band.clear_at <= band.hypothesis_at < band.raise_at:
        table.problem(
            "hypothesis_at",
            f"is {band.hypothesis_at:g}, not from clear_at = {band.clear_at:g} to below raise_at = {band.raise_at:g}",
            "a hypothesis lets a band begin earlier",
        )
    if band.trend_at is not None and not band.clear_at <= band.trend_score < band.raise_at:
        table.problem(
            "trend_score" if "trend_score" in table.node.value else "trend_at",
            f"holds from a score of {band.trend_score:g}, not from clear_at = {band.clear_at:g} to below "
            f"raise_at = {band.raise_at:g}",
            "give a trend_score between them",
        )


def _order(table: Table, band: Band, before: list[Band]) -> None:
    """Note a band that does not go on from the one before it."""
    if table.bad or not before:
        return
    last = before[-1]
    if any(each.severity is band.severity for each in before):
        table.problem("severity", f"is {say(band.severity.value)} once more", "one band for each severity")
    elif band.severity.rank < last.severity.rank:
        table.problem("severity", f"is {band.severity}, after {last.severity}", "order the bands from info to critical")
    elif band.raise_at <= last.raise_at:
        table.problem(
            "raise_at",
            f"is {band.raise_at:g}, not above {last.raise_at:g} of {last.severity}",
            "a worse band begins at a higher score",
        )


def _effect(policy: Table) -> Effect | None:
    table = policy.table("minimum_effect")
    if table is None:
        return None
    effect = Effect(
        features=table.texts("features"),
        absolute=table.number("absolute", None, above=0),
        relative=table.number("relative", None, above=0),
    )
    if not table.bad and effect.absolute is None and effect.relative is None:
        table.problem("", "has no amount", "give absolute (in the feature's unit) or relative (0.1 is ten percent)")
    table.done()
    return effect


def _kinds(policy: Table) -> tuple[str, ...]:
    found = policy.texts("inhibit_on")
    for kind in found:
        if kind not in set(QualityKind):
            policy.problem("inhibit_on", f'has "{kind}"', hint(kind, list(QualityKind)))
    default: tuple[str, ...] = _DEFAULT["inhibit_on"]
    return found if "inhibit_on" in policy.node.value else default


def _parents(policy: Table) -> tuple[tuple[str, str], ...]:
    table = policy.table("parents")
    if table is None:
        return ()
    found = {child: table.text(child) for child in table.node.value}
    for child, parent in found.items():
        seen, at = [child], parent
        while at and at not in seen:
            seen.append(at)
            at = found.get(at, "")
        if child != parent and matches([child], parent):
            table.problem(child, f"holds for its own parent {parent}", "name the children more closely")
        if at == child == min(seen):  # told once, though each of the circle sees it
            table.problem(child, f"is its own parent: {' -> '.join([*seen, child])}", "a parent stands above its child")
    return _specific_first(found)


def _specific_first(found: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Order patterns so that the first match is the closest one: without wildcards first, then the longest."""
    return tuple(sorted(found.items(), key=lambda each: (any(c in each[0] for c in "*?["), -len(each[0]), each[0])))


def _windows(policy: Table) -> tuple[Window, ...]:
    windows: list[Window] = []
    for table in policy.tables("windows"):
        window = _window(table)
        if any(each.name == window.name for each in windows):
            table.problem("name", f'is "{window.name}" once more', "give each window a name of its own")
        windows.append(window)
    return tuple(windows)


def _window(table: Table) -> Window:
    window = Window(
        name=table.text("name", required="say what it is for: it stands in what it suppresses"),
        holds=Holds(table.word("holds", [each.value for each in Holds], Holds.BOTH)),
        lines=table.texts("lines"),
        starts_ns=table.moment("starts"),
        ends_ns=table.moment("ends"),
        weekdays=_weekdays(table),
    )
    day, until, offset = table.clock("from"), table.clock("to"), table.offset("utc_offset")
    once, weekly = {"starts", "ends"}, {"weekdays", "from", "to", "utc_offset"}
    given = set(table.node.value)
    if not table.bad and bool(once & given) == bool(weekly & given):
        table.problem("", "is neither once nor weekly", "give starts and ends, or weekdays, from, to and utc_offset")
    elif not table.bad and (lacks := sorted((once if once & given else weekly) - given)):
        table.problem(
            "", f"lacks {', '.join(lacks)}", "give " + ("both ends" if once & given else "all four of a weekly one")
        )
    elif window.starts_ns is not None and window.ends_ns is not None and window.ends_ns <= window.starts_ns:
        table.problem("ends", "is not after starts", "exchange them")
    elif day is not None and day == until:
        table.problem("to", "is the same as from", "from 00:00 to 24:00 is a whole day")
    table.done()
    return replace(window, from_s=day or 0, to_s=until or 0, utc_offset_s=offset or 0)


def _weekdays(table: Table) -> tuple[int, ...]:
    value = table.given("weekdays")
    if value is None:
        return ()
    found = set()
    for day in value if isinstance(value, list) and value else [value]:
        if isinstance(day, str) and day in WEEKDAYS:
            found.add(WEEKDAYS.index(day))
        elif isinstance(day, int) and not isinstance(day, bool) and 0 <= day <= 6:
            found.add(day)
        else:
            table.problem("weekdays", f"has {say(day)}", f"{', '.join(WEEKDAYS)}, or 0 (Monday) to 6")
    return tuple(sorted(found))


def _priority(policy: Table) -> Priority:
    table = policy.table("priority")
    if table is None:
        return Priority()
    days = table.table("lead_days")
    names = ("severity", "criticality", "spares_lead_days", "running_production")
    cuts = table.given("cuts")
    if cuts is None:
        cuts = _DEFAULT["cuts"]
    elif not isinstance(cuts, list) or [type(each) in {int, float} for each in cuts] != [True] * 3:
        table.problem(
            "cuts",
            f"is {say(cuts)}" if not isinstance(cuts, list) else "is no list of three numbers",
            "three sums, where priorities 1, 2 and 3 end",
        )
    elif not cuts[0] > cuts[1] > cuts[2]:
        table.problem(
            "cuts", f"does not go down: {', '.join(f'{each:g}' for each in cuts)}", "priority 1 has the largest sum"
        )
    priority = Priority(
        **{name: table.number(name, _DEFAULT[name], least=0) for name in names},
        lead_days=_specific_first({key: days.number(key, 0.0, least=0) for key in days.node.value}) if days else (),
        cuts=tuple(map(float, cuts)) if not table.bad else (),
    )
    table.done()
    return priority
