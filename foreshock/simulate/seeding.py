"""Random numbers by place: the same seed, asset, purpose and index give the same numbers, whatever was drawn before.

Philox is a counter-based generator (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
its key is its whole state, so any block of any machine can be made alone and in any order.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

INDEX_BITS = 40
_PURPOSE_BITS = 4


class Purpose(IntEnum):
    """What numbers are drawn for; each purpose has a stream of its own."""

    BLOCK = 0
    MACHINE = 1
    OPERATION = 2
    SENSOR = 3
    PLAN = 4
    AXIS = 5
    DELIVERY = 6


def generator(seed: int, asset: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Give the generator of one place.

    Parameters
    ----------
    seed : int
        Of the plant, any non-negative number below 2**64.
    asset : int
        Number of the asset in the plant, below 2**20.
    purpose : Purpose
    index : int
        Number of the block, below 2**40.
    """
    place = ((asset << _PURPOSE_BITS) | int(purpose)) << INDEX_BITS | index
    return np.random.Generator(np.random.Philox(key=np.array([seed, place], np.uint64)))
