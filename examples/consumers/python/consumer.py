"""A consumer of alerts in Python: confluent-kafka and fastavro, nothing of Foreshock.

    pip install confluent-kafka fastavro
    python consumer.py --bootstrap 127.0.0.1:9092 --group my-desk --schemas avro_schemas

It prints one line for each transition, each once. Copy it, and put what your plant does with an alert in the place of
`handle`.
"""

import argparse
import datetime as dt
import io
import json
import os
import signal
from collections import OrderedDict
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

REMEMBERED = 10_000  # ids of a partition: repeats come within the seconds of work that a crash lost
SINGLE_OBJECT = b"\xc3\x01"  # then eight bytes of fingerprint, then the record


class Schemas:
    """All versions of AlertTransition by fingerprint: a record is read with the schema that it was written with."""

    def __init__(self, folder: Path) -> None:
        self.reader: Any = None
        self.writers: dict[bytes, Any] = {}
        old = sorted((folder / "history" / "AlertTransition").glob("*.avsc"))
        for file in (*old, folder / "AlertTransition.avsc"):
            raw = json.loads(file.read_text(encoding="utf-8"))
            canonical = fastavro.schema.to_parsing_canonical_form(raw)
            name = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
            self.reader = self.writers[name] = fastavro.parse_schema(raw)

    def decode(self, value: bytes) -> dict[str, Any]:
        """Read a record; whatever was written, it has the fields of the newest schema."""
        if value[:1] == b"{":
            return dict(json.loads(value))
        if value[:2] != SINGLE_OBJECT:
            raise ValueError(f"neither JSON nor Avro single-object encoding: {value[:2].hex()}")
        writer = self.writers.get(value[2:10])
        if writer is None:
            raise ValueError(f"schema {value[2:10].hex()} is not here: a newer avro_schemas folder is needed")
        return dict(fastavro.schemaless_reader(io.BytesIO(value[10:]), writer, self.reader))  # type: ignore[arg-type]


class Once:
    """Tells repeats by their id. Its memory is bounded, and a partition that comes is read back to fill it."""

    def __init__(self) -> None:
        self.seen: dict[int, OrderedDict[str, None]] = {}
        self.handled: dict[int, int] = {}  # what is before this offset is only remembered

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Start where the group is, less what has to be remembered."""
        for each in consumer.committed(partitions, timeout=30):
            low, _ = consumer.get_watermark_offsets(each, timeout=30)
            self.seen[each.partition] = OrderedDict()
            self.handled[each.partition] = max(each.offset, low)
            each.offset = max(low, self.handled[each.partition] - REMEMBERED)
            consumer.incremental_assign([each])

    def is_new(self, message: Message, event_id: str) -> bool:
        """Remember an id, and say whether its record is still to be handled."""
        partition, offset = message.partition(), message.offset()
        if partition is None or offset is None:
            raise ValueError("not a record that was read")
        seen = self.seen[partition]
        known = event_id in seen
        seen[event_id] = None
        seen.move_to_end(event_id)
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        return not known and offset >= self.handled[partition]


def handle(alert: dict[str, Any]) -> None:
    """What is to be done with a transition. Yours pages, opens a ticket, or lights a lamp."""
    at = dt.datetime.fromtimestamp(alert["at_ns"] // 10**9, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    score = "" if alert["score"] is None else f" score {alert['score']:.2f}"
    why = f" ({alert['suppressed_by']})" if alert["suppressed_by"] else ""
    what = f"{alert['change']}{why} {alert['severity']} {alert['asset']}{score}"
    print(f"{at} {what} [{alert['alert_id'][:8]}] {alert['owner']}: {alert['action']}", flush=True)


def main() -> None:
    """Print alerts until it is told to stop."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bootstrap", default=os.environ.get("FORESHOCK_KAFKA__BOOTSTRAP", "127.0.0.1:9092"))
    options.add_argument("--topic", default="alerts.v1")
    options.add_argument("--group", default="example-desk")
    options.add_argument("--schemas", type=Path, default=Path("avro_schemas"))
    given = options.parse_args()

    schemas, once, going = Schemas(given.schemas), Once(), [True]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: going.clear())
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "partition.assignment.strategy": "cooperative-sticky",
        }
    )
    consumer.subscribe([given.topic], on_assign=once.assigned)
    try:
        while going:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error() is not None:
                raise KafkaException(message.error())
            value = message.value()
            if value is None:
                continue
            alert = schemas.decode(value)
            if once.is_new(message, alert["event_id"]):
                handle(alert)
                # After it was handled: a crash before this line brings it again, never loses it.
                consumer.commit(message, asynchronous=True)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
