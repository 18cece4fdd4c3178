"""TOML and YAML text to a tree in which every value knows its line, so that an error can name its place.

Of YAML this takes the plain part that maps to JSON: no tags, no anchors, and words as YAML 1.2 reads them (`off` is a
word, `22:00` is no number). Nothing is constructed from the text but dicts, lists, texts, numbers, booleans and null.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml

Path = tuple[str | int, ...]

DEEPEST = 20
LONGEST = 200_000
_BARE_END = re.compile(r"[,\]}\n#]|\Z")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_KEY = re.compile(r"[ \t]*(?:([A-Za-z0-9_-]+)|(\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'))[ \t]*")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document: dict of nodes, list of nodes, or a plain value; and the line where it begins."""

    value: Any
    line: int

    def plain(self) -> Any:
        """Give the value without the lines."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, each in self.value.items()}
        return [each.plain() for each in self.value] if isinstance(self.value, list) else self.value


class NotADocument(Exception):
    """The text is not valid in its language. `line` is 0 where it is not known."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def read(name: str, text: str) -> Node:
    """Read a document; the end of its name says in which language it is.

    Parameters
    ----------
    name
        Name of the file: `.toml`, `.yaml` or `.yml`.
    text
        What is in it.

    Raises
    ------
    NotADocument
        It is in neither language, not valid in the one that its name says, or far too large.
    """
    if len(text) > LONGEST:
        raise NotADocument(0, f"longer than {LONGEST} characters")
    if name.endswith(".toml"):
        return _toml(text)
    if name.endswith((".yaml", ".yml")):
        return _yaml(text)
    raise NotADocument(0, "unknown kind of file; name it .toml, .yaml or .yml")


def _toml(text: str) -> Node:
    try:
        document = tomllib.loads(text)
    except ValueError as exc:  # TOMLDecodeError, and what int() says to very long numbers
        found = re.search(r"\(at line (\d+)", str(exc))
        raise NotADocument(int(found[1]) if found else text.count("\n") + 1, f"not valid TOML: {exc}") from None
    except RecursionError:
        raise NotADocument(0, "not usable TOML: it is nested too deep") from None
    return _placed(document, (), 1, dict(_Lines(text.replace("\r\n", "\n")).all()))


def _placed(value: Any, path: Path, line: int, lines: dict[Path, int]) -> Node:
    """Join the values with the lines; what has no line of its own has that of what it is in."""
    line = lines.get(path, line)
    if len(path) > DEEPEST:
        raise NotADocument(line, f"nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return Node({key: _placed(each, (*path, key), line, lines) for key, each in value.items()}, line)
    if isinstance(value, list):
        return Node([_placed(each, (*path, number), line, lines) for number, each in enumerate(value)], line)
    return Node(value, line)


class _Lines:
    """Lines of all values of a TOML text that tomllib has found valid: so nothing is checked here."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counts: dict[Path, int] = {}  # arrays of tables: how many there are

    def all(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
                yield table, self._line()
                self._skip(re.compile(r"[^\n]*"))
            else:
                yield from self._entry(table)
            self._skip(_BLANK)

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _key(self) -> list[str]:
        """Read a dotted key."""
        parts: list[str] = []
        while found := _KEY.match(self.text, self.at):
            parts.append(found[1] or next(iter(tomllib.loads(f"{found[2]} = 0"))))
            self.at = found.end()
            if self.text[self.at] != ".":
                break
            self.at += 1
        return parts

    def _header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path: Path = ()
        parts = self._key()
        for number, part in enumerate(parts):
            path = (*path, part)
            if many and number == len(parts) - 1:
                self.counts[path] = self.counts.get(path, 0) + 1
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _entry(self, table: Path) -> Iterator[tuple[Path, int]]:
        """Read `key = value` at the place, and give the lines of all that is in it."""
        line, parts = self._line(), self._key()
        for number in range(1, len(parts) + 1):
            yield (*table, *parts[:number]), line
        self.at += 1  # the equals sign
        yield from self._value((*table, *parts))

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip(_BLANK)
        first = self.text[self.at]
        if first == "[":
            yield from self._items(path)
        elif first == "{":
            self.at += 1
            self._skip(_BLANK)
            while self.text[self.at] != "}":
                yield from self._entry(path)
                self._skip(_BLANK)
                self.at += self.text[self.at] == ","
                self._skip(_BLANK)
            self.at += 1
        elif found := _STRING.match(self.text, self.at):
            self.at = found.end()
        else:
            found = _BARE_END.search(self.text, self.at)
            self.at = found.start() if found else len(self.text)

    def _items(self, path: Path) -> Iterator[tuple[Path, int]]:
        number = 0
        self.at += 1
        self._skip(_BLANK)
        while self.text[self.at] != "]":
            yield (*path, number), self._line()
            yield from self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            self.at += self.text[self.at] == ","
            self._skip(_BLANK)
        self.at += 1


def _yaml(text: str) -> Node:
    try:
        depth = 0
        for event in yaml.parse(text, yaml.BaseLoader):
            if isinstance(event, yaml.AliasEvent):  # a few lines of them can stand for gigabytes
                raise NotADocument(_line_of(event), "anchors and aliases are not taken; write it out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise NotADocument(_line_of(event), f"nested deeper than {DEEPEST} levels")
        composed = yaml.compose(text, yaml.BaseLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        sentence = getattr(exc, "problem", None) or str(exc).partition("\n")[0]
        raise NotADocument(mark.line + 1 if mark else 0, f"not valid YAML: {sentence}") from None
    return Node({}, 1) if composed is None else _from_yaml(composed)


def _line_of(part: yaml.Node | yaml.Event) -> int:
    return part.start_mark.line + 1 if part.start_mark is not None else 0


def _from_yaml(node: yaml.Node) -> Node:
    line = _line_of(node)
    if node.tag not in _PLAIN_TAGS:
        raise NotADocument(line, f"tags are not taken; remove {node.tag.replace('tag:yaml.org,2002:', '!!')}")
    if isinstance(node, yaml.SequenceNode):
        return Node([_from_yaml(each) for each in node.value], line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise NotADocument(_line_of(key), "a key must be a word")
            if key.value in found:
                raise NotADocument(_line_of(key), f"{key.value} is given twice; keep one")
            inside = _from_yaml(value)
            found[key.value] = Node(inside.value, _line_of(key))
        return Node(found, line)
    scalar = cast("yaml.ScalarNode", node)
    return Node(scalar.value if scalar.style else _scalar(scalar.value), line)


def _scalar(text: str) -> Any:
    """What an unquoted word means, as YAML 1.2 has it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
