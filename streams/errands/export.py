"""Raw blocks, scores and feature vectors as Parquet files, for people with other tools. Bounded memory; goes on where it stopped.

A file holds consecutive offsets of one partition of the topic, from one day and asset class:

    OUT/scores.v1/day=2026-11-21/class=pump/part-3-0000000041200-0000000043999.parquet

Its name says from which offset to which its rows were taken. A file is written under another name first; when the files
of a stretch are all there, the manifest of the partition names the next offset. What was under way at a kill is written
again, over files of the same names, so no row comes twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.contract import Origin
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.settings import Settings
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.errands.export_rows import block_row, score_rows, vector_row, write
from foreshock.streams.errands.tailing import records
from foreshock.streams.errands.vector_file import require_pyarrow
from foreshock.streams.kafka import bounds, reader_config
from foreshock.streams.topics import inspect

EXPORTED = ("scores.v1", "sensors.v1", "features.v1")
_ROWS, _BYTES = 20_000, 64 * 1024 * 1024  # of a stretch, at most
_ANSWER_S = 10.0


@dataclass(slots=True)
class Stretch:
    """Rows of consecutive offsets of a partition, by the folder that they go to."""

    start: int
    next: int
    rows: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    bytes: int = 0
    skipped: int = 0

    @property
    def full(self) -> bool:
        """Whether it is time to write it."""
        return self.bytes >= _BYTES or sum(map(len, self.rows.values())) >= _ROWS


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a stretch."""

    partition: int
    start: int
    next: int
    rows: int
    files: tuple[str, ...]
    skipped: int


class Export:
    """Exports one topic, partition by partition, up to the end that it has now.

    Raises
    ------
    ConfigurationError
        The topic is not one that can be exported, the extra `parquet` is missing, or the folder is of another topic.
    """

    def __init__(self, settings: Settings, topic: str, out: Path) -> None:
        if topic not in EXPORTED:
            raise ConfigurationError(f"{topic} cannot be exported; {', '.join(EXPORTED)} can")
        require_pyarrow()
        found = inspect(settings)
        if topic not in found:
            raise ConfigurationError(f"there is no topic {settings.topics.prefix}{topic}")
        self._settings, self._topic, self._info = settings, topic, found[topic]
        self._folder = out / topic
        self._registry, self._decoder = registry_for(settings), decoder_for(settings)
        self._classes: dict[str, str] = {}

    def run(self) -> Iterator[Written]:
        """Write what is new; gives each stretch when it is safe."""
        self._classes = dict(_asset_classes(self._settings))
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(self._info.partitions):
            yield from self._partition(number)

    def _partition(self, number: int) -> Iterator[Written]:
        start = self._next(number)
        consumer = Consumer({**reader_config(self._settings), "queued.max.messages.kbytes": 16_384})
        try:
            low, end = bounds(consumer, self._info.name, number, _ANSWER_S)
            stretch = Stretch(max(start, low), max(start, low))
            stretch.skipped = max(0, low - start) if start else 0  # gone by retention since the last export
            if stretch.next < end:
                consumer.assign([TopicPartition(self._info.name, number, stretch.next)])
            while stretch.next < end:
                for message in consumer.consume(500, 0.5):
                    end = self._take(message, stretch, end)
                    if stretch.full:
                        yield self._write(number, stretch)
                        stretch = Stretch(stretch.next, stretch.next)
            if stretch.next > stretch.start:
                yield self._write(number, stretch)
        finally:
            consumer.close()

    def _take(self, message: Message, stretch: Stretch, end: int) -> int:
        """Add a record to the stretch; gives the end of the work, which is where the topic ends."""
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
                stretch.next = max(stretch.next, min(offset, end))
                return min(end, stretch.next)
            raise KafkaException(error)
        if offset >= end:
            return stretch.next
        stretch.next = offset + 1
        value = message.value()
        try:
            rows = self._rows(message, value)
        except InputRejected:  # it became a dead letter, which is where it is told
            stretch.skipped += 1
            return end
        for row in rows:
            day = datetime.fromtimestamp(row["source_ns"] // 1_000_000_000, UTC).strftime("%Y-%m-%d")
            stretch.rows.setdefault((day, self._classes.get(row["asset"], "")), []).append(row)
        stretch.bytes += len(value or b"")
        return end

    def _rows(self, message: Message, value: bytes | None) -> list[dict[str, Any]]:
        place = _place(message)
        if self._topic == "scores.v1":
            return list(score_rows(self._decode(value), place))
        if self._topic == "features.v1":
            return [vector_row(value or b"", self._decode(value), place)]
        origin = Origin(topic=self._info.name, topic_id=self._info.topic_id, **place)
        return [block_row(self._decoder.decode(value, origin=origin, key=message.key()), place)]

    def _decode(self, value: bytes | None) -> Mapping[str, Any]:
        found: Mapping[str, Any] = decode_output(value or b"", self._registry)["record"]
        return found

    def _write(self, number: int, stretch: Stretch) -> Written:
        files, count = [], 0
        for (day, name), rows in sorted(stretch.rows.items()):
            folder = self._folder / f"day={day}" / f"class={quote(name, safe='') or 'none'}"
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"part-{number}-{stretch.start:013d}-{stretch.next - 1:013d}.parquet"
            draft = file.with_suffix(".draft")
            count += write(draft, self._topic, rows, self._decode)
            _sync(draft)
            draft.replace(file)
            files.append(str(file))
        self._note(number, stretch.next)
        return Written(number, stretch.start, stretch.next, count, tuple(files), stretch.skipped)

    def _manifest(self, number: int) -> Path:
        return self._folder / f"_next-{number}.json"

    def _next(self, number: int) -> int:
        """Give the next offset of a partition, and take away what a kill left behind it."""
        manifest, start = self._manifest(number), 0
        if manifest.exists():
            noted = json.loads(manifest.read_text())
            if noted["topic_id"] != self._info.topic_id:
                raise ConfigurationError(f"{self._folder} holds another topic {self._topic} ({noted['topic_id']})")
            start = int(noted["next"])
        for each in (
            *self._folder.glob(f"*/*/part-{number}-*.parquet"),
            *self._folder.glob(f"*/*/part-{number}-*.draft"),
        ):
            if each.suffix == ".draft" or int(each.stem.split("-")[2]) >= start:
                each.unlink()
        return start

    def _note(self, number: int, next_: int) -> None:
        draft = self._manifest(number).with_suffix(".draft")
        draft.write_text(json.dumps({"topic": self._info.name, "topic_id": self._info.topic_id, "next": next_}))
        _sync(draft)
        draft.replace(self._manifest(number))


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _asset_classes(settings: Settings) -> Iterator[tuple[str, str]]:
    """Give the class of each asset that is registered now."""
    decoder = decoder_for(settings)
    place = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)  # an asset's record has no use of it
    for message in records(settings, "assets.v1", beginning=True, follow=False):
        try:
            asset = decoder.decode_asset(message.value(), origin=place, key=message.key())
        except InputRejected:
            continue
        yield asset.asset, asset.asset_class


def _place(message: Message) -> dict[str, Any]:
    at_ns = message.timestamp()[1] * 1_000_000
    return {"partition": message.partition(), "offset": message.offset(), "ingest_ns": at_ns}
