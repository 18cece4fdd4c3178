"""Why a block scored as it did: what each feature added, what was expected of it, and between which bounds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.detectors import trees
from foreshock.detectors import waveform_kernel as kernel
from foreshock.detectors.waveform import WaveformBank

BOUND = 3.0  # scales (robust standard deviations of the baseline) between the expected value and its bounds


class Explanation(NamedTuple):
    """Per column of the feature matrix; NaN where novelty does not use the column."""

    amount: npt.NDArray[np.float64]  # sums to the score
    expected: npt.NDArray[np.float64]  # the local mean of the baseline, in the units of the input
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]


def explain(bank: WaveformBank, slot: int, x: npt.NDArray[np.float32], external: float = float("nan")) -> Explanation:
    """Explain the score of `x` [features] from the state before it is folded in.

    The novelty part is divided in proportion to the squared components of the averaged residual whose norm it is; the
    part of the trees in proportion to how much more mass than expected each split on the paths took away. A River
    detector's part is divided evenly: it does not say why.
    """
    config, state, forest_state = bank.config, bank.slots.arrays, bank.trees.slots.arrays
    columns = len(x)
    work = kernel.scratch(columns, len(config.novel))
    parts = kernel.score(config, forest_state, state, slot, x, external, work)
    weight = config.weight if state.online[slot, 1] > 0 else 0.0
    amount = np.zeros(columns)
    expected, spread = np.full(columns, np.nan), np.full(columns, np.nan)
    if len(config.novel):
        kernel.horizon_mean(state, slot, parts.horizon, work)
        share = np.square(work.mean, dtype=np.float64)
        amount[config.novel] += (1 - weight) * parts.novelty * _normal(share)
        near = (work.z - work.residual).astype(np.float64)
        expected[config.novel] = state.centre[slot] + state.scale[slot] * near
        spread[config.novel] = BOUND * state.scale[slot]
    else:
        weight = 1.0
    gain = np.zeros(columns)
    if np.isnan(external) and forest_state.full[slot]:
        trees.scale(x, forest_state.low[slot], forest_state.high[slot], work.scaled)
        trees.attribute(config.forest, forest_state.last[slot], work.scaled, int(state.window[slot]), gain)
    amount += weight * parts.online * _normal(gain)
    return Explanation(amount, expected, expected - spread, expected + spread)


def _normal(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = share.sum()
    return share / total if total > 0 else np.full(len(share), 1.0 / len(share))
