"""Reading the keys of a table with their types and limits; what is wrong is noted with its place, and reading goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from difflib import get_close_matches
from typing import Any

from foreshock.alerts.documents import Node
from foreshock.errors import ConfigurationError

LONGEST_S = 3.2e8  # ten years: nanoseconds stay far below 2^63
DAY_S = 86400
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?(min|[smhd])")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file."""

    file: str
    line: int  # 0: the file as a whole
    key: str
    wrong: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.key} " if self.key else ""
        return f"{place}: {subject}{self.wrong}" + (f"; {self.fix}" if self.fix else "")


class FilesRejected(ConfigurationError):
    """Files of policies, or of their tests, are not as they must be; `problems` holds all that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def seconds_of(text: str) -> float | None:
    """Seconds of a duration ("90s", "5m", "1h30m", "2d"); None where it is none."""
    compact = text.strip().removeprefix("-")
    found = list(_SPAN.finditer(compact))
    if not found or "".join(part[0] for part in found) != compact:
        return None
    total = sum(float(part[1]) * _UNITS[part[2]] for part in found)
    return -total if text.strip().startswith("-") else total


@dataclass(slots=True)
class Table:
    """One table of a file. Each method reads one key; a problem gives the default, and the table counts as `bad`."""

    file: str
    node: Node
    where: str
    problems: list[Problem]
    known: list[str] = field(default_factory=list)
    bad: bool = False

    def line(self, key: str) -> int:
        """Line of a key; that of the table where the key is not given."""
        found = self.node.value.get(key)
        return found.line if found is not None else self.node.line

    def problem(self, key: str, wrong: str, fix: str = "") -> None:
        """Note that a key is wrong."""
        self.bad = True
        name = f"{self.where}.{key}" if self.where and key else self.where or key
        self.problems.append(Problem(self.file, self.line(key), name, wrong, fix))

    def given(self, key: str) -> Any:
        """Value of a key without lines; None where it is not given."""
        if key not in self.known:
            self.known.append(key)
        found = self.node.value.get(key)
        return None if found is None else found.plain()

    def done(self) -> bool:
        """Note the keys that nobody asked for; say whether the table is sound."""
        for key in self.node.value:
            if key not in self.known:
                self.problem(key, "is no key here", hint(key, self.known))
        return not self.bad

    def text(self, key: str, *, required: str = "") -> str:
        """Read a text; `required` says what is missing without it."""
        value = self.given(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is not None:
            self.problem(key, f"is {say(value)}", "give a text in quotes")
        elif required:
            self.problem(key, "is missing", required)
        return ""

    def texts(self, key: str, *, required: str = "") -> tuple[str, ...]:
        """Read a list of texts; one text alone counts as a list of one."""
        value = self.given(key)
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value):
            if value or not required:
                return tuple(each.strip() for each in value)
            self.problem(key, "is empty", required)
        elif value is not None:
            self.problem(key, f"is {say(value)}", 'give a list of texts: ["...", "..."]')
        elif required:
            self.problem(key, "is missing", required)
        return ()

    def number(
        self, key: str, default: Any, *, least: float = -math.inf, above: float = -math.inf, required: str = ""
    ) -> Any:
        """Read a number; the default where it is not given or wrong."""
        value = self.given(key)
        if value is None:
            if required:
                self.problem(key, "is missing", required)
            return default
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.problem(key, f"is {say(value)}", "give a number, without quotes")
        elif value < least or value <= above:
            self.problem(
                key, f"is {value:g}", f"give at least {least:g}" if value < least else f"give more than {above:g}"
            )
        else:
            return float(value)
        return default

    def whole(self, key: str, default: Any, *, least: int, most: int = 2**53) -> Any:
        """Read a whole number from `least` to `most`."""
        value = self.given(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        limits = f"of at least {least}" if most == 2**53 else f"from {least} to {most}"
        self.problem(key, f"is {say(value)}", f"give a whole number {limits}")
        return default

    def seconds(self, key: str, default: Any, *, above: float = -1.0, required: str = "") -> Any:
        """Read a duration: "30s", "5m", "2h", "1d", or a number of seconds."""
        value = self.given(key)
        if value is None:
            if required:
                self.problem(key, "is missing", required)
            return default
        number = seconds_of(value) if isinstance(value, str) else value
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            self.problem(key, f"is {say(value)}", 'give a time: "30s", "5m", "2h", "1d", or a number of seconds')
        elif number < 0:
            self.problem(key, f"is {say(value)}", "a time cannot be negative")
        elif number <= above or number > LONGEST_S:
            self.problem(
                key,
                f"is {say(value)}",
                "give more than 0 s and at most ten years" if above == 0 else "give at most ten years",
            )
        else:
            return float(number)
        return default

    def word(self, key: str, words: Sequence[str], default: str = "", *, required: str = "") -> str:
        """Read one of a closed set of words."""
        value = self.given(key)
        if value is None:
            if required:
                self.problem(key, "is missing", required)
            return default
        if isinstance(value, str) and value in words:
            return value
        self.problem(
            key, f"is {say(value)}", hint(value, words) if isinstance(value, str) else f"known: {', '.join(words)}"
        )
        return default

    def table(self, key: str) -> Table | None:
        """Read a table within this one; None where it is not given or none."""
        if self.given(key) is None:
            return None
        node = self.node.value[key]
        if isinstance(node.value, dict):
            return Table(self.file, node, f"{self.where}.{key}" if self.where else key, self.problems)
        self.problem(key, f"is {say(node.plain())}", f"give a table: [{key}]")
        return None

    def tables(self, key: str, *, required: str = "") -> Iterator[Table]:
        """Read a list of tables."""
        value = self.given(key)
        nodes = self.node.value[key].value if value is not None else None
        if not nodes:
            if required:
                self.problem(key, "is missing" if value is None else "is empty", required)
            return
        if not isinstance(nodes, list) or not all(isinstance(each.value, dict) for each in nodes):
            self.problem(key, f"is {say(value)}", f"give each as a table: [[{key}]]")
            return
        for number, node in enumerate(nodes, start=1):
            yield Table(
                self.file, node, f"{self.where}.{key}[{number}]" if self.where else f"{key}[{number}]", self.problems
            )

    def moment(self, key: str) -> int | None:
        """Read a time with its offset from UTC, as nanoseconds of UTC."""
        value = self.given(key)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            found = None
        if not isinstance(found, datetime):
            self.problem(key, f"is {say(value)}", "give a time: 2026-05-01T06:00:00Z")
        elif found.tzinfo is None:
            self.problem(
                key, f"is {say(value)} without an offset from UTC", f"say where: {found.isoformat()}+02:00, or Z"
            )
        else:
            since = found - datetime(1970, 1, 1, tzinfo=UTC)
            return (since.days * DAY_S + since.seconds) * 1_000_000_000 + since.microseconds * 1000
        return None

    def clock(self, key: str) -> int | None:
        """Read a time of day, as seconds since midnight; 24:00 is the end of the day."""
        value = self.given(key)
        if isinstance(value, time):
            return value.hour * 3600 + value.minute * 60 + value.second
        found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        seconds = (
            sum(int(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1), strict=True))
            if found
            else None
        )
        if seconds is not None and seconds <= DAY_S:
            return seconds
        if value is not None:
            self.problem(key, f"is {say(value)}", 'give a time of day in quotes: "06:00"')
        return None

    def offset(self, key: str) -> int | None:
        """Read an offset from UTC, as seconds."""
        value = self.given(key)
        if value in {"Z", "z"}:
            return 0
        found = _OFFSET.fullmatch(value) if isinstance(value, str) else None
        if found:
            return (int(found[2]) * 3600 + int(found[3]) * 60) * (-1 if found[1] == "-" else 1)
        if value is not None:
            self.problem(key, f"is {say(value)}", 'give an offset from UTC: "+02:00", or "Z"')
        return None


def say(value: Any) -> str:
    """Name a value in a message, with its kind where that is the point."""
    if isinstance(value, str):
        return f'"{value}"' if value.strip() else "an empty text"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return f"{value:g}" if isinstance(value, float) else str(value)


def hint(word: str, known: Collection[str]) -> str:
    """Say what may have been meant."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
