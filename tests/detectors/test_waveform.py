"""The waveform model: warm-up of any length, gate, plateau, size, explanation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foreshock.core.spec import FleetSpec
from foreshock.detectors import waveform_state as ws
from foreshock.detectors.episodes import ACTIVE, OPENED, EpisodeRule, for_budget
from foreshock.detectors.explain import explain
from foreshock.detectors.snapshot import canonical
from foreshock.detectors.waveform import WaveformBank
from foreshock.features.catalog import FULL

FEATURES = 8
SECOND = 1_000_000_000


class Asset:
    """One measuring point, fed vector by vector."""

    def __init__(self, warmup: int = 60, rule: EpisodeRule | None = None, **settings) -> None:
        self.bank = WaveformBank(range(FEATURES), rule or for_budget(1.0), **settings)
        self.slot = self.bank.take()
        self.warmup = warmup
        self.seen = 0
        self.hold = False

    def feed(self, x: np.ndarray, *, usable: bool = True) -> ws.Outputs:
        n = len(x)
        at = np.arange(self.seen, self.seen + n)
        self.inputs = ws.Inputs(
            slot=np.full(n, self.slot),
            x=np.asarray(x, np.float32),
            usable=np.full(n, usable, np.uint8),
            warmup=np.full(n, self.warmup),
            warmup_ns=np.zeros(n, np.int64),
            apart_ns=np.zeros(n, np.int64),
            promised_ns=np.zeros(n, np.int64),
            shared=np.zeros(n, np.uint8),
            at_ns=at * SECOND,
            offset=at,
            external=np.full(n, np.nan),
            hold=np.full(n, self.hold, np.uint8),
        )
        out = ws.outputs(n)
        self.stops = list(self.bank.run(self.inputs, out, 0, n))
        self.seen += n
        return out


def healthy(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, FEATURES))


@pytest.mark.parametrize("warmup", [12, 43, 128, 129, 400])
def test_a_warm_up_of_any_length_calibrates(warmup: int) -> None:
    """Below and above the size of the memory: healthy blocks stay below the boundary, a shift exceeds it."""
    asset = Asset(warmup)
    out = asset.feed(healthy(warmup + 300))
    shifted = asset.feed(healthy(30, seed=1) + 4.0)

    assert (out.state[:warmup] == ws.WARMING).all()
    assert (out.state[warmup:] == ws.SCORED).all()
    assert (out.value[warmup:] >= 1).mean() < 0.02
    assert (shifted.value >= 1).all()


def test_the_reservoir_keeps_mixed_loads() -> None:
    """With a warm-up longer than the memory, loads that alternate block by block are all remembered."""
    loads = np.tile([[0.0], [20.0], [40.0], [60.0]], (75, FEATURES))
    asset = Asset(200)
    out = asset.feed(healthy(300) + loads)

    assert (out.value[200:] < 1).all()
    assert asset.feed(healthy(3, seed=2) + 10.0).value.min() > 1


def test_trees_alone_hold_for_as_long_as_they_average() -> None:
    """Profile `lean`: noise opens at most 2 episodes in 8,000 blocks (20 with a hold of two), a large step is found in 8."""
    spec, opened, found = FleetSpec(profile="lean"), 0, 0
    for seed in range(20):
        asset = Asset(60, spec.waveform_policy, online_only=True)
        x = np.random.default_rng(seed).normal(size=(460, FEATURES))
        opened += int((asset.feed(x).event == OPENED).sum())
        found += bool(asset.feed(x[:8] + 6.0).firing.any())

    assert spec.waveform_policy.hold_blocks == 4
    assert spec.policy.hold_blocks == FleetSpec().waveform_policy.hold_blocks == 2
    assert opened <= 2
    assert found == 20


def test_a_block_that_is_not_usable_changes_nothing() -> None:
    """Neither state nor counters move."""
    asset = Asset()
    asset.feed(healthy(80))
    before = asset.bank.digest(asset.slot)
    out = asset.feed(healthy(5, seed=3) + 50, usable=False)

    assert asset.bank.digest(asset.slot) == before
    assert (out.state == ws.SKIPPED).all()


def test_a_new_plateau_never_clears_an_alarm() -> None:
    """A lost blade, and then stay: the baseline does not move, the alarm stands, and the new level is said."""
    asset = Asset()
    asset.feed(healthy(80))
    out = asset.feed(healthy(2000, seed=4) + 6.0)

    assert out.value[2:].min() > 1
    assert out.firing[2:].all()
    assert asset.bank.slots.arrays.alarm_int[asset.slot, 0] == ACTIVE
    assert out.held[-1] == ws.NEW_LEVEL
    assert not (out.held[2:] == ws.LEARNT).any()


def test_the_reference_follows_what_the_gate_lets_through() -> None:
    """A slow drift within normal moves the adapting reference, the baseline not at all."""
    asset = Asset(120)
    asset.feed(healthy(150))
    state = asset.bank.slots.arrays
    centre = state.centre[asset.slot].copy()
    asset.feed(healthy(1500, seed=5) + 0.25)

    assert (state.centre[asset.slot] == centre).all()
    assert 0.05 < state.reference[asset.slot].mean() < 0.6


def test_stops_before_an_alarm_changes() -> None:
    """The caller sees the state before scoring, and the explanation of that very score sums to it."""
    asset = Asset()
    asset.feed(healthy(80))
    x = (healthy(3, seed=6)).astype(np.float32)
    x[1:, 2] += 25
    slot, bank = asset.slot, asset.bank
    inputs = ws.Inputs(
        slot=np.full(3, slot), x=x, usable=np.ones(3, np.uint8), warmup=np.full(3, 60), shared=np.zeros(3, np.uint8),
        at_ns=np.arange(80, 83) * SECOND, offset=np.arange(80, 83), external=np.full(3, np.nan),
        warmup_ns=np.zeros(3, np.int64), apart_ns=np.zeros(3, np.int64), promised_ns=np.zeros(3, np.int64),
        hold=np.zeros(3, np.uint8),
    )  # fmt: skip
    out = ws.outputs(3)
    run = bank.run(inputs, out, 0, 3)
    at = next(run)
    before, why = bank.digest(slot), explain(bank, slot, x[at], int(inputs.at_ns[at]))

    assert at == 2
    assert math.fsum(why.amount) == pytest.approx(out.value[at], rel=1e-9)
    assert why.amount.argmax() == 2
    assert not why.lower[2] <= x[at, 2] <= why.upper[2]
    assert list(run) == []
    assert bank.digest(slot) != before


@pytest.mark.parametrize(("columns", "limit"), [(len(FULL.columns(1)), 96), (18, 44)])
def test_a_measuring_point_is_small(columns: int, limit: int) -> None:
    """State of one channel: full within 96 KB, lean within 44 KB."""
    bank = WaveformBank(range(columns), for_budget(1.0))
    assert bank.slot_bytes() <= limit * 1024


@pytest.mark.parametrize("river", ["", "OneClassSVM"])
def test_what_is_held_by_order_is_not_learnt(river: str) -> None:
    """Neither while warming nor after: baseline, reference and ranks stay; the score is what it would have been."""
    free, held = Asset(river=river), Asset(river=river)
    for asset in (free, held):
        asset.feed(healthy(30))
    held.hold = True
    kept = held.feed(healthy(20, seed=2))
    assert (kept.state == ws.WARMING).all()
    assert (kept.held == ws.ORDERED).all()
    assert kept.seen.tolist() == [30] * 20
    held.hold, held.seen = False, 30
    for asset in (free, held):
        asset.feed(healthy(50, seed=1))
    assert free.bank.digest(free.slot) == held.bank.digest(held.slot)
    held.hold = True
    before, rivers = held.bank.slots.capture(held.slot), held.bank.capture(held.slot)["river"]
    learnt, kept = free.feed(healthy(1, seed=3)), held.feed(healthy(1, seed=3))
    after = held.bank.slots.capture(held.slot)

    assert (learnt.held[0], kept.held[0]) == (ws.LEARNT, ws.ORDERED)
    assert learnt.value == kept.value
    assert all((before[name] == after[name]).all() for name in ("reference", "healthy", "ranked", "centre"))
    assert canonical(held.bank.capture(held.slot)["river"]) == canonical(rivers)
