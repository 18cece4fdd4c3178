"""A stop is heard whatever hangs, and is over within ten seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable

from foreshock.streams.errors import STOPPED, guarded, leave

STOP_S = 8.5  # the supervisor kills at 9.5
_ASKED = frozenset({signal.SIGTERM})


class Stopper(threading.Thread):
    """Takes SIGTERM in a thread of its own: an event loop that is blocked would never hear it.

    Until the worker has begun there is nothing to put in order, and the process ends at once. From then on the parts stop
    one after the other; what is not done after `STOP_S` (brokers away, Redis or an exporter that accepts and never
    answers) is left, and comes again from the last checkpoint.
    """

    def __init__(self) -> None:
        super().__init__(name="stop", daemon=True, target=guarded(self._wait))
        signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)  # for every thread that is made from here on
        self._tell: Callable[[], object] | None = None
        self.start()

    def begun(self, stopping: asyncio.Event) -> None:
        """Set `stopping` when the stop comes; from the event loop."""
        loop = asyncio.get_running_loop()
        self._tell = lambda: loop.call_soon_threadsafe(stopping.set)

    def ask(self) -> None:
        """Stop as if somebody had sent SIGTERM; from any thread."""
        os.kill(os.getpid(), signal.SIGTERM)

    def _wait(self) -> None:
        signal.sigwait(_ASKED)
        if self._tell is None:
            sys.stdout.flush()
            os._exit(0)
        self._tell()
        threading.Event().wait(STOP_S)
        leave(
            f"not everything could be stopped in order within {STOP_S} s; what was not committed comes again", STOPPED
        )
