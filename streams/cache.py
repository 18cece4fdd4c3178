"""The cache for readers, in Redis or Valkey: the last state of each asset. Nothing is ever read back from it by a worker.

It can be slow, flushed, killed or never there: the worker's outputs are the same. `put` only takes note; a thread of its
own writes the newest state of each measuring point, at a bounded rate, and puts everything back when it finds that the
cache has lost it. The keys are in `cache_state`.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from foreshock.alerts.records import AlertTransition
from foreshock.contract import DataQuality
from foreshock.core.points import PointView
from foreshock.errors import ConfigurationError, Unavailable
from foreshock.outcome import Outcome
from foreshock.streams import cache_state
from foreshock.streams.cache_state import EVENT, STATE, TTL_S, PointEvent

log = logging.getLogger("foreshock.cache")

ROUND_S = 0.5  # between two writes
ROUND_POINTS = 500  # measuring points of one write: at most 1,000 a second, about 3 % of a core
MAX_POINTS = 50_000  # that wait or are remembered
TIMEOUT_S = 2.0
BACKOFF_S = (0.25, 10.0)
RETELL_S = 300.0
PROBE_S = 5.0  # without anything to write: is it still there, and has it what it had?
LOST = (redis.RedisError, OSError)

Point = tuple[str, str]  # asset, measuring point


@dataclass(slots=True)
class _Known:
    """What was last written of a measuring point."""

    partition: int
    ingest_ns: int
    stored: int = 0  # how many of the fields the cache should have
    fields: dict[str, bytes] = field(default_factory=dict)
    seed: bytes | None = None  # state from a snapshot, for a cache that has none


class Cache:
    """Writes the last state of each asset.

    Parameters
    ----------
    url
        `redis://`, `rediss://` or `unix://`; "" for no cache: every call then does nothing.
    prefix
        Prefix of the topics, part of the keys.
    worker
        Name of this process in the states.

    Raises
    ------
    ConfigurationError
        The URL is none.
    """

    def __init__(self, url: str, *, prefix: str = "", worker: str = "") -> None:
        self._prefix = prefix
        self._worker = worker
        self._place = hidden(url)
        self._lock = threading.Lock()
        self._waiting: dict[Point, Outcome] = {}
        self._events: dict[Point, PointEvent] = {}
        self._released: set[int] = set()
        self._seeds: dict[Point, PointView] = {}
        self._again: dict[Point, None] = {}  # known points to write once more
        self._known: dict[Point, _Known] = {}
        self._stopped = threading.Event()
        self._told = 0.0
        self._down = 0  # attempts that failed in a row
        self._written = self._dropped = self._failures = self._hits = self._misses = 0
        self._exchanged = time.monotonic()
        self._client = client(url) if url else None
        if self._client:
            self._thread = threading.Thread(target=self._run, name="foreshock-cache", daemon=True)
            self._thread.start()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of the newest states. Never raises for want of a cache, never waits for one."""
        if self._client is None:
            return
        with self._lock:
            waiting = self._waiting
            for outcome in outcomes:
                score = outcome.score
                point = (score.asset, score.point)
                if len(waiting) >= MAX_POINTS and point not in waiting:
                    self._dropped += 1
                    continue
                waiting[point] = outcome
                if outcome.anomalies or outcome.quality or outcome.alerts:
                    event = cache_state.event_of(outcome)
                    if event:
                        self._events[point] = event

    def tell(self, found: Sequence[DataQuality | AlertTransition]) -> None:
        """Take note of quality transitions, and of changes of alerts, that came without a record."""
        if self._client is None:
            return
        with self._lock:
            for each in found:
                if isinstance(each, DataQuality):
                    self._events[each.asset, each.point] = cache_state.told(each)
                else:
                    self._events.update({(each.asset, point): cache_state.changed(each) for point in each.points})

    def seed(self, views: Sequence[PointView]) -> None:
        """Take note of what a worker took up from snapshots: a cache that knows nothing of a point gets that."""
        if self._client is not None:
            with self._lock:
                self._seeds.update({(each.asset, each.point): each for each in views[:MAX_POINTS]})

    def release(self, partitions: Collection[int]) -> None:
        """Forget the assets of partitions that another worker has now: they are its to write."""
        with self._lock:
            self._released.update(partitions)
            for point in [at for at, outcome in self._waiting.items() if outcome.score.origin.partition in partitions]:
                del self._waiting[point]
                self._events.pop(point, None)
            self._seeds = {at: view for at, view in self._seeds.items() if view.last.partition not in partitions}

    def counters(self) -> dict[str, int]:
        """Count states `written` and `dropped`, those `waiting`, and exchanges: `hit`, the cache still had all that was
        written before; `miss`, it had lost some of it; `failed`. `up` is 1 while it answers.
        """
        waiting = len(self._waiting) + len(self._again)
        return {
            "written": self._written,
            "dropped": self._dropped,
            "waiting": waiting,
            "failed": self._failures,
            "hit": self._hits,
            "miss": self._misses,
            "up": int(self._client is not None and not self._down),
        }

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits if the cache is there, for at most `timeout_s`."""
        if self._client is None or self._stopped.is_set():
            return
        self._stopped.set()
        self._thread.join(timeout_s)

    # What follows runs in the thread of the cache, which alone touches what is known.

    def _run(self) -> None:
        while not self._stopped.wait(self._pause()):
            self._round()
        while not self._down and (self._waiting or self._again):
            self._round()

    def _pause(self) -> float:
        return min(BACKOFF_S[1], BACKOFF_S[0] * 2.0 ** min(self._down, 10)) if self._down else ROUND_S

    def _round(self) -> None:
        """Write a bounded number of states in one exchange."""
        taken = self._take()
        if not taken and not self._down and time.monotonic() - self._exchanged < PROBE_S:
            return
        try:
            complete = self._write(taken)
        except LOST as exc:
            self._again.update(dict.fromkeys(taken))
            self._failed(exc)
            return
        self._written += len(taken)
        self._exchanged = time.monotonic()
        self._hits += complete
        self._misses += not complete
        if self._down or not complete:
            self._restore()

    def _take(self) -> list[Point]:
        """Fold waiting states into what is known, oldest first, and give the points to write."""
        with self._lock:
            points = list(islice(self._waiting, ROUND_POINTS))
            states = [(point, self._waiting.pop(point), self._events.pop(point, None)) for point in points]
            released, self._released = self._released, set()
            seeds, self._seeds = self._seeds, {}
            events = {point: self._events.pop(point) for point in list(self._events) if point not in self._waiting}
        if released:
            self._known = {point: known for point, known in self._known.items() if known.partition not in released}
        self._take_up(seeds, events)
        taken = dict.fromkeys(point for point, outcome, event in states if self._fold(point, outcome, event))
        for point in list(islice(self._again, ROUND_POINTS - len(points))):
            del self._again[point]
            if point in self._known:
                taken[point] = None
        return list(taken)

    def _take_up(self, seeds: dict[Point, PointView], events: dict[Point, PointEvent]) -> None:
        """Note what came without a record: states from snapshots, and events."""
        for point, view in seeds.items():
            if point not in self._known and len(self._known) < MAX_POINTS:
                seed = cache_state.pack(cache_state.restored(view, worker=self._worker))
                self._known[point] = _Known(view.last.partition, view.last.ingest_ns, seed=seed)
                self._again[point] = None
        for point, event in events.items():
            if point in self._known:
                self._known[point].fields[EVENT + point[1]] = cache_state.pack(event)
                self._again[point] = None

    def _fold(self, point: Point, outcome: Outcome, event: PointEvent | None) -> bool:
        origin = outcome.score.origin
        known = self._known.get(point)
        if known is None:
            if len(self._known) >= MAX_POINTS:
                self._dropped += 1
                return False
            known = self._known[point] = _Known(origin.partition, origin.ingest_ns)
        gap_s = (origin.ingest_ns - known.ingest_ns) / 1e9
        known.partition, known.ingest_ns = origin.partition, origin.ingest_ns
        try:
            state = cache_state.state_of(outcome, gap_s=gap_s, worker=self._worker)
            known.fields[STATE + point[1]] = cache_state.pack(state)
            known.seed = None
            if event:
                known.fields[EVENT + point[1]] = cache_state.pack(event)
        except (TypeError, ValueError):  # a value that JSON has no words for: the cache goes without it
            self._dropped += 1
        return bool(known.fields)

    def _write(self, points: list[Point]) -> bool:
        """Write, and say whether the cache still had everything that was written before."""
        assert self._client is not None
        pipeline = self._client.pipeline(transaction=False)
        index = cache_state.index_key(self._prefix)
        written: dict[int, _Known] = {}
        for point in points:
            known = self._known[point]
            key = cache_state.asset_key(self._prefix, point[0])
            if known.seed is not None:
                pipeline.hsetnx(key, STATE + point[1], known.seed)
            if known.fields:
                written[len(pipeline)] = known
                pipeline.hset(key, mapping=known.fields)  # type: ignore[arg-type]  # a dict is invariant in its values
            pipeline.expire(key, TTL_S)
            pipeline.zadd(index, {point[0]: known.ingest_ns // 1_000_000})
        pipeline.expire(index, TTL_S)
        answers = pipeline.execute()
        complete = bool(answers[-1]) or not self._known
        for place, known in written.items():
            complete = complete and answers[place] <= len(known.fields) - known.stored
            known.stored = len(known.fields)
        return complete

    def _failed(self, exc: Exception) -> None:
        self._down += 1
        self._failures += 1
        if not self._told or time.monotonic() - self._told >= RETELL_S:
            self._told = time.monotonic()
            what = "takes nothing" if isinstance(exc, redis.ResponseError) else "cannot be reached"
            why = str(exc).rpartition("caused error: ")[2]  # a pipeline names its command first
            log.warning("the cache at %s %s (%s); scoring goes on without it", self._place, what, why)

    def _restore(self) -> None:
        """Write everything that is known again: the cache was away, or flushed."""
        for known in self._known.values():
            known.stored = 0
        self._again = dict.fromkeys(self._known)
        if self._told:
            log.warning("the cache at %s is back", self._place)
        self._down, self._told = 0, 0.0


class CacheReader:
    """Reads what workers wrote; see `Cache` for the parameters."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        if not url:
            raise ConfigurationError("no cache is set: give --redis URL, or url in [redis]")
        self._client = client(url)
        self._prefix = prefix
        self._place = hidden(url)

    def assets(self) -> list[str]:
        """Give the names of all assets.

        Raises
        ------
        Unavailable
            The cache cannot be reached.
        """
        (names,) = self._ask([("zrange", cache_state.index_key(self._prefix), "0", "-1")])
        return sorted(name.decode() for name in names)

    def read(self, *assets: str) -> list[dict[str, Any]]:
        """Give the states of the measuring points of some assets (`PointState` with `last_event`); one that is not known has none.

        Raises
        ------
        Unavailable
            The cache cannot be reached.
        """
        found = []
        for start in range(0, len(assets), ROUND_POINTS):
            part = assets[start : start + ROUND_POINTS]
            for fields in self._ask([("hgetall", cache_state.asset_key(self._prefix, asset)) for asset in part]):
                found += cache_state.points({name.decode(): value for name, value in fields.items()})
        return found

    def _ask(self, commands: list[tuple[str, ...]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            getattr(pipeline, command[0])(*command[1:])
        try:
            return pipeline.execute()
        except LOST as exc:
            raise Unavailable(
                f"the cache at {self._place} cannot be reached ({exc}); scoring does not need it, `foreshock status` does"
            ) from exc


def client(url: str) -> redis.Redis:
    """Make a client that connects on the first command and never waits long.

    Raises
    ------
    ConfigurationError
        The URL is none.
    """
    try:
        return redis.Redis.from_url(
            url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as exc:
        raise ConfigurationError(f"redis.url {hidden(url)!r}: {exc}") from exc


def hidden(url: str) -> str:
    """Give a URL without its password."""
    return re.sub(r"(?<=://)[^/@]*@", "***@", url)
