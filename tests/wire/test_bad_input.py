"""Every kind of bad input of the issue: its reason code, the field it names, the fix it offers."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.schema import fingerprint
from foreshock.streams.codec.avro.writer import long_bytes
from foreshock.streams.wire import Decoder, Encoder, dead_letter
from tests.wire.samples import AT_NS, BLOCK, FRAME, RAW, SCORE

GOOD = Encoder().encode(BLOCK)
KEY = b"pump-7"
SAMPLES = BLOCK.samples.nbytes


def refused(value: bytes | None, key: bytes | None = KEY) -> InputRejected:
    with pytest.raises(InputRejected) as caught:
        Decoder().decode(value, origin=RAW, key=key)
    return caught.value


def encoded(**changes: Any) -> bytes:
    return Encoder().encode(replace(BLOCK, **changes))


def with_samples(raw: bytes, count: int) -> bytes:
    """The good block with other samples and another count."""
    head = GOOD[: -SAMPLES - len(long_bytes(SAMPLES)) - 1]
    return head + long_bytes(count) + long_bytes(len(raw)) + raw


def as_json(**changes: Any) -> bytes:
    found = json.loads(Encoder("json").encode(BLOCK))
    found.update(changes)
    return json.dumps({name: value for name, value in found.items() if value is not ...}).encode()


def frame_json(**changes: Any) -> bytes:
    found = json.loads(Encoder("json").encode(FRAME)) | changes
    return json.dumps({name: value for name, value in found.items() if value is not ...}).encode()


F32 = replace(BLOCK, samples=BLOCK.samples.astype("<f4"))
NAN, INF = (np.array([[1.0] * 8, [1.0] * 7 + [bad]], np.float32) for bad in (np.nan, np.inf))
CASES: list[tuple[str, bytes | None, Reason, str, str]] = [
    ("null value", None, Reason.NULL_VALUE, "", ""),
    ("empty", b"", Reason.EMPTY, "", "single-object"),
    ("garbage", b"\x9f\x12garbage", Reason.UNKNOWN_FRAMING, "", "single-object"),
    ("container file", b"Obj\x01....", Reason.UNKNOWN_FRAMING, "", "one Kafka record"),
    ("JSON array", b"[{}]", Reason.UNKNOWN_FRAMING, "", "one JSON object"),
    ("gzip", b"\x1f\x8b\x08\x00", Reason.UNKNOWN_FRAMING, "", "compression.type"),
    ("head cut", GOOD[:7], Reason.TRUNCATED, "", "whole"),
    ("unknown schema", GOOD[:2] + b"\x01" * 8 + GOOD[10:], Reason.UNKNOWN_SCHEMA, "", "schema print"),
    ("another record of ours", Encoder().encode(SCORE), Reason.UNKNOWN_SCHEMA, "", "own topic"),
    ("confluent without registry", b"\0\0\0\0\1xx", Reason.UNKNOWN_SCHEMA, "", "topics.registry_url"),
    ("cut in a text", GOOD[:14], Reason.TRUNCATED, "asset", "whole"),
    ("cut in the samples", GOOD[:-1], Reason.TRUNCATED, "samples", "whole"),
    ("trailing bytes", GOOD + b"\0", Reason.TRAILING_BYTES, "", "one record per value"),
    ("huge text", GOOD[:10] + long_bytes(1 << 60), Reason.BAD_LENGTH, "asset", "schema"),
    ("negative length", GOOD[:10] + long_bytes(-5), Reason.BAD_LENGTH, "asset", "schema"),
    ("number of 11 bytes", GOOD[:10] + b"\xff" * 11, Reason.MALFORMED, "asset", "schema"),
    ("not UTF-8", GOOD[:11] + b"\xff" + GOOD[12:], Reason.MALFORMED, "asset", "schema"),
    ("NaN samples", encoded(samples=NAN), Reason.NOT_FINITE, "samples", "gap"),
    ("infinite samples", encoded(samples=INF), Reason.NOT_FINITE, "samples", "gap"),
    ("no samples", with_samples(b"", 0), Reason.NO_SAMPLES, "count", "at least one"),
    ("samples left out", with_samples(b"", 8), Reason.NO_SAMPLES, "samples", "send the samples"),
    (
        "count against bytes",
        with_samples(b"\0" * SAMPLES, 7),
        Reason.COUNT_MISMATCH,
        "samples",
        "count is samples per channel",
    ),
    (
        "count of all channels",
        with_samples(b"\0" * SAMPLES, 16),
        Reason.COUNT_MISMATCH,
        "samples",
        "all channels together",
    ),
    ("other encoding", with_samples(b"\0" * SAMPLES * 2, 8), Reason.COUNT_MISMATCH, "samples", "f32le"),
    ("negative count", with_samples(b"\0" * SAMPLES, -8), Reason.COUNT_MISMATCH, "count", "per channel"),
    ("rate 0", encoded(sampling_rate_hz=0.0), Reason.BAD_RATE, "sampling_rate_hz", "samples per second"),
    ("rate below 0", encoded(sampling_rate_hz=-1.0), Reason.BAD_RATE, "sampling_rate_hz", "samples per second"),
    ("rate of a year", encoded(sampling_rate_hz=3e-8), Reason.BAD_RATE, "sampling_rate_hz", "samples per second"),
    ("rate NaN", encoded(sampling_rate_hz=float("nan")), Reason.BAD_RATE, "sampling_rate_hz", "samples per second"),
    ("time 0", encoded(source_ns=0), Reason.BAD_TIMESTAMP, "source_ns", "nanoseconds"),
    ("1999", encoded(source_ns=946_684_799_999_999_999), Reason.BAD_TIMESTAMP, "source_ns", "nanoseconds"),
    ("seconds", encoded(source_ns=AT_NS // 10**9), Reason.BAD_TIMESTAMP, "source_ns", "multiply by 1000000000"),
    ("milliseconds", encoded(source_ns=AT_NS // 10**6), Reason.BAD_TIMESTAMP, "source_ns", "multiply by 1000000"),
    ("microseconds", encoded(source_ns=AT_NS // 1000), Reason.BAD_TIMESTAMP, "source_ns", "multiply by 1000"),
    ("after 2100", encoded(source_ns=1 << 62), Reason.BAD_TIMESTAMP, "source_ns", "nanoseconds"),
    (
        "speed NaN",
        encoded(context=replace(BLOCK.context, speed_hz=float("nan"))),
        Reason.NOT_FINITE,
        "context.speed_hz",
        "null",
    ),
    ("no channels", as_json(channels=[], samples=[1], count=...), Reason.MALFORMED, "channels", "name every"),
    ("channel twice", as_json(channels=["x", "x"]), Reason.MALFORMED, "channels", "of its own"),
    ("asset empty", as_json(asset=" "), Reason.MALFORMED, "asset", "asset"),
    ("scale 0", as_json(scale=0), Reason.MALFORMED, "scale", "one step"),
    ("unknown unit", as_json(unit="m/s^3"), Reason.UNKNOWN_UNIT, "unit", "'m/s2'"),
    ("unknown quantity", as_json(quantity="accelaration"), Reason.UNKNOWN_UNIT, "quantity", "'acceleration'"),
    ("unit of another quantity", as_json(unit="mm/s"), Reason.UNIT_MISMATCH, "unit", "'velocity'"),
    ("peak values as waveform", as_json(unit="g pk"), Reason.UNIT_MISMATCH, "unit", "'[g]'"),
    ("celsius waveform", as_json(quantity="temperature", unit="degC"), Reason.UNIT_MISMATCH, "unit", "K"),
    ("JSON cut", as_json()[:-1], Reason.MALFORMED, "", "JSON object"),
    ("JSON of nothing known", b'{"a": 1}', Reason.UNKNOWN_SCHEMA, "", "samples"),
    ("JSON of another type", as_json(type="Score"), Reason.UNKNOWN_SCHEMA, "type", "SensorBlock"),
    ("rate left out", as_json(sampling_rate_hz=...), Reason.BAD_RATE, "sampling_rate_hz", "null only where"),
    (
        "rate misspelt",
        as_json(sampling_rate_hz=..., sampling_rate=5),
        Reason.MALFORMED,
        "sampling_rate",
        "sampling_rate_hz",
    ),
    ("time left out", as_json(source_ns=...), Reason.BAD_TIMESTAMP, "source_ns", "nanoseconds"),
    (
        "time without zone",
        as_json(source_ns=..., source_time="2026-06-01T12:00:00"),
        Reason.BAD_TIMESTAMP,
        "source_time",
        "+02:00",
    ),
    ("no time at all", as_json(source_ns=..., source_time="noon"), Reason.BAD_TIMESTAMP, "source_time", "2026-"),
    ("samples as text", as_json(samples="1,2,3"), Reason.MALFORMED, "samples", "array of numbers"),
    ("a sample as text", as_json(samples=[["1"] * 8] * 2), Reason.MALFORMED, "samples[0][0]", "without quotes"),
    ("a sample as null", as_json(samples=[[None] * 8] * 2), Reason.NOT_FINITE, "samples[0][0]", "repair"),
    (
        "NaN in JSON",
        as_json(samples=[[1.0] * 7 + [float("nan")]] * 2, encoding="f32le"),
        Reason.NOT_FINITE,
        "samples",
        "gap",
    ),
    ("beyond float32", as_json(samples=[[1e300] * 8] * 2, encoding="f32le"), Reason.NOT_FINITE, "samples", "gap"),
    ("no int16", as_json(samples=[[0.5] * 8] * 2), Reason.MALFORMED, "samples", "whole numbers"),
    ("JSON without samples", as_json(samples=[], count=...), Reason.NO_SAMPLES, "samples", "at least one"),
    ("JSON rows", as_json(samples=[[1] * 8] * 3), Reason.COUNT_MISMATCH, "samples", "per channel"),
    ("JSON uneven rows", as_json(samples=[[1] * 8, [1] * 7]), Reason.COUNT_MISMATCH, "samples", "equal length"),
    ("JSON count", as_json(count=9), Reason.COUNT_MISMATCH, "count", "leave count out"),
    ("JSON text as number", as_json(asset=7), Reason.MALFORMED, "asset", "text"),
    ("JSON number as text", as_json(sampling_rate_hz="fast"), Reason.MALFORMED, "sampling_rate_hz", "number"),
    ("half a character", as_json(site="\ud800"), Reason.MALFORMED, "site", "UTF-8"),
    ("a site without end", as_json(site="x" * 300), Reason.MALFORMED, "site", "shorter"),
    ("a regime without end", as_json(context={"regime": "x" * 300}), Reason.MALFORMED, "context.regime", "shorter"),
    ("JSON nested too deep", b'{"a":' * 100_000, Reason.MALFORMED, "", "JSON"),
    ("frame without rows", frame_json(values=[], times_ns=[]), Reason.NO_SAMPLES, "times_ns", "at least one"),
    ("frame row too long", frame_json(values=[[1, 2, 3]] * 3), Reason.COUNT_MISMATCH, "values", "every tag"),
    ("frame rows missing", frame_json(values=[[1, 2]]), Reason.COUNT_MISMATCH, "values", "every tag"),
    ("frame infinite", frame_json(values=[[1, float("inf")]] * 3), Reason.NOT_FINITE, "values", "null in JSON"),
    ("frame in seconds", frame_json(times_ns=[AT_NS // 10**9] * 3), Reason.BAD_TIMESTAMP, "times_ns[0]", "multiply"),
    ("frame without times", frame_json(times_ns=...), Reason.BAD_TIMESTAMP, "times_ns", "each row"),
    (
        "frame tag unit",
        frame_json(tags=[{"name": "a", "quantity": "pressure", "unit": "degC"}], values=[[1]] * 3),
        Reason.UNIT_MISMATCH,
        "tags[0].unit",
        "temperature",
    ),
]


@pytest.mark.parametrize(
    ("value", "reason", "field", "fix"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bad_input_has_a_reason_a_field_and_a_fix(value: bytes | None, reason: Reason, field: str, fix: str) -> None:
    """The answer names what is wrong, where, and what to mend; it is one line."""
    exc = refused(value)

    assert (exc.reason, exc.field) == (reason, field), exc
    assert fix in exc.fix
    assert exc.sentence
    assert exc.fix
    assert "\n" not in exc.sentence + exc.fix


class TestKeys:
    def test_null_key(self) -> None:
        """Without a key an asset has no order."""
        assert refused(GOOD, None).reason == Reason.NULL_KEY
        assert refused(GOOD, b"").reason == Reason.NULL_KEY

    @pytest.mark.parametrize("value", [GOOD, Encoder("json").encode(BLOCK)])
    def test_key_of_another_asset(self, value: bytes) -> None:
        """The key must be the asset's id; a head that is known under its own key is no way around."""
        decoder = Decoder()
        decoder.decode(value, origin=RAW, key=KEY)
        with pytest.raises(InputRejected) as caught:
            decoder.decode(value, origin=RAW, key=b"pump-8")

        assert caught.value.reason == Reason.KEY_MISMATCH


class TestSamplesAsArray:
    """The mistake that is made most: samples as an Avro array of doubles."""

    def test_by_schema(self) -> None:
        """The sender changed the schema: its fingerprint gives it away."""
        schema = json.loads(json.dumps(schemas.current()["SensorBlock"].schema))
        schema["fields"][-1]["type"] = {"type": "array", "items": "double"}
        exc = refused(GOOD[:2] + fingerprint(schema) + GOOD[10:])

        assert (exc.reason, exc.field) == (Reason.UNKNOWN_SCHEMA, "samples")
        assert "array<double>" in exc.sentence
        assert "bytes" in exc.fix

    @pytest.mark.parametrize("count", [8, 40, 500])
    def test_by_bytes(self, count: int) -> None:
        """The sender kept our fingerprint and wrote an array: the lengths give it away."""
        values = np.arange(2 * count, dtype=np.float64)
        data = GOOD[: -SAMPLES - len(long_bytes(SAMPLES)) - 1]
        data += long_bytes(count) + long_bytes(2 * count) + values.tobytes() + b"\0"
        exc = refused(data)

        assert (exc.reason, exc.field) == (Reason.COUNT_MISMATCH, "samples")
        assert "array" in exc.sentence + exc.fix
        assert "bytes" in exc.fix


class TestBombs:
    """A few bytes must never cost much time or memory."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda: GOOD[:10] + long_bytes(6) + b"pump-7" + long_bytes(2) + b"DE"[:1] + long_bytes(1 << 40),
            lambda: GOOD[:10] + (long_bytes(1) + b"x") * 2 + long_bytes(1 << 61),
            lambda: GOOD[:10] + (long_bytes(1) + b"x") * 2 + long_bytes(-(1 << 61)) + long_bytes(1),
            lambda: Encoder().encode(FRAME)[:10] + b"\2x\2p\0\0\0" + long_bytes(1 << 62),
            lambda: b'{"samples":[' + b"[" * 50_000,
            lambda: b'{"asset":"p","source_ns":' + b"9" * 100_000 + b"}",
            lambda: b'{"times_ns":[' + b"1e999," * 9_000 + b"1]}",
        ],
    )
    def test_declared_lengths_cost_nothing(self, make: Callable[[], bytes]) -> None:
        """Refused before anything is allocated or looped over."""
        value = make()
        began = time.perf_counter()
        exc = refused(value)

        assert time.perf_counter() - began < 0.2
        assert exc.reason in {
            Reason.BAD_LENGTH,
            Reason.TRUNCATED,
            Reason.MALFORMED,
            Reason.UNKNOWN_SCHEMA,
            Reason.BAD_TIMESTAMP,
        }

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "array", "items": "null"},
            {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
            {"type": "map", "values": "null"},
            {"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}},
        ],
    )
    def test_items_without_bytes_are_refused_with_the_schema(self, schema: Any) -> None:
        """Their number would be bounded by nothing."""
        from foreshock.streams.codec.avro.reader import make
        from foreshock.streams.codec.avro.schema import SchemaError

        with pytest.raises(SchemaError, match="without bytes"):
            make(schema, schema)


def test_many_large_samples_are_not_taken_for_infinite() -> None:
    """The quick check overflows on them; the precise one decides."""
    huge = replace(F32, samples=np.full((2, 8), 3e38, np.float32))

    assert Decoder().decode(Encoder().encode(huge), origin=RAW, key=KEY).asset == "pump-7"


def test_a_rate_that_is_stated_as_unknown_is_taken() -> None:
    """null means: not known; only leaving it out is a mistake."""
    assert Decoder().decode(as_json(sampling_rate_hz=None), origin=RAW, key=KEY).asset == "pump-7"
    assert Decoder().decode(encoded(sampling_rate_hz=None), origin=RAW, key=KEY).asset == "pump-7"


def test_fixed_bytes_of_a_double() -> None:
    """A scale that is NaN in the Avro bytes is refused like one in JSON."""
    data = GOOD.replace(struct.pack("<d", 0.001), struct.pack("<d", float("nan")))

    assert refused(data).field == "scale"


def test_a_letter_may_quote_half_a_character() -> None:
    """What a sender wrote into a field's name must not break the letter about it."""
    exc = refused(b'{"samples": [1], "\\ud800' + b"x" * 5000 + b'": 1}')
    letter = dead_letter(exc, RAW, KEY, b"{}")

    assert len(Encoder().encode(letter)) < 5000
