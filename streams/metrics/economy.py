"""CPU by asset class, and what an asset costs for a month."""

from __future__ import annotations

import time

from foreshock.streams.metrics.holders import UNCLASSIFIED, Holders
from foreshock.streams.metrics.prices import Prices, Usage, month_of
from foreshock.streams.metrics.process import cpu_s, memory_bytes
from foreshock.streams.metrics.values import Values
from foreshock.streams.metrics.windows import HOUR_S, Window

SOON_S = 30.0  # rates of less are those of a start


class Economy:
    """Shares out the CPU of the process by the bytes of each class.

    Parameters
    ----------
    values, holders
        Where it is written, and whose bytes.
    prices
        None: nothing is said of cost.
    """

    def __init__(self, values: Values, holders: Holders, prices: Prices | None) -> None:
        self._values = values
        self._holders = holders
        self._prices = prices
        self._shared_s = cpu_s()
        self._bytes: dict[str, int] = {}
        self._cpu: dict[str, float] = {}
        self._window: Window[tuple[dict[str, float], dict[str, int]]] = Window(HOUR_S, 60.0)
        self.assets: dict[str, int] = {}  # by class

    def look(self) -> None:
        """Share out what was used since the last look; where nothing was received it waits for who receives next."""
        now, used = self._holders.bytes_by_class(), cpu_s()
        fresh = {name: size - self._bytes.get(name, 0) for name, size in now.items()}
        total = sum(fresh.values())
        if total:
            for name, size in fresh.items():
                self._cpu[name] = self._cpu.get(name, 0.0) + (used - self._shared_s) * size / total
            self._shared_s, self._bytes = used, now
        self._values.replace("foreshock_received_bytes_total", {(n,): float(s) for n, s in now.items() if s})
        self._values.replace("foreshock_class_cpu_seconds_total", {(n,): s for n, s in self._cpu.items() if s})
        if self._prices is not None:
            self._cost(self._prices, now)

    def _cost(self, prices: Prices, now: dict[str, int]) -> None:
        at_s = time.monotonic()
        since_s, (cpu, received) = self._window.read(at_s, (dict(self._cpu), now))
        span_s, every = at_s - since_s, sum(self.assets.values())
        if span_s < SOON_S or not every:
            return
        memory, series = memory_bytes(), dict[tuple[str, ...], float]()
        for name, number in self.assets.items():
            usage = Usage(
                assets=number,
                share=number / every,
                cores=(self._cpu.get(name, 0.0) - cpu.get(name, 0.0)) / span_s,
                bytes_per_s=(now.get(name, 0) - received.get(name, 0)) / span_s,
            )
            series[name or UNCLASSIFIED, prices.currency] = month_of(prices, usage, memory)
        self._values.replace("foreshock_cost_per_asset_month", series)
