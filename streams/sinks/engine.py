"""What drives one sink: sends, waits, sends again, and knows up to where everything is done."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, Protocol

from foreshock.alerts.records import AlertTransition
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.errors import fatal
from foreshock.streams.logs import about
from foreshock.streams.sinks.answers import Ambiguous, Dead, Decision, Delivered, Retry, backoff_s
from foreshock.streams.sinks.filters import wanted
from foreshock.streams.sinks.order import Order, Place
from foreshock.streams.sinks.pace import Bucket
from foreshock.streams.sinks.slots import Slots

log = logging.getLogger("foreshock.deliver")

SURELY_S = 1.0  # it is said to be down when it has failed for so long
TELL_S = 30.0  # between two lines about single failures
GRACE_S = 4.0
LOOK_S = 0.05
_SPAN = 20  # read are at most so many windows beyond what is not done: what is done there comes again after a crash
DOWN_AFTER = 3  # failures in a row, of any alerts: from then on one attempt at a time asks whether the sink is back


@dataclass(frozen=True, slots=True)
class Item:
    """One transition on its way to a sink.

    Attributes
    ----------
    place
        Partition and offset on `alerts.v1`.
    traceparent
        W3C header to pass on: of the span of this delivery.
    record
        What the dead letter keeps of the original; for the engine it is opaque.
    turn
        When it was taken: the engine's own count.
    """

    place: Place
    alert: AlertTransition
    traceparent: str = ""
    record: Any = None
    turn: int = 0


class Sink(Protocol):
    """Where transitions go: one attempt, one decision. It raises nothing for what a sink may do."""

    async def open(self) -> None:
        """Get ready; a sink that is down is no reason to fail."""

    async def deliver(self, item: Item) -> Decision:
        """Make one attempt."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(slots=True)
class Counters:
    """What became of transitions so far, and of attempts."""

    delivered: int = 0
    filtered: int = 0
    retried: int = 0  # attempts after which nothing was there
    ambiguous: int = 0  # attempts after which nobody knew
    repeated: int = 0  # attempts that followed an ambiguous one: what a sink without keys may show twice
    dead: int = 0


class Engine:
    """Delivers the transitions of one sink: each alert in order, alerts side by side, each until it is done.

    Parameters
    ----------
    set_aside
        Takes what the sink refuses, with the reason, and returns when it is safe.
    finished
        Told of each transition that is done: when its first attempt began and its last one ended (wall clock, ns), and
        why it was set aside ("": it was delivered).
    rng
        Where the jitter comes from.
    """

    def __init__(
        self,
        sink: Sink,
        settings: SinkSettings,
        *,
        set_aside: Callable[[Item, str], Awaitable[None]],
        finished: Callable[[Item, int, int, str], None] = lambda *_: None,
        rng: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self.counters = Counters()
        self._sink = sink
        self._set_aside = set_aside
        self._finished = finished
        self._rng = rng or random.Random()  # noqa: S311  # jitter is no secret
        self._order: Order[Item] = Order()
        self._lines: dict[str, tuple[int, asyncio.Task[None]]] = {}  # by alert: its partition, and who works on it
        self._sending: set[Place] = set()  # attempts that are under way
        self._leaving: set[int] = set()  # partitions of which nothing more is begun
        self._slots = Slots(settings.parallel)
        self._turns = count()
        self._probe = asyncio.Lock()
        self._bucket = Bucket(settings.per_s, settings.burst)
        self._not_before = 0.0  # monotonic; the sink asked to wait, or is down
        self._failed = 0  # attempts in a row
        self._successes = 0
        self._failing_since = 0.0
        self._told_down = False
        self._told_at = -TELL_S
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Transitions that are read and not done."""
        return len(self._order)

    @property
    def full(self) -> bool:
        """Whether nothing more should be read for now."""
        return len(self._order) >= self.settings.window or self._order.span() >= _SPAN * self.settings.window

    @property
    def down(self) -> bool:
        """Whether the sink fails whatever it is given."""
        return self._failed >= DOWN_AFTER

    def begin(self, partition: int, offset: int) -> None:
        """Take a partition from this offset on."""
        self._order.begin(partition, offset)

    def take(self, item: Item) -> None:
        """Take a transition; it is on its way when this returns."""
        if not wanted(item.alert, self.settings):
            self.counters.filtered += 1
            self._order.skip(item.place)
            return
        item = replace(item, turn=next(self._turns))
        if self._order.add(item.place, item.alert.alert_id, item):
            self._start(item)

    def skip(self, place: Place) -> None:
        """Count a record as done that is no transition."""
        self._order.skip(place)

    def positions(self) -> dict[int, int]:
        """Give the offset to commit of each partition."""
        return self._order.positions()

    async def settled(self) -> None:
        """Wait until everything that was taken is done."""
        await self._idle.wait()

    async def release(self, partitions: Iterable[int], grace_s: float = GRACE_S) -> dict[int, int]:
        """Let go of partitions; give the offsets to commit of them.

        An attempt that is under way may end within `grace_s`: given up half way nobody would know what came of it. The
        rest comes again to whoever has the partitions next.
        """
        gone = set(partitions)
        self._leaving |= gone
        under_way = {task for partition, task in self._lines.values() if partition in gone}
        deadline = time.monotonic() + grace_s
        while any(place[0] in gone for place in self._sending) and time.monotonic() < deadline:
            await asyncio.wait(under_way, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            under_way = {task for task in under_way if not task.done()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._leaving -= gone
        positions = {partition: offset for partition, offset in self._order.positions().items() if partition in gone}
        self._order.drop(gone)
        return positions

    def told(self) -> dict[str, int]:
        """Give the counters, with what waits."""
        return {**asdict(self.counters), "waiting": self.waiting, "down": int(self.down)}

    def _start(self, item: Item) -> None:
        alert_id = item.alert.alert_id
        task = asyncio.create_task(fatal(self._line(item)))
        self._lines[alert_id] = (item.place[0], task)
        self._idle.clear()
        task.add_done_callback(lambda _: self._ended(alert_id, task))

    def _ended(self, alert_id: str, task: asyncio.Task[None]) -> None:
        if self._lines.get(alert_id, (0, None))[1] is task:
            del self._lines[alert_id]
        if not self._lines:
            self._idle.set()

    async def _line(self, item: Item) -> None:
        """Deliver the transitions of an alert, one after the other, as long as there are any."""
        following: Item | None = item
        while following is not None and following.place[0] not in self._leaving:
            await self._deliver(following)
            following = self._order.done(following.place, following.alert.alert_id)

    async def _deliver(self, item: Item) -> None:
        """Try until the sink has it, or refuses it."""
        started, attempts, others = time.time_ns(), 0, self._successes
        doubtful = False
        while True:
            self.counters.repeated += doubtful
            decision = await self._attempt(item)
            if isinstance(decision, Delivered):
                self.counters.delivered += 1
                self._finished(item, started, time.time_ns(), "")
                return
            attempts += 1
            if (
                isinstance(decision, Retry | Ambiguous)
                and attempts >= self.settings.attempts
                and self._successes > others
            ):
                decision = Dead(f"{attempts} attempts failed while others got through; the last one: {decision.why}")
            if isinstance(decision, Dead):
                extra = about(trace_id=item.alert.trace_id, event_id=item.alert.event_id, asset=item.alert.asset)
                log.error(
                    "sink %s refuses event %s: %s", self.settings.name, item.alert.event_id, decision.why, extra=extra
                )
                await self._set_aside(item, decision.why)
                self.counters.dead += 1
                self._finished(item, started, time.time_ns(), decision.why)
                return
            doubtful = doubtful or isinstance(decision, Ambiguous)
            own = decision.after_s or 0.0 if isinstance(decision, Ambiguous) else 0.0
            await asyncio.sleep(max(own, 0.0 if self.down else self._backoff(attempts)))

    async def _attempt(self, item: Item) -> Decision:
        async with self._slots.of(item.turn):
            if not self.down:
                return await self._send(item)
            async with self._probe:  # one asks whether it is back, the others wait for the answer
                return await self._send(item)

    async def _send(self, item: Item) -> Decision:
        await asyncio.sleep(max(self._not_before - time.monotonic(), self._bucket.take(time.monotonic())))
        if item.place[0] in self._leaving:
            raise asyncio.CancelledError  # nothing more is begun there
        self._sending.add(item.place)
        try:
            decision = await self._sink.deliver(item)
        finally:
            self._sending.discard(item.place)
        self.counters.ambiguous += isinstance(decision, Ambiguous)
        self.counters.retried += isinstance(decision, Retry)
        if isinstance(decision, Retry | Ambiguous):
            self._failure(decision)
        else:
            self._success(decision)
        return decision

    def _failure(self, decision: Retry | Ambiguous) -> None:
        self._failed += 1
        wait = (decision.after_s or 0.0) if isinstance(decision, Retry) else 0.0  # what the sink asks of everybody
        if self.down:
            wait = max(wait, self._backoff(self._failed - DOWN_AFTER + 1))
        if wait:
            self._not_before = max(self._not_before, time.monotonic() + wait)
        now = time.monotonic()
        if self._failed == 1:
            self._failing_since = now
        if self.down and not self._told_down and now - self._failing_since >= SURELY_S:
            self._told_down = True
            log.warning("sink %s is down: %s; %d transitions wait", self.settings.name, decision.why, self.waiting)
        elif not self.down and now - self._told_at >= TELL_S:
            self._told_at = now
            log.warning("sink %s: %s; it is tried again", self.settings.name, decision.why)

    def _success(self, decision: Decision) -> None:
        """Take note that the sink answered; a refusal is an answer too."""
        if self._told_down:
            away = time.monotonic() - self._failing_since
            log.warning("sink %s is back after %.0f s; %d transitions wait", self.settings.name, away, self.waiting)
        self._told_down = False
        self._failed = 0
        self._successes += isinstance(decision, Delivered)
        if isinstance(decision, Delivered) and decision.note:
            log.warning("sink %s: %s", self.settings.name, decision.note)

    def _backoff(self, attempt: int) -> float:
        return backoff_s(attempt, self.settings.backoff_s, self.settings.longest_backoff_s, self._rng)
