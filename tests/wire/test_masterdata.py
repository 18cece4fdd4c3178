"""Master data: what the parts of a machine say of each other is checked, and older records stay what they were."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from foreshock.contract import Asset, Bearing, Gear, Limit, MeasuringPoint
from foreshock.detectors.snapshot import canonical
from foreshock.errors import InputRejected
from foreshock.lineage import asset_record
from foreshock.records import from_tree, to_tree
from foreshock.streams.wire import Decoder
from tests.wire.samples import ASSET, RAW

POINT = {"point": "DE", "quantity": "acceleration", "unit": "[g]"}
BEARING = {"name": "DE", "balls": 9, "ball_diameter_m": 0.008, "pitch_diameter_m": 0.039}
ZONES = {"a_b": 0.0014, "b_c": 0.0028, "c_d": 0.0045}


def decoded(**fields: Any) -> Asset:
    return Decoder().decode_asset(json.dumps({"asset": "p"} | fields).encode(), origin=RAW, key=b"p")


def on_point(**fields: Any) -> dict[str, Any]:
    return {"points": [POINT | fields]}


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("shaft twice", {"shafts": [{"name": "a"}, {"name": "a"}]}, "shafts[1].name", "'a' is there twice"),
    ("ratio of nothing", {"shafts": [{"name": "a", "ratio": 0}]}, "shafts[0].ratio", "must be above 0"),
    ("bearing on no shaft", {"bearings": [BEARING | {"shaft": "b"}]}, "bearings[0].shaft", "no shaft 'b'"),
    ("no teeth", {"gears": [{"name": "g", "teeth": 0}]}, "gears[0].teeth", "teeth is 0"),
    ("gear on no shaft", {"gears": [{"name": "g", "teeth": 9, "shaft": "b"}]}, "gears[0].shaft", "no shaft 'b'"),
    ("no mate", {"gears": [{"name": "g", "teeth": 9, "mate": "h"}]}, "gears[0].mate", "no gear 'h'"),
    (
        "gears that cannot mesh",
        {
            "shafts": [{"name": "out", "ratio": 0.5}],
            "gears": [{"name": "g", "teeth": 20, "mate": "h"}, {"name": "h", "teeth": 50, "shaft": "out"}],
        },
        "gears[0].mate",
        "g meshes at 20 and h at 25 times",
    ),
    ("no blades", {"impellers": [{"name": "i", "blades": -1}]}, "impellers[0].blades", "blades is -1"),
    ("too many", {"impellers": [{"name": f"i{n}", "blades": 3} for n in range(65)]}, "impellers", "at most 64"),
    ("band backwards", on_point(bands=[{"name": "x", "low": 9, "high": 3}]), "points[0].bands[0].low", "from 9 to 3"),
    ("band named badly", on_point(bands=[{"name": "X y", "low": 1, "high": 3}]), "points[0].bands[0].name", "'X y'"),
    (
        "band twice",
        on_point(bands=[{"name": "x", "low": 1, "high": 3}, {"name": "x", "low": 1, "high": 4}]),
        "points[0].bands[1].name",
        "twice",
    ),
    ("zones in mm/s", on_point(zones=ZONES | {"b_c": 2.8}), "points[0].zones.a_b", "0.0014, 2.8 and 0.0045"),
    (
        "zones with no change",
        on_point(zones=ZONES | {"change_share": -1}),
        "points[0].zones.change_share",
        "not be below 0",
    ),
    (
        "tachometer without pulses",
        on_point(tachometer={"channel": "t", "pulses_per_revolution": 0}),
        "points[0].tachometer.pulses_per_revolution",
        "is 0",
    ),
    (
        "tachometer of no shaft",
        on_point(tachometer={"channel": "t", "shaft": "b"}),
        "points[0].tachometer.shaft",
        "no shaft 'b'",
    ),
    ("hears nothing known", on_point(hears=["NDE"]), "points[0].hears[0]", "no bearing, gear or impeller 'NDE'"),
    ("a feature without a name", on_point(features=[""]), "points[0].features[0]", "is no name"),
]


@pytest.mark.parametrize(("fields", "field", "says"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_what_does_not_fit_is_refused_with_its_place(fields: dict[str, Any], field: str, says: str) -> None:
    """A machine that cannot be is refused when it is registered, with the field at fault."""
    with pytest.raises(InputRejected) as caught:
        decoded(**fields)

    assert caught.value.field.removeprefix("Asset.") == field
    assert says in caught.value.sentence


def test_gears_that_mesh_may_state_their_ratio_with_few_digits() -> None:
    """Of 17 on 43 teeth the ratio is 0.3953...; four digits are enough, three are a mistake."""
    pair = [{"name": "g", "teeth": 17, "mate": "h"}, {"name": "h", "teeth": 43, "shaft": "out"}]

    assert decoded(shafts=[{"name": "out", "ratio": 0.3953}], gears=pair).gears == (
        Gear(name="g", teeth=17, mate="h"),
        Gear(name="h", teeth=43, shaft="out"),
    )
    with pytest.raises(InputRejected, match="meshes at 17"):
        decoded(shafts=[{"name": "out", "ratio": 0.4}], gears=pair)


def test_an_older_record_has_the_hash_and_the_state_that_it_had() -> None:
    """Lineage of the first release still names it: what it does not use is in neither. Figures are of that release."""
    bearing = Bearing(name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
    limits = (Limit(feature="rms", above=30.0),)
    older = Asset(
        asset="pump-7",
        asset_class="pump",
        support="rigid",
        rated_speed_hz=24.8,
        bearings=(bearing,),
        gear_teeth=(17, 43),
        points=(MeasuringPoint(point="DE", quantity="acceleration", unit="[g]", limits=limits),),
    )

    assert asset_record(older) == "f396345ff42a09b4"
    assert asset_record(Asset(asset="x", registered=False)) == "6454707c82f9b73c"
    assert hashlib.sha256(canonical(to_tree(older))).hexdigest()[:16] == "cc46e1d5dddfe448"
    assert from_tree(Asset, to_tree(older)) == older


def test_every_part_survives_the_state() -> None:
    """What a snapshot holds of a machine with everything is that machine."""
    assert from_tree(Asset, to_tree(ASSET)) == ASSET


def test_the_speed_of_a_part_follows_from_its_shaft() -> None:
    """A shaft that is not named is the reference shaft."""
    assert [ASSET.shaft_ratio(each.shaft) for each in ASSET.gears] == [1.0, 0.4]
    assert ASSET.measuring_point("DE bearing") is ASSET.points[0]
    assert ASSET.measuring_point("NDE bearing") is None
