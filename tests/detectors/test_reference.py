"""The reference of a class: regimes, shared scale, and a hash that guards its content."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foreshock.contract import Context
from foreshock.detectors.reference import Healthy, Reference
from foreshock.errors import ConfigurationError

NAMES = ("rms[a]", "band[a]")


def fleet(speeds: tuple[float, ...] = (25.0,), assets: int = 3, blocks: int = 200) -> dict[str, Healthy]:
    """Assets that start at different places and vary alike; the centre moves with speed."""
    rng = np.random.default_rng(1)
    found = {}
    for a in range(assets):
        speed = rng.choice(speeds, blocks)
        x = rng.normal([a + 1.0, 5.0], [0.5, 0.2], (blocks, 2)) + speed[:, None] / 10
        found[f"asset-{a}"] = Healthy(NAMES, x, [Context(speed_hz=float(s)) for s in speed])
    return found


def test_the_scale_is_that_of_the_assets_not_between_them() -> None:
    """What is shared is how an asset varies: the distance between assets is not in it."""
    reference = Reference.build("pump", 1, "full-v1@x", fleet())

    assert len(reference.regimes) == 1
    assert reference.regimes[0].scale == pytest.approx((0.5, 0.2), rel=0.15)
    assert reference.regimes[0].centre == pytest.approx((4.5, 7.5), rel=0.05)
    assert reference.regimes[0].vectors == 600


def test_gaps_in_speed_make_regimes() -> None:
    """Two speeds are two regimes; a speed in neither range has the nearest half line, none stated has none."""
    reference = Reference.build("pump", 1, "full-v1@x", fleet((10.0, 40.0)))

    assert [r.name for r in reference.regimes] == ["speed -1e+300..25 Hz", "speed 25..1e+300 Hz"]
    assert reference.regime(Context(speed_hz=11.0)) == 0
    assert reference.regime(Context(speed_hz=44.0)) == 1
    assert reference.regime(Context()) == -1
    assert reference.regimes[0].centre[0] + 3 == pytest.approx(reference.regimes[1].centre[0], abs=0.2)


def test_channels_of_different_points_share_a_record() -> None:
    """Points with other channels add their features; places says where a point's own are."""
    x = np.random.default_rng(0).normal(size=(50, 1))
    healthy = {"a": Healthy(("rms[DE]",), x, [Context()] * 50), "b": Healthy(("rms[FE]",), x + 3, [Context()] * 50)}
    reference = Reference.build("", 1, "full-v1@x", healthy)

    assert reference.names == ("rms[DE]", "rms[FE]")
    assert reference.places(("rms[FE]",)).tolist() == [1]
    assert reference.places(("rms[XX]",)) is None


def test_a_file_keeps_every_bit(tmp_path: Path) -> None:
    """Saved and loaded it is equal, hash included."""
    reference = Reference.build("pump", 3, "full-v1@x", fleet((10.0, 40.0)))
    reference.save(tmp_path / "r.json")
    loaded = Reference.load(tmp_path / "r.json")

    assert loaded == reference
    assert loaded.id == reference.id
    assert loaded.id.startswith("pump@3:")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """One number changed by hand does not match the hash; a file that is none names itself."""
    path = tmp_path / "r.json"
    Reference.build("pump", 1, "full-v1@x", fleet()).save(path)
    record = json.loads(path.read_text())
    record["floors"][0] += 0.001
    path.write_text(json.dumps(record))
    with pytest.raises(ConfigurationError, match="content hash"):
        Reference.load(path)

    path.write_text("[]")
    with pytest.raises(ConfigurationError, match=r"r\.json"):
        Reference.load(path)
