"""The guard: a child process that never outlives the one that asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from foreshock.errors import Unavailable
from foreshock.local.process import Process, free_port, is_free

DEADLINE_S = 20.0
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.1; done"

# An owner that starts one process with a temporary folder, tells both ids, and waits for its own end.
OWNER = """
import sys, signal
from pathlib import Path
from foreshock.local.process import Process
folder = Path(sys.argv[1])
process = Process("sleeper", ["sleep", "1000"], log=folder / "log", remove=folder)
process.start()
print(process.pid, process._guard.pid, flush=True)
signal.pause()
"""


def alive(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "not within the deadline"
        time.sleep(0.02)


@pytest.fixture
def owner(tmp_path: Path) -> subprocess.Popen[str]:
    folder = tmp_path / "root" / "data"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)


def ids(owner: subprocess.Popen[str]) -> tuple[int, int]:
    """Read the ids of the command and of its guard."""
    assert owner.stdout
    with owner.stdout as out:
        command, guard = map(int, out.readline().split())
    return command, guard


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_when_its_owner_dies(
    owner: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    """However the owner dies, command and guard end and the temporary folder goes, with the root around it."""
    command, guard = ids(owner)
    assert alive(command)
    owner.send_signal(number)
    owner.wait(DEADLINE_S)
    eventually(lambda: not alive(command) and not alive(guard))
    eventually(lambda: not (tmp_path / "root").exists())


def test_the_command_ends_when_its_guard_is_killed(owner: subprocess.Popen[str]) -> None:
    """The kernel ends the command where even the guard was killed."""
    command, guard = ids(owner)
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: not alive(command))
    owner.kill()
    owner.wait(DEADLINE_S)


def test_stop_keeps_the_folder_and_start_begins_again(tmp_path: Path) -> None:
    """An orderly stop keeps the data: the owner goes on and may start the process again."""
    folder = tmp_path / "data"
    folder.mkdir()
    process = Process("sleeper", ["sleep", "1000"], log=tmp_path / "log", remove=folder)
    seen = set()
    for _ in range(2):
        process.start()
        assert process.running
        seen.add(process.pid)
        process.stop()
        assert not process.running
        assert not alive(process.pid)
    assert len(seen) == 2
    assert folder.exists()


def test_a_command_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """After the grace comes SIGKILL."""
    process = Process("stubborn", ["sh", "-c", STUBBORN], log=tmp_path / "log", grace_s=0.2)
    process.start()
    eventually(lambda: "ready" in process.tail())
    process.stop()
    assert not alive(process.pid)


def test_the_end_of_the_log_is_in_the_error(tmp_path: Path) -> None:
    """A service that ends while it starts says why."""
    process = Process("Broken", ["sh", "-c", "echo port is taken; exit 3"], log=tmp_path / "log")
    process.start()
    with pytest.raises(Unavailable, match=r"Broken ended while starting; (.|\n)*port is taken"):
        process.wait_ready(lambda: False, DEADLINE_S)


def test_a_service_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    """The deadline ends it; nothing is left behind."""
    process = Process("Slow", ["sleep", "1000"], log=tmp_path / "log")
    process.start()
    with pytest.raises(Unavailable, match=r"Slow not ready after 0\.1 s"):
        process.wait_ready(lambda: False, 0.1)
    assert not alive(process.pid)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A missing program is one clear error."""
    with pytest.raises(Unavailable, match="nosuchprogram"):
        Process("Nothing", ["/nosuchprogram"], log=tmp_path / "log").start()


def test_a_taken_port_is_not_given(tmp_path: Path) -> None:
    """The preferred port is taken again if it is free, else another one."""
    import socket

    port = free_port()
    assert free_port(port) == port
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        assert not is_free(port)
        assert free_port(port) != port
