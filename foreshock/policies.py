"""Reads the files of policies: what they mean is in `foreshock/alerts/files.py`, which does no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from foreshock.alerts.fields import FilesRejected, Problem
from foreshock.alerts.files import load
from foreshock.alerts.policy import Policy

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
    texts: list[tuple[str, str]] = []
    for path in files_of(paths, problems):
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as exc:
            problems.append(Problem(str(path), 0, "", f"cannot be read: {getattr(exc, 'strerror', None) or exc}", ""))
    try:
        policies = load(texts)
    except FilesRejected as exc:
        raise FilesRejected([*problems, *exc.problems]) from None
    if problems:
        raise FilesRejected(problems)
    return policies


def files_of(paths: Iterable[str | Path], problems: list[Problem]) -> list[Path]:
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
