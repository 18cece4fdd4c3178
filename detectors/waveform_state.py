"""What the model of a waveform measuring point remembers, as arrays of a slot table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.detectors.constants import HEALTHY, HORIZONS, MEMORY, RING, TREE_BLOCKS
from foreshock.detectors.episodes import EpisodeRule
from foreshock.detectors.slots import Field
from foreshock.detectors.trees import Forest

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class WaveformState(NamedTuple):
    """Per measuring point; the first axis is the slot."""

    seen: I64  # usable, independent blocks of the running machine
    ready: npt.NDArray[np.uint8]  # COLD, FILLED (between the last block of the warm-up and its end) or READY
    window: I64  # window of the trees: half of the warm-up
    stored: I64  # vectors in memory
    memory: F32  # [slots, features, MEMORY]: as they came while warming, standardised afterwards
    when: I64  # [slots, MEMORY] source time of the block of each vector
    surprise: F64  # [slots, MEMORY] the online part's score of it, NaN where it had none
    centre: F32  # baseline
    scale: F32
    largest: F64  # [slots, horizons] largest healthy norm
    online: F64  # [slots, 2] median and spread (largest - median) of the online part's healthy scores; spread 0: unused
    recent: F32  # [slots, TREE_BLOCKS, features] latest standardised vectors
    ring: F32  # [slots, RING, features] latest residuals
    pushed: I64  # residuals so far
    times: I64  # [slots, RING] source times of the blocks behind them; while warming, of the latest blocks
    latest_ns: I64  # source time of the latest independent block, -1 before the first
    lived_ns: I64  # time that the warm-up has watched the sensor for
    offsets: I64  # [slots, RING] input offsets of the blocks behind them
    healthy: F32  # [slots, HEALTHY] latest healthy scores
    ranked: I64  # healthy scores so far
    reference: F32  # the slowly adapting reference, in scales from the baseline
    candidate: F32  # the shadow reference while learning is held
    alarm_int: I64  # [slots, 7] the integers of episodes.EpisodeState
    alarm_float: F64  # [slots, 3] its floats


class WaveformConfig(NamedTuple):
    """What all slots of a bank share."""

    policy: EpisodeRule
    forest: Forest
    columns: I64  # columns of the feature matrix that the model uses
    weight: float  # of the online part; 1: novelty is not computed
    limit_ns: int  # an average takes in nothing older than this; 0: only the pace of the blocks decides


class Inputs(NamedTuple):
    """One batch, in input order; rows of a measuring point are its blocks in order."""

    slot: I64
    x: F32  # [blocks, features], made comparable by the fleet reference where there is one
    usable: npt.NDArray[np.uint8]
    warmup: I64  # independent blocks of warm-up that hold for this asset ...
    warmup_ns: I64  # ... and the time that they must have lived
    apart_ns: I64  # from the last independent block on which this one counts as independent; 0: it always does
    promised_ns: I64  # interval from block to block that the sensor promises, 0: none
    shared: npt.NDArray[np.uint8]  # 1: x is in fleet scales already
    at_ns: I64
    offset: I64
    external: F64  # score of a River detector, NaN: the trees of the bank
    hold: npt.NDArray[np.uint8]  # 1: somebody holds learning, whatever the score


class Outputs(NamedTuple):
    """What became of each block of the batch."""

    state: npt.NDArray[np.uint8]  # SKIPPED, WARMING or SCORED
    seen: I64
    lived_ns: I64
    value: F64
    p_value: F64
    novelty: F64  # the parts of the value
    online: F64
    event: npt.NDArray[np.uint8]  # transition of the alarm
    firing: npt.NDArray[np.uint8]
    held: npt.NDArray[np.uint8]  # why nothing was learnt: LEARNT, or one of the words below


COLD, READY, FILLED = 0, 1, 2
SKIPPED, WARMING, SCORED = 0, 1, 2
LEARNT, SUSPICIOUS, IN_ALARM, NEW_LEVEL, OVERLAPS, ORDERED = 0, 1, 2, 3, 4, 5


def waveform_fields(features: int) -> dict[str, Field]:
    """Fields of `WaveformState` for so many features."""
    f32, i64, f64 = np.float32, np.int64, np.float64
    return {
        "seen": Field((), i64),
        "ready": Field((), np.uint8, most=READY),
        "window": Field((), i64, most=MEMORY),
        "stored": Field((), i64, most=MEMORY),
        "memory": Field((features, MEMORY), f32),
        "when": Field((MEMORY,), i64),
        "surprise": Field((MEMORY,), f64, np.nan),
        "centre": Field((features,), f32),
        "scale": Field((features,), f32, 1.0),
        "largest": Field((len(HORIZONS),), f64),
        "online": Field((2,), f64),
        "recent": Field((TREE_BLOCKS, features), f32),
        "ring": Field((RING, features), f32),
        "pushed": Field((), i64),
        "times": Field((RING,), i64, -1),
        "latest_ns": Field((), i64, -1),
        "lived_ns": Field((), i64),
        "offsets": Field((RING,), i64, -1),
        "healthy": Field((HEALTHY,), f32),
        "ranked": Field((), i64),
        "reference": Field((features,), f32),
        "candidate": Field((features,), f32),
        "alarm_int": Field((7,), i64),
        "alarm_float": Field((3,), f64),
    }


def outputs(blocks: int) -> Outputs:
    """Empty results for a batch."""
    types: dict[str, Any] = {
        "state": np.uint8, "seen": np.int64, "lived_ns": np.int64, "value": np.float64, "p_value": np.float64,
        "novelty": np.float64, "online": np.float64, "event": np.uint8, "firing": np.uint8, "held": np.uint8,
    }  # fmt: skip
    return Outputs(**{name: np.zeros(blocks, dtype) for name, dtype in types.items()})
