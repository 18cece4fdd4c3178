"""Why a block scored as it did: what each feature added, what was expected of it, and between which bounds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.detectors import trees
from foreshock.detectors import waveform_kernel as kernel
from foreshock.detectors.waveform import WaveformBank

BOUND = 3.0  # scales (robust standard deviations of the baseline) between the expected value and its bounds


class Explanation(NamedTuple):
    """Per column of the feature matrix; NaN where the model does not use the column."""

    amount: npt.NDArray[np.float64]  # sums to the score
    expected: npt.NDArray[
        np.float64
    ]  # the local mean of the baseline (its median where novelty is not computed), in the units of the input
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]


def explain(
    bank: WaveformBank,
    slot: int,
    x: npt.NDArray[np.float32],
    at_ns: int,
    *,
    external: float = float("nan"),
    promised_ns: int = 0,
) -> Explanation:
    """Explain the score of `x` [features], taken at `at_ns`, from the state before it is folded in.

    The novelty part is divided in proportion to the squared components of the averaged residual whose norm it is; the
    part of the trees in proportion to how much more mass than expected each split on the paths took away. A River
    detector's part is divided evenly: it does not say why.
    """
    config, state, forest_state = bank.config, bank.slots.arrays, bank.trees.slots.arrays
    work = kernel.scratch(len(config.columns))
    moment = kernel.moment_of(config, state, slot, at_ns, promised_ns, work)
    parts = kernel.score(config, forest_state, state, slot, x, external, moment, work)
    weight = config.weight if config.weight >= 1 or state.online[slot, 1] > 0 else 0.0
    kernel.horizon_mean(state, slot, parts.horizon, work)
    share = np.square(work.mean, dtype=np.float64)
    gain = np.zeros(len(config.columns))
    if np.isnan(external) and forest_state.full[slot]:
        trees.attribute(config.forest, forest_state.last[slot], work.scaled, int(state.window[slot]), gain)
    amount = _spread(x, config.columns, 0.0)
    amount[config.columns] = (1 - weight) * parts.novelty * _normal(share) + weight * parts.online * _normal(gain)
    near = (work.z - work.residual).astype(np.float64)
    expected = _spread(x, config.columns, np.nan, state.centre[slot] + state.scale[slot] * near)
    bound = _spread(x, config.columns, np.nan, BOUND * state.scale[slot])
    return Explanation(amount, expected, expected - bound, expected + bound)


def _spread(
    x: npt.NDArray[np.float32], columns: npt.NDArray[np.int64], other: float, values: Any = 0.0
) -> npt.NDArray[np.float64]:
    out = np.full(len(x), other)
    out[columns] = values
    return out


def _normal(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = share.sum()
    return share / total if total > 0 else np.full(len(share), 1.0 / len(share))
