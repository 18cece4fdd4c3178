"""Whether a change of the contract keeps everybody reading: the check behind `foreshock schema check`.

Inputs must stay readable for us whatever version the sender has (BACKWARD). Outputs must besides stay readable for consumers
who still have the version before (FORWARD).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from foreshock.errors import ConfigurationError
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.resolve import UnresolvedError, resolve
from foreshock.streams.codec.avro.schema import SchemaError, fingerprint
from foreshock.streams.codec.schemas import Version


def problems(old: Iterable[Version], new: Iterable[Version]) -> Iterator[str]:
    """Give a line for each pair of versions that breaks somebody."""
    present = {each.name: each for each in new}
    for before in old:
        now = present.get(before.name)
        if now is None:
            yield f"{before.name}: the record is gone; {before.file} had it"
            continue
        yield from _pair(before, now)


def _pair(before: Version, now: Version) -> Iterator[str]:
    try:
        resolve(before.schema, now.schema)
    except (UnresolvedError, SchemaError) as exc:
        yield f"{now.name}: {now.file} cannot read what {before.file} wrote: {exc}"
    if now.name in schemas.INPUTS:
        return
    try:
        resolve(now.schema, before.schema)
    except (UnresolvedError, SchemaError) as exc:
        yield f"{now.name}: a consumer with {before.file} cannot read what {now.file} writes: {exc}"


def forgotten(old: Iterable[Version]) -> Iterator[str]:
    """Give a line for each version that was in use and could no longer be decoded, because nobody kept it."""
    for before in old:
        if before.fingerprint not in schemas.by_fingerprint():
            number = 1 + sum(each.name == before.name for each in schemas.history())
            place = f"avro_schemas/history/{before.name}/{number:04d}.avsc"
            yield f"{before.name}: values of {before.file} ({before.hex}) could not be decoded: keep it as {place}"


def read_folder(folder: Path) -> list[Version]:
    """Read every .avsc below a folder.

    Raises
    ------
    ConfigurationError
        There is none, or one is not a schema.
    """
    found = []
    for path in sorted(folder.rglob("*.avsc")):
        try:
            schema = json.loads(path.read_text(encoding="utf-8"))
            found.append(Version(schema["name"], schema, fingerprint(schema), str(path)))
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ConfigurationError(f"{path}: not an Avro schema: {exc}") from exc
    if not found:
        raise ConfigurationError(f"{folder}: holds no .avsc file")
    return found
