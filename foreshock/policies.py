"""Reads the files of policies and of their tests: what they mean is in `foreshock/alerts`, which does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from foreshock.alerts.fields import FilesRejected, Problem
from foreshock.alerts.files import load
from foreshock.alerts.policy import Policy
from foreshock.alerts.trial.case import Case, load_case

ENDS = frozenset({".toml", ".yaml", ".yml"})


def read_policies(paths: Iterable[str | Path]) -> tuple[Policy, ...]:
    """Read policies.

    Parameters
    ----------
    paths
        Files, and directories of which every `.toml`, `.yaml` and `.yml` file counts, but not what is in folders below.

    Raises
    ------
    FilesRejected
        With everything that is wrong: a place that cannot be read, a directory without policies, and every problem of
        every file.
    """
    problems: list[Problem] = []
    found = texts(paths, problems)
    try:
        policies = load((str(path), text) for path, text in found)
    except FilesRejected as exc:
        problems += exc.problems
    if problems:
        raise FilesRejected(problems)
    return policies


def read_cases(paths: Iterable[str | Path]) -> list[Case]:
    """Read tests of policies, each with the policy that it names by a path from its own place.

    Raises
    ------
    FilesRejected
        With everything that is wrong in all of them.
    """
    problems: list[Problem] = []
    cases: list[Case] = []
    for path, text in texts(paths, problems):
        try:
            cases.append(load_case(str(path), text, _beside(path)))
        except FilesRejected as exc:
            problems += exc.problems
    if problems:
        raise FilesRejected(problems)
    return cases


def _beside(path: Path) -> Callable[[str], str]:
    return lambda name: (path.parent / name).read_text(encoding="utf-8")


def texts(paths: Iterable[str | Path], problems: list[Problem]) -> list[tuple[Path, str]]:
    """Read the files at some places, those of a directory in the order of their names; what cannot be read is noted."""
    found: list[tuple[Path, str]] = []
    for path in _files(paths, problems):
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as exc:
            problems.append(Problem(str(path), 0, "", f"cannot be read: {getattr(exc, 'strerror', None) or exc}", ""))
    return found


def _files(paths: Iterable[str | Path], problems: list[Problem]) -> list[Path]:
    """Files at some places, those of a directory in the order of their names."""
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix in ENDS and each.is_file())
        if not inside:
            problems.append(Problem(str(path), 0, "", "has no .toml, .yaml or .yml file", "name another directory"))
        found += inside
    return found
