"""A worker ends when it is told to, whatever hangs, and by itself when it gets nowhere though it could."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient

from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, RedisSettings

STOP_S = 10.0
# A worker whose models hang on the block with the sequence number 7.
STUCK = """
import time
from foreshock.fleet import Fleet
receive = Fleet.receive
def stuck(fleet, batch):
    if any(getattr(each, "sequence", None) == 7 for each in batch):
        print("stuck", flush=True)
        time.sleep(3600)
    return receive(fleet, batch)
Fleet.receive = stuck
from foreshock.cli import main
main()
"""
# A process whose main thread is in a call into C that never comes back.
DEAF = """
import asyncio, ctypes
from foreshock.streams import stopping
stopping.STOP_S = 0.5
stopper = stopping.Stopper()
async def main():
    stopper.begun(asyncio.Event())
    print("begun", flush=True)
    ctypes.CDLL(None).sleep(60)
asyncio.run(main())
"""


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never answers."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


def stopped_within(worker, seconds: float) -> int:
    """Send SIGTERM; give the exit code."""
    began = time.monotonic()
    code = worker.stop(seconds=seconds + 5)
    assert time.monotonic() - began < seconds, worker.shown()
    return code


def send(topics, make_block, numbers):
    for n in numbers:
        topics.send_block(make_block(f"pump-{n % 4}", n))


@pytest.mark.slow
def test_stops_while_redis_and_the_exporter_hang(settings, open_topics, start_worker, make_block, silent, monkeypatch):
    """Neither holds up the outputs, and both together not the stop; everything is committed."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent}")
    monkeypatch.setenv("FORESHOCK_TELEMETRY__SAMPLE_RATIO", "1.0")
    mine = replace(settings, redis=RedisSettings(url=f"redis://127.0.0.1:{silent}/0"))
    topics = open_topics(mine)
    send(topics, make_block, range(100))
    topics.flush()
    worker = start_worker(mine, "--slot", "0")
    topics.wait_for_outcomes(100, worker=worker)

    assert stopped_within(worker, STOP_S) == 0, worker.shown()
    assert sum(topics.committed().values()) == 100


@pytest.mark.slow
def test_stops_while_the_broker_is_down(settings, stack, open_topics, start_worker, make_block):
    """With outputs under way that nobody takes: the supervisor and its process are gone in time."""
    with LocalStack(None, redis=False) as own:
        mine = replace(settings, kafka=KafkaSettings(bootstrap=own.bootstrap), redis=RedisSettings())
        topics = open_topics(mine)
        send(topics, make_block, range(40))
        topics.flush()
        worker = start_worker(mine)
        topics.wait_for_outcomes(40, worker=worker)
        send(topics, make_block, range(40, 800))
        topics.flush()
        own.broker.kill()

        assert stopped_within(worker, STOP_S) == 0, worker.shown()
        topics.close()


@pytest.mark.slow
def test_stops_while_its_topics_are_deleted(settings, open_topics, start_worker, make_block):
    """Told to stop, or ended by what it found: it is gone in time and says why where nobody asked it to."""
    topics = open_topics(settings)
    send(topics, make_block, range(40))
    topics.flush()
    worker = start_worker(settings, "--slot", "0")
    topics.wait_for_outcomes(40, worker=worker)
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    for future in admin.delete_topics([topics.name("sensors.v1"), topics.name("scores.v1")]).values():
        future.result(30)

    code = stopped_within(worker, STOP_S)
    assert code in (0, 70), worker.shown()
    assert code == 0 or worker.lines


@pytest.mark.slow
def test_ends_itself_when_it_is_stuck(settings, open_topics, start_worker, make_block):
    """Blocks wait, the broker answers and nothing is done for `stall_s`: exit code 70 and how many wait."""
    quick = replace(settings, worker=replace(settings.worker, stall_s=3.0, checkpoint_s=0.5))
    topics = open_topics(quick)
    send(topics, make_block, range(7))
    topics.flush()
    worker = start_worker(quick, "--slot", "0", script=STUCK)
    topics.wait_for_outcomes(7, worker=worker)
    send(topics, make_block, range(7, 20))
    topics.flush()

    assert worker.ends(30) == 70, worker.shown()
    assert "no progress for" in worker.lines[-1]
    assert "records waiting while the brokers answer" in worker.lines[-1]
    assert sum(topics.committed().values()) <= 19


@pytest.mark.slow
def test_stops_while_it_is_stuck(settings, open_topics, start_worker, make_block):
    """An event loop that never comes back hears no signal; the process ends all the same and says what it left."""
    topics = open_topics(settings)
    send(topics, make_block, range(20))
    topics.flush()
    worker = start_worker(settings, "--slot", "0", script=STUCK)
    worker.wait_for("stuck")

    assert stopped_within(worker, STOP_S) == 70
    assert "what was not committed comes again" in worker.lines[-1]


def test_a_deaf_main_thread_does_not_keep_it(stack):
    """SIGTERM is heard while the main thread is inside a call that does not return."""
    deaf = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with deaf:
        assert deaf.stdout.readline() == "begun\n"
        deaf.send_signal(signal.SIGTERM)

        assert deaf.wait(30) == 70
        assert "could be stopped in order" in deaf.stderr.read()
