"""Policies from files: strictness, places, versions, and which policy holds for an asset.

`bad/NAME.toml|yaml` stand beside the message that each must give, `bad/NAME.txt`.
"""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock import records
from foreshock.alerts.budget import factor
from foreshock.alerts.documents import read
from foreshock.alerts.fields import FilesRejected
from foreshock.alerts.files import DEFAULT, load, load_text, named, resolve
from foreshock.alerts.patterns import may_meet, on_path
from foreshock.alerts.policy import Policy
from foreshock.contract import Asset

HERE = Path(__file__).parent
BAD = sorted(path for path in (HERE / "bad").iterdir() if path.suffix != ".txt")
WHO = """
owner = "mechanics"
runbook = ["Listen to the bearing."]
action = "Look at it."
respond_within = "8h"
escalation = ["shift lead"]
"""
BAND = """
[[bands]]
severity = "watch"
raise_at = 1.0
clear_at = 0.8
"""


def policy(name="pumps", head="", tail=""):
    return f'name = "{name}"\n{head}{WHO}{BAND}{tail}'


def problems_of(name, text):
    try:
        load_text(name, text)
    except FilesRejected as exc:
        return exc.problems or [None]
    return []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name)
def test_bad_file_gives_all_its_errors_with_their_lines(path):
    """Every error of a file is told at once: file, line, key, what is wrong, what to do."""
    with pytest.raises(FilesRejected) as caught:
        load_text(path.name, path.read_text(encoding="utf-8"))

    assert str(caught.value) == path.with_suffix(".txt").read_text(encoding="utf-8").strip()


def test_there_are_enough_bad_files():
    """The bad files are many, and each has its message."""
    assert len(BAD) >= 25
    assert {path.stem for path in BAD} == {path.stem for path in (HERE / "bad").glob("*.txt")}


class TestVersion:
    """The version is the hash of what a policy says, not of how it is written."""

    def test_formatting_order_and_spelt_out_defaults_do_not_change_it(self):
        """Comments, key order, minutes for seconds, defaults and the language leave the version as it is."""
        one = load_text("a.toml", policy(head='refractory = "10m"\n'))
        other = load_text(
            "b.yaml",
            "bands: [{clear_at: 0.8, raise_at: 1, severity: watch}]  # one band\n"
            "escalation: [shift lead]\nowner: mechanics\naction: Look at it.\nrunbook: Listen to the bearing.\n"
            "respond_within: 480m\nrefractory: 600\nclose_after: 1h\nname: pumps\n",
        )

        assert one == other
        assert len(one.version) == 64
        assert named(one) == f"pumps@{one.version[:16]}"

    def test_each_figure_changes_it(self):
        """A delay that is one second longer makes another version."""
        versions = {load_text("a.toml", policy(tail=f"on_delay = {delay}\n")).version for delay in (0, 1, 2)}

        assert len(versions) == 3

    def test_policy_returns_from_its_tree(self):
        """A policy with everything in it goes to a tree of plain values and back."""
        full = load_text(
            "full.toml",
            policy(
                tail="""
[minimum_effect]
relative = 0.1

[parents]
"pump-*" = "header-1"

[priority]
lead_days = { pump = 30, "pump-7" = 60 }

[[windows]]
name = "cleaning"
weekdays = ["sat", "sun"]
from = "22:00"
to = "06:00"
utc_offset = "+02:00"
"""
            ),
        )

        assert records.from_tree(Policy, records.to_tree(full)) == full
        assert full.windows[0].weekdays == (5, 6)
        assert (full.windows[0].from_s, full.windows[0].to_s, full.windows[0].utc_offset_s) == (79200, 21600, 7200)

    def test_closest_pattern_comes_first(self):
        """Of the patterns for lead times and parents the one without wildcards comes first, then the longest."""
        found = load_text("a.toml", policy(tail='[priority.lead_days]\n"*" = 1\n"pump-*" = 2\n"pump-7" = 3\n'))

        assert found.priority.lead_days == (("pump-7", 3.0), ("pump-*", 2.0), ("*", 1.0))


class TestResolve:
    """Which policy holds for an asset."""

    def test_site_counts_before_class_before_any(self):
        """A policy for site and class is closest, then one for the site, then one for the class, then one for all."""
        files = [
            ("any.toml", policy("any")),
            ("class.toml", policy("class", 'covers = ["pump"]\n')),
            ("site.toml", policy("site", 'sites = ["acme/hamburg"]\n')),
            ("both.toml", policy("both", 'covers = ["pump"]\nsites = ["acme/hamburg/hall-1"]\n')),
        ]
        policies = load(files)
        hall = ("acme", "hamburg", "hall-1", "line-3")

        def name(asset_class, path):
            return resolve(policies, Asset(asset="a", asset_class=asset_class, path=path)).name

        assert name("pump", hall) == "both"
        assert name("fan", hall) == "site"
        assert name("pump", ("acme", "bremen")) == "class"
        assert name("fan", ("acme", "hamburg-2")) == "any"
        assert name("", ()) == "any"

    def test_default_holds_where_nothing_does(self):
        """An asset that no policy covers has the default policy, which is sound itself."""
        policies = load([("class.toml", policy("class", 'covers = ["pump"]\n'))])

        assert resolve(policies, Asset(asset="fan-1", asset_class="fan")) is DEFAULT
        assert resolve((), Asset(asset="x", registered=False)) is DEFAULT
        assert [(band.severity, band.raise_at) for band in DEFAULT.bands] == [
            ("watch", 1.0),
            ("warning", 2.0),
            ("critical", 4.0),
        ]

    @pytest.mark.parametrize(
        ("one", "other", "said"),
        [
            ("", "", "b.toml: covers what a.toml covers: any asset; narrow covers or sites of one"),
            (
                'covers = ["pump", "fan"]\n',
                'covers = ["fan"]\n',
                "b.toml: covers what a.toml covers: class fan; narrow covers or sites of one",
            ),
            (
                'sites = ["acme/*/line-3"]\n',
                'sites = ["acme/hamburg"]\n',
                "b.toml: covers what a.toml covers: acme/hamburg and acme/*/line-3; narrow covers or sites of one",
            ),
        ],
    )
    def test_two_that_could_both_hold_are_refused(self, one, other, said):
        """Where two policies could hold for one asset, neither is loaded, and the message names what they share."""
        with pytest.raises(FilesRejected) as caught:
            load([("a.toml", policy("a", one)), ("b.toml", policy("b", other))])

        assert str(caught.value) == said

    def test_one_name_belongs_to_one_policy(self):
        """Two files with one name are refused: the name stands in every event."""
        with pytest.raises(FilesRejected, match=r'b\.toml: name is "a" as in a\.toml'):
            load([("a.toml", policy("a", 'covers = ["x"]\n')), ("b.toml", policy("a", 'covers = ["y"]\n'))])

    @given(st.text("ab*?/", max_size=6), st.text("ab*?/", max_size=6), st.lists(st.text("ab", max_size=2), max_size=4))
    def test_patterns_that_hold_for_one_place_are_seen_to_meet(self, one, other, path):
        """Whenever two patterns hold for one place, `may_meet` knows that they can."""
        if on_path([one], path) and on_path([other], path):
            assert may_meet(one, other)

    def test_patterns_that_cannot_meet_are_told_apart(self):
        """Two sites beside each other do not clash."""
        assert not may_meet("acme/hamburg", "acme/bremen")


class TestPlaces:
    """Values of TOML and YAML know their lines."""

    def test_lines_of_toml(self):
        """Tables, arrays over several lines, long texts, quoted and dotted keys: each value has its line."""
        text = (
            "# a comment with = and [brackets]\n"
            'a.b = 1 # "\n'
            "long = '''\n[not.a.table]\nc = 2\n'''\n"
            'list = [ # one\n  "x", \n{ k = 1, m = "#]" },\n]\n'
            '["quoted \\" key".x]\nz = "]"\n'
            "[[many]]\nv = 1\n[[many]]\nv = 2\n[many.inner]\nw = 1979-05-27T07:32:00Z\n"
        )
        node = read("a.toml", text)

        def line(*path):
            found = node
            for step in path:
                found = found.value[step]
            return found.line

        assert node.plain() == tomllib.loads(text)
        assert line("a", "b") == 2
        assert line("long") == 3
        assert (line("list", 0), line("list", 1), line("list", 1, "m")) == (8, 9, 9)
        assert line('quoted " key', "x", "z") == 12
        assert (line("many", 0, "v"), line("many", 1, "v"), line("many", 1, "inner", "w")) == (14, 16, 18)

    def test_yaml_words_are_words(self):
        """Words that older YAML takes for booleans and numbers in base 60 are texts; numbers and null are what they are."""
        text = "a: off\nb: 22:00\nc: 1e3\nd: '1'\ne: ~\nf: 012\ng: No\nh: .5\n"

        assert read("a.yaml", text).plain() == {
            "a": "off",
            "b": "22:00",
            "c": 1000.0,
            "d": "1",
            "e": None,
            "f": 12,
            "g": "No",
            "h": 0.5,
        }

    @given(st.text(max_size=200), st.sampled_from(["a.toml", "a.yaml"]))
    def test_any_text_is_read_or_refused_with_its_place(self, text, name):
        """Whatever a file holds, it is a policy or a list of problems, never another error."""
        problems = problems_of(name, text)

        assert all(problem.file == name and problem.wrong for problem in problems)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.yaml", "[" * 3000),
            ("a.toml", "a = " + "[" * 3000),
            ("a.toml", "a = " + "1" * 5000),
            ("a.toml", "#" * 200_001),
            ("a.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ],
    )
    def test_text_made_to_hurt_is_refused(self, name, text):
        """Deep nesting, huge numbers, huge files and anchors that stand for gigabytes are one line each."""
        with pytest.raises(FilesRejected) as caught:
            load_text(name, text)

        assert len(str(caught.value)) < 200


class TestBudget:
    """The alarm budget of a policy selects a line of the stated table."""

    def test_hold_of_the_budget_is_the_default_of_a_band(self):
        """A strict budget holds longer before it raises; a band that says otherwise has its way."""
        held = load_text("a.toml", policy(head="budget_per_asset_month = 0.1\n")).bands[0]
        own = load_text("a.toml", policy(head="budget_per_asset_month = 0.1\n", tail="n = 1\non_delay = 0\n")).bands[0]

        assert (held.n, held.m, held.on_delay_s) == (3, 3, 10.0)
        assert (own.n, own.m, own.on_delay_s) == (1, 1, 0.0)

    def test_levels_follow_the_margin_of_the_budget(self):
        """A stricter budget than that of detection raises the levels, a laxer one lowers them, the same leaves them."""
        assert factor(0.1, 1.0) == pytest.approx(1.5 / 1.3)
        assert factor(10.0, 1.0) == pytest.approx(1.15 / 1.3)
        assert factor(1.0, 1.0) == 1.0

    def test_version_names_the_budget(self):
        """Another budget is another policy."""
        assert replace(load_text("a.toml", policy()), version="") != replace(
            load_text("a.toml", policy(head="budget_per_asset_month = 10\n")), version=""
        )
