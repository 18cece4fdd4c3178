"""Alerts are part of the Fleet: what the policy makes of records, and what commands, work orders and ticks change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from foreshock.alerts.files import DEFAULT, load_text
from foreshock.alerts.items import Assigned
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Severity, SuppressedBy, Verdict, WorkKind
from foreshock.contract import Asset, Limit, MeasuringPoint, Phase, QualityKind, ScoreState
from foreshock.core.desk import SPARE, settle
from foreshock.errors import StateRejected
from foreshock.fleet import AssetState, Fleet, FleetSpec
from tests.core.alerting import at, control, feed, tick, told, work
from tests.core.builders import START_NS, block, frame

SPEC = FleetSpec(warmup_blocks=20)
WARM = 30
CALM = load_text(
    "calm.toml",
    """
    name = "calm"
    owner = "hydraulics"
    escalation = ["lead"]
    action = "Look."
    runbook = ["Look at it."]
    respond_within = "1h"
    [[bands]]
    severity = "critical"
    raise_at = 50.0
    clear_at = 40.0
    """,
)


def warm() -> Fleet:
    """A pump with a baseline."""
    fleet = Fleet(SPEC)
    feed(fleet, 0, WARM)
    return fleet


def failing(blocks: int = 6) -> tuple[Fleet, list]:
    """The pump after some blocks of a fault, and what was told."""
    fleet = warm()
    return fleet, told(feed(fleet, WARM, WARM + blocks, fault=3.0))


def model(fleet: Fleet) -> dict:
    """Arrays of the model of the pump."""
    (point,) = fleet.capture(0, "pump-1").tree["points"]
    return point["arrays"]["model"]


def margin(fleet: Fleet) -> float:
    """What the levels of the pump are multiplied by."""
    return fleet._admission.owned("pump-1")[0].alerts.margin


class TestRecords:
    def test_a_healthy_asset_has_no_alert_state_at_all(self) -> None:
        """Neither transitions nor a trace in its snapshot."""
        fleet = Fleet(SPEC)
        outcomes = feed(fleet, 0, 45)

        assert told(outcomes) == []
        assert "alerts" not in fleet.capture(0, "pump-1").tree

    def test_a_fault_raises_one_alert_that_names_its_anomaly(self) -> None:
        """Raised once, escalated at most, always the same alert; what it rests on is the event of the anomaly topic."""
        fleet = warm()
        outcomes = feed(fleet, WARM, WARM + 12, fault=3.0)
        first, *later = told(outcomes)
        anomalies = [event.event_id for outcome in outcomes for event in outcome.anomalies]

        assert (first.change, first.state, first.before) == (
            Change.RAISED, AlarmState.UNACKNOWLEDGED, AlarmState.NORMAL,
        )  # fmt: skip
        assert {each.change for each in later} <= {Change.ESCALATED, Change.DE_ESCALATED}
        assert {each.alert_id for each in (first, *later)} == {first.alert_id}
        assert (first.asset, first.points, first.mode) == ("pump-1", ("DE",), "model")
        assert {each.anomaly_id for each in (first, *later)} & set(anomalies)
        assert first.policy.startswith("default@")

    def test_a_static_limit_raises_one_while_the_model_is_warming(self) -> None:
        """The row has a value then: its share of the limit."""
        limits = (Limit(feature="rms", above=0.2),)
        points = (MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2", limits=limits),)
        outcomes = feed(Fleet(SPEC, assets=[Asset(asset="pump-1", points=points)]), 0, 6)
        alerts = told(outcomes)

        assert outcomes[-1].score.rows[0].state is ScoreState.WARMING
        assert [each.change for each in alerts] == [Change.RAISED]
        assert alerts[0].mode == "static_limit"

    def test_it_stands_while_the_machine_is_stopped(self) -> None:
        """A row without a score is no evidence of normal."""
        fleet = Fleet(SPEC)
        feed(fleet, 0, WARM, speed_hz=25.0)
        raised = told(feed(fleet, WARM, WARM + 6, fault=3.0, speed_hz=25.0))
        stopped = feed(fleet, WARM + 6, WARM + 20, speed_hz=0.0)

        assert raised
        assert {row.state for outcome in stopped for row in outcome.score.rows} == {ScoreState.NOT_RUNNING}
        assert told(stopped) == []
        assert fleet._admission.owned("pump-1")[0].alerts.alarm.incident.state is AlarmState.UNACKNOWLEDGED

    def test_it_ends_when_the_fault_does(self) -> None:
        """Returned to normal, once."""
        fleet, _ = failing()
        changes = [each.change for each in told(feed(fleet, WARM + 6, WARM + 140))]

        assert changes.count(Change.RETURNED_TO_NORMAL) == 1
        assert Change.RAISED not in changes

    def test_a_faulty_sensor_inhibits_what_it_says(self) -> None:
        """A clipped signal is loud, and no fault of the machine: told as suppressed by the sensor."""
        fleet = warm()
        blocks = [block(i, fault=3.0) for i in range(WARM, WARM + 10)]
        clipped = [dataclasses.replace(each, samples=each.samples.clip(-0.9, 0.9)) for each in blocks]
        outcomes = fleet.receive(clipped)
        kinds = {kind for outcome in outcomes for kind in outcome.score.quality}

        assert "clipped" in kinds
        assert {each.suppressed_by for each in told(outcomes)} <= {SuppressedBy.SENSOR_FAULT}


class TestCommands:
    def test_an_alert_is_acknowledged_once(self) -> None:
        """The same record of the topic given again changes nothing."""
        fleet, (raised, *_) = failing()
        given = control(7, CommandKind.ACKNOWLEDGE, WARM + 6)
        (answer,) = fleet.take_up(given, 0, WARM + 6)

        assert (answer.change, answer.actor, answer.alert_id) == (Change.ACKNOWLEDGED, "Ada", raised.alert_id)
        assert answer.origin == given.origin
        assert fleet.take_up(given, 0, WARM + 6) == []

    def test_an_asset_that_is_further_has_taken_it(self) -> None:
        """A place on record is gone through again after a restart: a newer snapshot is left alone."""
        fleet, _ = failing()
        before = fleet.capture(0, "pump-1").digest()

        assert fleet.take_up(control(7, CommandKind.ACKNOWLEDGE, WARM), 0, WARM) == []
        assert fleet.capture(0, "pump-1").digest() == before

    def test_an_unknown_asset_is_refused_and_not_made(self) -> None:
        """Its sender is told; nothing of it is kept."""
        fleet = warm()
        (answer,) = fleet.take_up(control(7, CommandKind.FREEZE, 1, asset="pmup-1"), 0, WARM)

        assert (answer.change, answer.asset, answer.actor) == (Change.REFUSED, "pmup-1", "Ada")
        assert "not known" in answer.reason
        assert fleet.master_data(0, "pmup-1") is None

    def test_freeze_holds_learning_until_resume(self) -> None:
        """The score says who and why; the model is as if the blocks between had been scored by a copy."""
        fleet = warm()
        fleet.take_up(control(1, CommandKind.FREEZE, WARM, reason="test run"), 0, WARM)
        held = feed(fleet, WARM, WARM + 5)
        again = Fleet(SPEC)
        again.restore(fleet.capture(0, "pump-1"))
        after = again.receive([block(WARM + 5)])
        again.take_up(control(2, CommandKind.RESUME, WARM + 6), 0, WARM + 6)
        resumed = again.receive([block(WARM + 6)])

        assert {each.score.learning for each in held + after} == {"held: frozen by Ada: test run"}
        assert resumed[0].score.learning == "learning"
        for name in ("reference", "healthy", "ranked", "centre"):
            assert (model(fleet)[name] == model(warm())[name]).all()

    def test_rows_of_a_frame_are_held_as_well(self) -> None:
        """While warming and after: what was learnt by then stays as it is."""
        fleet, rng = Fleet(SPEC), np.random.default_rng(1)
        frames = [frame(i, rng.normal(300, 1, (2, 2)), index=2 * i) for i in range(20)]
        fleet.receive(frames[:6])
        fleet.take_up(control(1, CommandKind.FREEZE, 6), 0, 6)
        warming = fleet.receive(frames[6:8])
        fleet.take_up(control(2, CommandKind.RESUME, 8), 0, 8)
        fleet.receive(frames[8:14])
        fleet.take_up(control(3, CommandKind.FREEZE, 14), 0, 14)
        ranked = model(fleet)["ranked"].copy()
        scored = fleet.receive(frames[14:])

        assert warming[-1].score.rows[-1].reason == "warming up, 12 of 20 rows"
        assert {row.state for each in scored for row in each.score.rows} == {ScoreState.SCORED}
        assert {each.score.learning for each in warming + scored} == {"held: frozen by Ada: because"}
        assert model(fleet)["ranked"] == ranked

    def test_a_window_holds_alerting_and_learning(self) -> None:
        """Nothing is raised in it, which is told; what stands when it ends is raised then."""
        fleet = warm()
        window = control(1, CommandKind.WINDOW, WARM, from_ns=at(WARM), until_ns=at(WARM + 8))
        fleet.take_up(window, 0, WARM)
        during = feed(fleet, WARM, WARM + 8, fault=3.0)
        after = feed(fleet, WARM + 8, WARM + 12, fault=3.0)

        assert Change.RAISED not in {each.change for each in told(during)}
        assert SuppressedBy.MAINTENANCE_WINDOW in {each.suppressed_by for each in told(during)}
        assert all(each.score.learning.startswith("held: ") for each in during)
        assert Change.RAISED in {each.change for each in told(after)}

    def test_a_false_verdict_raises_the_levels_of_the_asset_and_its_taking_back_lowers_them(self) -> None:
        """The answer says from what to what; scores stay what they are."""
        fleet, (raised, *_) = failing()
        feed(fleet, WARM + 6, WARM + 140)
        end = WARM + 140
        proposed = control(
            1, CommandKind.LABEL, end, alert_id=raised.alert_id, verdict=Verdict.FALSE, from_ns=at(WARM),
            until_ns=at(WARM + 6),
        )  # fmt: skip
        accepted = control(2, CommandKind.LABEL, end, label_id="c1", accept=True, actor="Grace")
        fleet.take_up(proposed, 0, end)
        before = margin(fleet)
        (answer,) = fleet.take_up(accepted, 0, end)

        assert answer.change is Change.LABELLED
        assert "raised from 1.00 to 1.10" in answer.effect
        assert (before, margin(fleet)) == (1.0, pytest.approx(1.1))
        fleet.take_up(control(3, CommandKind.LABEL, end + 1, label_id="c1", verdict=Verdict.TRUE), 0, end)
        (undone,) = fleet.take_up(
            control(4, CommandKind.LABEL, end + 1, label_id="c1", accept=True, actor="Eve"), 0, end
        )
        assert "lowered from 1.10 to 1.00" in undone.effect
        assert margin(fleet) == 1.0


class TestRepair:
    def test_it_starts_the_baseline_anew(self) -> None:
        """The alert returns, the next record begins a warm-up, its episode is closed with the reason; told everywhere."""
        fleet, _ = failing()
        answers = fleet.take_up(work(1, WorkKind.REPAIR, WARM + 6), 0, WARM + 6)
        first, second = feed(fleet, WARM + 6, WARM + 8)

        assert "baseline starts anew: repair by Grace, work order 4711" in {each.effect for each in answers}
        assert Change.RETURNED_TO_NORMAL in {each.change for each in answers}
        assert first.score.rows[0].reason == "warming up, 1 of 20 blocks"
        assert [each.phase for each in first.anomalies] == [Phase.CLOSED]
        assert first.anomalies[0].decision.rule.startswith("baseline starts anew")
        assert [(each.kind, each.detail[:21]) for each in first.quality] == [
            (QualityKind.COLD_START, "baseline starts anew:")
        ]
        assert (second.quality, second.anomalies) == ((), ())
        assert feed(fleet, WARM + 8, WARM + 28)[-1].score.rows[0].state is ScoreState.SCORED

    def test_a_second_record_of_it_changes_nothing(self) -> None:
        """Somebody may send it twice."""
        fleet, _ = failing()
        order = work(1, WorkKind.REPLACEMENT, WARM + 6)
        fleet.take_up(order, 0, WARM + 6)
        feed(fleet, WARM + 6, WARM + 9)
        again = dataclasses.replace(order, origin=dataclasses.replace(order.origin, offset=2))

        assert fleet.take_up(again, 0, WARM + 9) == []
        assert feed(fleet, WARM + 9, WARM + 10)[0].score.rows[0].reason == "warming up, 4 of 20 blocks"

    def test_it_is_remembered_until_the_next_record(self) -> None:
        """Across a restart as well."""
        fleet, _ = failing()
        fleet.take_up(work(1, WorkKind.REPAIR, WARM + 6), 0, WARM + 6)
        again = Fleet(SPEC)
        again.restore(fleet.capture(0, "pump-1"))

        assert again.receive([block(WARM + 6)]) == fleet.receive([block(WARM + 6)])
        assert again.capture(0, "pump-1").digest() == fleet.capture(0, "pump-1").digest()


class TestTicks:
    def test_what_nobody_answers_is_told_to_the_next(self) -> None:
        """When the response window ends; asked about before, the Fleet says no."""
        fleet, alerts = failing()
        due = alerts[-1].respond_by_ns
        assert due is not None
        index = (due - START_NS) / 1e9

        assert not fleet.overdue(0, due - 1_000_000_000, since_ns=due)
        assert fleet.overdue(0, due, since_ns=due)
        overdue = [e for e in fleet.tick(tick(WARM + 6, index)) if getattr(e, "change", None) is Change.OVERDUE]
        assert [each.alert_id for each in overdue] == [alerts[0].alert_id]
        assert [e for e in fleet.tick(tick(WARM + 6, index)) if hasattr(e, "change")] == []

    def test_an_asset_that_is_further_is_left_alone(self) -> None:
        """Its state has the tick already; it stays due."""
        fleet, alerts = failing()
        due = alerts[-1].respond_by_ns

        assert [e for e in fleet.tick(tick(WARM, (due - START_NS) / 1e9)) if hasattr(e, "change")] == []
        assert fleet.overdue(0, due, since_ns=due)

    def test_a_shelf_expires_also_where_nothing_ever_stood(self) -> None:
        """Told in the order of the asset's records."""
        fleet = warm()
        fleet.take_up(control(1, CommandKind.SHELVE, WARM, until_ns=at(WARM + 60)), 0, WARM)
        assert not fleet.overdue(0, at(WARM + 59), since_ns=at(WARM + 59))
        assert fleet.overdue(0, at(WARM + 60), since_ns=at(WARM + 60))
        ended = [each for each in fleet.tick(tick(WARM, WARM + 60)) if isinstance(each, AlertTransition)]

        assert [(each.change, each.origin.topic, each.origin.offset) for each in ended] == [
            (Change.UNSHELVED, "sensors.v1", WARM)
        ]

    def test_the_heap_does_not_grow_with_the_records(self) -> None:
        """Each of them may move what an asset is due for: what is void is thrown away."""
        fleet, _ = failing()
        partition = fleet._admission.partitions[0]
        for i in range(500):
            partition.owners["pump-1"].due_ns = i
            settle("pump-1", partition.owners["pump-1"], partition)

        assert len(partition.due) <= 2 + SPARE
        assert (partition.owners["pump-1"].due_ns, "pump-1") in partition.due

    def test_a_restored_asset_is_due_as_it_was(self) -> None:
        """The heap is no state: it follows from that of the assets."""
        fleet, alerts = failing()
        due, again = alerts[-1].respond_by_ns, Fleet(SPEC)
        again.restore(fleet.capture(0, "pump-1"))
        moment = tick(WARM + 6, (due - START_NS) / 1e9)

        assert again.overdue(0, due, since_ns=due)
        assert again.tick(moment) == fleet.tick(moment)
        assert again.capture(0, "pump-1").digest() == fleet.capture(0, "pump-1").digest()


class TestPolicies:
    def test_an_asset_has_the_default_until_one_is_assigned(self) -> None:
        """From its place on; the version is in its state, and who is new can be asked."""
        fleet = warm()
        assert (fleet.policies(0), fleet.newcomers(0), fleet.newcomers(0)) == (
            {"pump-1": DEFAULT.version}, ["pump-1"], []
        )  # fmt: skip
        fleet.take_up(Assigned(policy=CALM, assets=("pump-1", "who")), 0, WARM)

        assert told(feed(fleet, WARM, WARM + 8, fault=3.0)) == []
        assert fleet.policies(0) == {"pump-1": CALM.version}
        again = Fleet(SPEC)
        again.restore(fleet.capture(0, "pump-1"))
        assert again.policies(0) == {"pump-1": CALM.version}

    def test_an_asset_that_is_further_keeps_its_own(self) -> None:
        """The place was before its newest record."""
        fleet = warm()
        fleet.take_up(Assigned(policy=CALM, assets=("pump-1",)), 0, WARM - 1)

        assert fleet.policies(0) == {"pump-1": DEFAULT.version}

    def test_a_fleet_without_places_finds_the_closest_itself(self) -> None:
        """By master data, and anew when that changes."""
        pumps = dataclasses.replace(CALM, covers=("pump",), name="pumps", version="1")
        fleet = Fleet(SPEC, policies=(DEFAULT, pumps))
        feed(fleet, 0, 2)
        before = fleet.policies(0)
        fleet.receive([Asset(asset="pump-1", asset_class="pump")])

        assert (before["pump-1"], fleet.policies(0)["pump-1"]) == (DEFAULT.version, "1")

    def test_the_same_policy_is_held_once(self) -> None:
        """However many assets have it in their state."""
        fleet, again = Fleet(SPEC), Fleet(SPEC)
        fleet.receive([block(0, asset="a"), block(1, asset="b")])
        fleet.take_up(Assigned(policy=CALM, assets=("a", "b")), 0, 2)
        for name in "ab":
            again.restore(AssetState.from_bytes(fleet.capture(0, name).to_bytes()))
        first, second = (again._admission.owned(name)[0].alerts.policy for name in "ab")

        assert first == CALM
        assert first is second


class TestState:
    def test_alerts_outlive_a_model_that_cannot_go_on(self) -> None:
        """Another profile starts cold; who was called to the machine still is."""
        fleet, (raised, *_) = failing()
        again = Fleet(dataclasses.replace(SPEC, profile="lean"))
        with pytest.raises(StateRejected, match="shape"):
            again.restore(fleet.capture(0, "pump-1"))
        answer = again.take_up(control(1, CommandKind.ACKNOWLEDGE, WARM + 6), 0, WARM + 6)

        assert [(each.change, each.alert_id) for each in answer] == [(Change.ACKNOWLEDGED, raised.alert_id)]

    def test_what_is_no_alert_state_is_refused(self) -> None:
        """The asset starts cold, without alerts."""
        state = failing()[0].capture(0, "pump-1")
        for wrong in ({"alarm": {"incident": 3}}, {"conditions": {"DE": 1}}, {"surprise": 1}, {"said": "x"}):
            fleet = Fleet(SPEC)
            with pytest.raises(StateRejected):
                fleet.restore(dataclasses.replace(state, tree={**state.tree, "alerts": wrong}))
            assert fleet.receive([block(WARM + 6)])[0].score.rows[0].reason == "warming up, 1 of 20 blocks"

    def test_severities_are_those_of_the_bands(self) -> None:
        """The worst that was told is at least a warning for this fault."""
        alerts = failing(12)[1]

        assert max(each.severity.rank for each in alerts) >= Severity.WARNING.rank
