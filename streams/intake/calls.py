"""Calls from the event loop into a thread that alone may make them."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from foreshock.streams.errors import settle

T = TypeVar("T")


class CallQueue:
    """Hands functions to the one thread that owns a client, and their results back.

    confluent-kafka serialises the calls on a consumer with a spinning lock that is not fair: a call from a second thread
    starves while the first one polls, and one that a rebalance callback waits for never ends. So nobody else calls it.
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()

    async def call(self, function: Callable[[], T], *, timeout_s: float) -> T:
        """Have the thread call `function`, and wait for its result without blocking the loop.

        Raises
        ------
        TimeoutError
            The thread did not answer in time.
        """
        answer: Future[T] = Future()
        self._waiting.put((function, answer))
        return await asyncio.wait_for(asyncio.wrap_future(answer), timeout_s)

    def serve(self, wait_s: float = 0.0) -> None:
        """Make the calls that wait; in the owner's thread only. With `wait_s`, wait that long for the first one."""
        try:
            while True:
                function, answer = self._waiting.get(timeout=wait_s) if wait_s else self._waiting.get_nowait()
                wait_s = 0.0
                if answer.set_running_or_notify_cancel():
                    settle(function, answer)
        except queue.Empty:
            return

    def run_on_loop(
        self,
        step: Coroutine[Any, Any, T],
        loop: asyncio.AbstractEventLoop,
        *,
        timeout_s: float,
        give_up: Callable[[], bool],
        meanwhile: Callable[[], object],
    ) -> T | None:
        """Run a coroutine on the event loop and wait for its end, serving its calls meanwhile; in the owner's thread only.

        Parameters
        ----------
        give_up
            Whether there is no more point in it: the step is cancelled then, and there is no result.
        meanwhile
            Called every few milliseconds.

        Raises
        ------
        TimeoutError
            The step did not end in time. It is cancelled.
        """
        running = asyncio.run_coroutine_threadsafe(step, loop)
        end = time.monotonic() + timeout_s
        while not running.done():
            if give_up():
                running.cancel()
                return None
            if time.monotonic() > end:
                running.cancel()
                raise TimeoutError(f"a rebalance step took more than {timeout_s:.0f} s")
            self.serve(wait_s=0.002)
            meanwhile()
        return running.result()
