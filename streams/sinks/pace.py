"""How fast a sink is used: a token bucket. Pure; the time is an argument."""

from __future__ import annotations


class Bucket:
    """Lets `burst` deliveries go at once, and `per_s` in a second on average; 0 per second is no limit."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Take a token; give the seconds after which it is there. Who comes later waits longer."""
        if not self._per_s:
            return 0.0
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._per_s)
