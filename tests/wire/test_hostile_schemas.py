"""Schemas from a registry or a file are JSON of strangers: parsed or refused, never a crash, never for long."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.schema import SchemaError, fingerprint, parse

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(
    [*("type", "name", "fields", "items", "values", "symbols", "size", "default", "logicalType", "precision", "scale")]
)
TYPES = st.sampled_from(["record", "enum", "fixed", "array", "map", "error", "int", "string", "null", "decimal", "R"])
JSON = st.recursive(
    SCALARS | TYPES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner | TYPES, max_size=6)
)


@given(JSON)
def test_any_json_is_a_schema_or_is_refused(schema: Any) -> None:
    """One kind of error, whatever it is."""
    for judge in (parse, fingerprint):
        with contextlib.suppress(SchemaError):
            judge(schema)


@pytest.mark.parametrize("seed", range(3))
def test_ours_with_one_piece_changed(seed: int) -> None:
    """Our own schemas, with any value replaced by any other, are parsed or refused."""
    rng = random.Random(seed)
    for _ in range(300):
        schema = copy.deepcopy(schemas.current()[rng.choice(schemas.NAMES)].schema)
        places = list(_places(schema))
        holder, key = rng.choice(places)
        other_holder, other_key = rng.choice(places)
        holder[key] = rng.choice([copy.deepcopy(other_holder[other_key]), None, -1, "", "R", [], {}, 1e999, True])
        with contextlib.suppress(SchemaError):
            parse(schema)
            fingerprint(schema)


def _places(value: Any) -> Any:
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"array","items":' * 900 + '"int"' + "}" * 900,
        "[" * 900 + '"int"' + "]" * 900,
        json.dumps([f"T{n}" for n in range(30_000)]),
        json.dumps(
            {"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": "int"} for n in range(30_000)]}
        ),
    ],
    ids=["deep arrays", "deep unions", "many names", "many fields"],
)
def test_deep_and_large_schemas_cost_little(text: str) -> None:
    """Refused in well under a second."""
    began = time.perf_counter()
    with pytest.raises(SchemaError):
        parse(json.loads(text))

    assert time.perf_counter() - began < 1.0


def test_names_that_double_at_each_level_are_not_multiplied_out() -> None:
    """20 records, each with the one before it twice, are a million fields to a reader that follows them all."""
    inner: Any = "int"
    for level in range(20):
        name = f"R{level}"
        again = inner["name"] if isinstance(inner, dict) else inner
        inner = {"type": "record", "name": name, "fields": [{"name": "a", "type": inner}, {"name": "b", "type": again}]}
    began = time.perf_counter()
    with pytest.raises(SchemaError, match="too deep or too large"):
        parse(inner)

    assert time.perf_counter() - began < 1.0
