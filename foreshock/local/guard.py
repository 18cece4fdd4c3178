"""Run one command and end it when the process that asked for it is gone, however it went.

Standard library only: it is started as `python -I -S guard.py GRACE LOG REMOVE COMMAND...`, so that it costs a few
megabytes and some milliseconds. Its standard input is a pipe of which the owner holds the other end and never writes
more than one byte. When the owner closes it or dies (even by SIGKILL: the kernel closes the pipe), the command gets SIGTERM,
after GRACE seconds SIGKILL. A byte before the end says "keep REMOVE"; without it the folder REMOVE ("" for none) is
deleted: the owner died and its temporary data has no other keeper. The first line on standard output is the
command's process id. If the guard itself is killed, the kernel sends the command SIGTERM (Linux).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
POLL_S = 0.2


def main(argv: list[str]) -> int:
    """Run until the command or its owner ends; return the command's exit code."""
    grace, log, remove, command = float(argv[0]), argv[1], argv[2], argv[3:]
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    with Path(log).open("ab") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=_end_with_guard(),  # noqa: PLW1509  # one thread here
        )
    os.write(1, f"{child.pid}\n".encode())
    os.close(1)
    said = _wait(child, stopping)
    code = _end(child, grace)
    if said is not None and not said and remove:
        shutil.rmtree(remove, ignore_errors=True)
        with contextlib.suppress(OSError):  # the folder around it goes with the last service in it
            Path(remove).parent.rmdir()
    return code


def _end_with_guard() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl, guard = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != guard:  # the guard died before the line above
            os._exit(1)

    return bind


def _wait(child: subprocess.Popen[bytes], stopping: list[int]) -> bytes | None:
    """Wait for an end; give what the owner said if it was the owner's, else None."""
    said = b""
    while child.poll() is None and not stopping:
        if select.select([0], [], [], POLL_S)[0]:
            chunk = os.read(0, 16)
            if not chunk:
                return said
            said += chunk
    return None


def _end(child: subprocess.Popen[bytes], grace: float) -> int:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) & 0xFF)
