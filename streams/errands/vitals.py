"""Gathers the vital signs of a running Foreshock: two looks at brokers and processes, and what was published of late."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from foreshock.answers.diagnosis.vitals import Letter, PartitionVitals, Pulse, Quality, Scored, Series, Vitals
from foreshock.errors import ConfigurationError, ForeshockError, InputRejected, Unavailable
from foreshock.settings import Settings
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.backward import look_back
from foreshock.streams.errands.group import committed, describe
from foreshock.streams.errands.pulses import NoPulse, endpoints, kind_of, read
from foreshock.streams.kafka import administration, reader_config
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import used
from foreshock.streams.wire import decode_output

PROBES = 10  # small requests between the looks, to see how the brokers answer
REACH_S = 5.0
SCORES = 4_000  # looked at, of each partition: small records
EVENTS = 2_000
_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Look:
    """Where everything stood at one moment."""

    at_s: float
    ends: Mapping[int, int]
    done: Mapping[int, int]
    pulses: Mapping[str, Series | str]  # by URL; a text says why there is none


def gather(settings: Settings, *, urls: Collection[str], span_s: float, since_s: float) -> Vitals:
    """Look twice, and read what was published in between and before.

    Parameters
    ----------
    urls
        Metrics of processes; none: those that the settings name.
    span_s
        Seconds between the looks.
    since_s
        How far back from the first look scores, quality and dead letters are read.

    Raises
    ------
    ConfigurationError
        The brokers refuse who we are, or there is no input topic with that prefix.
    """
    asked = dict.fromkeys(urls, "") if urls else _expected(settings)
    vitals = Vitals(now_ns=0, span_s=span_s, group=settings.worker.group, sinks=tuple(settings.deliver))
    try:
        with administration(settings, wait_s=REACH_S) as admin:
            return replace(_Gathering(settings, admin, asked, span_s, since_s).vitals(vitals), cache=_cache(settings))
    except ConfigurationError:
        raise
    except ForeshockError as exc:  # the brokers: what else there is to see is seen all the same
        first = _read_all(asked)
        time.sleep(span_s)
        pulses = tuple(_pulses(asked, first, _read_all(asked), span_s))
        return replace(vitals, now_ns=time.time_ns(), broker_error=str(exc), pulses=pulses, cache=_cache(settings))


def _expected(settings: Settings) -> dict[str, str]:
    """Addresses of the processes that the settings name, with their kind."""
    metrics = settings.metrics
    found = dict.fromkeys(endpoints(metrics.listen, settings.worker.processes), "worker")
    if settings.deliver:
        found |= dict.fromkeys(endpoints(metrics.deliver_listen), "deliver")
    return found


@dataclass(frozen=True, slots=True)
class _Gathering:
    """One diagnosis' questions to brokers that answer."""

    settings: Settings
    admin: AdminClient
    asked: Mapping[str, str]
    span_s: float
    since_s: float

    def vitals(self, empty: Vitals) -> Vitals:
        """Look, wait, look again, and read what was published."""
        sensors = self._name("sensors.v1")
        since_ms = (time.time_ns() - int(self.since_s * _NANOS)) // 1_000_000
        topics = self.admin.list_topics(timeout=REACH_S).topics
        if sensors not in topics:
            raise ConfigurationError(
                f"there is no topic {sensors}: is topics.prefix right? `foreshock topics` shows them"
            )
        numbers = sorted(topics[sensors].partitions)
        first = self._look(sensors, numbers)
        answers = self._probe(first.at_s + self.span_s)
        second = self._look(sensors, numbers)
        group = describe(self.admin, self.settings.worker.group)
        pulses = tuple(_pulses(self.asked, first.pulses, second.pulses, second.at_s - first.at_s))
        there = [each.name for each in used() if self._name(each.name) in topics]
        published = self._published(there, since_ms)
        return replace(
            empty,
            now_ns=time.time_ns(),
            span_s=second.at_s - first.at_s,
            answers_s=answers,
            missing=tuple(self._name(each.name) for each in used() if each.name not in there),
            members=group.members,
            group_state=group.state,
            partitions=tuple(
                _partition(topics[sensors].partitions[number], group.owners.get((sensors, number), ""), first, second)
                for number in numbers
            ),
            pulses=pulses,
            scores=tuple(each for record, at_ns in published("scores.v1", SCORES) for each in _scores(record, at_ns)),
            quality=tuple(_quality(record, at_ns) for record, at_ns in published("quality.v1", EVENTS)),
            letters=tuple(_letter(record, at_ns) for record, at_ns in published("dead-letters.v1", EVENTS)),
        )

    def _probe(self, until_s: float) -> tuple[float, ...]:
        """Ask the brokers small things all through the time between the looks; say how long each took."""
        taken = []
        while (left := until_s - time.monotonic()) > 0:
            time.sleep(min(left, self.span_s / PROBES))
            began = time.monotonic()
            self.admin.list_topics(timeout=REACH_S)
            taken.append(time.monotonic() - began)
        return tuple(taken)

    def _look(self, sensors: str, numbers: Collection[int]) -> _Look:
        asked = {TopicPartition(sensors, number): OffsetSpec.latest() for number in numbers}
        with ThreadPoolExecutor(max_workers=8) as pool:
            pulses = pool.submit(_read_all, self.asked)
            found = self.admin.list_offsets(asked, request_timeout=REACH_S)
            ends = {at.partition: int(answer.result().offset) for at, answer in found.items()}
            done = committed(self.admin, self.settings.worker.group, sensors, numbers)
            return _Look(time.monotonic(), ends, done, pulses.result())

    def _published(
        self, there: Collection[str], since_ms: int
    ) -> Callable[[str, int], Iterator[tuple[dict[str, Any], int]]]:
        registry = registry_for(self.settings)

        def late(message: Message) -> bool:
            return int(message.timestamp()[1]) >= since_ms

        def newest(topic: str, most: int) -> Iterator[tuple[dict[str, Any], int]]:
            """Records of a topic with their times, the oldest first; what cannot be decoded is not ours."""
            if topic not in there:
                return
            name = self._name(topic)
            consumer = reading({**reader_config(self.settings), "log_level": 0})
            try:
                partitions = sorted(self.admin.list_topics(name, timeout=REACH_S).topics[name].partitions)
                looks = [look_back(consumer, name, number, late, enough=most, most=most) for number in partitions]
            finally:
                consumer.close()
            messages = (message for look in looks for message in look.found)
            for message in sorted(messages, key=lambda each: (each.timestamp()[1], each.offset() or 0)):
                try:
                    yield decode_output(message.value() or b"", registry)["record"], message.timestamp()[1] * 1_000_000
                except InputRejected:
                    continue

        return newest

    def _name(self, topic: str) -> str:
        return self.settings.topics.prefix + topic


def _partition(found: Any, owner: str, first: _Look, second: _Look) -> PartitionVitals:
    number = found.id
    counted = _counted_done(first, second, number)
    lag = _told_lag(second, number)
    if lag is None:
        lag = max(second.ends[number] - second.done.get(number, 0), 0)
    return PartitionVitals(
        number=number,
        led=found.leader >= 0,
        in_sync=len(found.isrs),
        replicas=len(found.replicas),
        owner=owner,
        arrived=max(second.ends[number] - first.ends[number], 0),
        done=max(second.done.get(number, 0) - first.done.get(number, 0), counted),
        lag=lag,
    )


def _counted_done(first: _Look, second: _Look, number: int) -> int:
    """Records of a partition that workers counted between the looks: commits are seconds behind."""
    before = _by_partition(first, "foreshock_records_received_total", number)
    after = _by_partition(second, "foreshock_records_received_total", number)
    return int(max((after or 0) - (before or 0), 0))


def _told_lag(look: _Look, number: int) -> int | None:
    """Lag of a partition as its worker tells it; None where none does."""
    found = _by_partition(look, "foreshock_lag_records", number)
    return None if found is None else int(found)


def _by_partition(look: _Look, name: str, number: int) -> float | None:
    label = ("partition", str(number))
    found = [
        value
        for series in look.pulses.values()
        if not isinstance(series, str)
        for labels, value in series.get(name, {}).items()
        if label in labels
    ]
    return sum(found) if found else None


def _read_all(asked: Mapping[str, str]) -> dict[str, Series | str]:
    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(asked, pool.map(_read, asked), strict=True))


def _read(url: str) -> Series | str:
    try:
        return read(url)
    except NoPulse as exc:
        return str(exc)


def _pulses(
    asked: Mapping[str, str], first: Mapping[str, Series | str], second: Mapping[str, Series | str], span_s: float
) -> Iterator[Pulse]:
    for url, expected in asked.items():
        before, after = first[url], second[url]
        known = after if not isinstance(after, str) else before if not isinstance(before, str) else {}
        yield Pulse(
            url=url,
            kind=kind_of(known) or expected or "worker",
            error=after if isinstance(after, str) else "",
            before={} if isinstance(before, str) else before,
            after={} if isinstance(after, str) else after,
            span_s=span_s,
        )


def _scores(record: Mapping[str, Any], at_ns: int) -> Iterator[Scored]:
    for row in record["rows"][-1:]:  # the newest row says what the point is like
        yield Scored(
            asset=record["asset"],
            point=record["point"],
            at_ns=at_ns,
            state=row["state"],
            value=row["value"],
            model=record["model"],
            feature_set=record["feature_set"],
        )


def _quality(record: Mapping[str, Any], at_ns: int) -> Quality:
    return Quality(
        asset=record["asset"],
        point=record["point"],
        kind=record["kind"],
        raised=record["raised"],
        at_ns=at_ns,
        detail=record["detail"],
    )


def _letter(record: Mapping[str, Any], at_ns: int) -> Letter:
    key = record["key"]
    asset = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key or "")
    return Letter(reason=record["reason"], asset=asset, sentence=record["sentence"], at_ns=at_ns)


def _cache(settings: Settings) -> str | None:
    """None without a cache, "" where it answers, else why not."""
    if not settings.redis.url:
        return None
    from foreshock.streams.cache import CacheReader

    try:
        CacheReader(settings.redis.url, prefix=settings.topics.prefix).assets()
    except Unavailable as exc:
        return str(exc)
    return ""
