"""The endpoint: who may have the address, what is answered, and that nobody who asks can hold it up."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from foreshock.errors import ConfigurationError
from foreshock.settings import KafkaSettings, MetricsSettings, Settings
from foreshock.streams.metrics import endpoint
from foreshock.streams.metrics.endpoint import CONNECTIONS, Endpoint, Health, bind
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.surface import Surface
from foreshock.streams.metrics.values import Values
from tests.metrics.reading import Scrape, get, scrape

WAIT_S = 30.0


@pytest.fixture
def served():
    """An endpoint with its values and its health."""
    values, health = Values(Process.CASES), Health(silent_s=60.0)
    made = Endpoint(bind("127.0.0.1:0", "metrics.listen"), values, health)
    yield made, values, health
    made.close()


def raw(address, data=b"", *, read=True):
    """Send bytes; give what comes back, or the connection."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)), WAIT_S)
    connection.sendall(data)
    if not read:
        return connection
    with closing(connection):
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
        return found


@pytest.mark.parametrize(
    "listen",
    ["9464", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999", ":9464", "http://127.0.0.1:9464", "a b:1", "[::1:1"],
)
def test_an_address_that_is_none_is_told(listen):
    """The error names the setting and shows how it is written, or why it cannot be used."""
    with pytest.raises(ConfigurationError, match=r"metrics\.listen"):
        bind(listen, "metrics.listen")


def test_process_n_listens_on_port_plus_n():
    """Each process of a supervisor is a target of its own; a port that is taken is an error, "" is nowhere."""
    with closing(bind("127.0.0.1:0", "metrics.listen")) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} cannot be used"):
            bind(f"127.0.0.1:{port - 1}", "metrics.listen", 1)
    assert bind("", "metrics.listen") is None


def test_health_and_readiness_are_two_questions(served):
    """Starting it is well and not ready; restoring too; at work both; without a sign of life neither."""
    made, _, health = served
    assert get(f"{made.address}/healthz")[::2] == (200, "starting\n")
    assert get(f"{made.address}/readyz")[::2] == (503, "starting\n")
    health.beat("partitions are being restored")
    assert get(f"{made.address}/healthz")[::2] == (200, "ok\n")
    assert get(f"{made.address}/readyz")[::2] == (503, "partitions are being restored\n")
    health.beat("")
    assert get(f"{made.address}/readyz")[::2] == (200, "ready\n")
    health._beat -= 61.0
    assert get(f"{made.address}/healthz")[0] == 503
    assert get(f"{made.address}/readyz")[0] == 503


def test_what_is_asked_for_is_answered_in_its_format(served):
    """OpenMetrics with exemplars where it is wanted, the text format else; other paths and methods are told."""
    made, values, _ = served
    values.add("foreshock_case_parts_total", (), 3)

    assert scrape(made.address).value("foreshock_case_parts_total") == 3
    status, content_type, body = get(f"{made.address}/metrics", "*/*")
    assert (status, content_type.startswith("text/plain; version=0.0.4")) == (200, True)
    assert Scrape(body, openmetrics=False).value("foreshock_case_parts_total") == 3
    assert get(f"{made.address}/metrics?name=x")[0] == 200
    assert get(f"{made.address}/other")[0] == 404
    assert raw(made.address, b"POST /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 405 ")
    head = raw(made.address, b"HEAD /metrics HTTP/1.1\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET /" + b"a" * 100_000, b"GET /metrics HTTP/1.1\r\nAccept: \xff;q=a,,=\r\n\r\n"])  # fmt: skip
def test_rubbish_is_answered_or_cut(served, data):
    """No request ends the endpoint."""
    made, _, _ = served
    with suppress(ConnectionError):
        raw(made.address, data)

    assert get(f"{made.address}/healthz")[0] == 200


@pytest.mark.slow
def test_who_asks_for_nothing_is_cut_and_the_others_are_served(served, monkeypatch):
    """Idle connections take no more than their number, for no longer than the deadline; then there is room again."""
    monkeypatch.setattr(endpoint, "REQUEST_S", 1.0)
    made, values, _ = served
    idle = [raw(made.address, b"GET /met", read=False) for _ in range(CONNECTIONS + 4)]

    deadline = time.monotonic() + WAIT_S
    while dict(values.numbers("foreshock_scrapes_total"))["refused",] < len(idle):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    monkeypatch.setattr(endpoint, "REQUEST_S", WAIT_S)
    assert scrape(made.address).value("foreshock_scrapes_total", result="refused") == len(idle)
    for each in idle:
        each.close()


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_cut(served, monkeypatch):
    """The answer is not kept for ever for somebody who does not take it."""
    monkeypatch.setattr(endpoint, "REQUEST_S", 1.0)
    made, values, _ = served
    monkeypatch.setattr(made._exposition, "write", lambda _: (b"x" * 64_000_000, "text/plain"))
    slow = raw(made.address, b"GET /metrics HTTP/1.1\r\n\r\n", read=False)

    deadline = time.monotonic() + WAIT_S
    while not dict(values.numbers("foreshock_scrapes_total"))["refused",]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    monkeypatch.setattr(endpoint, "REQUEST_S", WAIT_S)
    assert get(f"{made.address}/healthz")[0] == 200
    slow.close()


def test_a_metric_that_cannot_be_written_is_an_answer_of_500(served, monkeypatch):
    """It is told, and health still answers."""
    made, _, _ = served
    monkeypatch.setattr(made._exposition, "write", lambda _: 1 / 0)

    assert get(f"{made.address}/metrics")[0] == 500
    assert get(f"{made.address}/healthz")[0] == 200


def test_many_scrapers_at_once_see_whole_scrapes(served):
    """Side by side, while values change."""
    made, values, _ = served
    found, over = [], threading.Event()

    def count():
        while not over.is_set():
            values.add("foreshock_case_parts_total")
            values.put("foreshock_certificate_expiry_timestamp_seconds", 1.0, (f"file-{time.monotonic_ns() % 50}",))

    threads = [threading.Thread(target=lambda: found.append(scrape(made.address))) for _ in range(8)]
    writer = threading.Thread(target=count)
    for thread in [writer, *threads]:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    over.set()
    writer.join(WAIT_S)

    assert len(found) == 8
    assert all(each.families.keys() == found[0].families.keys() for each in found)


def test_a_port_that_nobody_asked_for_may_be_another_s(monkeypatch, caplog):
    """A second worker with the default address goes on and says that it is scraped nowhere; one that was asked for is an error."""
    with closing(bind("127.0.0.1:0", "metrics.listen")) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = Settings(kafka=KafkaSettings(), metrics=MetricsSettings(listen=listen))
        with pytest.raises(ConfigurationError, match="cannot be used"):
            Surface(settings, Process.WORKER, name="w")
        monkeypatch.setattr("foreshock.streams.metrics.surface.MetricsSettings", lambda: settings.metrics)
        surface = Surface(settings, Process.WORKER, name="w")

    assert surface.address == ""
    assert "scraped nowhere" in caplog.text
    surface.close()
