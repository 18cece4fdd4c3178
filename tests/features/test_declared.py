"""Features declared once: complete, made by code that exists, and named by a hash of what they are a function of."""

from __future__ import annotations

import dataclasses
import importlib
import json

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from foreshock.cli.features import app
from foreshock.features.catalog import FULL, LEAN
from foreshock.features.declared import Declared, DeclaredSet, Input, Scale
from foreshock.features.inventory import Listing, find, inventory
from foreshock.vocabulary import QualityKind

LEVEL = Declared(
    name="level",
    unit="u",
    function="foreshock.features.moments.window_rows",
    inputs=(Input.SAMPLES,),
    meaning="how much",
)
ALL = [(listing, each) for listing in inventory() for each in listing.features]


def run(*arguments: str):
    return CliRunner().invoke(app, arguments)


class TestHash:
    """The id of a set says which function of the input it is."""

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "other"},
            {"unit": "u2"},
            {"function": "foreshock.features.spectrum.band_rows"},
            {"inputs": (Input.SAMPLES, Input.RATE)},
            {"voided_by": (QualityKind.CLIPPED,)},
            {"scale": Scale.LOG},
            {"version": 2},
        ],
    )
    def test_what_the_values_depend_on_is_in_it(self, change: dict) -> None:
        """Each of these makes another set."""
        assert DeclaredSet("s", 1, (dataclasses.replace(LEVEL, **change),)).hash != DeclaredSet("s", 1, (LEVEL,)).hash

    @pytest.mark.parametrize(
        "change", [{"meaning": "x"}, {"source": "x"}, {"owner": "x"}, {"deprecated": "since 2: use other"}]
    )
    def test_what_only_explains_is_not(self, change: dict) -> None:
        """A better sentence, another owner or a deprecation leaves the values and so the id."""
        assert DeclaredSet("s", 1, (dataclasses.replace(LEVEL, **change),)).id == DeclaredSet("s", 1, (LEVEL,)).id

    def test_name_version_constants_and_order_are_in_it(self) -> None:
        """Two sets of one id are the same function, column by column."""
        other = dataclasses.replace(LEVEL, name="other")
        plain = DeclaredSet("s", 1, (LEVEL, other), {"bands": [1, 2]})

        assert plain.id == f"s-v1@{plain.hash}"
        assert len(plain.hash) == 16
        changed = [
            DeclaredSet("t", 1, plain.features, plain.constants),
            DeclaredSet("s", 2, plain.features, plain.constants),
            DeclaredSet("s", 1, (other, LEVEL), plain.constants),
            DeclaredSet("s", 1, plain.features, {"bands": [1, 3]}),
        ]
        assert len({plain.hash, *(each.hash for each in changed)}) == 5

    def test_the_sets_of_the_detectors_keep_their_ids(self) -> None:
        """Models, references and recorded scores name them."""
        ids = {listing.name: listing.id for listing in inventory()}

        assert ids["lean"] == LEAN.id == "lean-v1@e23fe068e65820df"
        assert ids["full"] == FULL.id == "full-v1@7b0d0eabebaf28c0"


class TestColumns:
    """Names and places."""

    @given(st.lists(st.sampled_from(["DE", "NDE", "x", "y"]), min_size=1, max_size=4, unique=True))
    def test_names_go_channel_by_channel(self, channels: list[str]) -> None:
        """Names and columns agree for any channels."""
        other = dataclasses.replace(LEVEL, name="crest", unit="")
        given_set = DeclaredSet("s", 1, (LEVEL, other))
        names = given_set.names(channels)

        assert len(names) == len(channels) * given_set.per_channel
        for number, channel in enumerate(channels):
            for name, column in given_set.index.items():
                assert names[number * given_set.per_channel + column] == f"{name}[{channel}]"

    def test_a_name_is_declared_once(self) -> None:
        """Two columns of one name could not be told apart."""
        with pytest.raises(ValueError, match="declares twice: level"):
            DeclaredSet("s", 1, (LEVEL, LEVEL))

    def test_what_a_point_adds_stands_behind_and_is_another_function(self) -> None:
        """The name and version stay, the hash does not."""
        plain = DeclaredSet("s", 1, (LEVEL,), {"c": 1})
        more = plain.extended(dataclasses.replace(LEVEL, name="rms_blades"))

        assert more.features[:1] == plain.features
        assert more.id.startswith("s-v1@")
        assert more.hash != plain.hash
        assert plain.extended() is plain


@pytest.mark.parametrize(("listing", "each"), ALL, ids=[f"{listing.name}.{each.name}" for listing, each in ALL])
def test_every_feature_is_declared_in_full(listing: Listing, each: Declared) -> None:
    """Its function exists, it says what it is, what it is made from and who owns it."""
    module, _, function = each.function.rpartition(".")

    assert callable(getattr(importlib.import_module(module), function))
    assert each.name == each.name.lower()
    assert each.meaning
    assert not each.meaning.endswith(".")
    assert each.inputs
    assert each.owner
    assert each.version >= 1


class TestCommand:
    """`foreshock features`."""

    def test_all_sets_are_listed_as_json(self) -> None:
        """One object a feature, with the id of its set."""
        told = [json.loads(line) for line in run("list", "--json").output.splitlines()]

        assert [(each["set"], each["name"]) for each in told] == [(listing.id, each.name) for listing, each in ALL]
        assert set(told[0]) >= {"unit", "function", "inputs", "voided_by", "version", "owner", "deprecated", "meaning"}

    def test_one_set_is_listed_as_a_table(self) -> None:
        """With its id above it."""
        shown = run("list", "--set", "lean").output

        assert LEAN.id in shown
        assert "largest absolute deviation from the mean" in " ".join(shown.split())
        assert "env_1_level" not in shown

    def test_a_class_says_what_its_points_carry(self) -> None:
        """The list of the class, in the order of the set."""
        told = [json.loads(line)["name"] for line in run("list", "--class", "gearbox", "--json").output.splitlines()]

        assert {"rms", "velocity_rms", "mesh"} <= set(told)
        assert "band_01" not in told

    @pytest.mark.parametrize("arguments", [("list", "--set", "larch"), ("list", "--class", "pmup")])
    def test_an_unknown_set_or_class_is_told(self, arguments: tuple[str, ...]) -> None:
        """With those that there are."""
        found = run(*arguments)

        assert found.exit_code != 0
        assert "known: " in str(found.exception)

    def test_a_feature_is_explained_by_its_name_in_a_vector(self) -> None:
        """The channel behind the name does not matter."""
        shown = run("explain", "crest[DE]").output

        assert "1.41 for a sine" in shown
        assert "made from      samples" in shown
        assert FULL.id in shown
        assert {each.name for _, each in find("crest[DE]")} == {"crest"}

    def test_an_unknown_feature_is_told_with_the_closest(self) -> None:
        """And the exit code says no."""
        found = run("explain", "crust")

        assert found.exit_code == 1
        assert "did you mean crest?" in found.output


def test_the_group_has_all_its_commands() -> None:
    """List, explain, plot and extract stand in one group."""
    group = typer.main.get_command(app)

    assert {"list", "explain", "plot", "extract"} <= set(group.commands)
