"""The processes of one `foreshock worker`: started, restarted when they crash, stopped together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from foreshock.errors import ConfigurationError

log = logging.getLogger("foreshock.worker")

BACKOFF_S = 0.1  # doubles with each crash in a row
LONGEST_BACKOFF_S = 2.0
SOUND_S = 10.0  # a process that lived this long had no crash on starting
STOP_S = 9.5  # the workers themselves take at most 8.5 (streams/stopping.py)
LOOK_S = 0.1


@dataclass(slots=True)
class _Slot:
    """One process and its history."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0  # in a row
    next_start: float = field(default=0.0)


class Supervisor:
    """Keeps a number of processes running.

    A crash, a fail stop and a broker that cannot be reached are reasons to start again, without limit: the brokers may
    be away for hours. A wrong configuration is not: it ends everything.

    Parameters
    ----------
    command
        From a slot's number to the command line of its process.
    processes
        How many.
    check
        What has to be in order before any of them may go on. The first ones are started at once, with `--gate FD`: they
        load and compile while this looks, and go on when a byte comes from there.
    """

    def __init__(
        self, command: Callable[[int], Sequence[str]], processes: int, check: Callable[[], object] | None = None
    ) -> None:
        self._command = command
        self._check = check
        self._slots = [_Slot(number) for number in range(processes)]
        self._stopping = threading.Event()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until all processes ended by themselves; give the exit code."""
        if self._check is not None:
            self._open_gate(self._check)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        code = 0
        while not self._stopping.is_set() and any(each.process or each.next_start >= 0 for each in self._slots):
            for slot in self._slots:
                code = self._look_after(slot)
                if code:
                    self._stopping.set()
                    break
            self._stopping.wait(LOOK_S)
        self._stop_all()
        return code

    def _open_gate(self, check: Callable[[], object]) -> None:
        """Start the processes, check, and let them go on; what the check raises ends them first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)
        gate, ours = os.pipe()
        try:
            for slot in self._slots:
                command = [*self._command(slot.number), "--gate", str(gate)]
                slot.process, slot.started = subprocess.Popen(command, pass_fds=[gate]), time.monotonic()
            check()
            os.write(ours, bytes(len(self._slots)))
        except BaseException:
            self._stop_all()
            raise
        finally:
            os.close(gate)
            os.close(ours)

    def _look_after(self, slot: _Slot) -> int:
        """Start a process that is due, take note of one that ended; give its exit code if it must end everything."""
        now = time.monotonic()
        if slot.process is None:
            if 0 <= slot.next_start <= now:
                slot.process, slot.started = subprocess.Popen(self._command(slot.number)), now
            return 0
        code = slot.process.poll()
        if code is None:
            return 0
        slot.process = None
        if code == ConfigurationError.exit_code:
            return code
        if code == 0:
            slot.next_start = -1.0  # somebody asked it to stop
            return 0
        slot.crashes = 1 if now - slot.started > SOUND_S else slot.crashes + 1
        wait = min(BACKOFF_S * 2 ** (slot.crashes - 1), LONGEST_BACKOFF_S)
        slot.next_start = now + wait
        log.error("process %d ended with code %d; the next one starts in %.1f s", slot.number, code, wait)
        return 0

    def _stop_all(self) -> None:
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                log.error("process %d did not stop within %.0f s and is killed", process.pid, STOP_S)  # noqa: TRY400  # expected
                process.kill()
                process.wait()


def _leave(*_: object) -> None:
    """End the command while it is still looking."""
    raise SystemExit(0)
