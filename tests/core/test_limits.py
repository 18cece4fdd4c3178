"""How far a value is to its limit, and which of several limits speaks."""

from __future__ import annotations

import math

import pytest

from foreshock.contract import Limit
from foreshock.core.limits import exceedance, worst


@pytest.mark.parametrize(
    ("limit", "value", "ratio"),
    [
        (Limit(feature="rms", above=4.0), 2.0, 0.5),
        (Limit(feature="rms", above=4.0), 8.0, 2.0),
        (Limit(feature="p", below=4.0), 2.0, 2.0),
        (Limit(feature="p", below=4.0), 8.0, 0.5),
        (Limit(feature="p", below=4.0), -1.0, 2.25),
        (Limit(feature="t", above=0.0), 0.5, 1.5),
        (Limit(feature="t", above=-10.0), -5.0, 1.5),
        (Limit(feature="t", above=4.0, below=2.0), 1.0, 2.0),
        (Limit(feature="t", above=4.0), math.nan, 0.0),
    ],
)
def test_the_ratio_is_one_at_the_limit(limit: Limit, value: float, ratio: float) -> None:
    """At or beyond the limit the ratio is at least 1, within it is less; a missing value exceeds nothing."""
    assert exceedance(limit, value) == pytest.approx(ratio)


def test_a_limit_on_a_feature_holds_for_every_channel() -> None:
    """`rms` means the rms of any channel, `rms[b]` that one; `rms` is not `rms_high`."""
    values = {"rms[a]": 1.0, "rms[b]": 3.0, "rms_high[a]": 99.0}

    assert worst((Limit(feature="rms", above=2.0),), values) == (1.5, Limit(feature="rms", above=2.0), "rms[b]")
    assert worst((Limit(feature="rms[a]", above=2.0),), values)[0] == 0.5


def test_the_worst_limit_speaks() -> None:
    """Of several limits the one exceeded most decides; without any nothing does."""
    limits = (Limit(feature="t", above=50.0), Limit(feature="p", above=2.0, severity="critical"))

    assert worst(limits, {"t": 60.0, "p": 4.0})[1].severity == "critical"
    assert worst(limits, {"x": 1.0}) == (0.0, None, "")
