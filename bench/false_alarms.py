"""`python -m bench.false_alarms`: episodes that pure noise opens, and how soon a step of 4 or 6 sigma is found beside it.

Slow values: rows of 1 to 12 tags of normal, heavy-tailed (Student, 5 degrees of freedom) and autocorrelated noise of unit
variance after warm-ups of several lengths; the step is in one tag. Waveforms: blocks of the imagined machine of the tests,
and vectors of features for the profile `lean`.
"""

from __future__ import annotations

import numpy as np

from foreshock.contract import Phase
from foreshock.detectors import waveform_state as ws
from foreshock.detectors.episodes import OPENED, for_budget
from foreshock.detectors.vector_bank import VectorBank, VectorInputs
from foreshock.detectors.waveform import WaveformBank
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import block

SECOND = 1_000_000_000
KINDS = ("normal", "t5", "ar0.5", "ar0.8")
TAGS = (1, 3, 6, 12)
WARMUPS = (20, 60, 200)
SEEDS, ROWS = 20, 2000
STEPS, WITHIN = (4.0, 6.0), 60  # rows after a step in which it is to be found
ASSETS, BLOCKS = 10, 600


def noise(kind: str, rows: int, tags: int, rng: np.random.Generator) -> np.ndarray:
    """Give rows of unit variance."""
    if kind == "t5":
        return rng.standard_t(5, (rows, tags)) / np.sqrt(5 / 3)
    phi = float(kind.removeprefix("ar")) if kind.startswith("ar") else 0.0
    x = rng.normal(size=(rows + 200, tags)) * np.sqrt(1 - phi * phi)
    for i in range(1, len(x)):
        x[i] += phi * x[i - 1]
    return x[200:]


def rows_scored(x: np.ndarray, warmup: int) -> ws.Outputs:
    """Score rows, one a second."""
    n, tags = x.shape
    bank, out, zero = VectorBank(tags, for_budget(1.0)), ws.outputs(n), np.zeros(n, np.int64)
    at = np.arange(n)
    inputs = VectorInputs(
        slot=np.full(n, bank.slots.take()), x=np.ascontiguousarray(x), usable=np.ones(n, np.uint8),
        warmup=np.full(n, warmup), warmup_ns=zero, promised_ns=zero, at_ns=at * SECOND, offset=at,
        hold=np.zeros(n, np.uint8),
    )  # fmt: skip
    for _ in bank.run(inputs, out):
        pass
    return out


def vectors_scored(x: np.ndarray, warmup: int, *, lean: bool) -> ws.Outputs:
    """Score feature vectors, one block a second."""
    n, features = x.shape
    bank, out, zero = (
        WaveformBank(range(features), for_budget(1.0), online_only=lean),
        ws.outputs(n),
        np.zeros(n, np.int64),
    )
    at = np.arange(n)
    inputs = ws.Inputs(
        slot=np.full(n, bank.take()), x=x.astype(np.float32), usable=np.ones(n, np.uint8), warmup=np.full(n, warmup),
        warmup_ns=zero, apart_ns=zero, promised_ns=zero, shared=np.zeros(n, np.uint8), at_ns=at * SECOND, offset=at,
        external=np.full(n, np.nan), hold=np.zeros(n, np.uint8),
    )  # fmt: skip
    for _ in bank.run(inputs, out, 0, n):
        pass
    return out


def slow_values(kind: str, tags: int, warmup: int) -> str:
    """Give episodes of noise, and for each step how often it was found and after how many rows (median)."""
    episodes, delays = 0, {step: [] for step in STEPS}
    for seed in range(SEEDS):
        x = noise(kind, warmup + ROWS, tags, np.random.default_rng([seed, tags, warmup]))
        episodes += int((rows_scored(x, warmup).event == OPENED).sum())
        for step in STEPS:
            shifted = x[: warmup + 200 + WITHIN].copy()
            shifted[warmup + 200 :, 0] += step
            hits = np.flatnonzero(rows_scored(shifted, warmup).firing[warmup + 200 :])
            delays[step] += hits[:1].tolist()
    found = ", ".join(f"{s:g} sigma {len(d)}/{SEEDS} after {np.median(d or [-1]):.0f}" for s, d in delays.items())
    return f"{episodes:3} in {SEEDS * ROWS:,} rows; {found}"


def vectors(lean: bool, warmup: int) -> str:
    """Give episodes of noise in feature vectors, and how often 3 sigma in a quarter of the features are found."""
    episodes = found = rows = 0
    for features in (8, 18, 36):
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, features, warmup])
            x = noise(("normal", "t5")[seed % 2], warmup + 400, features, rng)
            episodes += int((vectors_scored(x, warmup, lean=lean).event == OPENED).sum())
            rows += 400
            x[warmup + 100 :, : features // 4] += 3.0
            found += bool(vectors_scored(x[: warmup + 120], warmup, lean=lean).firing[warmup + 100 :].any())
    return (
        f"{episodes:3} in {rows:,} blocks; 3 sigma in a quarter of the features found {found}/{3 * SEEDS} in 20 blocks"
    )


def main() -> None:
    """Print a line for each."""
    for warmup in WARMUPS:
        for kind in KINDS:
            for tags in TAGS:
                print(
                    f"slow values, warm-up {warmup:3} rows, {kind:6}, {tags:2} tags: {slow_values(kind, tags, warmup)}"
                )
    for lean in (False, True):
        for warmup in (12, 20, 40, 60, 120, 300):
            print(f"{'lean' if lean else 'full'}, warm-up {warmup:3} blocks: {vectors(lean, warmup)}")
    spec = FleetSpec()
    fleets = [Fleet(spec).receive([block(i, asset=f"a{n}") for i in range(BLOCKS)]) for n in range(ASSETS)]
    opened = sum(e.phase is Phase.OPENED for outcomes in fleets for o in outcomes for e in o.anomalies)
    scored = ASSETS * (BLOCKS - spec.warmup_blocks)
    print(f"blocks of a machine, warm-up {spec.warmup_blocks} blocks: {opened} in {scored:,} blocks")


if __name__ == "__main__":
    main()
