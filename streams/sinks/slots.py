"""Who may call the sink: so many at a time, and who came first goes first, also after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush


class Slots:
    """Like a semaphore, but with turns.

    What waits leaves in the order of the topic. So the offset below which everything is done follows close behind what was
    delivered, and little comes again after a crash.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def of(self, turn: int) -> AsyncIterator[None]:
        """Hold a slot; of all who wait the one with the lowest turn, which is nobody else's, gets the next."""
        await self._acquire(turn)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, turn: int) -> None:
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (turn, mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._release()  # it was given to us just as we were told to go
            raise

    def _release(self) -> None:
        while self._waiting:
            _, first = heappop(self._waiting)
            if not first.done():
                first.set_result(None)
                return
        self._free += 1
