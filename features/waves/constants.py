"""The constants of the SIGNAL set: another value of one is another set, with another hash."""

from __future__ import annotations

from typing import Any

from foreshock.features import spectrum
from foreshock.features.waves import cepstrum, demodulated, fine, given, reasons, statistics, welch


def of() -> dict[str, Any]:
    """Give what the values depend on besides the input."""
    return {
        "window": "hann-periodic",
        "statistics": [statistics.LANES, statistics.PIECE],
        "welch": [welch.SEGMENT, welch.SEGMENTS, welch.SHORTEST, welch.FLOOR, reasons.LEAST],
        "bands": [spectrum.BANDS, spectrum.FIRST_BIN, spectrum.ABSOLUTE_FLOOR],
        "fine": [fine.COMB, fine.SIDEBANDS, fine.HALF_LOBE, fine.SLIP, fine.APART, fine.FIRST_BIN, fine.FLOOR],
        "cepstrum": [cepstrum.FIRST, cepstrum.LEAST, cepstrum.BINS_APART, cepstrum.FLOOR],
        "demodulated": [
            list(demodulated.LEVELS),
            demodulated.LEAST,
            demodulated.FIRST_LINE,
            demodulated.MULTIPLES,
            demodulated.HALF_LOBE,
            demodulated.WEAK,
            demodulated.FLOOR,
            demodulated.OVERSAMPLED,
            reasons.NARROWEST,
        ],
        "integrated": [
            given.SLOW_HZ,
            given.LOWER_HZ,
            given.LOWER_SLOW_HZ,
            given.UPPER_HZ,
            given.PERIODS,
            given.LEAST_SECONDS,
        ],
    }
