"""Classes of machines: what ships, what users add, what an asset gets of them, and the messages of bad files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.classes.completing import completed, missing
from foreshock.classes.reading import SEVERITIES
from foreshock.classes.sources import read_classes, shipped
from foreshock.contract import Asset, Band, Bearing, Gear, Limit, MeasuringPoint, Shaft, Zones
from foreshock.errors import ConfigurationError
from foreshock.features.signal import SIGNAL
from foreshock.lineage import asset_record
from foreshock.settings import load
from foreshock.streams.codec.masterdata import SEVERITIES as ON_THE_WIRE

BAD = Path(__file__).parent / "bad_classes"
POINT = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
PUMP = Asset(asset="p", asset_class="pump", points=(POINT,))
BEARING = Bearing(name="6205", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
MIXER = """
name = "mixer"
extends = "pump"
support = "flexible"
power_group = "2"
warmup = "2h"

[[shafts]]
name = "out"
ratio = 0.25

[[gears]]
name = "pinion"
teeth = 20

[[points]]
quantities = ["acceleration"]

[[points.bands]]
name = "once"
low = 0.5
high = 1.5
orders = true

[[points.limits]]
feature = "rms"
above = 20

[[points.zones]]
power_group = "1"
a_b = 0.001
b_c = 0.002
c_d = 0.003

[[points.zones]]
support = "flexible"
a_b = 0.002
b_c = 0.003
c_d = 0.004
part = "our own"
"""


def classes_of(tmp_path: Path, **texts: str):
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return read_classes([tmp_path])


class TestShipped:
    """The classes of the product."""

    def test_six_classes_ship(self) -> None:
        """Pump, compressor, fan, motor, gearbox and moulding machine, each with a meaning, features and bands."""
        assert sorted(shipped()) == ["compressor", "fan", "gearbox", "motor", "moulding_machine", "pump"]
        for kind in shipped().values():
            assert kind.meaning
            assert kind.needs
            assert kind.points[0].features
            assert kind.points[0].bands

    @pytest.mark.parametrize("name", sorted(shipped()))
    def test_their_features_are_those_of_the_set(self, name: str) -> None:
        """What a class lists exists under that name."""
        listed = {each for point in shipped()[name].points for each in point.features}

        assert listed - set(SIGNAL.index) == set()

    def test_no_limit_of_theirs_is_on_acceleration_and_no_zone_is_given_unasked(self) -> None:
        """Nothing alarms on a vibration level of a machine that nobody has described; zones need a group and support."""
        for kind in shipped().values():
            assert kind.support == kind.power_group == ""
            for point in kind.points:
                assert point.zones == ()
                assert not (point.limits and "acceleration" in point.quantities)

    def test_words_are_those_of_the_wire(self) -> None:
        """A class cannot give what an asset record could not hold."""
        assert SEVERITIES == ON_THE_WIRE


class TestCompleting:
    """An asset before its class."""

    def test_what_the_asset_gives_stands(self, tmp_path: Path) -> None:
        """A band of the same name, a limit on the same feature, a support: the asset's; the rest comes from the class."""
        own = Band(name="once", low=1.0, high=2.0)
        limit = Limit(feature="rms", above=5.0)
        asset = dataclasses.replace(
            PUMP,
            asset_class="mixer",
            support="rigid",
            points=(dataclasses.replace(POINT, bands=(own,), limits=(limit,)),),
        )

        made = completed(asset, classes_of(tmp_path, mixer=MIXER))

        assert (made.support, made.power_group, made.warmup_s) == ("rigid", "2", 7200.0)
        assert made.points[0].bands[0] == own
        assert [band.name for band in made.points[0].bands] == ["once", "twice", "below_once", "high"]
        assert made.points[0].limits == (limit,)
        assert made.points[0].zones is None  # its support is another one, its group too
        assert made.shafts == (Shaft(name="out", ratio=0.25),)
        assert made.class_record.startswith("mixer@")

    def test_zones_are_those_of_the_group_and_support(self, tmp_path: Path) -> None:
        """The first row that fits the machine counts."""
        found = classes_of(tmp_path, mixer=MIXER)

        soft, large = (
            completed(dataclasses.replace(PUMP, asset_class="mixer", power_group=group), found) for group in ("", "1")
        )

        assert soft.points[0].zones == Zones(a_b=0.002, b_c=0.003, c_d=0.004, part="our own")
        assert large.points[0].zones == Zones(a_b=0.001, b_c=0.002, c_d=0.003)

    def test_parts_of_asset_and_class_are_never_mixed(self, tmp_path: Path) -> None:
        """An asset that names one bearing has no gear of its class: they would not have to fit."""
        asset = dataclasses.replace(PUMP, asset_class="mixer", bearings=(BEARING,))

        made = completed(asset, classes_of(tmp_path, mixer=MIXER))

        assert made.bearings == (BEARING,)
        assert made.gears == made.shafts == ()

    def test_lineage_names_the_class_and_its_content(self, tmp_path: Path) -> None:
        """Another content of a class is another master data; an asset to which nothing is added stays what it was."""
        bare = dataclasses.replace(PUMP, points=())
        before, after = classes_of(tmp_path, a=MIXER), classes_of(tmp_path, a=MIXER.replace("above = 20", "above = 21"))
        asset = dataclasses.replace(PUMP, asset_class="mixer")

        assert completed(bare, shipped()) is bare
        assert completed(Asset(asset="x"), shipped()) == Asset(asset="x")
        assert asset_record(completed(asset, before)) != asset_record(completed(asset, after))
        assert asset_record(completed(asset, before)).endswith(f"+{before['mixer'].id}")
        assert "+" not in asset_record(PUMP)

    def test_words_that_explain_are_no_content(self, tmp_path: Path) -> None:
        """A better sentence changes no id."""
        plain = classes_of(tmp_path, a=MIXER)["mixer"]

        assert classes_of(tmp_path, a='meaning = "stirs"' + MIXER)["mixer"].id == plain.id

    @given(st.sampled_from(sorted(shipped())), st.sampled_from(["acceleration", "velocity", "temperature", "current"]))
    def test_twice_is_once(self, name: str, quantity: str) -> None:
        """A completed asset is complete."""
        asset = dataclasses.replace(PUMP, asset_class=name, points=(dataclasses.replace(POINT, quantity=quantity),))
        once = completed(asset, shipped())

        assert completed(once, shipped()) == once
        assert len({band.name for band in once.points[0].bands}) == len(once.points[0].bands)

    def test_what_a_diagnosis_would_need_is_told(self) -> None:
        """Fields that neither the asset nor its class has; teeth without more count as gears."""
        gearbox = dataclasses.replace(PUMP, asset_class="gearbox", bearings=(BEARING,), rated_speed_hz=25.0)

        assert missing(gearbox, shipped()) == ("power_group", "support", "shafts", "gears")
        assert "gears" not in missing(dataclasses.replace(gearbox, gear_teeth=(20,)), shipped())
        assert missing(Asset(asset="x"), shipped()) == ()


class TestSources:
    """Files and tables of the settings."""

    def test_a_class_may_extend_the_one_that_ships_under_its_name(self, tmp_path: Path) -> None:
        """`pump` of the user over `pump` of the product: what it gives first, then the rest."""
        settings = tmp_path / "foreshock.toml"
        settings.write_text(
            '[classes.pump]\nextends = "pump"\nsupport = "rigid"\n\n[classes.mixer]\nextends = "pump"\n'
        )

        found = load(settings, {}).classes.read()

        assert found["pump"].support == found["mixer"].support == "rigid"
        assert found["pump"].points == shipped()["pump"].points
        assert found["pump"].id != shipped()["pump"].id
        assert found["fan"] is shipped()["fan"]

    def test_an_empty_table_switches_a_class_off(self, tmp_path: Path) -> None:
        """Then an asset of it is what was sent."""
        settings = tmp_path / "foreshock.toml"
        settings.write_text("[classes.pump]\n")

        assert completed(PUMP, load(settings, {}).classes.read()) == PUMP

    def test_files_are_named_in_the_settings(self, tmp_path: Path) -> None:
        """A list in the file, commas in the environment."""
        (tmp_path / "mixer.toml").write_text(MIXER)
        settings = tmp_path / "foreshock.toml"
        settings.write_text(f'[classes]\nfiles = ["{tmp_path / "mixer.toml"}"]\n')

        assert load(settings, {}).classes.read()["mixer"].gears == (Gear(name="pinion", teeth=20),)
        again = load(None, {"FORESHOCK_CLASSES__FILES": str(tmp_path / "mixer.toml")}).classes
        assert again.read()["mixer"].id == load(settings, {}).classes.read()["mixer"].id

    def test_bad_files_give_all_their_errors_with_their_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everything that is wrong in a directory is told at once, each with file and line."""
        monkeypatch.chdir(BAD)

        with pytest.raises(ConfigurationError) as caught:
            read_classes(sorted(BAD.glob("*.toml")))

        told = str(caught.value).replace(f"{BAD}/", "")
        assert told == (BAD / "expected.txt").read_text(encoding="utf-8").strip()
