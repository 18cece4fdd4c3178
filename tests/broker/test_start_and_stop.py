"""What a worker says and how it ends when something around it is wrong: one clear line, and a stable exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from foreshock.settings import KafkaSettings
from foreshock.streams.supervise import Supervisor


def test_unreachable_broker_is_one_line(settings, start_worker):
    """Exit code 3 and one line that names the address."""
    worker = start_worker(replace(settings, kafka=KafkaSettings(bootstrap="127.0.0.1:1")))

    assert worker.ends(30) == 3
    assert len(worker.lines) == 1, worker.shown()
    assert "127.0.0.1:1" in worker.lines[0]


def test_missing_topic_where_creation_is_off_is_named(settings, start_worker):
    """Exit code 2; the input topic is named with what to do."""
    worker = start_worker(replace(settings, topics=replace(settings.topics, create=False)))

    assert worker.ends(30) == 2
    assert any(f"{settings.topics.prefix}sensors.v1" in line and "topics --print" in line for line in worker.lines)
    assert not any("Traceback" in line for line in worker.lines)


def test_wrong_partition_count_is_named(settings, start_worker):
    """Exit code 2; the line says what was found, what was wanted and how to mend it."""
    name = f"{settings.topics.prefix}sensors.v1"
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    config = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "2000000"}
    for future in admin.create_topics([NewTopic(name, 3, 1, config=config)]).values():
        future.result(30)
    worker = start_worker(settings)

    assert worker.ends(30) == 2
    assert len(worker.lines) == 1, worker.shown()
    assert f"{name}: found 3 partitions, wanted 4" in worker.lines[0]


def test_unknown_setting_is_named(settings, start_worker, tmp_path):
    """Exit code 2; the unknown key is named with its place, and nothing is started."""
    (tmp_path / "foreshock.toml").write_text("[worker]\ncheckpont_s = 5\n")
    worker = start_worker(settings, cwd=tmp_path)

    assert worker.ends(30) == 2
    assert "checkpont_s" in worker.shown()
    assert "foreshock.toml:2" in worker.shown()


def test_second_process_with_the_same_instance_id_is_refused(settings, open_topics, start_worker):
    """Two members with one id would fence each other for ever: the second one ends with exit code 2 and says who has it."""
    mine = replace(settings, worker=replace(settings.worker, instance_id="press-line"))
    open_topics(mine)
    first = start_worker(mine, "--slot", "0")
    first.wait_for("worker ready: press-line")
    second = start_worker(mine, "--slot", "0")

    assert second.ends(30) == 2
    assert f"'press-line' is in use on this host by process {first.process.pid}" in second.lines[-1]
    assert first.stop() == 0


def test_refused_output_stops_the_worker(settings, open_topics, start_worker, make_block):
    """An output that the broker refuses ends the worker with 70 and a last line; nothing is committed past its input."""
    topics = open_topics(settings)
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    for n in range(200):
        topics.send_block(make_block("pump-0", n))
    topics.flush()
    quick = replace(settings, worker=replace(settings.worker, checkpoint_s=0.2))
    worker = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(200, worker=worker)
    entry = ConfigEntry("max.message.bytes", "100", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topics.name("scores.v1"), incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)
    for n in range(200, 210):
        topics.send_block(make_block("pump-0", n))
    topics.flush()

    assert worker.ends(60) == 70, worker.shown()
    assert "output refused" in worker.lines[-1]
    assert topics.name("scores.v1") in worker.lines[-1]
    assert sum(topics.committed().values()) <= 200
    assert len(topics.raw("scores.v1")) == 200


def test_worker_stops_when_its_supervisor_is_gone(settings, open_topics, start_worker, poll_until):
    """A supervisor killed by SIGKILL leaves no worker behind."""
    open_topics(settings)
    worker = start_worker(settings)
    worker.wait_for("worker ready")
    children = f"/proc/{worker.process.pid}/task/{worker.process.pid}/children"
    with open(children) as file:
        child = int(file.read().split()[0])
    worker.process.kill()

    poll_until(lambda: not os.path.exists(f"/proc/{child}/exe"), 60, "the worker outlived its supervisor")


def test_crashed_process_is_started_again(settings, open_topics, start_worker):
    """After a crash the next process is there within seconds, and says it is ready."""
    open_topics(settings)
    worker = start_worker(settings)
    worker.wait_for("worker ready")
    with open(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children") as file:
        os.kill(int(file.read().split()[0]), signal.SIGKILL)
    worker.wait_for("ended with code -9")
    worker.wait_for("worker ready", 60, times=2)

    assert worker.stop() == 0, worker.shown()


class TestSupervisor:
    """Restart rules, with processes that are quick to end."""

    def command(self, script):
        return lambda number: [sys.executable, "-S", "-c", script.replace("SLOT", str(number))]

    def test_wrong_configuration_ends_everything(self):
        """Exit code 2 of one process is not retried: it ends the others and is the supervisor's own."""
        script = "import sys, time; sys.exit(2) if SLOT else time.sleep(60)"
        started = time.monotonic()

        assert Supervisor(self.command(script), 2).run() == 2
        assert time.monotonic() - started < 10

    @pytest.mark.slow
    def test_crashes_are_retried_with_growing_pauses(self, tmp_path):
        """A process that crashes four times is started five times, and the pauses grow."""
        log = tmp_path / "starts"
        script = (
            f"import sys, time; f = open({str(log)!r}, 'a+'); f.write(f'{{time.monotonic()}}\\n'); f.seek(0); "
            "sys.exit(70 if len(f.readlines()) < 5 else 0)"
        )

        assert Supervisor(self.command(script), 1).run() == 0

        starts = [float(line) for line in log.read_text().split()]
        pauses = [b - a for a, b in zip(starts, starts[1:], strict=False)]
        assert len(starts) == 5
        assert pauses == sorted(pauses)
        assert pauses[-1] < 3


@pytest.fixture(autouse=True)
def _keep_signal_handlers():
    """The supervisor takes over SIGTERM and SIGINT of its process; give them back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
