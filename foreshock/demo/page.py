"""The page of a demonstration: the console beside it, and what to look at there."""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foreshock.demo.stage import GROUP, START_S, check, span_store
from foreshock.errors import Unavailable
from foreshock.local.process import Process
from foreshock.settings import Settings

_SAYS = re.compile(r"the console is at (\S+)")
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """A console that serves."""

    process: Process
    url: str
    token: str
    """With it people may acknowledge, shelve and label."""

    def opened(self) -> None:
        """Open it in the browser, where there is a screen for one."""
        if sys.stdout.isatty() and (sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)):
            with suppress(webbrowser.Error):
                webbrowser.open(self.url)


def serve(settings: Settings, folder: Path, environment: Mapping[str, str], config: Path | None) -> Process:
    """Start the console of this run as a child that cannot outlive us, on a free port, with a token of its own."""
    token = folder / "console-token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_urlsafe(12), encoding="utf-8")
    command = [sys.executable, "-c", "from foreshock.cli import main; main()", "console"]
    command += ["--listen", "127.0.0.1:0", "--token-file", str(token)]
    command += ["--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix]
    command += ["--redis", settings.redis.url] if settings.redis.url else []
    command += ["--config", str(config)] if config else []
    own = {
        "FORESHOCK_WORKER__GROUP": settings.topics.prefix + GROUP,
        "FORESHOCK_TELEMETRY__STORE": str(span_store(settings)),
    }
    process = Process("console", command, log=folder / "console.log", env={**os.environ, **environment, **own})
    process.start()
    return process


def wait_until_served(process: Process, folder: Path) -> Page:
    """Give the page once it has an address.

    Raises
    ------
    Unavailable
        The console ended, or said nothing for as long as a worker may take.
    """
    deadline = time.monotonic() + START_S
    while (found := _SAYS.search(process.tail())) is None:
        check(process)
        if time.monotonic() > deadline:
            raise Unavailable(f"the console was not ready within {START_S:.0f} s; {process.log}:\n{process.tail()}")
        time.sleep(_LOOK_S)
    return Page(process, found[1], (folder / "console-token").read_text("utf-8"))
