"""A class from its document: strict, and all that is wrong is noted with file and line."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, replace
from typing import Any, NamedTuple, TypeVar

from foreshock.alerts.documents import Node, NotADocument, read
from foreshock.alerts.fields import Problem, Table, hint, say
from foreshock.classes.completing import GEOMETRY
from foreshock.classes.model import AssetClass, PointDefaults, ZoneRow
from foreshock.machine_checks import misfits
from foreshock.machines import Asset, Band, Bearing, Gear, Impeller, Limit, MeasuringPoint, Shaft, Zones
from foreshock.units import QUANTITIES

SEVERITIES = ("watch", "warning", "critical")
SUPPORTS = ("rigid", "flexible")
NEEDS = ("support", "power_group", "rated_speed_hz", "rated_power_w", *GEOMETRY, "points")
_NAME = "name it as the assets do in asset_class"
_PARTS: Mapping[str, type[Any]] = {"shafts": Shaft, "bearings": Bearing, "gears": Gear, "impellers": Impeller}
_Record = TypeVar("_Record")


class Found(NamedTuple):
    """A class, and where it stands."""

    file: str
    line: int
    kind: AssetClass


def class_of_text(file: str, text: str, problems: list[Problem]) -> Found | None:
    """Read the class of a file; None where `problems` were added."""
    try:
        document = read(file, text)
    except NotADocument as exc:
        problems.append(Problem(file, exc.line, "", str(exc), ""))
        return None
    noted: list[Problem] = []
    found = class_of(Table(file, document, "", noted))
    problems += sorted(noted, key=lambda each: each.line)
    return found


def classes_of_tables(file: str, node: Node, problems: list[Problem]) -> list[Found]:
    """Read the tables `[classes.NAME]` of a settings file; `files` beside them is no class."""
    noted: list[Problem] = []
    named = [(name, each) for name, each in node.value.items() if isinstance(each.value, dict)]
    found = [class_of(Table(file, each, f"classes.{name}", noted), name) for name, each in named]
    problems += sorted(noted, key=lambda each: each.line)
    return [each for each in found if each is not None]


def class_of(table: Table, name: str = "") -> Found | None:
    """Read a class of a table; None where problems were added.

    Parameters
    ----------
    name
        What it is called, where the table stands under that name; "": the table says so itself.
    """
    before = len(table.problems)
    places: dict[str, Table] = {"": table}
    given: dict[str, Any] = {
        "name": name or table.text("name", required=_NAME),
        "meaning": table.text("meaning"),
        "extends": table.text("extends"),
        "needs": _words(table, "needs", NEEDS),
        "support": table.word("support", SUPPORTS),
        "power_group": table.text("power_group"),
        "rated_speed_hz": table.number("rated_speed_hz", None, above=0),
        "rated_power_w": table.number("rated_power_w", None, above=0),
        "warmup_blocks": table.whole("warmup_blocks", None, least=1),
        "warmup_s": table.seconds("warmup", None),
        **{key: _records(table, key, kind, places) for key, kind in _PARTS.items()},
    }
    given["points"] = tuple(
        _point(each, f"points[{number}]", places) for number, each in enumerate(table.tables("points"))
    )
    table.done()
    if len(table.problems) > before:
        return None
    _fit(given, places)
    return Found(table.file, table.node.line, AssetClass(**given)) if len(table.problems) == before else None


def _point(table: Table, place: str, places: dict[str, Table]) -> PointDefaults:
    places[place] = table
    made = PointDefaults(
        quantities=_words(table, "quantities", QUANTITIES, required='say of what: ["acceleration", "velocity"]'),
        features=table.texts("features"),
        bands=_records(table, "bands", Band, places, place),
        limits=tuple(_limit(each) for each in table.tables("limits")),
        zones=tuple(_zone_row(each, f"{place}.zones[{n}]", places) for n, each in enumerate(table.tables("zones"))),
    )
    table.done()
    return made


def _limit(table: Table) -> Limit:
    made = Limit(
        feature=table.text("feature", required='name a feature or a tag: "rms"'),
        above=table.number("above", None),
        below=table.number("below", None),
        severity=table.word("severity", SEVERITIES, "warning"),
    )
    if table.done() and made.above is None and made.below is None:
        table.problem("", "has neither above nor below", "give one of them, in SI")
    return made


def _zone_row(table: Table, place: str, places: dict[str, Table]) -> ZoneRow:
    places[place] = table
    group, support = table.text("power_group"), table.word("support", SUPPORTS)
    return ZoneRow(zones=_record(table, Zones), power_group=group, support=support)


def _fit(given: Mapping[str, Any], places: Mapping[str, Table]) -> None:
    """Note which parts cannot be, or do not fit each other, by the rules for assets."""
    for misfit in misfits(Asset(asset=given["name"], **{key: given[key] for key in GEOMETRY})):
        _note(misfit.place, misfit.sentence, misfit.fix, places)
    for number, point in enumerate(given["points"]):
        place = f"points[{number}]"
        bare = MeasuringPoint(point=place, quantity="", unit="")
        trials = [(place, replace(bare, bands=point.bands, features=point.features))]
        trials += [(f"{place}.zones[{n}]", replace(bare, zones=row.zones)) for n, row in enumerate(point.zones)]
        for inside, trial in trials:
            for misfit in misfits(Asset(asset=given["name"], points=(trial,))):
                rest = misfit.place.removeprefix("points[0].").removeprefix("zones.")
                _note(f"{inside}.{rest}", misfit.sentence, misfit.fix, places)


def _note(place: str, sentence: str, fix: str, places: Mapping[str, Table]) -> None:
    """Note it at the closest table that the place is in."""
    inside, key = place, ""
    while inside not in places:
        inside, _, last = inside.rpartition(".")
        key = f"{last}.{key}".rstrip(".")
    plain = key.partition("[")[0]
    table = places[inside]
    table.problem(plain if plain in table.node.value else "", f"does not fit: {sentence}", fix)


def _records(
    table: Table, key: str, kind: type[_Record], places: dict[str, Table], where: str = ""
) -> tuple[_Record, ...]:
    made = []
    for number, each in enumerate(table.tables(key)):
        places[f"{where}.{key}[{number}]".lstrip(".")] = each
        made.append(_record(each, kind))
    return tuple(made)


def _record(table: Table, kind: type[_Record]) -> _Record:
    """Read a record of plain fields by their declared types."""
    declared: Any = kind
    hints = typing.get_type_hints(declared)
    made = kind(**{each.name: _value(table, each, hints[each.name]) for each in fields(declared)})
    table.done()
    return made


def _value(table: Table, each: Field[Any], kind: Any) -> Any:
    required = f"give {each.name}" if each.default is MISSING else ""
    default = {str: "", float: 0.0, int: 0, bool: False}[kind] if required else each.default
    if kind is str:
        return table.text(each.name, required=required) or default
    if kind is float:
        return table.number(each.name, default, required=required)
    value = table.given(each.name)
    if value is None:
        if required:
            table.problem(each.name, "is missing", required)
        return default
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    table.problem(each.name, f"is {say(value)}", "give true or false" if kind is bool else "give a whole number")
    return default


def _words(table: Table, key: str, known: Iterable[str], *, required: str = "") -> tuple[str, ...]:
    words = tuple(known)
    found = table.texts(key, required=required)
    for word in found:
        if word not in words:
            table.problem(key, f'has "{word}"', hint(word, words))
    return found
