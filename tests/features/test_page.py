"""docs/features.md: its tables are the declarations, its words are those of the code, its examples hold."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from foreshock.classes.completing import completed
from foreshock.classes.model import AssetClass, PointDefaults
from foreshock.classes.sources import read_classes, shipped
from foreshock.cli.asset_files import read_assets
from foreshock.machines import Asset, Band, Bearing, Gear, Impeller, MeasuringPoint, Shaft, Tachometer, Zones
from foreshock.settings import load
from foreshock.vocabulary import MaskReason
from tests.features.make_page import MARK, PAGE, tables

HEAD, _, TABLES = PAGE.read_text(encoding="utf-8").partition(MARK)
MACHINE, CLASS = re.findall(r"^```toml\n(.*?)^```", HEAD, re.MULTILINE | re.DOTALL)


def test_the_tables_are_the_declarations() -> None:
    """Whoever changes a feature makes the page again: python -m tests.features.make_page."""
    assert f"{tables()}\n" == TABLES


def test_every_mask_is_explained() -> None:
    """In the order in which they are looked for, and no other."""
    section = HEAD.partition("## No value")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [str(each) for each in MaskReason if each]


def test_the_machine_of_the_page_is_sound_and_has_every_part(tmp_path: Path) -> None:
    """Each field of each part stands in the example."""
    (tmp_path / "pump.toml").write_text(MACHINE, encoding="utf-8")
    (asset,) = read_assets(tmp_path / "pump.toml")
    given = tomllib.loads(MACHINE)

    parts = {
        Shaft: given["shafts"][0],
        Bearing: given["bearings"][0],
        Gear: given["gears"][0] | given["gears"][1],
        Band: given["points"][0]["bands"][0],
        Zones: given["points"][0]["zones"],
        Tachometer: given["points"][0]["tachometer"],
    }
    for kind, stated in parts.items():
        assert {each.name for each in fields(kind)} == set(stated), kind.__name__
    assert {each.name for each in fields(Impeller)} - {"shaft"} == set(given["impellers"][0])
    assert {"shafts", "bearings", "gears", "impellers", "power_group"} <= set(given) <= {f.name for f in fields(Asset)}
    assert set(given["points"][0]) <= {each.name for each in fields(MeasuringPoint)}
    assert asset.shaft_ratio("output") == 0.4
    assert completed(asset, shipped()).class_record == shipped()["pump"].id


def test_the_class_of_the_page_is_sound_and_every_key_is_in_its_table(tmp_path: Path) -> None:
    """What a class may hold is what the page lists."""
    (tmp_path / "foreshock.toml").write_text(CLASS, encoding="utf-8")
    section = HEAD.partition("## Classes")[2]
    named = set(re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\| (`.*?) \| ", section, re.MULTILINE))))
    here = {each.name for each in fields(AssetClass)} - {"warmup_s"} | {"warmup"}

    assert load(tmp_path / "foreshock.toml", {}).classes.read()["pump"].support == "flexible"
    assert named == here | {f"points.{each.name}" for each in fields(PointDefaults)} - {"points.quantities"}
    assert set(read_classes()) == set(re.findall(r"`(\w+)`", section.partition("ship:")[2].partition(". They")[0]))
