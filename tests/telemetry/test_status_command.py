"""`foreshock status`: what the cache says of the assets."""

from __future__ import annotations

import dataclasses
import json

import pytest

from foreshock.cli.status import ago, cells, event_text, with_age
from foreshock.contract import ScoreState
from foreshock.streams import cache_state
from foreshock.streams.cache import Cache
from tests.wire import samples


def point(records, outcome=None, *, gap_s: float = 1.0) -> dict:
    """A state as a reader gets it."""
    outcome = outcome or records.outcome()
    event = cache_state.event_of(outcome)
    fields = {"state:de": cache_state.pack(cache_state.state_of(outcome, gap_s=gap_s, worker="w"))}
    if event:
        fields["event:de"] = cache_state.pack(event)
    return cache_state.points(fields)[0]


def warming(records):
    """An outcome of an asset that warms up."""
    outcome = records.outcome(asset="new-1")
    row = dataclasses.replace(
        outcome.score.rows[0], state=ScoreState.WARMING, reason="warming up, 40 of 60 blocks", value=None, p_value=None
    )
    score = dataclasses.replace(outcome.score, rows=(row,), warmup=40 / 60, learning="held: not running")
    return dataclasses.replace(outcome, score=score)


@pytest.mark.broker
class TestCommand:
    """Against a real Valkey."""

    @pytest.fixture
    def filled(self, stack, topic_prefix, records):
        """A cache with an asset in alarm and one that warms up."""
        cache = Cache(stack.redis_url, prefix=topic_prefix, worker="w")
        cache.put([records.anomaly(1), warming(records)])
        cache.close(10)
        return ["--redis", stack.redis_url, "--prefix", topic_prefix]

    def test_table(self, foreshock, filled, records):
        """The table has every asset with state, score, event and warm-up."""
        code, out, _ = foreshock("status", *filled)

        assert code == 0
        new, pump = out.splitlines()[1:]
        assert "warming: warming up, 40 of 60 blocks" in new
        assert "67 %" in new
        assert "held: not running" in new
        assert "ALARM" in pump
        assert "2.50" in pump
        assert "+5.0 %/h" in pump
        assert f"opened warning {records.anomaly(1).anomalies[0].event_id[:8]}" in pump

    def test_one_asset_as_json(self, foreshock, filled):
        """As JSON one object a measuring point, of one asset on demand."""
        code, out, _ = foreshock("status", "new-1", *filled, "--json")
        (document,) = [json.loads(line) for line in out.splitlines()]

        assert code == 0
        assert document["asset"] == "new-1"
        assert document["score"] is None
        assert document["stale_since_ns"] is None

    def test_unknown_asset(self, foreshock, filled):
        """An asset that the cache does not know is exit 1 and says so."""
        code, _, err = foreshock("status", "nobody", *filled)

        assert code == 1
        assert "knows no asset 'nobody'" in err

    def test_empty_cache_says_so(self, foreshock, stack, topic_prefix):
        """An empty cache is no error, and no silence either."""
        code, out, err = foreshock("status", "--redis", stack.redis_url, "--prefix", topic_prefix)

        assert (code, out) == (0, "")
        assert "the cache is empty" in err


class TestNoCache:
    """Where there is nothing to read."""

    def test_unreachable_is_exit_3(self, foreshock):
        """A cache that cannot be reached: exit 3 with one line."""
        code, _, err = foreshock("status", "--redis", "redis://127.0.0.1:1/0")

        assert code == 3
        assert len(err.splitlines()) == 1
        assert "cannot be reached" in err

    def test_not_set_is_exit_2(self, foreshock):
        """No cache set: exit 2, and what to give."""
        code, _, err = foreshock("status")

        assert code == 2
        assert "--redis" in err


class TestLines:
    """What the cells say."""

    def test_silence_makes_a_state_stale(self, records):
        """After a minute without a record the state says since when it is stale."""
        state = point(records)
        heard = state["ingest_ns"]

        assert with_age(state, heard + 59 * 10**9, 60)["stale_since_ns"] is None
        old = with_age(state, heard + 61 * 10**9, 60)
        assert old["stale_since_ns"] == heard
        assert cells(old)[-1].startswith("stale since 20")

    def test_slow_sensor_is_not_stale(self, records):
        """A sensor that speaks every ten minutes is stale after half an hour, not after one minute."""
        state = point(records, gap_s=600)
        heard = state["ingest_ns"]

        assert with_age(state, heard + 1700 * 10**9, 60)["stale_since_ns"] is None
        assert with_age(state, heard + 1900 * 10**9, 60)["stale_since_ns"] == heard

    def test_events(self, records):
        """An alert or an anomaly tells phase and severity, a quality event its kind; all the digits for `foreshock trace`."""
        anomaly, frozen = records.anomaly(), records.frozen()

        assert event_text(None) == ""
        assert (
            event_text(point(records, anomaly)["last_event"]) == f"opened warning {anomaly.anomalies[0].event_id[:8]}"
        )
        alerted = dataclasses.replace(anomaly, alerts=(dataclasses.replace(samples.ALERT, asset="pump-3"),))
        assert event_text(point(records, alerted)["last_event"]) == f"escalated warning {samples.ALERT.event_id[:8]}"
        assert event_text(point(records, frozen)["last_event"]) == f"frozen raised {frozen.quality[0].event_id[:8]}"

    @pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (600, "10 min"), (7200, "2 h"), (86400 * 3, "3 d")])
    def test_ages(self, seconds, text):
        """An age has the unit that suits it."""
        assert ago(seconds) == text
