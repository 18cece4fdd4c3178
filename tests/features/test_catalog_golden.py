"""The published feature sets stay what they are: a change of a value or a constant wants a new version.

`python tests/features/test_catalog_golden.py` writes the file anew; do that together with a new version number.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from foreshock.features.catalog import PROFILES, extract

GOLDEN = Path(__file__).parent / "golden" / "catalog.json"
ULP = 2.0**-23


def signal():
    """Two channels of 1024 samples from integer arithmetic only, so that every machine has the same."""
    state, values = 12345, []
    for _ in range(2048):
        state = (1103515245 * state + 12345) % 2**31
        values.append(state / 2**31 - 0.5)
    x = np.array(values).reshape(1, 2, 1024)
    x[0, 0, ::64] += 3.0
    return x.astype(np.float32)


def current():
    """What the catalogue gives now."""
    return {
        name: {
            "id": feature_set.id,
            "names": list(feature_set.names(("a", "b"))),
            "values": extract(signal(), 1000.0, feature_set)[0].astype(float).tolist(),
        }
        for name, feature_set in PROFILES.items()
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_feature_set_is_the_published_one(profile):
    """Same name, version, hash and columns; values within 32 units in the last place of their magnitude or of one."""
    golden, now = json.loads(GOLDEN.read_text())[profile], current()[profile]

    assert now["id"] == golden["id"]
    assert now["names"] == golden["names"]
    assert now["values"] == pytest.approx(golden["values"], rel=32 * ULP, abs=32 * ULP)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(current(), indent=1) + "\n")
