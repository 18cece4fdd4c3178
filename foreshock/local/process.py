"""One service of the local stack: a command under a guard, with a log, that never outlives this process."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from foreshock.errors import Unavailable

GUARD = Path(__file__).with_name("guard.py")
GRACE_S = 10.0
POLL_S = 0.02
# Below the range from which the kernel takes the ports of outgoing connections, so that none of these takes ours.
PORTS = range(20_000, 32_000)


def free_port(preferred: int = 0) -> int:
    """Give a loopback port on which nobody listens, the preferred one if it is free."""
    candidates = [preferred] if preferred else []
    candidates += random.SystemRandom().sample(PORTS, 200)
    for port in candidates:
        if is_free(port):
            return port
    raise Unavailable(f"no free loopback port in {PORTS.start}-{PORTS.stop}")


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Say whether somebody accepts connections on this loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Process:
    """A command that runs under the guard. `start` and `stop` may be called again and again.

    A process that we fork without exec holds the guard's pipe too: the command then ends with the last of us.

    Parameters
    ----------
    name
        What it is called in errors.
    command
        Program and arguments.
    log
        File to which its output is appended.
    remove
        A temporary folder that is deleted if this process dies without calling `stop`.
    env
        The command's whole environment; None: ours.
    grace_s
        Seconds from SIGTERM to SIGKILL at a stop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        remove: Path | None = None,
        env: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.remove = remove
        self._env = env
        self._grace_s = grace_s
        self.pid = 0
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the command runs."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Start the command; returns at once, before it is ready."""
        guard = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(GUARD),
                str(self._grace_s),
                str(self.log),
                str(self.remove or ""),
                *self.command,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._env,
            start_new_session=True,  # Ctrl-C at the terminal reaches us alone, and we stop it in order
        )
        self._guard = guard
        assert guard.stdout is not None
        with guard.stdout as out:
            self.pid = int(out.readline() or 0)
        if not self.pid:
            raise Unavailable(f"{self.name} cannot be started: {self.command[0]}")

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`; on an end or after the deadline stop it and raise with the last lines of its log."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(POLL_S)
        why = f"not ready after {seconds:g} s" if self.running else "ended while starting"
        self.stop()
        raise Unavailable(f"{self.name} {why}; the last lines of {self.log}:\n{self.tail()}")

    def stop(self) -> None:
        """End it in order (SIGTERM, after the grace SIGKILL) and keep its data."""
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(b"k")
            self._guard.stdin.close()
        self._guard.wait()
        self._guard = None

    def kill(self) -> None:
        """Kill the command as a crash would (SIGKILL), for tests of outages."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def tail(self, lines: int = 15) -> str:
        """Give the last lines of the log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return "(no log)"
