"""JSON framing of inputs: the same fields as the Avro schema, for frames and small blocks.

What JSON adds: `samples` is an array of numbers (one per channel, or flat for one channel), `values` is an array of rows with
null for a missing value, and a time may be given as `source_time` (ISO 8601 with a zone) in place of `source_ns`, because a
JavaScript number cannot hold nanoseconds; likewise `at`, `from`, `until` and `finished` of commands and work orders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import orjson

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec import schemas
from foreshock.streams.codec.checks import reject
from foreshock.streams.codec.json_arrays import fill_block, fill_frame, text_to_ns
from foreshock.streams.codec.json_types import convert

_TELL = {
    "SensorBlock": ("samples", "count", "channels", "encoding"),
    "TelemetryFrame": ("tags", "values", "times_ns", "times"),
    "Asset": ("asset_class", "points", "bearings", "criticality", "path"),
    "Command": ("command_id", "kind"),
    "WorkOrder": ("record_id", "kind"),
}
_OTHER_NAMES = {
    "SensorBlock": {"source_time": "source_ns", "type": "", "$schema": ""},
    "TelemetryFrame": {
        "times": "times_ns",
        "source_time": "times_ns",
        "source_ns": "times_ns",
        "type": "",
        "$schema": "",
    },
    "Asset": {"type": "", "$schema": "", "registered": ""},
    "Command": {"at": "at_ns", "until": "until_ns", "from": "from_ns", "type": "", "$schema": ""},
    "WorkOrder": {"at": "at_ns", "finished": "finished_ns", "type": "", "$schema": ""},
}
_TIMES = ("at", "until", "from", "finished")  # of commands and work orders: names of times as text
_MISSING = {
    "sampling_rate_hz": (
        Reason.BAD_RATE,
        "send the samples per second and channel; null only where it is really not known",
    ),
    "source_ns": (Reason.BAD_TIMESTAMP, "send nanoseconds since 1970-01-01 UTC, or source_time with a zone"),
    "at_ns": (Reason.BAD_TIMESTAMP, "send nanoseconds since 1970-01-01 UTC, or `at` as ISO 8601 with a zone"),
    "times_ns": (Reason.BAD_TIMESTAMP, "send the time of each row in nanoseconds since 1970-01-01 UTC"),
    "samples": (Reason.NO_SAMPLES, "send samples as an array of numbers"),
    "values": (Reason.NO_SAMPLES, "send values as an array of rows"),
}


def parse(data: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Raises
    ------
    InputRejected
        It is not JSON, or not an object.
    """
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        found = _lenient(data, str(exc))
    if not isinstance(found, dict):
        reject(Reason.MALFORMED, "", "the JSON is not an object", "send one object per record")
    return found


def _lenient(data: bytes, problem: str) -> Any:
    """Read what the standard forbids but Python and others write, NaN and Infinity, so that the field can be named."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        fix = "send one JSON object in UTF-8"
        raise InputRejected(Reason.MALFORMED, f"the value is not valid JSON: {problem}", fix=fix) from None


def kind_of(found: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Find out which record an object is, by its field `type` or by the fields it has.

    Raises
    ------
    InputRejected
        It has none of the fields that would tell.
    """
    stated = found.get("type")
    if stated is not None:
        if stated in names:
            return str(stated)
        reject(
            Reason.UNKNOWN_SCHEMA, "type", f"the type {stated!r} is not taken here", f"send one of {', '.join(names)}"
        )
    marks = {name: sum(field in found for field in _TELL[name]) for name in names}
    best = max(marks, key=lambda name: marks[name])
    if marks[best] == 0 and len(names) > 1:
        fix = f"a SensorBlock has `samples`, a TelemetryFrame has `tags` and `values`{_meant(found, names)}"
        reject(Reason.UNKNOWN_SCHEMA, "", "the object is neither a SensorBlock nor a TelemetryFrame", fix)
    return best


def fields(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a record as its Avro reader would give them.

    Raises
    ------
    InputRejected
        With the field that is missing, unknown, or of the wrong type.
    """
    schema = schemas.current()[name].schema
    known = {field["name"]: field for field in schema["fields"]}
    _check_names(name, found, known)
    result = dict(found)
    for other, ours in _OTHER_NAMES[name].items():
        given = result.pop(other, None)
        if given is not None and other in _TIMES:
            result[ours] = text_to_ns(other, given)
    if name == "SensorBlock":
        if "source_time" in found:
            result["source_ns"] = text_to_ns("source_time", found["source_time"])
        fill_block(result)
    elif name == "TelemetryFrame":
        fill_frame(found, result)
    return {field: _value(field, known[field], result) for field in known}


def _value(field: str, definition: Mapping[str, Any], found: Mapping[str, Any]) -> Any:
    if field in found:
        ready = field in {"samples", "values"}
        return found[field] if ready else convert(definition["type"], found[field], field)
    if "default" in definition:
        return definition["default"]
    reason, fix = _MISSING.get(field, (Reason.MALFORMED, f"send it: {definition['doc']}"))
    raise InputRejected(reason, f"the field {field} is missing", field=field, fix=fix)


def _check_names(name: str, found: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse a field that nobody knows: it is a misspelt one, and its value would be lost."""
    allowed = [*known, *_OTHER_NAMES[name]]
    for field in found:
        if field not in allowed:
            close = get_close_matches(field, allowed, n=1, cutoff=0.5)
            fix = f"did you mean {close[0]}?" if close else f"leave it out; a {name} has {', '.join(known)}"
            reject(Reason.MALFORMED, field, f"a {name} has no field {field!r}", fix)


def _meant(found: Mapping[str, Any], names: tuple[str, ...]) -> str:
    tell = [field for name in names for field in _TELL[name]]
    close = [match for field in found for match in get_close_matches(field, tell, n=1, cutoff=0.6)]
    return f"; did you mean {close[0]}?" if close else ""
