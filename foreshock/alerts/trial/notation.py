"""The short notation of policy tests: series of scores, times, and lines of "TIME WORD ...". Pure text to values."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from foreshock.alerts.fields import seconds_of

NS = 1_000_000_000
_MOST_ROWS = 200_000
_TOKEN = re.compile(
    r"(?P<first>-|\?|\d+(?:\.\d+)?)(?:\.\.(?P<last>\d+(?:\.\d+)?))?(?:x(?P<times>\d+)|x(?P<span>\d+(?:\.\d+)?(?:min|[smhd])))?"
)


class Unreadable(Exception):
    """The text is not in the notation; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a measuring point. `value` is None for one that was not scored."""

    at_ns: int  # since the start of the test
    value: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `when` or `expect`."""

    at_ns: int
    word: str
    words: tuple[str, ...]  # those after it, without a "="
    given: tuple[tuple[str, str], ...]  # those with one

    def get(self, name: str, default: str = "") -> str:
        """Text of `name=...`."""
        return dict(self.given).get(name, default)


def series(text: str, every_ns: int) -> tuple[Row, ...]:
    """Rows of a series: "0.2x10 0.9..1.4x5 ?x2 -x3 1.5x10m".

    A number with a count is repeated, or for as long as a time says; two numbers with `..` between them are a straight
    line over the rows; `?` is a row that was not scored, `-` a row that did not come.

    Raises
    ------
    Unreadable
        A word is none of these, or there are more than 200,000 rows.
    """
    rows: list[Row] = []
    number = 0
    for token in text.split():
        found = _TOKEN.fullmatch(token)
        if found is None or (found["last"] and found["first"] in {"-", "?"}):
            raise Unreadable(f'"{token}" is no part of a series; write 0.2x10, 0.2..0.9x5, 0.2x10m, ?x3 or -x3')
        times = int(found["times"] or 1)
        if found["span"]:
            times = round((seconds_of(found["span"]) or 0.0) * NS / every_ns)
        if number + times > _MOST_ROWS:
            raise Unreadable(f"a series has at most {_MOST_ROWS} rows")
        if found["first"] != "-":
            values = (_value(found["first"], found["last"], place, times) for place in range(times))
            rows += [Row((number + place) * every_ns, value) for place, value in enumerate(values)]
        number += times
    return tuple(rows)


def _value(first: str, last: str | None, place: int, times: int) -> float | None:
    if first == "?":
        return None
    if last is None or times == 1:
        return float(first)
    return round(float(first) + (float(last) - float(first)) * place / (times - 1), 9)


def line(text: str) -> Line:
    """Read "10m shelve for=2h by=anna reason='belt is changed'".

    Raises
    ------
    Unreadable
        It does not begin with a time and a word.
    """
    try:
        parts = shlex.split(text)
    except ValueError as exc:
        raise Unreadable(f'"{text}" cannot be read: {exc}') from None
    at = span(parts[0]) if parts else None
    if at is None or len(parts) < 2:
        raise Unreadable(f'"{text}" does not begin with a time and a word, as in "10m raised watch"')
    given = tuple((each.partition("=")[0], each.partition("=")[2]) for each in parts[2:] if "=" in each)
    return Line(at, parts[1], tuple(each for each in parts[2:] if "=" not in each), given)


def span(text: str) -> int | None:
    """Nanoseconds of a time since the start: "90s", "1m30s", "0"; None where it is none."""
    seconds = 0.0 if text == "0" else seconds_of(text)
    return None if seconds is None or seconds < 0 else round(seconds * NS)


def clock(at_ns: int) -> str:
    """A time since the start as the notation has it: "1h2m5s"."""
    seconds, rest = divmod(at_ns, NS)
    parts = [f"{seconds // size}{unit}" for size, unit in ((86400, "d"),) if seconds >= size]
    for size, above, unit in ((3600, 86400, "h"), (60, 3600, "m")):
        if seconds % above // size:
            parts.append(f"{seconds % above // size}{unit}")
    left = seconds % 60 + rest / NS
    return "".join(parts) + (f"{left:g}s" if left or not parts else "")
