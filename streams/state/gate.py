"""The gate before the Fleet: which events may pass, and when none may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Lapse:
    """Notices that the process was stopped for longer than the group waits for it.

    Others have its partitions then, and may have gone further; nothing may come out any more of what was read before. The
    clock goes on while a machine sleeps, which the monotonic one does not.

    Parameters
    ----------
    session_s
        The session timeout of the group. It counts from the last heartbeat, so a shorter stop may be too long already.
    """

    def __init__(self, session_s: float) -> None:
        self._longest_s = 0.8 * session_s
        self._heard = _now()
        self._lapsed = False

    def beat(self) -> bool:
        """Take the poll thread's sign of life; say whether it comes too late."""
        now = _now()
        if now - self._heard > self._longest_s:
            self._lapsed = True
        self._heard = now
        return self._lapsed

    def over(self) -> bool:
        """Say whether the process was stopped for too long; from any thread, before the poll thread could notice too."""
        return self._lapsed or _now() - self._heard > self._longest_s

    def settle(self) -> None:
        """Begin anew: what was held is dropped."""
        self._heard = _now()
        self._lapsed = False


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Gate:
    """Lets events of the present assignment pass to the Fleet; used on the event loop.

    Parameters
    ----------
    lapse
        Closes it too.
    """

    def __init__(self, lapse: Lapse) -> None:
        self._lapse = lapse
        self._generation: int | None = None
        self._holds = 0
        self._free = asyncio.Event()
        self._free.set()

    def open(self, generation: int) -> None:
        """Let the events of an assignment pass."""
        self._generation = generation

    def close(self) -> None:
        """Let nothing pass: what is queued comes again."""
        self._generation = None

    def lets(self, generation: int) -> bool:
        """Say whether an event of this generation may pass."""
        return generation == self._generation and not self._lapse.over()

    @property
    def is_open(self) -> bool:
        """Whether the state is that of an assignment, and not being restored."""
        return self._generation is not None

    @property
    def held(self) -> bool:
        """Whether a place is being put on record: the order stands still until it is."""
        return self._holds > 0

    async def freed(self) -> None:
        """Wait until nothing is held."""
        await self._free.wait()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Have everything wait that did not pass yet."""
        self._holds += 1
        self._free.clear()
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                self._free.set()
