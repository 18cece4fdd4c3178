"""Where settings come from: the file with its line numbers, the environment, the flags. What they mean is in `settings`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from foreshock.errors import ConfigurationError


class Given(NamedTuple):
    """One value that somebody gave: where, under which section and key."""

    place: str
    section: str
    key: str
    value: Any


def is_property(section: str, key: str) -> bool:
    """Say whether a key is a librdkafka property."""
    return section == "kafka" and key != "bootstrap"


def from_file(path: Path | None, sections: Collection[str]) -> Iterator[Given]:
    """Give what the file says; None: ``foreshock.toml`` in the working directory, if there is one."""
    explicit, path = path is not None, path or Path("foreshock.toml")
    if not explicit and not path.exists():
        return
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path}: cannot be read: {exc}") from None
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{path}: not valid TOML: {exc}") from None
    lines = _line_numbers(text)
    for section, content in document.items():
        if not isinstance(content, dict):
            yield Given(f"{path}:{lines.get(section, 1)}", "", section, content)
            continue
        if not content and section not in sections:
            yield Given(f"{path}:{lines.get(section, 1)}", section, "", None)
        for key, value in _flatten(content):
            yield Given(f"{path}:{lines.get(f'{section}.{key}', lines.get(section, 1))}", section, key, value)


def from_env(env: Mapping[str, str], sections: Collection[str], problems: list[str]) -> Iterator[Given]:
    """Give what the environment says; names that were meant for us and cannot be read are appended to `problems`."""
    for name in sorted(env):
        if not name.startswith("FORESHOCK_"):
            continue
        section, separator, key = name.removeprefix("FORESHOCK_").lower().partition("__")
        if separator:
            yield Given(name, section, key.replace("_", ".") if is_property(section, key) else key, env[name])
            continue
        guess, _, rest = section.partition("_")
        if guess in sections and rest:  # FORESHOCK_DATA and the like belong to others; this one was meant for us
            problems.append(f"{name}: unknown setting; write FORESHOCK_{guess.upper()}__{rest.upper()}")


def from_flags(flags: Mapping[str, Any]) -> Iterator[Given]:
    """Give what the flags say; a value of None was not given."""
    for name, value in flags.items():
        if value is not None:
            section, _, key = name.partition(".")
            yield Given(f"flag {name}", section, key, value)


def _flatten(content: Mapping[str, Any], parents: str = "") -> Iterator[tuple[str, Any]]:
    """Give dotted names: in TOML ``sasl.username = ...`` is a table `sasl` in a table."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{parents}{key}.")
        else:
            yield f"{parents}{key}", value


def _line_numbers(text: str) -> dict[str, int]:
    """Find the line of each table and key of a TOML text; tomllib does not tell."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        entry = re.match(r"\s*([\w\-.\"' ]+?)\s*=", line)
        if header:
            table = _bare(header[1]) + "."
            found.setdefault(table.split(".")[0], number)
            found.setdefault(table.removesuffix("."), number)
        elif entry:
            name = table + _bare(entry[1])
            found.setdefault(name.split(".")[0], number)
            found.setdefault(name, number)
    return found


def _bare(key: str) -> str:
    return re.sub(r"[\"'\s]", "", key)
