"""The section `[classes]`: files of classes of machines, and tables `[classes.NAME]` that are one each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from foreshock.alerts.documents import NotADocument, read
from foreshock.alerts.fields import Problem
from foreshock.classes.model import AssetClass
from foreshock.classes.reading import Found, classes_of_tables
from foreshock.classes.sources import read_classes
from foreshock.settings_sources import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSettings:
    """Files and directories of classes; they and the tables stand before the classes that ship."""

    files: tuple[str, ...] = ()
    own: tuple[Found, ...] = field(default=(), metadata={"tables": True})  # as `[classes.NAME]` gives them

    def read(self) -> Mapping[str, AssetClass]:
        """Read all classes that hold, by name.

        Raises
        ------
        FilesRejected
            With everything that is wrong in the files.
        """
        return _read(self.files, self.own)


@cache
def _read(files: tuple[str, ...], own: tuple[Found, ...]) -> Mapping[str, AssetClass]:
    """Read them once: a process goes by what it found when it first looked."""
    return read_classes(files, own)


def is_table(item: Given) -> bool:
    """Whether something that was given is of a table `[classes.NAME]`."""
    return item.section == "classes" and "." in item.key


def tables(path: Path | None, problems: list[str]) -> tuple[Found, ...]:
    """Read the tables of a settings file that is valid TOML; what is wrong in them is noted with its line."""
    path = path or Path("foreshock.toml")
    if not path.exists():
        return ()
    noted: list[Problem] = []
    try:
        node = read(f"{path}.toml", path.read_text(encoding="utf-8")).value.get("classes")
    except NotADocument as exc:
        problems.append(str(Problem(str(path), exc.line, "", str(exc), "")))
        return ()
    found = classes_of_tables(str(path), node, noted) if node is not None and isinstance(node.value, dict) else []
    problems += map(str, noted)
    return tuple(found)
