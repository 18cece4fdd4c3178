"""The rolling trend slope of the level: known growth in, the same growth out, in every score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.contract import Asset, Limit, MeasuringPoint, RunState, ScoreState
from foreshock.core.trend import BLOCKS, LEAST
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.builders import START_NS, block, frame, machine, placed

SPEC = FleetSpec(warmup_blocks=20)
MINUTE_NS = 60_000_000_000
WAVE = machine(1)


def growing(count: int, per_hour: float, first: int = 0, **fields) -> list:
    """One block a minute whose level grows exponentially."""
    return [
        block(
            i,
            samples=(WAVE * math.exp(per_hour * i / 60)).astype(np.float32),
            source_ns=START_NS + i * MINUTE_NS,
            **fields,
        )
        for i in range(first, first + count)
    ]


def trends(outcomes: list[Outcome]) -> list[float | None]:
    return [row.trend for outcome in outcomes for row in outcome.score.rows]


class TestSlope:
    """What the number says."""

    @pytest.mark.parametrize("per_hour", [0.05, -0.2, 1.5])
    def test_is_the_growth_that_the_level_has(self, per_hour: float) -> None:
        """5 % an hour in, 0.05 out, from the eighth block on, however often the ring has gone round."""
        found = trends(Fleet(SPEC).receive(growing(150, per_hour)))

        assert found[: LEAST - 1] == [None] * (LEAST - 1)
        assert found[LEAST - 1 :] == [pytest.approx(per_hour, rel=1e-3)] * (150 - LEAST + 1)

    def test_a_steady_machine_has_none(self) -> None:
        """Noise alone leaves a slope around zero: here far less than the machine's own scatter from block to block."""
        found = trends(Fleet(SPEC).receive([block(i, source_ns=START_NS + i * MINUTE_NS) for i in range(100)]))

        assert max(abs(each) for each in found[BLOCKS:] if each is not None) < 0.02

    def test_old_growth_is_forgotten(self) -> None:
        """64 blocks after a growth has ended, nothing of it is left."""
        grown = growing(40, 2.0)
        factor = math.exp(2.0 * 39 / 60)
        flat = [
            block(
                i, samples=(WAVE * factor * (1 + 1e-5 * (i % 2))).astype(np.float32), source_ns=START_NS + i * MINUTE_NS
            )
            for i in range(40, 40 + BLOCKS)
        ]
        found = trends(Fleet(SPEC).receive([*grown, *flat]))

        assert found[39] == pytest.approx(2.0, rel=1e-3)
        assert found[60] is not None
        assert 0.1 < found[60] < 2.0
        assert found[-1] == pytest.approx(0.0, abs=1e-3)

    def test_all_channels_count(self) -> None:
        """The level is taken over all channels together."""
        stream = growing(20, 0.5)
        pairs = [
            block(i, samples=np.vstack([b.samples, b.samples * 2]), source_ns=b.source_ns) for i, b in enumerate(stream)
        ]

        assert trends(Fleet(SPEC).receive(pairs))[-1] == pytest.approx(0.5, rel=1e-3)


class TestWhatCounts:
    """Only usable blocks of the running machine fold in; the others repeat the slope that stands."""

    def test_blocks_at_standstill_change_nothing(self) -> None:
        """A stop in the middle is left out: the blocks around it lie on the same line."""
        stream = growing(60, 0.5, speed_hz=25.0)
        stopped = [
            block(i, samples=WAVE * np.float32(1e-3 * (1 + i)), source_ns=START_NS + i * MINUTE_NS, speed_hz=0.0)
            for i in range(20, 30)
        ]
        outcomes = Fleet(SPEC).receive([*stream[:20], *stopped, *stream[30:]])
        found = trends(outcomes)

        assert outcomes[25].score.rows[0].run_state is RunState.STOPPED
        assert found[20:30] == [found[19]] * 10
        assert found[19] == pytest.approx(0.5, rel=1e-3)
        assert found[-1] == pytest.approx(0.5, rel=1e-3)

    def test_a_repeated_block_changes_nothing(self) -> None:
        """A late block repeats the slope that stands, and what follows is as if it had not come."""
        stream = growing(30, 0.5)
        again = block(99, index=10, samples=stream[10].samples, source_ns=stream[10].source_ns)
        with_it = Fleet(SPEC).receive(placed([*stream[:20], again, *stream[20:]]))

        assert with_it[20].score.rows[0].state is ScoreState.LATE
        assert with_it[20].score.rows[0].trend == with_it[19].score.rows[0].trend
        assert trends(with_it[:20] + with_it[21:]) == trends(Fleet(SPEC).receive(stream))

    def test_silence_has_no_logarithm(self) -> None:
        """A block of zeros folds nothing in and breaks nothing."""
        stream = growing(30, 0.5)
        zeros = block(12, samples=np.zeros_like(WAVE), source_ns=stream[12].source_ns)
        found = trends(Fleet(SPEC).receive([*stream[:12], zeros, *stream[13:]]))

        assert found[12] == found[11]
        assert found[-1] == pytest.approx(0.5, rel=1e-2)

    def test_telemetry_has_none(self) -> None:
        """Rows of tags have no level."""
        values = np.random.default_rng(1).normal(size=(40, 2))

        assert trends(Fleet(SPEC).receive([frame(0, values)])) == [None] * 40


class TestState:
    """The slope lives and goes with its measuring point."""

    @pytest.mark.slow
    @given(st.data())
    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    def test_every_split_gives_the_same_slopes(self, data: st.DataObject) -> None:
        """Two points in one lane, cut into batches anywhere: the same bits."""
        one, two = growing(80, 0.5), growing(80, -0.3, asset="pump-2")
        stream = [item for pair in zip(one, two, strict=True) for item in pair]
        cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
        fleet = Fleet(SPEC)
        split = [o for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for o in fleet.receive(stream[a:b])]

        assert trends(split) == trends(Fleet(SPEC).receive(stream))

    def test_another_layout_starts_anew(self) -> None:
        """The slope stands while strange blocks are refused, and is none once the model starts anew on their layout."""
        long = np.concatenate([WAVE, WAVE[:, ::-1]], axis=1)
        others = [
            block(i, samples=long * np.float32(1 + i / 1000), source_ns=START_NS + i * MINUTE_NS) for i in range(30, 60)
        ]
        found = trends(Fleet(SPEC).receive([*growing(30, 0.5), *others]))

        assert found[30:49] == [found[29]] * 19
        assert found[49 : 49 + LEAST] == [None] * LEAST
        assert found[49 + LEAST] is not None

    def test_a_slot_that_is_handed_out_again_is_empty(self) -> None:
        """After a release the next asset in the same slot starts from nothing."""
        fleet = Fleet(SPEC)
        fleet.receive(growing(30, 0.5))
        fleet.release({0})
        found = trends(fleet.receive(growing(20, -0.2, asset="pump-2")))

        assert found[: LEAST - 1] == [None] * (LEAST - 1)
        assert found[-1] == pytest.approx(-0.2, rel=1e-3)

    def test_events_carry_it(self) -> None:
        """An event of the model and one of a limit say where the level was heading, as their scores do."""
        limit = MeasuringPoint(
            point="DE", quantity="acceleration", unit="m/s2", limits=(Limit(feature="rms", above=3.0),)
        )
        outcomes = Fleet(SPEC, assets=[Asset(asset="pump-1", points=(limit,))]).receive(growing(120, 1.0))
        events = [(o.score.rows[0].trend, a) for o in outcomes for a in o.anomalies]

        assert {a.mode.value for _, a in events} == {"model", "static_limit"}
        assert all(a.trend == trend == pytest.approx(1.0, rel=1e-3) for trend, a in events)
