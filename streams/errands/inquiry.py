"""Gathers what is known of one asset: from Kafka, which is the record, and from the cache where there is one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka.admin import AdminClient

from foreshock.answers.facts import Facts, Record, Seen
from foreshock.core.state import AssetState
from foreshock.detectors.snapshot import Keys
from foreshock.errors import ConfigurationError, ForeshockError, InputRejected, SnapshotRejected
from foreshock.settings import Settings
from foreshock.streams.codec.registry import Registry
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.backward import Looked, look_back
from foreshock.streams.errands.group import committed as committed_by
from foreshock.streams.errands.group import describe
from foreshock.streams.kafka import administration, bounds, explain, reader_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import TOPICS
from foreshock.streams.wire import decode_output

ANSWER_S = 10.0
SCORES = 20_000  # looked at, of the asset's partition: small records
EVENTS = 20_000
WAITING = 2_000  # inputs, which are large
ENOUGH = 50  # records of the asset
MOST = 2**62


def inquire(settings: Settings, asset: str) -> Facts:
    """Find out what can be found out about an asset.

    Raises
    ------
    ConfigurationError
        There is no input topic with that prefix.
    Unavailable
        Kafka cannot be reached.
    """
    with administration(settings) as admin, _consumer(settings) as consumer:
        try:
            return _Inquiry(settings, asset.encode(), admin, consumer, registry_for(settings)).facts()
        except KafkaException as exc:
            raise explain(exc.args[0], [], settings) from exc


@contextmanager
def _consumer(settings: Settings) -> Iterator[Consumer]:
    consumer = reading({**reader_config(settings), "log_level": 0})
    try:
        yield consumer
    finally:
        consumer.close()


@dataclass(slots=True)
class _Inquiry:
    """One question."""

    settings: Settings
    key: bytes
    admin: AdminClient
    consumer: Consumer
    registry: Registry | None
    partitions: int = 0

    def facts(self) -> Facts:
        sensors = self._name("sensors.v1")
        topics = self.admin.list_topics(timeout=ANSWER_S).topics
        if sensors not in topics:
            raise ConfigurationError(
                f"there is no topic {sensors}: is topics.prefix right? `foreshock topics` shows them"
            )
        self.partitions = len(topics[sensors].partitions)
        partition = partition_for(self.key, self.partitions, self.settings.topics.partitioner)
        there = {name for name in TOPICS if self._name(name) in topics}
        group = describe(self.admin, self.settings.worker.group)
        newest = [self._newest(name, partition) for name in ("scores.v1", "dead-letters.v1") if name in there]
        committed = committed_by(self.admin, self.settings.worker.group, sensors, [partition])
        done = max([committed.get(partition, 0), *newest])
        _, end = bounds(self.consumer, sensors, partition, ANSWER_S)
        scores = self._back("scores.v1", [partition], there, SCORES, self.key)
        letters = self._back("dead-letters.v1", range(self.partitions), there, EVENTS, self.key)
        master = self._back("assets.v1", [partition], there, MOST, self.key, enough=1)
        cached, cache = self._cache()
        if not any(look.found for look in scores):
            cached = (*cached, *self._stored(partition, there))
        return Facts(
            now_ns=time.time_ns(),
            asset=self.key.decode(),
            partition=partition,
            group=self.settings.worker.group,
            members=group.members,
            owner=group.owners.get((sensors, partition), ""),
            group_state=group.state,
            end=end,
            done=min(done, end),
            waiting=self._waiting(sensors, partition, done, end),
            scores=self._seen(scores),
            quality=self._seen(self._back("quality.v1", [partition], there, EVENTS, self.key + b"/", starts=True)),
            letters=tuple(sorted(self._seen(letters), key=lambda each: -each.record["origin"]["ingest_ns"])),
            anomalies=self._seen(self._back("anomalies.v1", [partition], there, EVENTS, self.key, enough=3)),
            alerts=self._alerts(partition, there),
            cached=cached,
            registered=next(iter(self._seen(master)), None),
            names=() if any(look.found for look in scores) else self._names(there),
            looked_back_ns=next((look.back_to_ns for look in scores if not look.whole), None),
            cache=cache,
        )

    def _name(self, topic: str) -> str:
        return self.settings.topics.prefix + topic

    def _newest(self, topic: str, partition: int) -> int:
        """Offset after the input of the newest record of an output: what is out is done, though not committed yet."""
        look = look_back(self.consumer, self._name(topic), partition, lambda _: True, enough=1, most=50)
        records = self._seen([look])
        return int(records[0].record["origin"]["offset"]) + 1 if records else 0

    def _waiting(self, topic: str, partition: int, done: int, end: int) -> Seen | None:
        """The oldest input of the asset that is not done, as far as was looked."""

        def waits(message: Message) -> bool:
            return message.key() == self.key and (message.offset() or 0) >= done

        look = look_back(self.consumer, topic, partition, waits, enough=MOST, most=min(max(end - done, 0), WAITING))
        if not look.found:
            return None
        oldest = look.found[-1]
        return Seen({}, _place(oldest), oldest.timestamp()[1] * 1_000_000)

    def _back(
        self,
        topic: str,
        partitions: Iterable[int],
        there: set[str],
        most: int,
        key: bytes,
        *,
        enough: int = ENOUGH,
        starts: bool = False,
    ) -> list[Looked]:
        if topic not in there:
            return []

        def wanted(message: Message) -> bool:
            return _key(message).startswith(key) if starts else _key(message) == key

        name = self._name(topic)
        return [look_back(self.consumer, name, number, wanted, enough=enough, most=most) for number in partitions]

    def _alerts(self, partition: int, there: set[str]) -> tuple[Seen, ...]:
        """Changes of the asset's alerts; their key is the alert, so their header says whose they are."""
        if "alerts.v1" not in there:
            return ()
        source = quote(self.key.decode(), safe="/:@!$&'()*+,;=").encode()

        def wanted(message: Message) -> bool:
            given = dict(message.headers() or ()).get("ce_source")
            return isinstance(given, bytes) and given.endswith(b"/" + source)

        name = self._name("alerts.v1")
        look = look_back(self.consumer, name, partition, wanted, enough=ENOUGH, most=EVENTS)
        return tuple(each for each in self._seen([look]) if each.record["asset"] == self.key.decode())

    def _seen(self, looked: Iterable[Looked]) -> tuple[Seen, ...]:
        """Decode what was found; what cannot be decoded is not ours."""
        found = []
        for message in (each for look in looked for each in look.found):
            value = message.value()
            try:
                record = decode_output(value, self.registry)["record"] if value else None
            except InputRejected:
                continue
            if record is not None:
                found.append(Seen(record, _place(message), message.timestamp()[1] * 1_000_000))
        return tuple(found)

    def _names(self, there: set[str]) -> set[str]:
        """Assets that are known from newest scores and master data, to find the one that was meant."""
        found: set[str] = set()
        for topic, most in (("scores.v1", 2_000), ("assets.v1", MOST)):
            for look in self._back(topic, range(self.partitions), there, most, b"", enough=MOST, starts=True):
                found |= {_key(message).decode("utf-8", "replace") for message in look.found}
        return found - {""}

    def _stored(self, partition: int, there: set[str]) -> tuple[Record, ...]:
        """States of the asset's points in its snapshot: for an asset whose scores are too far back."""
        found = self._back("state.v1", [partition], there, MOST, f"{partition}/".encode() + self.key, enough=1)
        keys = keys_of(self.settings, self.admin.list_topics(timeout=ANSWER_S).cluster_id or "")
        for message in (each for look in found for each in look.found):
            try:
                return tuple(_snapshot(message.value() or b"", keys, _place(message)))
            except (SnapshotRejected, KeyError):
                return ()
        return ()

    def _cache(self) -> tuple[tuple[Record, ...], str]:
        """States of the asset in the cache, or why there are none."""
        if not self.settings.redis.url:
            return (), ""
        from foreshock.streams.cache import CacheReader

        try:
            reader = CacheReader(self.settings.redis.url, prefix=self.settings.topics.prefix)
            found: list[dict[str, Any]] = reader.read(self.key.decode())
        except ForeshockError as exc:
            return (), str(exc)
        return tuple(found), "" if found else "it has nothing of this asset"


def _snapshot(data: bytes, keys: Keys, source: str) -> Iterator[Record]:
    """What a snapshot tells of each measuring point, in the words of the cache."""
    for each in AssetState.unseal(data, keys).tree["points"]:
        latest, last = each["latest"], each["quality"]["pulse"]["last"]
        if latest is not None and last is not None:
            yield {"point": each["point"], "state": latest["state"], "ingest_ns": last["ingest_ns"], "source": source}


def _key(message: Message) -> bytes:
    found = message.key() or b""
    return found if isinstance(found, bytes) else found.encode()


def _place(message: Message) -> str:
    return f"{message.topic()} [{message.partition()}] @{message.offset()}"
