"""The five mistakes that integrators make, made on purpose: each is answered with the field and the fix.

Each is asked of `foreshock validate` where a file can show it, and sent to the worker: the dead letter, or the quality
event, says the same, and a good block behind it is scored.
"""

import io
import json
import time
from datetime import UTC, datetime, timedelta

import fastavro
import numpy as np
import pytest
from confluent_kafka import Producer

from foreshock.streams.partitioner import partition_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NS = 1_000_000_000


def block(asset: str, **changes) -> dict:
    """A good block in JSON, with changes; None takes a field away."""
    samples = np.random.default_rng(1).standard_normal(256).round(4).tolist()
    good = {
        "asset": asset,
        "point": "drive-end",
        "channels": ["x"],
        "source_ns": time.time_ns(),
        "sampling_rate_hz": 12800,
        "quantity": "acceleration",
        "unit": "m/s2",
        "samples": samples,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


@pytest.fixture
def send(plant):
    """Produce a value under a key, by a client with the given partitioner."""

    def produce(asset: str, value: bytes, partitioner: str = "murmur2_random") -> None:
        producer = Producer({"bootstrap.servers": plant.settings.kafka.bootstrap, "partitioner": partitioner})
        producer.produce(plant.topics["sensors.v1"].name, value, asset.encode())
        assert producer.flush(30) == 0

    return produce


def answer(plant, send, asset: str, bad: bytes) -> tuple[str, dict]:
    """Send a bad value and a good block; give what `validate` says and the dead letter, once the good one is scored."""
    (plant.folder / f"{asset}.record").write_bytes(bad)
    told = plant.foreshock("validate", f"{asset}.record", code=1)
    send(asset, bad)
    send(asset, json.dumps(block(asset)).encode())
    plant.records("scores.v1", asset, 1)
    (letter,) = plant.records("dead-letters.v1", asset, 1)
    assert letter["value"] == bad
    return told, letter


def test_wrong_unit(plant, send):
    """Acceleration in degrees: the field is `unit`, and the fix names units of an acceleration."""
    told, letter = answer(plant, send, "wrong-unit", json.dumps(block("wrong-unit", unit="degC")).encode())

    assert (letter["reason"], letter["field"]) == ("unit_mismatch", "unit")
    assert "m/s2" in letter["fix"]
    assert letter["fix"] in told


def test_wrong_partitioner(plant, send):
    """librdkafka's default partitioner: the dead letter names the property to set."""
    keys = [f"wrong-partitioner-{number}" for number in range(40)]
    partitions = plant.topics["sensors.v1"].partitions
    wrong = [
        key
        for key in keys
        if partition_for(key.encode(), partitions, "consistent") != partition_for(key.encode(), partitions)
    ]
    for key in wrong:
        send(key, json.dumps(block(key)).encode(), "consistent_random")

    (letter,) = plant.records("dead-letters.v1", wrong[0], 1)

    assert letter["reason"] == "wrong_partition"
    assert "partitioner=murmur2_random" in letter["fix"]


def test_local_time_as_utc(plant, send):
    """Without a zone the time is refused; hours ahead it is noticed, scored on ingest time, and told as a clock condition."""
    ahead = datetime.now(UTC) + timedelta(hours=2)
    naive = block("local-time", source_ns=None, source_time=ahead.replace(tzinfo=None).isoformat())
    told, letter = answer(plant, send, "local-time", json.dumps(naive).encode())

    assert (letter["reason"], letter["field"]) == ("bad_timestamp", "source_time")
    assert "Z" in letter["fix"]
    assert letter["fix"] in told

    shifted = json.dumps(block("local-clock", source_ns=int(ahead.timestamp()) * NS)).encode()
    told = plant.foreshock("validate", "-", text=shifted.decode(), code=1)
    assert "local time sent as UTC" in told
    send("local-clock", shifted)
    (event,) = plant.records("quality.v1", "local-clock/drive-end", 1)
    assert (event["kind"], event["raised"], event["cause"]) == ("clock", True, "gateway")


def test_array_of_doubles(plant, send):
    """Samples as an Avro array of doubles, by a schema of the sender's own: the fix says that samples are bytes."""
    schema = json.loads((plant.root / "avro_schemas" / "SensorBlock.avsc").read_text(encoding="utf-8"))
    fields = [
        field | ({"type": {"type": "array", "items": "double"}} if field["name"] == "samples" else {})
        for field in schema["fields"]
    ]
    value = single_object(schema, {**schema, "fields": fields}, block("array", encoding="f64le", count=256))
    told, letter = answer(plant, send, "array", value)

    assert letter["field"] == "samples"
    assert "bytes" in letter["fix"]
    assert letter["fix"] in told


def single_object(named: dict, written: dict, record: dict) -> bytes:
    """A value that names one schema and is written with another: what a changed copy of the .avsc gives."""
    canonical = fastavro.schema.to_parsing_canonical_form(named)
    out = io.BytesIO()
    out.write(b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")))
    fastavro.schemaless_writer(out, fastavro.parse_schema(written), record)
    return out.getvalue()


def test_missing_rate(plant, send):
    """A block without its sampling rate: the field is named, with what to send."""
    bad = json.dumps(block("missing-rate", sampling_rate_hz=None)).encode()
    told, letter = answer(plant, send, "missing-rate", bad)

    assert (letter["reason"], letter["field"]) == ("bad_rate", "sampling_rate_hz")
    assert "samples per second" in letter["fix"]
    assert letter["fix"] in told
