"""The published SIGNAL set stays what it is: a change of a value or a constant wants a new version.

`python -m tests.features.test_signal_golden` writes the file anew; do that together with a new version number.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from foreshock.features.masks import CODES
from foreshock.features.signal import Band, Gear, Given, extract, set_of

GOLDEN = Path(__file__).parent / "golden" / "signal.json"
GIVEN = Given(2048.0, 20.0, 25.0, "acceleration", (Band("low", 10.0, 100.0),), (Gear("pinion", 13),))
NEAR = 1e-5
"""Of a value or of one: single bins of a noise are sums with rounding of their own."""


def rows():
    """Noise and struck resonance of 3000 samples from integer arithmetic only, so that every machine has the same."""
    state, values = 12345, []
    for _ in range(6000):
        state = (1103515245 * state + 12345) % 2**31
        values.append(state / 2**31 - 0.5)
    x = np.array(values).reshape(2, 3000)
    for k, ring in enumerate((3.0, -2.0, -1.0, 1.5, 0.25, -0.75, 0.5)):
        x[1, k::97] += ring
    return x.astype(np.float32)


def current():
    """What the set gives now."""
    values, masks = extract(rows(), GIVEN)
    declared = set_of(GIVEN)
    return {
        "id": declared.id,
        "names": [each.name for each in declared.features],
        "values": values.tolist(),
        "masks": [[CODES[code].value for code in row] for row in masks],
    }


def test_the_set_is_the_published_one():
    """Same name, version, hash, columns and masks; values within 1e-5 of theirs or of one."""
    golden, now = json.loads(GOLDEN.read_text()), current()

    assert now["id"] == golden["id"]
    assert now["names"] == golden["names"]
    assert now["masks"] == golden["masks"]
    for row, expected in zip(now["values"], golden["values"], strict=True):
        assert row == pytest.approx(expected, rel=NEAR, abs=NEAR)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(current(), indent=1) + "\n")
