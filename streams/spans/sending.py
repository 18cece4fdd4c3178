"""Spans of what programs of ours send: a gateway's part of a trace, where the gateway is `feed`, `demo` or a command.

A producer cannot know what will come of a block. It asks for the trace of a share of them, as any producer would, and for
the others it holds the span back until somebody tells that there was an event (`keep`), or lets it go at a bounded rate.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreshock.settings import Settings
from foreshock.streams.spans.asked import wanted
from foreshock.streams.spans.attributes import ASSET, SAMPLED_BY, messaging
from foreshock.streams.spans.shape import SpanPlan, TracePlan
from foreshock.streams.spans.store import FILE

if TYPE_CHECKING:
    from foreshock.streams.spans.tracing import Tracing

HELD = 50_000  # spans that wait to be asked for; the oldest go first
PER_S = 500  # spans a second of records that nobody samples: about 3 % of a core


@dataclass(slots=True)
class Sent:
    """A record on its way."""

    trace_id: int
    span_id: int
    sampled: bool
    topic: str
    asset: str
    begun_ns: int
    size: int

    @property
    def traceparent(self) -> bytes:
        """The W3C header that goes along."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}".encode()


class Sending:
    """Makes the trace context of each record that a program sends, and its `send` span when the broker has it.

    Parameters
    ----------
    settings
        `telemetry`: the share of the records that is sampled, the store, the name of the service.
    program
        Ends the name of the service: ``foreshock-feed``.
    held
        Hold spans back that nobody sampled until `keep` asks for them; else they go out, at most `PER_S` a second.
    store
        Directory of the local store; "": that of the settings, or the one that a worker on this machine keeps.
    patience_s
        How long the end waits for exporters; a person who gave a command waits for its answer, not for them.
    """

    def __init__(
        self, settings: Settings, *, program: str, held: bool = False, store: str = "", patience_s: float = 5.0
    ) -> None:
        self._patience_s = patience_s
        self._ratio = settings.telemetry.sample_ratio
        self._client = f"{program}-{socket.gethostname()}-{os.getpid()}"
        self._rng = random.Random(os.urandom(16))  # noqa: S311  # ids of traces are no secrets
        self._hold = held
        self._held: OrderedDict[int, TracePlan] = OrderedDict()
        self._asked: set[int] = set()
        self._lock = threading.Lock()  # one thread sends, another one may tell what is to be kept
        self._second, self._taken = 0, 0
        self._tracing = _tracing(settings, program, self._client, store or _store(settings))

    def begin(self, topic: str, asset: str, size: int, *, always: bool = False) -> Sent:
        """Give the context of a record that is about to be sent."""
        ids = self._rng.getrandbits(192)
        sampled = always or self._rng.random() < self._ratio
        trace_id, span_id = (ids >> 64) or 1, (ids & (2**64 - 1)) or 1
        return Sent(trace_id, span_id, sampled, topic, asset, time.time_ns(), size)

    def done(self, sent: Sent, partition: int, offset: int, error: str = "") -> None:
        """Take note that the broker has the record, or refused it."""
        if self._tracing is None:
            return
        plan = _plan(sent, self._client, partition, offset, error, time.time_ns())
        with self._lock:
            if sent.sampled or error or sent.trace_id in self._asked:
                self._asked.discard(sent.trace_id)
                self._emit(plan, event=True)
            elif not self._hold:
                if self._in_rate():
                    self._emit(plan, event=False)
            else:
                self._held[sent.trace_id] = plan
                if len(self._held) > HELD:
                    self._held.popitem(last=False)

    def keep(self, trace_id: str) -> None:
        """Let the span of a record go out that led to an event; an id that is not ours is passed over."""
        if self._tracing is None or not self._hold:
            return
        number = int(trace_id, 16)
        with self._lock:
            plan = self._held.pop(number, None)
            if plan is not None:
                self._emit(plan, event=True)
            elif len(self._asked) < HELD:
                self._asked.add(number)  # its outputs may be heard of before our own delivery report

    def close(self) -> None:
        """Send what waits, as far as patience goes."""
        if self._tracing is not None:
            self._tracing.close(self._patience_s)

    def _emit(self, plan: TracePlan, *, event: bool) -> None:
        if self._tracing is not None:
            self._tracing.emit(lambda: plan, 1, event=event)

    def _in_rate(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= PER_S


def service_name(settings: Settings, program: str) -> str:
    """Name a program beside the worker whose name the settings give."""
    return f"{settings.telemetry.service_name.removesuffix('-worker')}-{program}"


def _tracing(settings: Settings, program: str, client: str, store: str) -> Tracing | None:
    """Load the SDK only where there is anywhere for a span to go: a command is to answer at once."""
    if not wanted(store):
        return None
    from foreshock.streams.spans.tracing import Tracing

    return Tracing(service_name=service_name(settings, program), worker=client, store=store)


def _store(settings: Settings) -> str:
    """Give the store of the settings, else the one that is there already: a worker of `up` or `demo` writes it."""
    there = settings.worker.data_dir / "spans"
    return settings.telemetry.store or (str(there) if (there / FILE).exists() else "")


def _plan(sent: Sent, client: str, partition: int, offset: int, error: str, ended_ns: int) -> TracePlan:
    attributes = messaging("send", "send", sent.topic, partition, None if error else offset) | {
        "messaging.client.id": client,
        "messaging.kafka.message.key": sent.asset,
        "messaging.message.body.size": sent.size,
        ASSET: sent.asset,
        SAMPLED_BY: "producer",
    }
    if error:
        attributes["error.type"] = "delivery"
    span = SpanPlan(
        span_id=sent.span_id,
        parent_id=0,
        name=f"send {sent.topic}",
        kind="producer",
        start_ns=sent.begun_ns,
        end_ns=max(sent.begun_ns, ended_ns),
        attributes=attributes,
        error=error,
    )
    return TracePlan(trace_id=sent.trace_id, remote_parent=0, remote_sampled=False, spans=(span,))
