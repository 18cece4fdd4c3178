"""The feed: the blocks of a plant, sent at the time at which their last sample was taken."""

from __future__ import annotations

import hashlib
import threading
import time

from foreshock.settings import Settings
from foreshock.simulate.plan import Plan
from foreshock.streams.sender import Sender

NS = 1_000_000_000
SAMPLED = 100
"""The gateway asks for the trace of every so-manieth block; anomalies are traced whatever it asks."""


class Feed:
    """Sends a plan: its warm-up in `warmup_wall_s` of wall time, what follows in real time.

    The source clock starts in the past, runs fast through the warm-up, and meets the wall clock where the feed begins.

    Parameters
    ----------
    settings
        Broker and topics.
    plan
        Its epoch is such that plant time `plan.warmup_s` is `warmup_wall_s` from now.
    begin_ns
        Now.
    """

    def __init__(self, settings: Settings, plan: Plan, *, begin_ns: int, warmup_wall_s: float) -> None:
        self._settings = settings
        self._plan = plan
        self._begin_ns = begin_ns
        self._pace = warmup_wall_s / plan.warmup_s
        self.sent = 0
        self.plant_s = 0.0
        """Plant time of the newest block sent."""
        self.latest_s = 0.0
        """The longest that a block of the feed was sent after its time."""

    def run(self, stop: threading.Event) -> None:
        """Send everything, or until `stop` is set; returns when the broker has it."""
        plant = self._plan.plant
        with Sender(self._settings) as sender:
            for t, asset, number in plant.schedule(0.0, self._plan.end_s):
                block = plant.block(asset, number)
                late_ns = time.time_ns() - self._due_ns(t + plant.machines[asset].block_s)
                if late_ns < 0 and stop.wait(-late_ns / NS):
                    return
                if t >= self._plan.warmup_s:
                    self.latest_s = max(self.latest_s, late_ns / NS)
                self.plant_s = t
                if block is not None:
                    sender.send(block, [("traceparent", self._traceparent(asset, number))])
                    self.sent += 1

    def _due_ns(self, t_s: float) -> int:
        if t_s < self._plan.warmup_s:
            return self._begin_ns + round(t_s * self._pace * NS)
        return self._plan.plant.epoch_ns + round(t_s * NS)

    def _traceparent(self, asset: int, number: int) -> bytes:
        name = f"{self._settings.topics.prefix}{asset}/{number}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        return f"00-{digest[:32]}-{digest[32:48]}-{0 if number % SAMPLED else 1:02x}".encode()
