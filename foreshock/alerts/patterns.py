"""Glob patterns of policies, on names and on places in the plant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a name matches one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def on_path(patterns: Iterable[str], path: Sequence[str]) -> bool:
    """Whether a place lies at or below one of the places that the patterns name.

    `acme/hamburg` holds for everything in Hamburg, `*/line-3` for every line 3 and all that stands on it.
    """
    text = "/".join(path)
    return any(fnmatchcase(text, pattern) or fnmatchcase(text, f"{pattern}/*") for pattern in patterns)


def may_meet(first: str, second: str) -> bool:
    """Whether some place can be at or below what both patterns name. Character sets count as any character."""
    return any(
        _meet(_parts(one), _parts(other))
        for one in (first, f"{first}/*")
        for other in (second, f"{second}/*")
    )  # fmt: skip


def _parts(pattern: str) -> str:
    """Give the pattern with each character set as a question mark."""
    found, at = [], 0
    while at < len(pattern):
        end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
        found.append("?" if end > 0 else pattern[at])
        at = end + 1 if end > 0 else at + 1
    return "".join(found)


def _meet(first: str, second: str) -> bool:
    """Whether some text matches both; table over the prefixes of both, as for the distance of two words."""
    row = [True]
    for letter in second:
        row.append(row[-1] and letter == "*")
    for one in first:
        below = [row[0] and one == "*"]
        for number, other in enumerate(second, start=1):
            if one == "*" or other == "*":
                below.append(row[number] or below[-1] or (row[number - 1]))
            else:
                below.append(row[number - 1] and (one == other or "?" in {one, other}))
        row = below
    return row[-1]
