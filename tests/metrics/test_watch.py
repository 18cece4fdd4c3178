"""What is looked at now and then: lag, checkpoints, progress, budget, CPU and cost, from parts that are stood in for."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from foreshock.core.census import Census
from foreshock.settings import DetectionSettings, MetricsSettings, Settings
from foreshock.streams.metrics import economy, watch
from foreshock.streams.metrics.economy import Economy
from foreshock.streams.metrics.endpoint import Health
from foreshock.streams.metrics.holders import Holders
from foreshock.streams.metrics.prices import Prices
from foreshock.streams.metrics.tally import Tally
from foreshock.streams.metrics.watch import Subjects, Watch
from foreshock.streams.state.ledger import Ledger
from tests.metrics.making import batch_of, outcome, worker_values

PLACE = ("sensors.v1", 0)
TELEMETRY = {"recorded": 4, "limited": 1, "sent": 40, "dropped": 2, "failed": 3, "more": 9}
CACHE = {"written": 5, "dropped": 1, "waiting": 2, "failed": 1, "hit": 7, "miss": 1, "up": 1}


class Clock:
    """Stands in for `time`: it goes on when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def time_ns(self) -> int:
        return int(self.now_s * 1e9)


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(watch, "time", made)
    monkeypatch.setattr(economy, "time", made)
    return made


@pytest.fixture
def parts(clock):
    """A watch over a ledger, with everything that it is written to."""
    values = worker_values()
    holders = Holders(10, lambda partition, asset: "pump")
    tally, ledger, ends, read = Tally(values, holders), Ledger(), {}, {}
    taken = Census(assets=Counter({"pump": 2}), states=Counter(scored=3, warming=1), held=1, quality=Counter(frozen=1))
    subjects = Subjects(
        census=lambda: taken,
        ledger=ledger,
        ends=lambda: read,
        in_flight=lambda: 77,
        is_open=lambda: True,
        telemetry=SimpleNamespace(counters=lambda: TELEMETRY),
        cache=SimpleNamespace(counters=lambda: CACHE),
    )
    settings = Settings(detection=DetectionSettings(budget=0.5), metrics=MetricsSettings(listen=""))
    made = Watch(
        settings,
        values,
        Health(silent_s=60.0),
        tally=tally,
        holders=holders,
        economy=Economy(values, holders, None),
        subjects=subjects,
        broker=SimpleNamespace(ends=ends),
    )
    value = lambda name, *labels: dict(values.numbers(name)).get(labels, 0.0)
    return SimpleNamespace(watch=made, value=value, ledger=ledger, ends=ends, read=read, tally=tally, clock=clock)


def test_lag_progress_and_checkpoints_follow_the_ledger(parts):
    """Waiting records are lag; without progress its age grows; what is done and not committed ages until a checkpoint."""
    parts.ledger.start({PLACE: 10})
    parts.ends[PLACE] = 10
    parts.watch._look()
    assert parts.value("foreshock_lag_records", "0") == 0
    assert parts.value("foreshock_partitions") == 1

    parts.ends[PLACE] = 25
    parts.ledger.hand_out(PLACE, 19)
    parts.clock.now_s += 30
    parts.watch._look()
    assert parts.value("foreshock_lag_records", "0") == 15
    assert parts.value("foreshock_lag_seconds", "0") == 30
    assert parts.value("foreshock_progress_age_seconds") == 30
    assert parts.value("foreshock_checkpoint_age_seconds") == 0

    parts.ledger.done(PLACE, 19)
    parts.clock.now_s += 10
    parts.watch._look()
    assert parts.value("foreshock_lag_records", "0") == 5
    assert parts.value("foreshock_progress_age_seconds") == 0
    assert parts.value("foreshock_checkpoint_age_seconds") == 10
    parts.watch.committed()
    parts.ledger.committed({PLACE: 20})
    parts.watch._look()
    assert parts.value("foreshock_checkpoint_age_seconds") == 0

    parts.ledger.start({})
    parts.watch._look()
    assert parts.value("foreshock_partitions") == 0
    assert parts.value("foreshock_progress_age_seconds") == 0


def test_a_marker_behind_the_last_record_is_no_lag(parts):
    """Transactions take an offset at the end; where reading came to the end and nothing is under way, nothing waits."""
    parts.ledger.start({PLACE: 10})
    parts.ends[PLACE] = 12
    parts.read[PLACE] = 12
    parts.watch._look()
    assert parts.value("foreshock_lag_records", "0") == 0

    parts.ledger.hand_out(PLACE, 10)
    parts.watch._look()
    assert parts.value("foreshock_lag_records", "0") == 2


def test_what_parts_count_for_themselves_is_passed_on(parts):
    """Traces, spans, cache and outputs under way have the figures that they give."""
    parts.watch._look()

    assert parts.value("foreshock_traces_total", "limited") == 1
    assert parts.value("foreshock_spans_total", "sent") == 40
    assert parts.value("foreshock_cache_exchanges_total", "miss") == 1
    assert parts.value("foreshock_cache_up") == 1
    assert parts.value("foreshock_outputs_in_flight_bytes") == 77


def test_models_and_the_use_of_the_budget_follow_the_census(parts):
    """Two assets at half an alert a month may have one alert: the second is twice the budget."""
    parts.watch._take_census()
    assert parts.value("foreshock_models", "scored") == 3
    assert parts.value("foreshock_models_held") == 1
    assert parts.value("foreshock_quality_standing", "frozen") == 1
    assert parts.value("foreshock_assets", "pump") == 2
    assert parts.value("foreshock_alarm_budget_used_ratio") == 0

    parts.tally.raised += 2
    parts.clock.now_s += 86400
    parts.watch._take_census()
    assert parts.value("foreshock_alarm_budget_used_ratio") == 2

    for _ in range(31):
        parts.clock.now_s += 86400
        parts.watch._take_census()
    assert parts.value("foreshock_alarm_budget_used_ratio") == 0


def test_cpu_is_shared_out_by_bytes_and_nothing_of_it_is_lost(clock, monkeypatch):
    """What was used while nothing came goes to who sends next; the cost follows from the rates and the prices."""
    used = [10.0]
    monkeypatch.setattr(economy, "cpu_s", lambda: used[0])
    monkeypatch.setattr(economy, "memory_bytes", lambda: 0.0)
    values = worker_values()
    holders = Holders(0, lambda partition, asset: asset)
    prices = Prices(currency="EUR", core_hour=1.0)
    made = Economy(values, holders, prices)
    made.assets = {"pump": 4, "fan": 1}
    made.look()

    def receive(asset, size):
        scores = [outcome(0, asset).score]
        holders.take(holders.cells(scores), [size])

    used[0] += 1.0
    clock.now_s += 50
    made.look()
    assert dict(values.numbers("foreshock_class_cpu_seconds_total")) == {}
    receive("pump", 300)
    receive("fan", 100)
    used[0] += 3.0
    clock.now_s += 50
    made.look()

    assert dict(values.numbers("foreshock_class_cpu_seconds_total")) == {("pump",): 3.0, ("fan",): 1.0}
    cost = dict(values.numbers("foreshock_cost_per_asset_month"))
    assert cost["pump", "EUR"] == pytest.approx(3.0 / 100 * 720 / 4)
    assert cost["fan", "EUR"] == pytest.approx(1.0 / 100 * 720)


def test_records_by_asset_are_shown(parts):
    """What a batch counted by asset is there at the next look."""
    items = [outcome(0, "pump-1"), outcome(1, "pump-1"), outcome(2, "pump-2")]
    parts.tally.batch(batch_of(items, 50), items)
    parts.tally.count()
    parts.watch._look()

    assert parts.value("foreshock_asset_records_total", "pump-1") == 2
    assert parts.value("foreshock_asset_received_bytes_total", "pump-2") == 50
    assert parts.value("foreshock_received_bytes_total", "pump") == 150
