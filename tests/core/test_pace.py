"""Warm-up, holds and averages in seconds and in independent blocks, as the Fleet applies them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock.contract import Acquisition, Asset, Phase, ScoreState
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.builders import RATE, START_NS, STEP_NS, block, frame, machine

SPEC = FleetSpec(warmup_blocks=20)
LENGTH_NS = int(1024 / RATE * 1e9)  # of a block of the builders


def rows(outcomes: list[Outcome]) -> list:
    return [row for outcome in outcomes for row in outcome.score.rows]


def opened(outcomes: list[Outcome]) -> list[int]:
    """Numbers of the outcomes that opened an episode."""
    return [i for i, o in enumerate(outcomes) if any(a.phase is Phase.OPENED for a in o.anomalies)]


class TestWarmUp:
    """It ends when both the blocks and the seconds are there."""

    def test_says_both(self) -> None:
        """The reason and the share name blocks and seconds."""
        outcomes = Fleet(replace(SPEC, warmup_s=60.0)).receive([block(i) for i in range(13)])

        assert rows(outcomes)[-1].reason == "warming up, 13 of 20 blocks and 12 of 60 s"
        assert outcomes[-1].score.warmup == pytest.approx(12 / 60)

    @pytest.mark.parametrize(("seconds", "scored"), [(0.0, 20), (10.0, 20), (40.0, 41)])
    def test_waits_for_the_later_of_the_two(self, seconds: float, scored: int) -> None:
        """Blocks come once a second: 20 blocks live 19 s, the 41st completes 40 s and is the last of the warm-up."""
        found = rows(Fleet(replace(SPEC, warmup_s=seconds)).receive([block(i) for i in range(60)]))

        assert [r.state for r in found].index(ScoreState.SCORED) == scored

    def test_seconds_alone_are_not_enough(self) -> None:
        """A wireless sensor with a block in ten minutes lives 60 s between two blocks, and still needs its twenty."""
        found = rows(Fleet(replace(SPEC, warmup_s=60.0)).receive(snapshots(30)))

        assert [r.state for r in found].index(ScoreState.SCORED) == 20
        assert found[4].reason == "warming up, 5 of 20 blocks and 60 of 60 s"

    def test_a_gap_is_not_lived(self) -> None:
        """A night between two blocks of the warm-up brings no seconds."""
        night = [block(i, source_ns=START_NS + (i + (36_000 if i >= 10 else 0)) * STEP_NS) for i in range(20)]
        found = rows(Fleet(replace(SPEC, warmup_s=60.0)).receive(night))

        assert found[-1].reason == "warming up, 20 of 20 blocks and 18 of 60 s"

    def test_master_data_wins(self) -> None:
        """An asset's own seconds hold in the place of the setting's, zero included."""
        spec = replace(SPEC, warmup_s=1000.0)
        own = Fleet(spec, assets=[Asset(asset="pump-1", warmup_s=0.0)]).receive([block(i) for i in range(21)])
        more = Fleet(SPEC, assets=[Asset(asset="pump-1", warmup_s=30.0)]).receive([block(i) for i in range(21)])

        assert rows(own)[-1].state is ScoreState.SCORED
        assert rows(more)[-1].reason == "warming up, 21 of 20 blocks and 20 of 30 s"

    def test_holds_for_slow_values_too(self) -> None:
        """Rows are counted and their seconds."""
        noise = np.random.default_rng(1).normal(300, 1, (50, 2))
        found = rows(Fleet(replace(SPEC, warmup_s=30.0)).receive([frame(0, noise)]))

        assert (
            found[10].reason == "warming up, 11 of 20 rows and 9 of 30 s"
        )  # the first step has none to be held against
        assert [r.state for r in found].index(ScoreState.SCORED) == 32


class TestIndependence:
    """Blocks that share most of their samples are one piece of evidence."""

    def overlapping(self, count: int, fault_from: int, acquisition: Acquisition = Acquisition.CONTINUOUS) -> list:
        """A block every quarter of its length."""
        step = LENGTH_NS // 4
        return [
            block(
                i, source_ns=START_NS + i * step, fault=2.0 if i >= fault_from else 0.0, acquisition=acquisition
            )  # the content does not matter here, the times do
            for i in range(count)
        ]

    def test_the_warm_up_counts_every_second_of_them(self) -> None:
        """At three quarters of overlap every second block counts; all of them are told the same."""
        found = rows(Fleet(SPEC).receive(self.overlapping(45, 99)))

        assert found[10].reason == "warming up, 6 of 20 blocks"
        assert found[11].reason == "warming up, 6 of 20 blocks"
        assert [r.state for r in found].index(ScoreState.SCORED) == 39

    def test_the_hold_counts_every_second_of_them(self) -> None:
        """Two independent blocks open an episode: the third of these, not the second."""
        outcomes = Fleet(SPEC).receive(self.overlapping(70, 60))

        assert opened(outcomes) == [62]
        assert outcomes[61].score.learning == "held: most of its samples were in the block before"
        assert outcomes[61].score.rows[0].value > 1

    def test_snapshots_all_count(self) -> None:
        """What a sensor calls a snapshot is a measurement of its own, whatever its time."""
        outcomes = Fleet(SPEC).receive(self.overlapping(40, 30, Acquisition.SNAPSHOT))

        assert [r.state for r in rows(outcomes)].index(ScoreState.SCORED) == 20
        assert opened(outcomes) == [31]


class TestHold:
    """Blocks and seconds both."""

    @pytest.mark.parametrize(("seconds", "after"), [(0.0, 1), (0.5, 1), (5.0, 5), (5.5, 6)])
    def test_the_setting_adds_seconds(self, seconds: float, after: int) -> None:
        """Blocks come once a second; the episode opens when they span the seconds, and never with the first."""
        outcomes = Fleet(replace(SPEC, hold_s=seconds)).receive([block(i, fault=2.0 * (i >= 40)) for i in range(50)])

        assert opened(outcomes) == [40 + after]

    def test_it_is_in_the_name_of_the_policy(self) -> None:
        """Lineage tells two holds apart."""
        assert "hold=2x5s" in replace(SPEC, hold_s=5.0).policy_name
        assert "hold=3x10s" in replace(SPEC, hold_s=5.0, budget=0.1).policy_name


class TestAverages:
    """A weak bias shows in the average over 16 blocks only, and only of blocks that belong together."""

    def weak(self, index: int, at_ns: int) -> object:
        return block(index, samples=machine(index + 7000, fault=0.4 * (index >= 60)), source_ns=at_ns)

    def test_a_bias_builds_up_anew_after_a_gap(self) -> None:
        """The value falls back at the gap, and has its old height again sixteen blocks later."""
        times = [START_NS + (i + (36_000 if i >= 90 else 0)) * STEP_NS for i in range(120)]
        spec = replace(SPEC, warmup_blocks=40)
        with_gap = [r.value for r in rows(Fleet(spec).receive([self.weak(i, t) for i, t in enumerate(times)]))]
        without = [
            r.value for r in rows(Fleet(spec).receive([self.weak(i, START_NS + i * STEP_NS) for i in range(120)]))
        ]

        assert with_gap[:90] == without[:90]
        assert with_gap[90] < 0.8 * without[90]
        assert with_gap[106:] == pytest.approx(without[106:], rel=0.05)

    def test_a_limit_in_seconds_is_in_the_name_of_the_model(self) -> None:
        """What an average may take in is part of what a score is."""
        assert replace(SPEC, horizon_s=10.0).model_name != SPEC.model_name
        assert replace(SPEC, horizon_s=10.0).telemetry_name != SPEC.telemetry_name

    def test_a_limit_of_one_step_leaves_single_blocks(self) -> None:
        """With `horizon_s` below a step no block is averaged with another."""
        spec = replace(SPEC, warmup_blocks=40, horizon_s=0.5)
        blocks = [self.weak(i, START_NS + i * STEP_NS) for i in range(120)]
        limited, free = Fleet(spec).receive(blocks), Fleet(replace(spec, horizon_s=0.0)).receive(blocks)

        assert np.mean([r.value for r in rows(limited[100:])]) < np.mean([r.value for r in rows(free[100:])])


def snapshots(count: int) -> list:
    """Blocks of a wireless sensor, one in 20 s."""
    return [
        replace(block(i, source_ns=START_NS + i * 20 * STEP_NS, acquisition=Acquisition.SNAPSHOT), interval_s=20.0)
        for i in range(count)
    ]
