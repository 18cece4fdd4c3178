"""Records to bytes and back, against fastavro, and the fast ways against the general ones."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import Context, SensorBlock
from foreshock.errors import ConfigurationError
from foreshock.streams import wire
from foreshock.streams.codec import block_tail, schemas
from foreshock.streams.codec.avro.reader import fields_of, read_fields
from foreshock.streams.codec.avro.writer import long_bytes
from foreshock.streams.codec.plans import plan
from foreshock.streams.wire import Decoder, Encoder, decode_output
from tests.wire.make_golden import readable
from tests.wire.samples import ASSET, BLOCK, FRAME, RAW, RECORDS, SCORE
from tests.wire.samples import fields_of as values_of

KEY = b"pump-7"


class TestRoundTrip:
    @pytest.mark.parametrize("framing", ["single-object", "json"])
    def test_inputs_come_back_as_they_were(self, framing: str) -> None:
        """What a producer encodes is what the core receives, in either framing, with the unit's step to SI filled in."""
        encoder, decoder = Encoder(framing), Decoder()
        block = decoder.decode(encoder.encode(BLOCK), origin=RAW, key=KEY)
        frame = decoder.decode(encoder.encode(FRAME), origin=RAW, key=KEY)

        assert values_of(block) == values_of(replace(BLOCK, gain=0.001 * 9.80665))
        assert values_of(frame) == values_of(FRAME)
        assert decoder.decode_asset(encoder.encode(ASSET), origin=RAW, key=KEY) == ASSET

    def test_the_origin_names_the_writers_schema(self) -> None:
        """Lineage needs to know how a block was written."""
        decoder = Decoder()

        assert (
            decoder.decode(Encoder().encode(BLOCK), origin=RAW, key=KEY).origin.schema
            == schemas.current()["SensorBlock"].hex
        )
        assert decoder.decode(Encoder("json").encode(BLOCK), origin=RAW, key=KEY).origin.schema == "json"

    @pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<i2", ">i2"])
    def test_samples_of_every_encoding(self, dtype: str) -> None:
        """Either byte order in memory, little endian on the wire, and the array is not copied sample by sample."""
        sent = replace(BLOCK, samples=np.arange(-6, 6).reshape(2, 6).astype(dtype))
        got = Decoder().decode(Encoder().encode(sent), origin=RAW, key=KEY)
        assert isinstance(got, SensorBlock)

        assert got.samples.dtype == np.dtype(dtype).newbyteorder("<")
        assert got.samples.tolist() == sent.samples.tolist()
        assert got.samples.flags.aligned

    def test_the_second_block_of_a_point_is_read_by_its_known_head(self) -> None:
        """Whether a head is known makes no difference to what is read."""
        decoder = Decoder()
        blocks = [replace(BLOCK, sequence=n, point=f"p{n % 3}", context=Context()) for n in range(9)]
        for sent in blocks:
            got = decoder.decode(Encoder().encode(sent), origin=RAW, key=KEY)

            assert values_of(got) == values_of(replace(sent, gain=0.001 * 9.80665))

    def test_a_gain_without_its_scale_is_refused(self) -> None:
        """The wire carries scale and unit; a gain that does not follow from them would be lost."""
        with pytest.raises(ValueError, match="set scale"):
            Encoder().encode(replace(BLOCK, gain=0.5))

    def test_confluent_framing_needs_a_registry(self) -> None:
        """One clear line at start."""
        with pytest.raises(ConfigurationError, match="registry_url"):
            Encoder("confluent", topic="scores.v1")


class TestAgainstFastavro:
    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_both_write_the_same_bytes(self, name: str) -> None:
        """Our bytes, read by fastavro and written again by it, are our bytes."""
        schema = copy.deepcopy(schemas.current()[name].schema)
        ours = Encoder().encode(RECORDS[name])
        record = fastavro.schemaless_reader(io.BytesIO(ours[10:]), schema, None)
        theirs = io.BytesIO()
        fastavro.schemaless_writer(theirs, schema, record)

        assert theirs.getvalue() == ours[10:]

    @given(st.integers(-(1 << 63), (1 << 63) - 1))
    def test_whole_numbers(self, value: int) -> None:
        """Zig-zag and variable length over the whole range."""
        theirs = io.BytesIO()
        fastavro.schemaless_writer(theirs, "long", value)

        assert theirs.getvalue() == long_bytes(value)

    @given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=300))
    @settings(max_examples=50)
    def test_features_of_any_length(self, features: list[float]) -> None:
        """Rows of features are written as one piece and read as one piece."""
        row = replace(SCORE.rows[0], features=tuple(features))
        data = Encoder().encode(replace(SCORE, rows=(row,)))
        schema = copy.deepcopy(schemas.current()["Score"].schema)
        theirs = fastavro.schemaless_reader(io.BytesIO(data[10:]), schema, None)

        assert theirs["rows"][0]["features"] == features
        assert readable(theirs) == readable(decode_output(data)["record"])


class TestFastTail:
    """`block_tail.read` must see what the general reader sees."""

    made = plan(schemas.current()["SensorBlock"].schema, 10)

    @given(
        st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.builds(
            Context,
            speed_hz=st.none() | st.floats(),
            load=st.none() | st.floats(),
            regime=st.none() | st.text(max_size=3),
            maintenance=st.booleans(),
        ),
        st.integers(1, 70),
        st.lists(st.text(max_size=2), max_size=2).map(tuple),
    )
    def test_it_reads_what_the_general_reader_reads(
        self, sequence: int | None, at_ns: int, context: Context, count: int, flags: tuple[str, ...]
    ) -> None:
        """Or leaves it to that one."""
        block = replace(
            BLOCK,
            sequence=sequence,
            source_ns=at_ns,
            context=context,
            flags=flags,
            samples=np.ones((2, count), np.float32),
        )
        data = Encoder().encode(block)
        slow: dict[str, object] = {}
        at = read_fields(self.made.head, data, 10, {})
        read_fields(self.made.tail, data, at, slow)
        fast = block_tail.read(data, at)
        if fast is None:
            return
        found = dict(zip(block_tail.FIELDS, fast, strict=True))

        assert found["context"] == Context(**slow.pop("context"))  # type: ignore[arg-type]
        assert list(found.pop("flags")) == slow.pop("flags")  # type: ignore[call-overload]
        assert {name: found[name] for name in slow} == slow

    @given(st.data())
    @settings(max_examples=300)
    def test_damaged_bytes_are_left_to_the_general_reader_or_read_the_same(self, data: st.DataObject) -> None:
        """No damage makes the fast way say more than the general one."""
        good = Encoder().encode(replace(BLOCK, flags=(), context=Context(speed_hz=25.0)))
        at = read_fields(self.made.head, good, 10, {})
        tail = bytearray(good[at:])
        for _ in range(data.draw(st.integers(1, 3))):
            tail[data.draw(st.integers(0, len(tail) - 1))] = data.draw(st.integers(0, 255))
        fast = block_tail.read(good[:at] + bytes(tail), at)
        if fast is None:
            return
        slow: dict[str, object] = {}
        end = read_fields(self.made.tail, good[:at] + bytes(tail), at, slow)

        assert end == len(good)
        assert (fast[0], fast[1], fast[4], fast[5]) == tuple(
            slow[name] for name in ("sequence", "source_ns", "count", "samples")
        )


def test_json_outputs_have_the_fields_of_the_schema() -> None:
    """A consumer of JSON finds the names that the schema has, and first of all which record it is."""
    for name in ("Score", "Anomaly", "DataQuality", "DeadLetter"):
        value = Encoder("json").encode(RECORDS[name])
        found = json.loads(value)

        assert list(found) == ["type", *[field["name"] for field in schemas.current()[name].schema["fields"]]]
        assert decode_output(value)["schema"] == found["type"] == name


def test_every_field_of_a_writer_is_read_once() -> None:
    """The plan of the present SensorBlock splits its fields into head and tail without loss."""
    schema = schemas.current()["SensorBlock"].schema
    fields, defaults = fields_of(schema, schema)

    assert [name for name, _, _ in fields] == [field["name"] for field in schema["fields"]]
    assert defaults == {}


def test_heads_of_names_without_end_are_not_all_kept(monkeypatch) -> None:
    """What is remembered of heads is bounded by its bytes, whatever producers call their machines and sensors."""
    monkeypatch.setattr(wire, "_HEADS", 50_000)
    decoder, encode = Decoder(), Encoder().encode
    for number in range(200):
        block = replace(BLOCK, asset=f"pump-{number % 70}", point="p" * (number % 200 + 1))
        decoder.decode(encode(block), origin=RAW, key=block.asset.encode())
        kept = sum(wire._size(head) for heads in decoder._heads.values() for head in heads)
        assert 0 < kept == decoder._kept <= 50_000
