"""The feed: the blocks of a plant, sent at the time at which their last sample was taken, as an integrator would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from foreshock.settings import Settings
from foreshock.simulate.plant import Plant
from foreshock.streams.errands.sender import Sender

NS = 1_000_000_000


class Feed:
    """Sends the blocks of a plant.

    Parameters
    ----------
    sender
        Connected already: the first block need not wait for that.
    plant
    end_s
        Plant time at which the feed ends.
    due_ns
        From plant time to the wall time at which a block that ends then is sent.
    start_s
        Plant time of the first block.
    """

    def __init__(
        self, sender: Sender, plant: Plant, end_s: float, due_ns: Callable[[float], int], *, start_s: float = 0.0
    ) -> None:
        self._sender = sender
        self._plant = plant
        self._start_s = start_s
        self._end_s = end_s
        self._due_ns = due_ns
        self.sent = 0
        self.plant_s = 0.0
        """Plant time of the newest block sent."""
        self.behind_s = 0.0
        """How long the newest block was sent after its time."""

    def run(self, stop: threading.Event) -> None:
        """Send everything, or until `stop` is set; returns when the broker has it."""
        plant, sender = self._plant, self._sender
        for t, asset, number in plant.schedule(self._start_s, self._end_s):
            block = plant.block(asset, number)
            late_ns = time.time_ns() - self._due_ns(t + plant.machines[asset].block_s)
            if stop.wait(max(0.0, -late_ns / NS)):
                return
            self.plant_s, self.behind_s = t, max(0.0, late_ns / NS)
            if block is not None:
                sender.send(block)
                self.sent += 1
        sender.flush()

    def keep(self, trace_id: str | None) -> None:
        """Have the trace of a block that led to an event begin where the block was sent."""
        if trace_id and self._sender.spans:
            self._sender.spans.keep(trace_id)


def register(settings: Settings, plant: Plant, warmup_blocks: Callable[[int], int | None]) -> None:
    """Send the plant's asset register; `warmup_blocks` is of the asset with that number, None for the worker's own."""
    with Sender(settings, idempotent=False) as sender:
        for i, machine in enumerate(plant.machines):
            sender.send(machine.master_data(warmup_blocks(i)))
