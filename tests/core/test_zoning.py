"""The zones of a measuring point through a Fleet: the alarm they raise, why, and what ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from foreshock.alerts.vocabulary import CommandKind, WorkKind
from foreshock.contract import Anomaly, Block, Limit, MeasuringPoint, Mode, Phase, Zones
from foreshock.core.gathering import BASELINE_WINDOWS
from foreshock.detection import spec_of
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from foreshock.settings import Settings
from tests.core.alerting import control, work
from tests.core.window_builders import PUMP, reasons, vectors, wave

# 50 Hz: a peak of 1 m/s2 is a velocity of 2.25 mm/s RMS
ZONES = Zones(a_b=1.4e-3, b_c=2.8e-3, c_d=4.5e-3)
GOOD, ZONE_B, ZONE_C, ZONE_D = 0.4, 1.0, 1.5, 4.0
SPEC = FleetSpec(warmup_blocks=14, features_every_s=0.0)
MOTOR = replace(PUMP, points=(MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2", zones=ZONES),))


def windows(amplitudes: Sequence[float], first: int = 0) -> list[Block]:
    """Four blocks, which are one window, of each amplitude."""
    return [
        wave(4 * k + i, amplitude=amplitude, noise=0.01)
        for k, amplitude in enumerate(amplitudes, first)
        for i in range(4)
    ]


def zoned(outcomes: Sequence[Outcome]) -> list[Anomaly]:
    return [event for outcome in outcomes for event in outcome.anomalies if event.lineage.model == "zones-v1"]


class TestLevel:
    """The first criterion: the zone itself."""

    def test_zone_d_alarms_from_the_first_windows_while_the_model_warms_up(self) -> None:
        """Two windows above C/D open an episode in mode `static_limit`, critical, with the reason in its decision."""
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([ZONE_D] * 3))
        (event,) = zoned(outcomes)
        row = outcomes[8].score.rows[0]

        assert [vector.zone for vector in vectors(outcomes)] == ["D", "D", "D"]
        assert (event.mode, event.phase, event.severity) == (Mode.STATIC_LIMIT, Phase.OPENED, "critical")
        assert "is above the boundary C/D 4.5 mm/s" in event.decision.rule
        assert {o.name: o.value for o in event.decision.operands}["above"] == pytest.approx(4.5e-3)
        assert event.contributions[0].feature == "velocity_rms[x]"
        assert event.lineage.feature_set.startswith("signal-v1@")
        assert (event.lineage.inputs[0].first, event.lineage.inputs[0].last) == (4, 7)
        assert outcomes[8].score.mode is Mode.STATIC_LIMIT
        assert row.alarm
        assert row.value == pytest.approx(event.score, rel=1e-3)

    def test_the_alert_of_the_asset_follows(self) -> None:
        """Zone D is what the policy of the asset raises an alert for, as for any stated limit."""
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([ZONE_D] * 3))
        told = [alert for outcome in outcomes for alert in outcome.alerts]

        assert told
        assert told[0].asset == "pump"

    def test_good_zones_alarm_nobody(self) -> None:
        """A steady machine in zone A or B has its zone in each vector and no event."""
        for amplitude, zone in ((GOOD, "A"), (ZONE_B, "B")):
            outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([amplitude] * 14))

            assert {vector.zone for vector in vectors(outcomes)} == {zone}
            assert zoned(outcomes) == []

    def test_it_is_over_when_the_machine_is_good_again(self) -> None:
        """Four windows below release and the refractory time, and the episode is closed."""
        every = replace(SPEC, budget=10.0)  # its refractory time is a minute
        outcomes = Fleet(every, assets=[MOTOR]).receive(windows([ZONE_D] * 3 + [GOOD] * 80))

        assert [event.phase for event in zoned(outcomes)] == [Phase.OPENED, Phase.CLOSED]
        assert outcomes[-1].score.mode is Mode.MODEL


class TestChange:
    """The second criterion: a change from what is usual for the machine."""

    def test_a_rise_inside_zone_b_alarms(self) -> None:
        """From 0.9 to 2.25 mm/s is more than a quarter of 2.8 mm/s: told, although zone B is fit for long operation."""
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([GOOD] * BASELINE_WINDOWS + [ZONE_B] * 3))
        (event,) = zoned(outcomes)
        operands = {o.name: o.value for o in event.decision.operands}

        assert vectors(outcomes)[-1].zone == "B"
        assert "rose from 0.9" in event.decision.rule
        assert operands["usual"] == pytest.approx(0.9e-3, rel=1e-2)
        assert operands["measured"] == pytest.approx(2.25e-3, rel=1e-2)

    def test_a_fall_alarms_as_well(self) -> None:
        """What vibrates far less than it did has changed too."""
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([ZONE_B] * BASELINE_WINDOWS + [GOOD / 2] * 3))
        (event,) = zoned(outcomes)

        assert "fell from 2.25" in event.decision.rule
        assert "below" in {o.name for o in event.decision.operands}

    def test_without_a_baseline_only_the_level_counts(self) -> None:
        """One window fewer and nobody knows what is usual."""
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(windows([GOOD] * (BASELINE_WINDOWS - 3) + [ZONE_B] * 2))

        assert zoned(outcomes) == []

    def test_one_loud_window_does_not_move_the_baseline(self) -> None:
        """It is the median of the first windows, and stays what it was."""
        fleet = Fleet(SPEC, assets=[MOTOR])
        fleet.receive(windows([GOOD] * (BASELINE_WINDOWS - 1) + [ZONE_D] + [GOOD] * 5))
        (baseline,) = fleet.capture(0, "pump").tree["points"][0]["windows"]["baselines"]

        assert baseline["key"] == "velocity_rms[x]"
        assert len(baseline["values"]) == BASELINE_WINDOWS
        assert np.median(baseline["values"]) == pytest.approx(0.9e-3, rel=1e-2)

    def test_no_baseline_is_learnt_while_somebody_holds_learning(self) -> None:
        """Who freezes learning freezes this too."""
        fleet = Fleet(SPEC, assets=[MOTOR])
        fleet.receive(windows([GOOD]))
        fleet.take_up(control(0, CommandKind.FREEZE, 1, asset="pump"), 0, 4)
        fleet.receive(windows([GOOD] * 3, first=1))

        assert len(fleet.capture(0, "pump").tree["points"][0]["windows"]["baselines"][0]["values"]) == 1

    def test_a_repair_begins_anew(self) -> None:
        """After a repair what was usual is forgotten, and the episode of the zones is closed with that reason."""
        fleet = Fleet(SPEC, assets=[MOTOR])
        before = fleet.receive(windows([GOOD] * BASELINE_WINDOWS + [ZONE_B] * 3))
        offset = len(before)
        fleet.take_up(work(0, WorkKind.REPAIR, 13, asset="pump"), 0, offset)
        after = fleet.receive(windows([ZONE_B] * 4, first=offset // 4))

        alone = Fleet(SPEC)
        alone.restore(AssetState.from_bytes(after[0].evidence[0].state))
        (again,) = alone.receive(windows([ZONE_B], first=offset // 4)[:1])

        assert [event.phase for event in zoned(before)] == [Phase.OPENED]
        assert [event.phase for event in zoned(after)] == [Phase.CLOSED]
        assert (again.anomalies, again.evidence) == (after[0].anomalies, after[0].evidence)
        assert "baseline starts anew" in zoned(after)[0].decision.rule
        assert len(fleet.capture(0, "pump").tree["points"][0]["windows"]["baselines"][0]["values"]) == 4


class TestLimits:
    """Limits that are stated on what only a window has."""

    def test_a_limit_on_a_velocity_holds(self) -> None:
        """Like the zones: from the first windows, beside the model, with what was measured."""
        limit = Limit(feature="velocity_rms", above=3e-3, severity="critical")
        pump = replace(PUMP, points=(replace(PUMP.points[0], limits=(limit,)),))
        good, bad = (Fleet(SPEC, assets=[pump]).receive(windows([each] * 3)) for each in (GOOD, ZONE_D))
        (event,) = zoned(bad)

        assert zoned(good) == []
        assert (event.mode, event.severity) == (Mode.STATIC_LIMIT, "critical")
        assert {o.name: o.value for o in event.decision.operands}["above"] == 3e-3

    def test_a_limit_on_a_feature_of_blocks_is_looked_at_with_blocks_alone(self) -> None:
        """`rms` is a feature of both: it alarms once."""
        pump = replace(PUMP, points=(replace(PUMP.points[0], limits=(Limit(feature="rms", above=0.1),)),))
        outcomes = Fleet(SPEC, assets=[pump]).receive(windows([ZONE_D] * 3))

        assert [e.lineage.model for o in outcomes for e in o.anomalies] == ["static-limit-v1"]


class TestWhereNoneHold:
    """Zones are stated, never assumed."""

    def test_a_moulding_machine_has_none(self) -> None:
        """Whatever is stated for its point."""
        outcomes = Fleet(SPEC, assets=[replace(MOTOR, asset_class="moulding_machine")]).receive(windows([ZONE_D] * 3))

        assert {vector.zone for vector in vectors(outcomes)} == {""}
        assert zoned(outcomes) == []

    def test_nothing_is_assumed(self) -> None:
        """A point without zones has a velocity, and no opinion on it."""
        outcomes = Fleet(SPEC, assets=[PUMP]).receive(windows([ZONE_D] * 3))

        assert {vector.zone for vector in vectors(outcomes)} == {""}
        assert zoned(outcomes) == []

    def test_power_group_and_support_stand_for_them(self) -> None:
        """Group 2 on a rigid support: 4.5 mm/s is the boundary C/D."""
        outcomes = Fleet(SPEC, assets=[replace(PUMP, power_group="2", support="rigid")]).receive(windows([ZONE_C] * 2))

        assert {vector.zone for vector in vectors(outcomes)} == {"C"}

    def test_zones_that_are_taken_away_end_their_alarm(self) -> None:
        """Master data without them: the episode comes to its end by its own rule."""
        fleet = Fleet(replace(SPEC, budget=10.0), assets=[MOTOR])
        before = fleet.receive(windows([ZONE_D] * 3))
        after = fleet.receive([PUMP, *windows([ZONE_D] * 80, first=3)])

        assert [event.phase for event in zoned(before)] == [Phase.OPENED]
        assert [event.phase for event in zoned(after)] == [Phase.CLOSED]
        assert after[-1].vectors[-1].zone == ""

    def test_a_window_that_ended_short_judges_nobody(self) -> None:
        """After a gap there is no velocity, and the alarm takes no step."""
        blocks = [wave(i, amplitude=ZONE_D, shift_ns=i * 10**9) for i in range(6)]
        outcomes = Fleet(SPEC, assets=[MOTOR]).receive(blocks)

        assert {reasons(vector)["velocity_rms[x]"] for vector in vectors(outcomes)} == {"window_too_short"}
        assert zoned(outcomes) == []

    @pytest.mark.parametrize("cuts", [[], [9, 13, 14, 15], [12]])
    def test_an_asset_that_is_unregistered_keeps_nothing_of_them(self, cuts: list[int]) -> None:
        """Its open episode is closed once, with the reason and its proof; the window under way is dropped."""
        blocks = windows([ZONE_D] * 5)
        items = [MOTOR, *blocks[:14], replace(MOTOR, registered=False), *blocks[14:]]
        fleet, outcomes = Fleet(SPEC), []
        for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
            outcomes += fleet.receive(items[first:last])
        closing = next(outcome for outcome in outcomes if any(e.phase is Phase.CLOSED for e in zoned([outcome])))
        alone = Fleet(SPEC)
        alone.restore(AssetState.from_bytes(closing.evidence[-1].state))
        (again,) = alone.receive([blocks[14]])

        assert [event.phase for event in zoned(outcomes)] == [Phase.OPENED, Phase.CLOSED]
        assert closing is outcomes[14]
        assert "not registered any more" in zoned([closing])[0].decision.rule
        assert again.anomalies == closing.anomalies
        assert "windows" not in fleet.capture(0, "pump").tree["points"][0]


class TestProof:
    """An event of the zones is as good as any other."""

    def test_its_evidence_gives_it_again(self) -> None:
        """From the state before the last block of its window and that block, the event comes out again, bit for bit."""
        blocks = windows([GOOD] * BASELINE_WINDOWS + [ZONE_B, ZONE_D] * 3)
        fleet = Fleet(SPEC, assets=[MOTOR])
        proven = []
        for block, outcome in zip(blocks, fleet.receive(blocks), strict=True):
            for evidence in outcome.evidence:
                alone = Fleet(SPEC)
                alone.restore(AssetState.from_bytes(evidence.state))
                (again,) = alone.receive([block])
                proven += [event.event_id for event in again.anomalies if event.event_id == evidence.event_id]
                assert again.anomalies == outcome.anomalies
                assert again.vectors == outcome.vectors
                assert again.score == outcome.score

        assert proven

    def test_the_settings_of_a_plant_gather_one_a_minute(self) -> None:
        """With nothing set, the spec of the worker has windows of a second, one a minute."""
        spec = spec_of(Settings())

        assert (spec.features, spec.features_every_s, spec.features_window_s) == (True, 60.0, 1.0)
