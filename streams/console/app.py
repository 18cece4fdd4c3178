"""What the console is made of: all that its handlers need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

import foreshock
from foreshock.alerts.policy import Policy
from foreshock.settings import Settings
from foreshock.streams.codec.registry import Registry
from foreshock.streams.console.feed import Feed
from foreshock.streams.console.follower import Follower
from foreshock.streams.console.guard import Guard
from foreshock.streams.console.machinery import Machinery
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.reading import Readers
from foreshock.streams.console.seen import Seen
from foreshock.streams.spans.store import SpanStore
from foreshock.streams.topics import TopicInfo

BEAT_S = 5.0


@dataclass(slots=True, kw_only=True)
class Console:
    """Everything that handlers need."""

    settings: Settings
    topics: Mapping[str, TopicInfo]
    plant: Plant
    feed: Feed
    guard: Guard
    machinery: Machinery
    policies: Sequence[Policy]
    registry: Registry | None
    store: SpanStore
    app: web.Application
    readers: Readers
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)
    follower: Follower | None = None
    ready: bool = False
    started_ms: float = field(default_factory=lambda: time.time() * 1e3)
    version: str = foreshock.__version__

    @property
    def now_ms(self) -> float:
        """Time of the question."""
        return time.time() * 1e3

    @property
    def problem(self) -> str:
        """Why Kafka cannot be read now; "" where it can."""
        return self.machinery.last.problem or (self.follower.problem if self.follower else "")

    def look(self) -> None:
        """Take note of what the last look at the brokers says of those that the follower missed: it hears of no end."""
        look, follower = self.machinery.last, self.follower
        if follower is not None and follower.problem and not look.problem and look.at_ms > follower.since:
            follower.back()

    def take(self, batch: Sequence[Seen], ready: bool) -> None:
        """Take what was read, in the event loop."""
        for each in batch:
            self.plant.take(each)
        if ready and not self.ready:
            self.ready = self.feed.live = True
            self.feed.whisper("ready", {"now_ms": self.now_ms})
