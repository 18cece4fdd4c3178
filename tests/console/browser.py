"""A real Chromium, the demonstration it looks at, and what a page may never do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from foreshock.local.process import free_port

DEADLINE_S = 90.0
COMMAND = [sys.executable, "-c", "from foreshock.cli import main; main()"]
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}


def chromium() -> str:
    """Where the system's Chromium is; where there is none skip with the reason, in CI fail."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not found:
        assert os.environ.get("CI") != "true", "no chromium: .ci/run installs the package chromium"
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    return found


def launch(playwright: Playwright) -> Browser:
    """Start it without a screen; root, as in a container, has no sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=chromium(), args=arguments, timeout=DEADLINE_S * 1e3)


@dataclass
class Seen:
    """A page, and all that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # what Chromium tells of answers that were errors or did not come


@contextmanager
def looking(browser: Browser, url: str, *, size: dict[str, int] | None = None, scheme: str = "light") -> Iterator[Seen]:
    """A page in a profile of its own; at the end it must not have had an error or broken the policy of its content."""
    context = browser.new_context(viewport=size or WIDE, color_scheme=scheme)
    context.set_default_timeout(DEADLINE_S * 1e3)
    page = context.new_page()
    seen = Seen(page)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))"
    )
    page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
    page.on("console", lambda line: _note(seen, line.type, line.text))
    page.goto(url)
    yield seen
    assert not seen.complaints, seen.complaints
    context.close()


def _note(seen: Seen, kind: str, text: str) -> None:
    if text.startswith("Failed to load resource"):
        seen.refused.append(text)
    elif kind in ("error", "warning"):
        seen.complaints.append(f"{kind}: {text}")


def until(what: Callable[[], Any], why: str) -> Any:
    """Poll until something is there."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := what()):
        assert time.monotonic() < deadline, why
        time.sleep(0.2)
    return found


class Running:
    """A command that runs until `stop`; what it says is kept."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.said: list[str] = []
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        for stream, kept in ((self._process.stdout, self.said), (self._process.stderr, self.errors)):
            threading.Thread(target=kept.extend, args=(stream,), daemon=True).start()

    def line(self, begin: str, *, within_s: float) -> str:
        """The first line of its output that begins so."""
        deadline = time.monotonic() + within_s
        while (found := next((each for each in list(self.said) if each.startswith(begin)), None)) is None:
            assert self._process.poll() is None, "".join(self.errors)
            assert time.monotonic() < deadline, "".join(self.errors)
            time.sleep(0.2)
        return found

    def stop(self) -> int:
        """End it as a terminal does."""
        self._process.terminate()
        return self._process.wait(DEADLINE_S)


@dataclass(frozen=True)
class Demo:
    """A demonstration with its page."""

    url: str
    token: str
    prefix: str
    asset: str
    alert: str


@contextmanager
def demonstration(bootstrap: str, redis: str, folder: Path) -> Iterator[Demo]:
    """`foreshock demo --open` once it has found its faults; its plant goes on."""
    run = Running(
        "demo", "--open", "--json", "--seed", "1", "--duration", "40", "--data", str(folder / "demo"),
        "--bootstrap", bootstrap, "--redis", redis, environment={"FORESHOCK_WORKER__DATA_DIR": str(folder / "worker")},
    )  # fmt: skip
    try:
        told = json.loads(run.line("{", within_s=400.0))
        asset, alert = (address.rpartition("/")[2] for address in told["look_at"][:2])
        yield Demo(told["page"], (folder / "demo" / "console-token").read_text(), told["prefix"], asset, alert)
    finally:
        run.stop()


@contextmanager
def console(bootstrap: str, prefix: str, folder: Path) -> Iterator[tuple[str, str]]:
    """`foreshock console` alone, at all addresses of this machine: who reads has to sign in. Gives address and token."""
    port, token = free_port(), folder / "token"
    token.touch(mode=0o600)
    token.write_text("a-token-of-the-tests")
    run = Running(
        "console", "--listen", f"0.0.0.0:{port}", "--token-file", str(token),
        "--bootstrap", bootstrap, "--prefix", prefix, environment={},
    )  # fmt: skip
    try:
        run.line("the console is at ", within_s=DEADLINE_S)
        yield f"http://127.0.0.1:{port}/", token.read_text()
    finally:
        run.stop()
