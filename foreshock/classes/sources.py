"""Where classes come from: those that ship, files, and tables of the settings; a nearer one takes the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foreshock.alerts.fields import FilesRejected, Problem, hint
from foreshock.classes.model import AssetClass
from foreshock.classes.reading import Found, class_of_text
from foreshock.policies import texts


@cache
def shipped() -> Mapping[str, AssetClass]:
    """Read the classes that ship with the product, by name.

    Raises
    ------
    FilesRejected
        They were changed to something that is no class.
    """
    folder = package_files("foreshock.classes") / "shipped"
    named = sorted(
        (each.name, each.read_text(encoding="utf-8")) for each in folder.iterdir() if each.name[-5:] == ".toml"
    )
    problems: list[Problem] = []
    found = [class_of_text(name, text, problems) for name, text in named]
    if problems:
        raise FilesRejected(problems)
    return MappingProxyType({each.kind.name: each.kind for each in found if each is not None})


def read_classes(paths: Sequence[str | Path] = (), own: Iterable[Found] = ()) -> Mapping[str, AssetClass]:
    """Read all classes that hold: those that ship, and the user's, which stand before them.

    Parameters
    ----------
    paths
        Files of one class each, and directories of them.
    own
        Those of the settings.

    Raises
    ------
    FilesRejected
        With everything that is wrong in all files.
    """
    problems: list[Problem] = []
    read = [class_of_text(str(path), text, problems) for path, text in texts(paths, problems)]
    users: dict[str, Found] = {}
    for each in (*own, *(found for found in read if found is not None)):
        before = users.setdefault(each.kind.name, each)
        if before is not each:
            wrong = f'is "{each.kind.name}" as in {before.file}:{before.line}'
            problems.append(Problem(each.file, each.line, "name", wrong, "give each class a name of its own"))
    found = {**shipped(), **{name: _whole(each, users, problems) for name, each in users.items()}}
    if problems:
        raise FilesRejected(problems)
    return MappingProxyType({name: found[name] for name in sorted(found)})


def _whole(found: Found, users: Mapping[str, Found], problems: list[Problem]) -> AssetClass:
    """Give a class with what the classes that it extends have beyond it; one of its own name is the one that ships."""
    made, seen = found.kind, [found.kind.name]
    base = made.extends
    while base:
        ships = base in seen[-1:] or base not in users
        below = shipped().get(base) if ships else users[base].kind
        if below is None or (base in seen and not ships):
            wrong = f"extends itself: {' -> '.join([*seen, base])}" if below else f'extends "{base}", which is no class'
            fix = "let one of them stand by itself" if below else hint(base, sorted({*users, *shipped()}))
            problems.append(Problem(found.file, found.line, found.kind.name, wrong, fix))
            return found.kind
        made = _over(made, below)
        seen.append(base)
        base = "" if ships else below.extends
    return made


def _over(kind: AssetClass, base: AssetClass) -> AssetClass:
    """Complete a class by another: single fields and lists that it does not have, defaults of points behind its own."""
    defaults = {each.name: each.default for each in fields(AssetClass)}
    taken: dict[str, Any] = {
        name: getattr(base, name)
        for name, default in defaults.items()
        if name not in {"name", "extends", "points"} and getattr(kind, name) == default
    }
    if any(getattr(kind, name) for name in ("shafts", "bearings", "gears", "impellers")):
        taken = {name: each for name, each in taken.items() if name not in {"shafts", "bearings", "gears", "impellers"}}
    return replace(kind, **taken, points=(*kind.points, *base.points))
