"""Counting: every record once, whatever the batches were."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.alerts.vocabulary import Change, SuppressedBy
from foreshock.contract import Reason, ScoreState
from foreshock.outcome import Outcome
from foreshock.streams import errors
from foreshock.streams.errors import aside
from foreshock.streams.metrics.holders import Holders
from foreshock.streams.metrics.tally import PENDING, Tally
from tests.metrics.making import NOW_NS, batch_of, frozen, letter, outcome, snapshot, worker_values
from tests.wire import samples

BY_BATCH = {"foreshock_batch_records", "foreshock_stage_seconds"}
ITEMS = st.one_of(
    st.builds(lambda n, a, v, p, w: outcome(n, f"pump-{a}", value=v, partition=p, waited_ms=w), st.integers(0, 10**6), st.integers(0, 9), st.floats(0, 50), st.integers(0, 3), st.integers(0, 10**5)),
    st.builds(lambda n, s: outcome(n, value=None, state=s), st.integers(0, 10**6), st.sampled_from([s for s in ScoreState if s is not ScoreState.SCORED])),
    st.builds(letter, st.integers(0, 10**6), st.sampled_from(list(Reason))),
    st.builds(frozen, st.integers(0, 10**6)),
)  # fmt: skip


def counted(batches, max_assets=3):
    """Values after some batches."""
    values = worker_values()
    holders = Holders(max_assets, lambda partition, asset: f"class-{asset[-1]}")
    tally = Tally(values, holders)
    for items in batches:
        tally.batch(batch_of(items), items)
    tally.count()
    for name, series in holders.by_asset().items():
        values.replace(name, series)
    return values, holders, tally


@given(items=st.lists(ITEMS, max_size=40), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_batching_changes_no_count(items, cuts):
    """The same records in other batches give the same figures, but for those of batches themselves."""
    edges = sorted({0, len(items), *(cut for cut in cuts if cut < len(items))})
    parts = [items[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    once, holders, _ = counted([items])
    often, others, _ = counted(parts)

    one, other = snapshot(once), snapshot(often)
    assert {k: v for k, v in one.items() if k not in BY_BATCH} == {k: v for k, v in other.items() if k not in BY_BATCH}
    assert holders.bytes_by_class() == others.bytes_by_class()


def test_a_batch_that_cannot_be_counted_costs_its_second():
    """What does not fit together is told and thrown away; what comes after it is counted."""
    values = worker_values()
    tally = Tally(values, Holders(3, lambda _, asset: asset))
    bad, good = [outcome(1), outcome(2)], [outcome(3)]
    tally.batch(replace(batch_of(bad), sizes=[1]), bad)

    assert not aside(tally.count)

    tally.batch(batch_of(good), good)
    tally.count()
    assert dict(values.numbers("foreshock_records_total"))[("scored",)] == 3
    ((_, waited),) = values.histograms("foreshock_end_to_end_seconds")
    assert waited.counts.sum() == 3


@given(items=st.lists(ITEMS, max_size=60))
def test_every_record_has_exactly_one_outcome(items):
    """Outcomes sum to what was received; each histogram of records holds every record; assets and classes hold every score."""
    values, holders, _ = counted([items])

    outcomes = dict(values.numbers("foreshock_records_total"))
    scored = [item for item in items if isinstance(item, Outcome)]
    assert outcomes["rejected",] == len(items) - len(scored)
    states = Counter(item.score.rows[-1].state.value for item in scored)
    assert {state: outcomes[state,] for state in states} == states
    assert sum(outcomes.values()) == len(items) == sum(n for _, n in values.numbers("foreshock_records_received_total"))
    for name in ("foreshock_end_to_end_seconds", "foreshock_queue_seconds"):
        assert sum(values.histogram(name).counts) == len(items)
    assert sum(n for _, n in values.numbers("foreshock_asset_records_total")) == len(scored)
    assert sum(holders.bytes_by_class().values()) == 1000 * len(scored)


def test_latencies_are_those_of_the_batch():
    """End to end is from the broker's time to delivery, the queue to the start, and each stage from the end of the one before."""
    values, _, _ = counted([[outcome(0, waited_ms=20), letter(1)]])

    assert values.histogram("foreshock_end_to_end_seconds").sum == pytest.approx(2 * 0.027)
    assert values.histogram("foreshock_queue_seconds").sum == pytest.approx(2 * 0.020)
    for stage in ("wait", "decode", "features", "deliver"):
        assert values.histogram("foreshock_stage_seconds", (stage,)).sum == pytest.approx(0.001)
    assert values.histogram("foreshock_batch_records").sum == 2


def test_records_that_came_again_are_told_apart():
    """What is out since long is received and has no outcome of now."""
    values, _, tally = counted([])
    batch = batch_of([outcome(5)])
    batch.repeated = [0, 0, 3]
    tally.batch(batch, [outcome(5)])
    tally.count()

    assert dict(values.numbers("foreshock_records_received_total")) == {("0",): 3, ("3",): 1}
    assert dict(values.numbers("foreshock_records_repeated_total")) == {(): 3}


def test_alerts_are_counted_by_change_and_severity():
    """Raised alerts, suppressed ones and refused commands have figures of their own."""
    values, _, tally = counted([])
    raised = replace(samples.ALERT, change=Change.RAISED)
    held = replace(samples.ALERT, change=Change.SUPPRESSED, suppressed_by=SuppressedBy.PARENT)
    tally.told([raised, held, replace(samples.ALERT, change=Change.REFUSED)])

    changes = {labels[0]: n for labels, n in values.numbers("foreshock_alert_transitions_total") if n}
    assert changes == {"raised": 1, "suppressed": 1, "refused": 1}
    assert dict(values.numbers("foreshock_alerts_raised_total"))[raised.severity.value,] == 1
    assert dict(values.numbers("foreshock_alerts_suppressed_total"))["parent",] == 1
    assert dict(values.numbers("foreshock_commands_refused_total")) == {(): 1}


def test_exemplars_name_traces_that_were_kept():
    """The bucket of a record whose trace was kept shows that trace; others show none."""
    values, _, tally = counted([])
    items = [outcome(0, waited_ms=20), outcome(1, waited_ms=20_000, value=7.0)]
    tally.batch(batch_of(items), items, [(items[1].score.origin, "ab" * 16)])

    kept = values.histogram("foreshock_end_to_end_seconds").exemplars
    assert [(each.trace_id, each.value) for each in kept.values()] == [("ab" * 16, pytest.approx(20.007))]
    assert [each.value for each in values.histogram("foreshock_score").exemplars.values()] == [7.0]


def test_what_is_pending_is_bounded():
    """Nobody has to ask: thousands of records are counted by themselves."""
    values, _, tally = counted([])
    items = [outcome(n) for n in range(512)]
    for _ in range(PENDING // 512):
        tally.batch(batch_of(items), items)

    assert sum(values.histogram("foreshock_score").counts) == PENDING


def test_failure_in_a_metric_is_told_and_stops_nothing(monkeypatch, caplog):
    """Whoever is watched goes on; the same failure is told now and then, and hides no other one."""
    monkeypatch.setattr(errors, "_told", {})
    _, _, tally = counted([])

    for call in (tally.batch, tally.batch, Tally.told):
        assert not aside(call, None, [outcome(NOW_NS)])
    assert caplog.text.count("a metric or a trace could not be taken") == 2


def test_windows_are_counted_with_what_they_could_not_say():
    """Vectors by why they ended, values that are missing by the reason, diagnoses by their fault: what is not known is `other`."""
    faults = ("outer_race", "", "woodworm")
    told = replace(
        outcome(1),
        vectors=(samples.VECTOR, samples.VECTOR),
        diagnoses=tuple(replace(samples.DIAGNOSIS, fault=fault) for fault in faults),
    )
    values, _, _ = counted([[told], [outcome(2)]])

    assert dict(values.numbers("foreshock_vectors_total"))[("complete",)] == 2
    assert dict(values.numbers("foreshock_masked_values_total"))[("no_geometry",)] == 2
    diagnoses = dict(values.numbers("foreshock_diagnoses_total"))
    assert {labels[0]: number for labels, number in diagnoses.items() if number} == {
        "outer_race": 1, "none": 1, "other": 1
    }  # fmt: skip
