"""Master data from a file: checked by the rules of the wire, and what is wrong is told of all assets at once, with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from foreshock.alerts.documents import Node, NotADocument, read
from foreshock.contract import Asset, Origin
from foreshock.errors import ConfigurationError, InputRejected

_FROM_FILE = Origin(topic="assets.v1", topic_id="", partition=-1, offset=-1, ingest_ns=0)
_STEP = re.compile(r"\w+|\[\d+\]")


class Entry(NamedTuple):
    """The fields of one asset, and what knows their lines; None where the file's language has none."""

    place: str
    fields: Any
    lines: Node | None = None


def read_assets(file: Path) -> list[Asset]:
    """Read master data: one asset, or a list named `assets`.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or an asset is not as it must be: a line for each of them.
    """
    return checked(file.name, entries(file))


def checked(what: str, found: Sequence[Entry]) -> list[Asset]:
    """Check assets by the same rules as the worker does: the decoder of the wire.

    Raises
    ------
    ConfigurationError
        With a line for each asset that is not as it must be.
    """
    from foreshock.streams.wire import Decoder

    decoder = Decoder(check_key=False)
    assets, problems, seen = [], [], set()
    for each in found:
        try:
            asset = decoder.decode_asset(json.dumps(each.fields).encode(), origin=_FROM_FILE, key=None)
        except InputRejected as exc:
            problems.append(_told(each, exc))
            continue
        if asset.asset in seen:
            problems.append(f"{each.place}: {asset.asset} is in {what} twice. Keep one: the last one would count")
        seen.add(asset.asset)
        assets.append(asset)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return assets


def entries(file: Path) -> list[Entry]:
    """Read the assets of a file without judging them.

    Raises
    ------
    ConfigurationError
        It is neither TOML nor JSON, or cannot be read.
    """
    if file.suffix not in {".toml", ".json"}:
        raise ConfigurationError(f"{file}: unknown kind of file; known: .toml, .json")
    try:
        text = file.read_text(encoding="utf-8")
        node = None if file.suffix == ".json" else read(str(file), text)
        document = json.loads(text) if node is None else node.plain()
    except NotADocument as exc:
        raise ConfigurationError(f"{file}:{exc.line}: {exc}") from exc
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{file}: {exc}") from exc
    if isinstance(document, dict) and "assets" in document:
        document, node = document["assets"], node.value["assets"] if node else None
    many = isinstance(document, list)
    nodes = ([None] * len(document) if node is None else node.value) if many else [node]
    numbered = enumerate(zip(document if many else [document], nodes, strict=True), start=1)
    return [Entry(f"{file}: asset {number}", fields, lines) for number, (fields, lines) in numbered]


def _told(entry: Entry, exc: InputRejected) -> str:
    field = (exc.field or "").removeprefix("Asset.")
    place = entry.place
    if entry.lines is not None:
        file, _, asset = place.rpartition(": ")
        place = f"{file}:{_line(entry.lines, field)}: {asset}"
    return f"{place}: {field or 'record'}: {exc.sentence}. {exc.fix}".rstrip()


def _line(node: Node, field: str) -> int:
    """Line of a field, or of the closest thing that it would be in."""
    for step in _STEP.findall(field):
        key = int(step[1:-1]) if step.startswith("[") else step
        inside = node.value
        if (isinstance(inside, list) and isinstance(key, int) and key < len(inside)) or (
            isinstance(inside, dict) and key in inside
        ):
            node = inside[key]
        else:
            break
    return node.line
