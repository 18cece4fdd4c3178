"""The Fleet: every block has exactly one outcome, and the outcome is right."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.contract import Asset, Context, Limit, MeasuringPoint, Mode, Phase, RunState, ScoreState
from foreshock.detectors.reference import Healthy, Reference
from foreshock.errors import ConfigurationError
from foreshock.features import catalog
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.builders import RATE, STEP_NS, block, frame, machine, placed

SPEC = FleetSpec(warmup_blocks=20)


def healthy(count: int, **fields) -> list:
    return [block(i, **fields) for i in range(count)]


def rows(outcomes: list[Outcome]) -> list:
    return [row for outcome in outcomes for row in outcome.score.rows]


class TestOneBlock:
    """What happens to a block, state by state."""

    def test_says_how_far_the_warm_up_is(self) -> None:
        """A warming asset has no score, and says how many blocks it has of how many."""
        outcomes = Fleet(SPEC).receive(healthy(3))

        assert [r.state for r in rows(outcomes)] == [ScoreState.WARMING] * 3
        assert rows(outcomes)[-1].reason == "warming up, 3 of 20 blocks"
        assert rows(outcomes)[-1].value is None
        assert outcomes[-1].score.warmup == pytest.approx(0.15)

    def test_scores_after_the_warm_up(self) -> None:
        """The first block after the warm-up has a score below the boundary, a rank and its features."""
        row = rows(Fleet(SPEC).receive(healthy(21)))[-1]

        assert row.state is ScoreState.SCORED
        assert 0 < row.value < 1
        assert 0 < row.p_value <= 1
        assert len(row.features) == SPEC.feature_set.per_channel
        assert not row.alarm

    def test_the_master_data_sets_the_warm_up(self) -> None:
        """An Asset in the batch changes what holds for the blocks after it, and gives no outcome itself."""
        batch = [block(0, asset="a"), Asset(asset="a", warmup_blocks=14), *(block(i, asset="a") for i in range(1, 15))]
        outcomes = Fleet(SPEC).receive(batch)

        assert len(outcomes) == 15
        assert rows(outcomes)[0].reason == "warming up, 1 of 20 blocks"
        assert rows(outcomes)[-1].state is ScoreState.SCORED
        assert [o.score.registered for o in outcomes[:2]] == [False, True]

    def test_a_stopped_machine_is_not_scored(self) -> None:
        """A block at standstill is neither scored nor learnt."""
        fleet = Fleet(SPEC)
        fleet.receive(healthy(20, speed_hz=25.0))
        stopped, running = fleet.receive([block(20, speed_hz=0.0), block(21, speed_hz=25.0)])

        assert stopped.score.rows[0].state is ScoreState.NOT_RUNNING
        assert stopped.score.rows[0].run_state is RunState.STOPPED
        assert "stopped" in stopped.score.rows[0].reason
        assert running.score.rows[0].run_state is not RunState.STOPPED

    def test_a_late_block_is_flagged_and_leaves_no_trace(self) -> None:
        """A repeated block is no dead letter: it is flagged, and what follows is as if it had not come."""
        with_repeat, without = Fleet(SPEC), Fleet(SPEC)
        stream = healthy(26)
        outcomes = with_repeat.receive(placed([*stream[:24], block(100, index=23), *stream[24:]]))
        expected = without.receive(stream)

        assert rows(outcomes)[24].state is ScoreState.LATE
        assert "duplicate" in outcomes[24].score.quality
        assert [r.value for r in rows(outcomes)[25:]] == [r.value for r in rows(expected)[24:]]

    def test_a_frozen_sensor_is_not_usable(self) -> None:
        """A sensor fault is called one: no score, a quality event, no anomaly, nothing learnt."""
        fleet = Fleet(SPEC)
        fleet.receive(healthy(25))
        outcomes = fleet.receive([block(25 + i, samples=np.full((1, 1024), 0.5, np.float32)) for i in range(4)])

        assert {r.state for r in rows(outcomes)} == {ScoreState.NOT_USABLE}
        assert rows(outcomes)[0].reason.startswith("frozen")
        assert [(q.kind, q.raised, q.cause) for o in outcomes for q in o.quality] == [("frozen", True, "sensor")]
        assert not [a for o in outcomes for a in o.anomalies]

    def test_another_rate_that_stays_is_taken(self) -> None:
        """A rate that is declared from then on is a wrong rate at first, and the model starts anew on it later."""
        fleet = Fleet(SPEC)
        fleet.receive(healthy(25))
        outcomes = fleet.receive([block(25 + i, sampling_rate_hz=25_600.0) for i in range(22)])

        assert "wrong_rate" in outcomes[0].score.quality
        assert [r.state for r in rows(outcomes)] == [ScoreState.NOT_USABLE] * 20 + [ScoreState.WARMING] * 2

    def test_an_alarm_ends_with_the_model_it_rests_on(self) -> None:
        """When the model starts anew, an open episode is closed, with the change of layout as its decision."""
        fleet = Fleet(SPEC)
        fleet.receive([*healthy(40), *(block(40 + i, fault=1.5) for i in range(5))])
        outcomes = fleet.receive([block(45 + i, samples=machine(i, count=2048)) for i in range(21)])
        events = [a for o in outcomes for a in o.anomalies]

        assert [a.phase for a in events] == [Phase.CLOSED]
        assert "layout changed" in events[0].decision.rule
        assert [r.alarm for r in rows(outcomes)] == [True] * 19 + [False] * 2

    def test_a_new_layout_is_refused_until_it_stays(self) -> None:
        """Another block length is not usable at first, with both layouts named; then the model starts anew on it."""
        fleet = Fleet(SPEC)
        fleet.receive(healthy(25))
        longer = [block(25 + i, samples=machine(i, count=2048)) for i in range(22)]
        outcomes = fleet.receive(longer)

        assert rows(outcomes)[0].reason == (
            "block layout changed from 1 x 1024 samples at 12800 Hz to 1 x 2048 samples at 12800 Hz"
        )
        assert [r.state for r in rows(outcomes)] == [ScoreState.NOT_USABLE] * 20 + [ScoreState.WARMING] * 2


class TestFault:
    """A machine fault becomes one episode that anybody can check."""

    @pytest.fixture(scope="class")
    @classmethod
    def story(cls) -> list[Outcome]:
        """Forty healthy blocks, twenty faulty ones, then healthy ones for ten minutes."""
        fleet = Fleet(SPEC, assets=[Asset(asset="pump-1")])
        faulty = [block(40 + i, fault=1.5) for i in range(20)]
        after = [block(60 + i) for i in range(320)]
        return fleet.receive([*healthy(40), *faulty, *after])

    def test_alarms_on_the_second_faulty_block(self, story: list[Outcome]) -> None:
        """The alarm rule holds for two blocks; before that and on healthy blocks nothing is in alarm."""
        assert [r.alarm for r in rows(story)[:60]] == [False] * 41 + [True] * 19
        assert not any(r.alarm for r in rows(story)[-300:])

    def test_opens_and_closes_one_episode(self, story: list[Outcome]) -> None:
        """Opened, perhaps updated, closed: one episode id, distinct event ids, the first score kept."""
        events = [a for o in story for a in o.anomalies]

        assert events[0].phase is Phase.OPENED
        assert events[-1].phase is Phase.CLOSED
        assert {a.phase for a in events[1:-1]} <= {Phase.UPDATED}
        assert len({a.episode_id for a in events}) == 1
        assert len({a.event_id for a in events}) == len(events)
        assert {a.initial_score for a in events} == {events[0].score}
        assert events[0].started_ns == story[40].score.rows[0].source_ns

    def test_contributions_sum_to_the_score(self, story: list[Outcome]) -> None:
        """The amounts of every event sum to its score, and the largest is where the fault rings."""
        for event in (a for o in story for a in o.anomalies):
            total = math.fsum(c.amount for c in event.contributions)
            assert total == pytest.approx(event.score, rel=1e-9)
        top = story[41].anomalies[0].contributions[0]
        assert top.value > top.upper

    def test_carries_its_lineage_and_decision(self, story: list[Outcome]) -> None:
        """The event names its inputs, the state before scoring, versions, and the rule with its operands."""
        event = story[41].anomalies[0]
        operands = {o.name: o.value for o in event.decision.operands}

        assert event.decision.rule.startswith("value >= 1")
        assert operands["value"] == event.score
        assert operands["held_blocks"] == 2
        assert (event.lineage.inputs[0].first, event.lineage.inputs[0].last) == (26, 41)
        assert len(event.lineage.model_state) == 64
        assert event.lineage.feature_set == SPEC.feature_set.id
        assert event.trace_id
        assert event.confidence > 0.1
        assert event.severity in {"watch", "warning", "critical"}

    def test_learns_nothing_while_it_lasts(self, story: list[Outcome]) -> None:
        """The gate holds learning in alarm, and says so."""
        assert {o.score.learning.split(":")[0] for o in story[42:60]} == {"held"}
        assert story[39].score.learning == "learning"


class TestBatching:
    """Any split of a stream into batches gives the same outcomes, bit for bit."""

    @staticmethod
    def stream() -> list:
        """Three assets, one with two channels, one that fails, a repeat, a late one, a stop, and telemetry."""
        items: list = []
        offset = 0
        rng = np.random.default_rng(5)
        for i in range(45):
            items.append(block(offset, asset="a", index=i, fault=1.5 if 30 <= i < 36 else 0.0))
            items.append(block(offset + 1, asset="b", index=i, channels=2, speed_hz=0.0 if i in (31, 32) else 25.0))
            items.append(frame(offset + 2, rng.normal(300, 1, (2, 3)) + (9 if i > 38 else 0), asset="c", index=2 * i))
            offset += 3
        items.insert(60, Asset(asset="a", warmup_blocks=25))
        items.insert(100, block(500, asset="a", index=10))
        items[120:120] = [block(600 + i, asset="b", index=100 + i, samples=machine(i, count=512)) for i in range(22)]
        return placed(items)

    @given(st.data())
    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
    def test_every_split_gives_the_same_outcomes(self, data: st.DataObject) -> None:
        """Cut at random places, the outcomes are equal as records, ids and state digests included."""
        items = self.stream()
        cuts = sorted(data.draw(st.sets(st.integers(1, len(items) - 1), max_size=40)))
        fleet, parts = Fleet(SPEC), []
        for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
            parts += fleet.receive(items[first:last])

        assert parts == self.whole()

    _whole: list[Outcome] | None = None

    @classmethod
    def whole(cls) -> list[Outcome]:
        if cls._whole is None:
            cls._whole = Fleet(SPEC).receive(cls.stream())
        return cls._whole

    def test_the_stream_holds_what_it_should(self) -> None:
        """The stream of the property has every state and at least two episodes: else it would prove little."""
        states = {r.state for r in rows(self.whole())}
        opened = [a for o in self.whole() for a in o.anomalies if a.phase is Phase.OPENED]

        assert states == set(ScoreState)
        assert {a.asset for a in opened} >= {"a", "c"}

    def test_every_block_has_one_outcome_in_order(self) -> None:
        """Outcomes come in the order of the blocks, one each."""
        wanted = [item.origin for item in self.stream() if not isinstance(item, Asset)]
        assert [o.score.origin for o in self.whole()] == wanted


class TestLimits:
    """Static limits hold from block 1."""

    ASSET = Asset(
        asset="pump-1",
        points=(
            MeasuringPoint(
                point="DE",
                quantity="acceleration",
                unit="m/s2",
                limits=(Limit(feature="rms", above=2.0, severity="critical"),),
            ),
        ),
    )

    def test_a_fault_from_block_one_is_reported_by_its_limit(self) -> None:
        """While the model is warming the limit alone speaks, as `static_limit`, with what it measured."""
        loud = [block(i, samples=5 * machine(i)) for i in range(5)]
        outcomes = Fleet(SPEC, assets=[self.ASSET]).receive(loud)
        event = outcomes[1].anomalies[0]

        assert event.mode is Mode.STATIC_LIMIT
        assert event.phase is Phase.OPENED
        assert event.severity == "critical"
        assert event.contributions[0].feature == "rms[ch0]"
        assert event.contributions[0].upper == 2.0
        assert event.score == pytest.approx(event.contributions[0].value / 2.0)
        assert outcomes[1].score.mode is Mode.STATIC_LIMIT
        assert outcomes[1].score.rows[0].alarm
        assert outcomes[1].score.rows[0].state is ScoreState.WARMING

    def test_a_limit_that_is_kept_says_nothing(self) -> None:
        """Below the limit there is no event and the row's value stays below 1."""
        outcomes = Fleet(SPEC, assets=[self.ASSET]).receive(healthy(30))

        assert not [a for o in outcomes for a in o.anomalies]
        assert all((r.value or 0) < 1 for r in rows(outcomes))


class TestTelemetry:
    """Frames of scalars: a score with one row for each row."""

    def test_a_shift_of_one_tag_opens_an_episode_that_names_it(self) -> None:
        """The tag that moved contributes most; missing values are flagged, not scored as zero."""
        rng = np.random.default_rng(1)
        fleet = Fleet(SPEC)
        values = rng.normal([300.0, 5.0], [0.5, 0.1], (80, 2))
        values[60:, 1] += 1.0
        values[50, 0] = math.nan
        outcomes = fleet.receive([frame(i, values[i * 4 : i * 4 + 4], index=i * 4) for i in range(20)])
        events = [a for o in outcomes for a in o.anomalies]

        assert [len(o.score.rows) for o in outcomes] == [4] * 20
        assert "missing" in outcomes[12].score.quality
        assert rows(outcomes)[50].state is ScoreState.SCORED
        assert events[0].phase is Phase.OPENED
        assert 60 <= (events[0].source_ns - rows(outcomes)[0].source_ns) // STEP_NS <= 66
        assert events[0].contributions[0].feature == "t1"
        assert math.fsum(c.amount for c in events[0].contributions) == pytest.approx(events[0].score, rel=1e-9)

    def test_a_row_that_comes_again_is_late(self) -> None:
        """Rows not after the newest one are flagged row by row."""
        values = np.random.default_rng(2).normal(size=(4, 2))
        fleet = Fleet(SPEC)
        fleet.receive([frame(0, values, index=0)])
        again = fleet.receive([frame(1, values, index=2)])[0]

        assert [r.state for r in again.score.rows] == [ScoreState.LATE] * 2 + [ScoreState.WARMING] * 2


class TestReference:
    """A reference of the class puts an asset on the scale of its class."""

    @staticmethod
    def reference(asset_class: str = "pump") -> Reference:
        x = np.stack([b.samples for b in healthy(120)])
        vectors = catalog.extract(x, RATE, SPEC.feature_set)
        contexts = [Context()] * len(vectors)
        names = SPEC.feature_set.names(("ch0",))
        return Reference.build(asset_class, 4, SPEC.feature_set.id, {"a": Healthy(names, vectors, contexts)})

    def test_lineage_names_the_reference(self) -> None:
        """Scores and events of assets of the class name the record; the fault is found and explained in its own units."""
        reference = self.reference()
        fleet = Fleet(SPEC, reference=reference, assets=[Asset(asset="pump-1", asset_class="pump")])
        outcomes = fleet.receive([*healthy(40), *(block(40 + i, fault=1.5) for i in range(4))])
        event = outcomes[41].anomalies[0]
        top = event.contributions[0]

        assert {o.score.reference for o in outcomes} == {reference.id}
        assert event.lineage.reference == reference.id
        assert outcomes[41].score.rows[0].features[SPEC.feature_set.names(("ch0",)).index(top.feature)] == top.value
        assert top.lower < top.expected < top.upper < top.value

    def test_another_class_keeps_its_own_scale(self) -> None:
        """An asset of another class is scored as if there were no reference."""
        with_it = Fleet(SPEC, reference=self.reference("fan"), assets=[Asset(asset="pump-1", asset_class="pump")])
        without = Fleet(SPEC, assets=[Asset(asset="pump-1", asset_class="pump")])

        assert with_it.receive(healthy(30)) == without.receive(healthy(30))


class TestState:
    """State is per partition, asset and point, and can be asked and dropped."""

    def test_release_drops_a_partition(self) -> None:
        """After a release the assets of the partition start from nothing; others go on."""
        fleet = Fleet(SPEC)
        fleet.receive([block(i, asset="a", partition=0) for i in range(21)])
        fleet.receive([block(i, asset="b", partition=1) for i in range(21)])
        fleet.release({0})
        back, other = fleet.receive([block(21, asset="a", partition=0), block(21, asset="b", partition=1)])

        assert back.score.rows[0].reason == "warming up, 1 of 20 blocks"
        assert other.score.rows[0].state is ScoreState.SCORED

    def test_status_says_why_there_is_no_score(self) -> None:
        """An asset that was seen has a status per point; one that was not has none."""
        fleet = Fleet(SPEC)
        fleet.receive(healthy(3))
        status = fleet.status("pump-1")

        assert fleet.status("pump-2") is None
        assert not status.registered
        assert status.points[0].reason == "warming up, 3 of 20 blocks"

    def test_scoring_twice_gives_the_same_ids(self) -> None:
        """Ids are functions of the input: the same stream in another Fleet has the same."""
        first, second = (Fleet(SPEC).receive(healthy(25)) for _ in range(2))
        assert first == second
        assert len({o.score.score_id for o in first}) == 25

    def test_stages_are_told_in_order(self) -> None:
        """The shell can take the time of each stage."""
        told: list[str] = []
        Fleet(SPEC, on_stage=told.append).receive(healthy(2))
        assert told[-3:] == ["features", "score", "policy"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"profile": "rich"}, "known: lean, full"),
        ({"budget": 0.0}, "above 0"),
        ({"warmup_blocks": 3}, "at least 12"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_fix(settings: dict, sentence: str) -> None:
    """A FleetSpec that cannot run names the setting and what it should be."""
    with pytest.raises(ConfigurationError, match=sentence):
        FleetSpec(**settings)


def test_the_lean_profile_finds_the_fault_too() -> None:
    """Trees and rank alone: fewer features, the same contract."""
    fleet = Fleet(dataclasses.replace(SPEC, profile="lean", warmup_blocks=60))
    outcomes = fleet.receive([*healthy(100), *(block(100 + i, fault=3.0) for i in range(10))])

    assert not any(r.alarm for r in rows(outcomes)[:100])
    assert any(a.phase is Phase.OPENED for o in outcomes[100:] for a in o.anomalies)
