"""The cache for readers, against a real Valkey that is flushed, killed and never there."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from foreshock.contract import ScoreState, Tick
from foreshock.errors import ConfigurationError, ForeshockError, Unavailable
from foreshock.fleet import Fleet, FleetSpec
from foreshock.local.valkey import Valkey
from foreshock.streams import cache as subject
from foreshock.streams.cache import Cache, CacheReader
from tests.core.builders import START_NS, block


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One Valkey for this file."""
    try:
        found = Valkey(tmp_path_factory.mktemp("valkey"))
        found.start()
    except ForeshockError as exc:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Valkey: {exc}")
    yield found
    found.stop()


@pytest.fixture
def valkey(server: Valkey) -> Valkey:
    """The server, running and empty."""
    if not server.process.running:
        server.start()
    redis.Redis.from_url(server.url).flushall()
    return server


@pytest.fixture
def cache(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    """A writer that does not let a test wait."""
    monkeypatch.setattr(subject, "ROUND_S", 0.02)
    monkeypatch.setattr(subject, "BACKOFF_S", (0.02, 0.1))
    found = Cache(valkey.url, prefix="t.", worker="worker-0")
    yield found
    found.close()


def reader(valkey: Valkey, prefix: str = "t.") -> CacheReader:
    return CacheReader(valkey.url, prefix=prefix)


class TestStates:
    """What a reader sees."""

    def test_last_state_of_a_point(self, cache, valkey, records, until):
        """The newest state of a measuring point is what is read, with where it came from."""
        for offset in range(50):
            cache.put([records.outcome(offset, value=offset / 100)])
        until(lambda: reader(valkey).read("pump-3") and reader(valkey).read("pump-3")[0]["offset"] == 49)

        (point,) = reader(valkey).read("pump-3")
        assert point["state"] == ScoreState.SCORED
        assert point["score"] == 0.49
        assert (point["topic"], point["partition"], point["worker"]) == ("t.sensors.v1", 2, "worker-0")
        assert point["last_event"] is None

    def test_points_of_an_asset_stand_side_by_side(self, cache, valkey, records, until):
        """Two measuring points of an asset have a state each, and the asset is listed once."""
        cache.put([records.outcome(1, point="de"), records.outcome(2, point="nde"), records.outcome(3, asset="fan")])
        until(lambda: len(reader(valkey).read("pump-3")) == 2 and len(reader(valkey).assets()) == 2)

        assert [point["point"] for point in reader(valkey).read("pump-3")] == ["de", "nde"]
        assert reader(valkey).assets() == ["fan", "pump-3"]

    def test_last_event_outlives_later_scores(self, cache, valkey, records, until):
        """An event stays as the last one while ordinary blocks follow it."""
        outcome = records.anomaly(1)
        cache.put([outcome])
        until(lambda: reader(valkey).read("pump-3"))
        cache.put([records.outcome(2)])
        until(lambda: reader(valkey).read("pump-3")[0]["offset"] == 2)

        event = reader(valkey).read("pump-3")[0]["last_event"]
        assert event["event_id"] == outcome.anomalies[0].event_id
        assert (event["kind"], event["phase"], event["severity"]) == ("anomaly", "opened", "warning")

    def test_event_is_not_lost_under_a_newer_score(self, cache, valkey, records, until):
        """An event in the same round as a newer ordinary block is kept too; a quality event counts as one."""
        cache.put([records.frozen(1), records.outcome(2)])
        until(lambda: reader(valkey).read("pump-3"))

        event = reader(valkey).read("pump-3")[0]["last_event"]
        assert (event["kind"], event["phase"]) == ("frozen", "raised")

    def test_prefixes_are_apart(self, cache, valkey, records, until):
        """Another prefix of topics sees nothing."""
        cache.put([records.outcome()])
        until(lambda: reader(valkey).assets())

        assert reader(valkey, "u.").assets() == []
        assert reader(valkey, "u.").read("pump-3") == []

    def test_keys_expire(self, cache, valkey, records, until):
        """Every key has a time to live."""
        cache.put([records.outcome()])
        until(lambda: reader(valkey).assets())
        client = redis.Redis.from_url(valkey.url)

        assert {key.decode() for key in client.scan_iter()} == {"foreshock:t.asset:pump-3", "foreshock:t.assets"}
        assert all(0 < client.ttl(key) <= 7 * 86400 for key in client.scan_iter())

    def test_close_writes_what_waits(self, valkey, records):
        """What was put just before the end is written at the end."""
        found = Cache(valkey.url, prefix="t.")
        found.put([records.outcome(offset, asset=f"a{offset}") for offset in range(1200)])
        found.close(10)

        assert len(reader(valkey).assets()) == 1200


class TestOutage:
    """Rule 4 of the design: it can be flushed or killed at any time and comes back."""

    def test_flush_comes_back_whole(self, cache, valkey, records, until):
        """After a flush the next block of one asset brings back all of them."""
        cache.put([records.outcome(1, asset="a"), records.anomaly(2, asset="b")])
        until(lambda: len(reader(valkey).assets()) == 2)
        redis.Redis.from_url(valkey.url).flushall()
        cache.put([records.outcome(3, asset="a")])

        until(lambda: len(reader(valkey).assets()) == 2)
        until(lambda: reader(valkey).read("b"))
        assert reader(valkey).read("b")[0]["last_event"]["phase"] == "opened"
        cache.close()
        counters = cache.counters()  # each once, the one after the flush, each again
        assert {name: counters[name] for name in ("written", "dropped", "waiting", "failed")} == {
            "written": 5,
            "dropped": 0,
            "waiting": 0,
            "failed": 0,
        }

    def test_kill_and_return(self, cache, valkey, records, until, caplog):
        """Killed in mid-run: put goes on, one line in the log, and all states are there when it is back."""
        cache.put([records.outcome(at, asset=f"a{at}") for at in range(100)])
        until(lambda: len(reader(valkey).assets()) == 100)
        with caplog.at_level(logging.WARNING):
            valkey.kill()
            began = time.monotonic()
            for offset in range(100, 2000):
                cache.put([records.outcome(offset, asset=f"a{offset % 200}")])
            took = time.monotonic() - began
            until(lambda: "cannot be reached" in caplog.text)
            lines = len(caplog.messages)
            valkey.start()
            redis.Redis.from_url(valkey.url).flushall()
            until(lambda: len(reader(valkey).assets()) == 200)
            until(lambda: "is back" in caplog.text)

        assert lines == 1
        assert took < 2
        assert reader(valkey).read("a199")[0]["offset"] == 1999

    def test_never_there(self, records, caplog):
        """A cache that was never there changes nothing but one line of the log."""
        found = Cache("redis://127.0.0.1:1/0")
        with caplog.at_level(logging.WARNING):
            for offset in range(1000):
                found.put([records.outcome(offset)])
            found.close(5)

        assert found.counters()["written"] == 0
        assert len(caplog.messages) <= 1

    def test_none_wanted(self, records):
        """Without a URL there is no thread and nothing to do."""
        found = Cache("")
        found.put([records.outcome()])
        found.close()

        assert set(found.counters().values()) == {0}

    def test_waiting_is_bounded(self, records, monkeypatch):
        """While there is no cache the newest state of so many points is kept, and more are counted as dropped."""
        monkeypatch.setattr(subject, "MAX_POINTS", 10)
        monkeypatch.setattr(subject, "ROUND_S", 60)
        found = Cache("redis://127.0.0.1:1/0")
        found.put([records.outcome(at, asset=f"a{at % 15}") for at in range(150)])
        counters = found.counters()
        found.close(5)

        assert (counters["dropped"], counters["waiting"]) == (50, 10)

    def test_password_never_shows(self, caplog, records, until, monkeypatch):
        """The address in log and errors has no password."""
        monkeypatch.setattr(subject, "ROUND_S", 0.02)
        url = "redis://user:secret@127.0.0.1:1/0"
        found = Cache(url)
        with caplog.at_level(logging.WARNING):
            found.put([records.outcome()])
            until(lambda: caplog.messages)
        found.close()
        with pytest.raises(Unavailable) as refused:
            CacheReader(url).assets()

        assert "secret" not in caplog.text + str(refused.value)

    def test_no_url_is_a_clear_error(self):
        """An address that is none is a configuration error."""
        with pytest.raises(ConfigurationError, match=r"redis\.url"):
            Cache("localhost:6379")


class TestRefusal:
    """A cache that is there and takes nothing, or takes for ever: told once, counted, and made whole afterwards."""

    def test_memory_full(self, cache, valkey, records, until, caplog):
        """While it is out of memory put goes on, the log has one line; when there is room all states are there."""
        client = redis.Redis.from_url(valkey.url)
        cache.put([records.outcome(1, asset="a")])
        until(lambda: reader(valkey).assets())
        try:
            with caplog.at_level(logging.WARNING):
                client.config_set("maxmemory", "1")
                cache.put([records.outcome(2, asset="a"), records.outcome(3, asset="b")])
                until(lambda: cache.counters()["failed"] > 3)
                assert [("takes nothing" in line, "maxmemory" in line) for line in caplog.messages] == [(True, True)]
        finally:
            client.config_set("maxmemory", "0")
        until(lambda: reader(valkey).assets() == ["a", "b"] and reader(valkey).read("a")[0]["offset"] == 2)

    def test_disk_full(self, cache, valkey, records, until, caplog):
        """A server that cannot save refuses writes; the same holds."""
        client = redis.Redis.from_url(valkey.url)
        blocked = Path(client.config_get("dir")["dir"]) / "dump.rdb"
        blocked.mkdir()
        try:
            client.config_set("save", "3600 1")
            client.bgsave()
            until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
            with caplog.at_level(logging.WARNING):
                cache.put([records.outcome(1, asset="a")])
                until(lambda: cache.counters()["failed"] > 3)
                assert [("takes nothing" in line, "persist to disk" in line) for line in caplog.messages] == [
                    (True, True)
                ]
        finally:
            client.config_set("save", "")
            blocked.rmdir()
        until(lambda: reader(valkey).assets() == ["a"])

    def test_hanging(self, cache, valkey, records, until, monkeypatch):
        """While the server hangs put does not wait, nor does close for longer than it may; a reader says so."""
        monkeypatch.setattr(subject, "TIMEOUT_S", 0.3)
        os.kill(valkey.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            for offset in range(2000):
                cache.put([records.outcome(offset, asset=f"a{offset % 100}")])
            assert time.monotonic() - began < 2
            with pytest.raises(Unavailable, match="cannot be reached"):
                reader(valkey).assets()
        finally:
            os.kill(valkey.process.pid, signal.SIGCONT)
        until(lambda: len(reader(valkey).assets()) == 100)


class TestRefill:
    """A cold cache fills again without waiting for a record of each asset."""

    def test_flush_is_noticed_without_a_record(self, cache, valkey, records, until, monkeypatch):
        """After a flush everything comes back though nothing new is written."""
        monkeypatch.setattr(subject, "PROBE_S", 0.05)
        cache.put([records.outcome(1, asset="a"), records.anomaly(2, asset="b")])
        until(lambda: len(reader(valkey).assets()) == 2)
        redis.Redis.from_url(valkey.url).flushall()

        until(lambda: reader(valkey).assets() == ["a", "b"])
        until(lambda: reader(valkey).read("b")[0]["last_event"] is not None)

    def test_restored_states_fill_what_is_missing(self, cache, valkey, until):
        """What a worker took up from snapshots stands in a cold cache, and is no reason to overwrite what is there."""
        fleet = Fleet(FleetSpec(warmup_blocks=12))
        fleet.receive([block(i, asset=name, index=i // 2) for i, name in enumerate(["a", "b"] * 5)])
        successor = Fleet(FleetSpec(warmup_blocks=12))
        for name in "ab":
            successor.restore(fleet.capture(0, name))
        client = redis.Redis.from_url(valkey.url)
        client.hset("foreshock:t.asset:a", "state:DE", b'{"point": "DE", "offset": 99}')
        cache.seed(successor.views(0))
        until(lambda: reader(valkey).assets() == ["a", "b"])

        assert reader(valkey).read("a")[0]["offset"] == 99
        (state,) = reader(valkey).read("b")
        assert (state["state"], state["reason"], state["offset"]) == ("warming", "warming up, 5 of 12 blocks", 9)
        cache.tell(successor.tick(Tick(partition=0, offset=10, at_ns=START_NS + 3600 * 10**9)))
        until(lambda: reader(valkey).read("b")[0]["last_event"])
        assert reader(valkey).read("b")[0]["last_event"]["kind"] == "silent"
        assert reader(valkey).read("a")[0]["offset"] == 99


class TestRelease:
    """After a rebalance the assets are another worker's to write."""

    def test_released_assets_are_not_restored(self, cache, valkey, records, until):
        """A flush after a release does not bring back what another worker has now."""
        cache.put([records.outcome(1, asset="mine", partition=0), records.outcome(2, asset="theirs", partition=1)])
        until(lambda: len(reader(valkey).assets()) == 2)
        cache.release([1])
        redis.Redis.from_url(valkey.url).flushall()
        cache.put([records.outcome(3, asset="mine", partition=0), records.outcome(4, asset="other", partition=0)])

        until(lambda: cache.counters()["waiting"] == 0 and len(reader(valkey).assets()) == 2)
        assert reader(valkey).assets() == ["mine", "other"]

    def test_waiting_states_are_dropped(self, valkey, records):
        """What waits for a lost partition is not written."""
        found = Cache(valkey.url, prefix="t.")
        found.put([records.outcome(1, asset="mine", partition=0), records.outcome(2, asset="theirs", partition=1)])
        found.release([1])
        found.close()

        assert reader(valkey).assets() == ["mine"]
