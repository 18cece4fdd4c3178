"""Why a feature has no value, as numbers: a matrix of values has a matrix of codes beside it.

Code 0 says that there is a value. A masked value is 0, never NaN; where it is shown or stored it becomes null, and the
reason stands beside it as a word.
"""

from __future__ import annotations

from typing import Final

from foreshock.vocabulary import MaskReason

CODES: Final[tuple[MaskReason, ...]] = tuple(MaskReason)
"""The reason of each code. An order of this process only: records carry the words."""

_CODE = {reason: code for code, reason in enumerate(CODES)}


def code_of(reason: MaskReason) -> int:
    """Give the code of a reason; 0 for `MaskReason.NONE`."""
    return _CODE[reason]


def words(codes: bytes) -> tuple[str, ...]:
    """Give the words of a row of uint8 codes, as `codes.tobytes()`; empty where there is a value."""
    return tuple(CODES[code].value for code in codes)
