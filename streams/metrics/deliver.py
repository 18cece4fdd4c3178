"""The metrics of `foreshock deliver`: what each sink and the grouping of lines count for themselves, and how long deliveries take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from foreshock.streams.errors import aside
from foreshock.streams.metrics.surface import Surface

BEAT_S = 0.5
LOOK_BEATS = 2
TRACEPARENT = 55  # characters
_DELIVERIES = ("delivered", "filtered", "dead")
_ATTEMPTS = ("retried", "ambiguous", "repeated")


class Counting(Protocol):
    """What reads for one sink."""

    @property
    def assigned(self) -> bool:
        """Whether it follows its topic."""
        ...

    def told(self) -> Mapping[str, int]:
        """Give its counters."""
        ...


class Delivering:
    """Looks at the sinks every second.

    Parameters
    ----------
    surface
        Shows it.
    spans
        Counts spans `sent`, `dropped`, `failed`.
    letters
        Counts dead letters by reason.
    """

    def __init__(self, surface: Surface, *, spans: Callable[[], Mapping[str, int]], letters: Mapping[str, int]) -> None:
        self._surface = surface
        self._values = surface.values
        self._spans = spans
        self._letters = letters
        self._sources: dict[str, Counting] = {}
        self._delay = surface.values.histogram("foreshock_event_loop_delay_seconds")
        self.lines: Callable[[], Mapping[str, int]] | None = None

    def watch(self, sink: str, source: Counting) -> None:
        """Look at a sink from now on."""
        self._sources[sink] = source

    def finished(self, sink: str, traceparent: str, started_ns: int, ended_ns: int) -> None:
        """Hear of a transition that is done, with the W3C header that the sink was given."""
        aside(self._finished, sink, traceparent, (ended_ns - started_ns) / 1e9)

    async def every(self) -> None:
        """Run for ever."""
        beats = 0
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._delay.observe(max(time.monotonic() - due, 0.0))
            waiting = [name for name, source in self._sources.items() if not source.assigned]
            self._surface.health.beat(f"no partitions yet: {', '.join(waiting)}" if waiting else "")
            if beats % LOOK_BEATS == 0:
                aside(self._look)
            beats += 1

    def _finished(self, sink: str, traceparent: str, seconds: float) -> None:
        histogram = self._values.histogram("foreshock_sink_delivery_seconds", (sink,))
        histogram.observe(max(seconds, 0.0))
        if len(traceparent) == TRACEPARENT:
            histogram.remember(seconds, traceparent[3:35], int(traceparent[36:52], 16), time.time())

    def _look(self) -> None:
        values = self._values
        for sink, source in self._sources.items():
            told = source.told()
            for name in _DELIVERIES:
                values.put("foreshock_sink_deliveries_total", float(told[name]), (sink, name))
            for name in _ATTEMPTS:
                values.put("foreshock_sink_attempts_total", float(told[name]), (sink, name))
            values.put("foreshock_sink_waiting", float(told["waiting"]), (sink,))
            values.put("foreshock_sink_down", float(told["down"]), (sink,))
            values.put("foreshock_sink_lag_records", float(told["lag"]), (sink,))
        for reason, number in self._letters.items():
            values.put("foreshock_dead_letters_total", float(number), (reason,))
        for result in ("sent", "dropped", "failed"):
            values.put("foreshock_spans_total", float(self._spans()[result]), (result,))
        if self.lines is not None:
            lines = self.lines()
            values.put("foreshock_line_incidents_open", float(lines["open"]))
            values.put("foreshock_line_leader", float(lines["leads"]))
