"""Confluent framing with a registry in this process."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any

import pytest

from foreshock.contract import Reason, SensorBlock
from foreshock.errors import InputRejected, Unavailable
from foreshock.settings import Settings, TopicSettings
from foreshock.streams.codec import schemas
from foreshock.streams.codec.registry import Registry
from foreshock.streams.coders import encoder_for
from foreshock.streams.wire import Decoder, Encoder, decode_output
from tests.wire.samples import BLOCK, FRAME, RAW, SCORE, fields_of

pytest.importorskip("confluent_kafka.schema_registry", reason="extra registry is not installed", exc_type=ImportError)
KEY = b"pump-7"


@pytest.fixture
def registry() -> Registry:
    """A registry of this test's own."""
    return Registry(f"mock://{uuid.uuid4().hex}")


def variant(change: Any) -> dict[str, Any]:
    schema: dict[str, Any] = copy.deepcopy(schemas.current()["SensorBlock"].schema)
    change(schema)
    return schema


def framed(registry: Registry, schema: dict[str, Any], body: bytes = b"") -> bytes:
    number = registry.register("sensors.v1-value", schema, several=True)
    return b"\0" + number.to_bytes(4, "big") + body


class TestConfluentFraming:
    def test_both_ways(self, registry: Registry) -> None:
        """Registered once, framed with the id, and read through the registry."""
        encoder, decoder = Encoder("confluent", registry, "sensors.v1"), Decoder(registry)
        for record in (BLOCK, FRAME, BLOCK):
            value = encoder.encode(record)
            got = decoder.decode(value, origin=RAW, key=KEY)

            assert value[0] == 0
            assert fields_of(got)["sequence"] == record.sequence
        assert decode_output(encoder.encode(BLOCK), registry)["schema"] == "SensorBlock"

    def test_a_registry_in_the_settings_is_enough(self) -> None:
        """Outputs of a worker that has a registry carry its framing; without one they carry the fingerprint."""
        settings = Settings(topics=TopicSettings(prefix="p.", registry_url=f"mock://{uuid.uuid4().hex}"))
        encoder = encoder_for(settings, "sensors.v1")

        assert encoder.encode(BLOCK)[0] == 0
        assert encoder.content_type == "application/avro"
        assert encoder_for(Settings(), "sensors.v1").encode(BLOCK)[:2] == b"\xc3\x01"

    def test_each_subject_is_backward(self, registry: Registry) -> None:
        """Two records on one topic are two subjects; each was set to BACKWARD when it was new."""
        Encoder("confluent", registry, "sensors.v1").encode(BLOCK)
        Encoder("confluent", registry, "sensors.v1").encode(FRAME)
        Encoder("confluent", registry, "scores.v1").encode(SCORE)
        client = registry._client

        assert set(client.get_subjects()) == {
            "sensors.v1-io.foreshock.v1.SensorBlock",
            "sensors.v1-io.foreshock.v1.TelemetryFrame",
            "scores.v1-value",
        }

    def test_the_registry_is_asked_once(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ids and schemas do not change; the hot path never waits for them again."""
        encoder, decoder = Encoder("confluent", registry, "sensors.v1"), Decoder(registry)
        value = encoder.encode(BLOCK)
        decoder.decode(value, origin=RAW, key=KEY)
        monkeypatch.setattr(registry, "_client", None)

        decoder.decode(value, origin=RAW, key=KEY)
        assert encoder.encode(BLOCK) == value

    def test_an_unknown_id(self, registry: Registry) -> None:
        """A dead letter; and the second such record does not ask again."""
        decoder = Decoder(registry)
        for _ in range(2):
            with pytest.raises(InputRejected, match="no schema with the id 4711") as caught:
                decoder.decode(b"\0" + (4711).to_bytes(4, "big") + b"x", origin=RAW, key=KEY)
            assert caught.value.reason == Reason.UNKNOWN_SCHEMA

    def test_no_answer_is_no_dead_letter(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing can be said about a record whose schema cannot be asked for."""

        def fail(_: int) -> None:
            raise ConnectionError("refused")

        monkeypatch.setattr(registry._client, "get_schema", fail)
        with pytest.raises(Unavailable, match="cannot be reached"):
            Decoder(registry).decode(b"\0\0\0\0\7x", origin=RAW, key=KEY)


class TestForeignSchemas:
    """What others register is checked before it decodes anything."""

    def test_fields_in_another_order_and_one_more(self, registry: Registry) -> None:
        """A producer with its own copy of the schema is understood by field names."""
        schema = variant(lambda s: s["fields"].reverse())
        schema["fields"].insert(3, {"name": "extra", "type": {"type": "array", "items": "string"}, "default": []})
        import io

        import fastavro

        body = io.BytesIO()
        ours = decode_output(Encoder().encode(BLOCK))["record"]
        fastavro.schemaless_writer(body, schema, ours | {"extra": ["a", "b"]})
        got = Decoder(registry).decode(framed(registry, schema, body.getvalue()), origin=RAW, key=KEY)
        assert isinstance(got, SensorBlock)

        assert got.samples.tolist() == BLOCK.samples.tolist()
        assert got.context == BLOCK.context

    @pytest.mark.parametrize(
        ("change", "field", "says"),
        [
            (lambda s: s.update(name="Vibration"), "", "not part of the contract"),
            (lambda s: s["fields"].pop(0), "asset", "is missing"),
            (
                lambda s: s["fields"][-1].update(type={"type": "array", "items": "double"}),
                "samples",
                "is array, must be bytes",
            ),
            (
                lambda s: s["fields"].append({"name": "x", "type": {"type": "array", "items": "null"}}),
                "",
                "without bytes",
            ),
            (lambda s: s["fields"].append({"name": "x", "type": ["null", "SensorBlock"]}), "", "contains itself"),
            (lambda s: s["fields"].append({"name": "x", "type": "Nothing"}), "", "not defined"),
        ],
    )
    def test_what_cannot_be_used_is_refused_with_the_field(
        self, registry: Registry, change: Any, field: str, says: str
    ) -> None:
        """An answer per schema, not a crash per record."""
        with pytest.raises(InputRejected) as caught:
            Decoder(registry).decode(framed(registry, variant(change), b"\2a"), origin=RAW, key=KEY)

        assert caught.value.reason == Reason.UNKNOWN_SCHEMA
        assert caught.value.field == field
        assert says in caught.value.sentence

    def test_a_very_deep_schema(self, registry: Registry) -> None:
        """Depth is bounded before anything follows it."""
        deep: Any = "int"
        for _ in range(40):
            deep = {"type": "array", "items": deep}
        schema = variant(lambda s: s["fields"].append({"name": "x", "type": deep}))
        with pytest.raises(InputRejected, match="too deep"):
            Decoder(registry).decode(framed(registry, schema, json.dumps({}).encode()), origin=RAW, key=KEY)
