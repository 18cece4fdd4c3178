"""A producer of vibration blocks in Python: confluent-kafka and fastavro, nothing of Foreshock.

    pip install confluent-kafka fastavro
    python producer.py --bootstrap 127.0.0.1:9092 --asset pump-7 --blocks 100 --schema avro_schemas/SensorBlock.avsc

Copy it, and put your own reader in the place of `read_sensor`.
"""

import argparse
import array
import io
import json
import math
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import KafkaError, Message, Producer

RATE_HZ = 12_800.0
SAMPLES = 4096


def read_sensor(seconds: float) -> array.array:
    """One block of acceleration in m/s2: a shaft at 25 Hz, its second harmonic, and noise. Yours comes from hardware."""
    shaft = (2 * math.pi * 25 * (seconds + n / RATE_HZ) for n in range(SAMPLES))
    return array.array("f", (math.sin(at) + 0.3 * math.sin(2 * at) + random.gauss(0, 0.2) for at in shaft))


def encoder(schema_file: Path) -> Callable[[dict[str, Any]], bytes]:
    """Make the encoder: Avro single-object encoding is two bytes, the schema's fingerprint, and the record."""
    raw = json.loads(schema_file.read_text(encoding="utf-8"))
    schema = fastavro.parse_schema(raw)
    canonical = fastavro.schema.to_parsing_canonical_form(raw)
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))

    def encode(record: dict[str, Any]) -> bytes:
        out = io.BytesIO(b"\xc3\x01" + fingerprint)
        out.seek(10)
        fastavro.schemaless_writer(out, schema, record)
        return out.getvalue()

    return encode


def main() -> None:
    """Send some blocks and say where they went."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default=os.environ.get("FORESHOCK_KAFKA__BOOTSTRAP", "127.0.0.1:9092"))
    options.add_argument("--topic", default="sensors.v1")
    options.add_argument("--asset", default="pump-7")
    options.add_argument("--blocks", type=int, default=100)
    options.add_argument("--schema", type=Path, default=Path("avro_schemas/SensorBlock.avsc"))
    given = options.parse_args()

    encode = encoder(given.schema)
    # murmur2_random is what Java's producer does: all gateways of an asset must agree on its partition.
    # Acknowledged by all replicas and idempotent: a block arrives once, in order.
    producer = Producer(
        {"bootstrap.servers": given.bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True}
    )
    failed: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(str(error))

    length_ns = round(SAMPLES / RATE_HZ * 1e9)
    start_ns = time.time_ns() - given.blocks * length_ns  # these blocks end now; a real sensor sends as time goes by
    for number in range(given.blocks):
        block = {
            "asset": given.asset,
            "point": "drive-end",
            "channels": ["x"],
            "source_ns": start_ns + number * length_ns,  # time of the first sample, UTC
            "sampling_rate_hz": RATE_HZ,
            "quantity": "acceleration",
            "unit": "m/s2",
            "encoding": "f32le",
            "count": SAMPLES,
            "samples": read_sensor(number * SAMPLES / RATE_HZ).tobytes(),
            "sequence": number,
        }
        # The key is the asset: it keeps an asset's blocks in one order.
        producer.produce(given.topic, encode(block), given.asset.encode(), on_delivery=delivered)
        producer.poll(0)
    left = producer.flush(30)
    if failed or left:
        sys.exit(f"{len(failed)} refused, {left} not delivered: {failed[:1]}")
    print(f"{given.blocks} blocks of {given.asset} sent to {given.topic}")


if __name__ == "__main__":
    main()
