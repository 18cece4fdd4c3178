"""State that cannot be used: that key alone starts cold and says so, and too many of them stop the start."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from foreshock.fleet import AssetState
from foreshock.streams.kafka import producer_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.reader import read_state
from foreshock.streams.state.records import Marker
from tests.broker import undisturbed

pytestmark = pytest.mark.slow
ASSETS = [f"pump-{n}" for n in range(8)]


@pytest.fixture
def keys(quick):
    """The keys of the cluster."""
    admin = AdminClient({"bootstrap.servers": quick.kafka.bootstrap})
    return keys_of(quick, admin.list_topics(timeout=10).cluster_id)


@pytest.fixture
def ran(quick, open_topics, start_worker, send):
    """Topics of a worker that has handled 15 rounds and stopped."""
    topics = open_topics(quick)
    send(topics, 0, 15)
    worker = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(15 * 8, worker=worker)
    assert worker.stop() == 0, worker.shown()
    return topics


@pytest.fixture
def overwrite(quick):
    """Write a record to state.v1."""
    producer = Producer({**producer_config(quick), "log_level": 2})

    def write(key, value):
        name = f"{quick.topics.prefix}state.v1"
        producer.produce(name, value, key.encode(), int(key.partition("/")[0].rstrip("+")))
        assert producer.flush(20) == 0

    return write


def cold(topics):
    """Which assets said that they start cold, and why."""
    return {
        each.record["asset"]: each.record["detail"]
        for each in topics.read("quality.v1")
        if each.record["kind"] == "cold_start"
    }


def key_of(asset):
    return f"{partition_for(asset.encode(), 4)}/{asset}"


def snapshot(topics, asset):
    """The snapshot of an asset."""
    key = key_of(asset)
    found = dict(read_state(topics.settings, int(key.partition("/")[0])))
    return found[key]


def test_damaged_keys_start_cold_alone(ran, quick, keys, overwrite, start_worker, send):
    """Flipped, unsigned and from beyond the end of the log: three assets start cold and say why, the others are as undisturbed.

    So they are with one of the two copies of their marker damaged; with both, all of that partition start cold.
    """
    state = AssetState.unseal(snapshot(ran, "pump-0"), keys)
    data = bytearray(state.seal(keys))
    data[-5] ^= 1
    overwrite(key_of("pump-0"), bytes(data))
    overwrite(key_of("pump-1"), b"nonsense")
    beyond = replace(AssetState.unseal(snapshot(ran, "pump-2"), keys), offset=10_000)
    overwrite(key_of("pump-2"), beyond.seal(keys))
    lost = ["pump-4", "pump-5"]
    assert {partition_for(asset.encode(), 4) for asset in lost} == {1}
    for marker in ("0", "1", "1+", "3+"):
        overwrite(marker, b"nonsense")
    send(ran, 15, 18)
    worker = start_worker(quick, "--slot", "0")
    ran.wait_for_outcomes(18 * 8, worker=worker)

    assert worker.stop() == 0, worker.shown()
    told = cold(ran)
    assert set(told) == {"pump-0", "pump-1", "pump-2", *lost}
    assert all("the marker" in told[asset] for asset in lost)
    for marker in ("0", "1", "1+", "3+"):
        worker.wait_for(f"marker {marker} (it is written twice) is not used: unsigned")
    assert "bad_signature" in told["pump-0"]
    assert "unsigned" in told["pump-1"]
    assert "10000" in told["pump-2"]
    scores, digests = undisturbed.run(ran)
    kept = {key_of(asset) for asset in ASSETS[3:] if asset not in lost}
    stored = undisturbed.stored(ran)
    assert {each for each in digests if stored[each] == digests[each]} == {
        (int(key.partition("/")[0]), key.partition("/")[2]) for key in kept
    }
    assert len(undisturbed.published(ran)) == len(scores)


def test_too_many_damaged_keys_stop_the_start(ran, quick, overwrite, start_worker):
    """All nine of a partition: exit code 2 and one last line that says what to do; with --accept-cold it starts."""
    number = partition_for(b"pump-0", 4)
    for asset in range(9):
        overwrite(f"{number}/press-{asset}", b"nonsense")
    refused = start_worker(quick, "--slot", "0")

    assert refused.ends(30) == 2
    assert "9 of" in refused.lines[-1]
    assert "--accept-cold" in refused.lines[-1]

    accepted = start_worker(quick, "--slot", "0", "--accept-cold")
    accepted.wait_for("worker ready")
    assert accepted.stop() == 0, accepted.shown()


def test_remade_topic_and_truncated_log_start_cold(ran, quick, keys, overwrite, start_worker, send, poll_until):
    """A marker of another topic, or beyond the end of the log: everything of that partition starts cold and says so."""
    info = ran.found["sensors.v1"]
    numbers = sorted({partition_for(asset.encode(), 4) for asset in ASSETS})
    remade, truncated = numbers[:2]
    overwrite(str(remade), Marker("another-topic", 5, 5).seal(keys))
    overwrite(str(truncated), Marker(info.topic_id, 10_000, 10_000).seal(keys))
    send(ran, 15, 17)
    worker = start_worker(quick, "--slot", "0")
    poll_until(lambda: ran.committed() == ran.ends("sensors.v1"), 30, worker.shown)

    assert worker.stop() == 0, worker.shown()
    assert undisturbed.published(ran).keys() == {(m.partition(), m.offset()) for m in ran.raw("sensors.v1")}
    told = cold(ran)
    for asset in ASSETS:
        number = partition_for(asset.encode(), 4)
        assert (asset in told) == (number in {remade, truncated}), asset
    assert any("made again" in reason for reason in told.values())
    assert any("the log ends at" in reason for reason in told.values())
    undisturbed.same_state(ran)


def test_retention_loss_is_counted(ran, quick, start_worker, send):
    """Records deleted before anybody read them: their number and offsets on quality.v1, and the rest is scored."""
    send(ran, 15, 20)
    number = partition_for(b"pump-0", 4)
    first, place = ran.committed()[number], TopicPartition(ran.name("sensors.v1"), number)
    place.offset = first + 3
    admin = AdminClient({"bootstrap.servers": quick.kafka.bootstrap})
    for future in admin.delete_records([place]).values():
        future.result(20)
    worker = start_worker(quick, "--slot", "0")
    ran.wait_for_outcomes(20 * 8 - 3, worker=worker)

    assert worker.stop() == 0, worker.shown()
    (lost,) = [each for each in ran.read("quality.v1") if each.record["kind"] == "lost"]
    assert lost.partition == number
    assert lost.place == (number, first)
    assert lost.record["value"] == 3.0
    assert f"offsets {first} to {first + 2}" in lost.record["detail"]
    assert lost.record["cause"] == "pipeline"
    places = undisturbed.published(ran)
    assert {offset for partition, offset in places if partition == number} == {
        offset for offset in range(ran.ends("sensors.v1")[number]) if not first <= offset < first + 3
    }


def test_retention_overtakes_a_worker_that_runs(ran, quick, start_worker, send):
    """A worker that was too slow for the retention finds out while it reads: it tells what is gone, and goes on."""
    worker = start_worker(quick, "--slot", "0")
    worker.wait_for("worker ready")
    number = partition_for(b"pump-0", 4)
    first, place = ran.ends("sensors.v1")[number], TopicPartition(ran.name("sensors.v1"), number)
    worker.process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # what it asked for before was answered: there was nothing
    send(ran, 15, 20)
    place.offset = first + 4
    admin = AdminClient({"bootstrap.servers": quick.kafka.bootstrap})
    for future in admin.delete_records([place]).values():
        future.result(20)
    worker.process.send_signal(signal.SIGCONT)
    ran.wait_for_outcomes(20 * 8 - 4, worker=worker)

    assert worker.stop() == 0, worker.shown()
    told = {each.record["event_id"]: each.record for each in ran.read("quality.v1") if each.record["kind"] == "lost"}
    assert [(each["origin"]["offset"], each["value"]) for each in told.values()] == [(first, 4.0)]
    assert "joins anew" not in worker.shown()
