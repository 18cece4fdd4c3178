"""The natural logarithm of many float32 at once, the same on every machine.

`math.log` in a loop costs 10 ns and more a value, and numpy's own rounds differently by vector unit. This one is
additions and multiplications in a fixed order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

ROOT_HALF_BITS = np.int32(0x3F3504F3)
"""Bit pattern of sqrt(1/2): mantissas are taken between it and sqrt(2)."""
MANTISSA_BITS = np.int32(23)
LN_2 = np.float32(0.6931471805599453)


@njit(cache=True, nogil=True)
def log_into(x: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> None:
    """Write ln x of positive normal float32; within 2e-7 of its value, or 2e-7 where that is larger.

    The polynomial for ln(1 + f), sqrt(1/2) <= 1 + f < sqrt(2), is that of `logf` in S. L. Moshier's Cephes library.
    Two passes, because only so both become vector instructions.
    """
    bits, parts = x.view(np.int32), out.view(np.int32)
    for i in range(x.size):
        parts[i] = bits[i] - (((bits[i] - ROOT_HALF_BITS) >> MANTISSA_BITS) << MANTISSA_BITS)
    for i in range(x.size):
        f = out[i] - np.float32(1.0)
        p = np.float32(7.0376836292e-2)
        p = p * f - np.float32(1.1514610310e-1)
        p = p * f + np.float32(1.1676998740e-1)
        p = p * f - np.float32(1.2420140846e-1)
        p = p * f + np.float32(1.4249322787e-1)
        p = p * f - np.float32(1.6668057665e-1)
        p = p * f + np.float32(2.0000714765e-1)
        p = p * f - np.float32(2.4999993993e-1)
        p = p * f + np.float32(3.3333331174e-1)
        square = f * f
        exponent = np.float32((bits[i] - ROOT_HALF_BITS) >> MANTISSA_BITS)
        out[i] = f * square * p - np.float32(0.5) * square + f + exponent * LN_2
