"""The specification of alert policies: the files of `spec/`, each a series of scores and the transitions expected of it."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock import records
from foreshock.alerts import lifecycle
from foreshock.alerts.conditions import Condition
from foreshock.alerts.fields import FilesRejected
from foreshock.alerts.states import Alarm
from foreshock.alerts.trial import run
from foreshock.alerts.trial.case import load_case
from foreshock.alerts.trial.notation import NS, clock, series, span
from foreshock.alerts.trial.verdict import judge
from foreshock.alerts.vocabulary import Change
from foreshock.policies import read_cases, read_policies

HERE = Path(__file__).parent
FILES = sorted((HERE / "spec").iterdir())
OF_LINES = {Change.JOINED, Change.LEFT, Change.MEMBER_CHANGED}  # no asset has them: tests/alerts/test_lines.py
CASES = {path.name: read_cases([path])[0] for path in FILES}
BASE = (HERE / "base" / "one_band.toml").read_text(encoding="utf-8")


@cache
def came(name):
    """The transitions of a case."""
    return run.transitions(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_policy_does_what_the_file_expects(name):
    """The transitions of the test come at their times, and no others."""
    case = CASES[name]
    verdict = judge(case.file, case.title, case.expect, came(name), case.starts_ns)

    assert verdict.passed, "\n".join([verdict.title, *verdict.lines])


def test_there_is_a_specification():
    """It is long enough, every title says something of its own, and every transition is shown."""
    titles = {case.title for case in CASES.values()}
    shown = {expected.change for case in CASES.values() for expected in case.expect}

    assert len(titles) == len(CASES) >= 60
    assert {change.value for change in set(Change) - shown - OF_LINES} == set()


class Restarted(run._Trial):
    """A worker that is killed again and again, and goes on from the state that it wrote."""

    def _after(self, context, step):
        super()._after(context, step)
        if self.places > 50 and self.places % 7 and not step[1]:
            return  # of the many rows that tell nothing some are enough
        self.alarm = records.from_tree(Alarm, records.to_tree(self.alarm))
        self.conditions = {
            point: records.from_tree(Condition, records.to_tree(each)) for point, each in self.conditions.items()
        }


class Ticked(run._Trial):
    """A worker that ticks every ten seconds, whether anything is due or not."""

    at_ns = 0

    def wait(self, until_ns):
        while self.at_ns < min(until_ns, self.case.until_ns + 1):
            super().wait(self.at_ns)
            place = self.case.starts_ns + self.at_ns
            context = self._context("tick", place, place)
            self._after(context, lifecycle.tick(self.case.policy, self.alarm, place, context))
            self.at_ns += 10 * NS
        super().wait(until_ns)


@pytest.mark.parametrize("name", CASES)
def test_restart_repeats_and_forgets_nothing(name, monkeypatch):
    """With the state written and read back at short intervals, and after all that is told, the transitions are the same."""
    expected = came(name)
    monkeypatch.setattr(run, "_Trial", Restarted)

    assert run.transitions(CASES[name]) == expected


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.until_ns <= 3 * 3600 * NS])
def test_ticks_that_were_not_due_tell_nothing(name, monkeypatch):
    """More ticks than are due change neither what is told nor when."""
    monkeypatch.setattr(run, "_Trial", Ticked)

    verdict = run.run(CASES[name])

    assert verdict.passed, "\n".join([verdict.title, *verdict.lines])


@pytest.mark.parametrize("name", CASES)
def test_an_asset_has_one_open_alert_at_a_time(name):
    """Between two alerts of an asset stands that the first was closed."""
    open_alert = ""
    for told in came(name):
        if told.alert_id:
            assert open_alert in {"", told.alert_id} or told.change in {"labelled", "refused"}
            open_alert = "" if told.change == "closed" else told.alert_id


class TestVerdict:
    """What a failed test says."""

    def test_what_came_stands_beside_what_was_expected(self):
        """A wrong time, a wrong value, a missing and an unexpected transition are each to be seen."""
        text = """
title = "Everything is wrong"
policy = "base.toml"
scores = "1.2x6 0.5x12"
when = ["2m close by=anna"]
expect = [
  "0 raised watch priority=1",
  "1m10s returned_to_normal",
  "1m30s acknowledged",
  "2m closed actor=anna",
]
"""
        verdict = run.run(load_case("a.toml", text, lambda name: BASE))

        assert not verdict.passed
        assert tuple(line.partition("  (")[0] for line in verdict.lines) == (
            "- 0s raised watch priority=1",
            "+ 0s raised watch priority=3",
            "+ 1m returned_to_normal watch",
            "- 1m10s returned_to_normal",
            "- 1m30s acknowledged",
            "  2m closed watch actor=anna",
        )


BAD = {
    "no_title": ('policy = "p"\nscores = "1"\nexpect = []', "t.toml:1: title is missing; say what the policy is expected to do"),
    "no_scores": ('title = "t"\npolicy = "p"\nexpect = []', 't.toml:1: scores is missing; give "0.2x10 1.2x5", or one for each point'),
    "no_expect": (
        'title = "t"\npolicy = "p"\nscores = "1"',
        't.toml:1: expect is missing; list the transitions: ["2m raised watch"]; [] says that nothing happens',
    ),
    "series": (
        'title = "t"\npolicy = "p"\nscores = "0.2*10"\nexpect = []',
        't.toml:3: scores of drive-end: "0.2*10" is no part of a series; write 0.2x10, 0.2..0.9x5, 0.2x10m, ?x3 or -x3',
    ),
    "too_long": (
        'title = "t"\npolicy = "p"\nevery = 0.001\nscores = "1x30d"\nexpect = []',
        "t.toml:4: scores of drive-end: a series has at most 200000 rows",
    ),
    "change": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpect = [\n  "0 raised watch",\n  "1m rised watch",\n]',
        't.toml:6: expect "rised" is no transition; did you mean raised?',
    ),
    "severity": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpect = ["0 raised wach"]',
        't.toml:4: expect "wach" is no severity; did you mean watch?',
    ),
    "reason": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpect = ["0 suppressed watch by shelf"]',
        't.toml:4: expect "by shelf" is no reason; did you mean shelved?',
    ),
    "field": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpect = ["0 raised watch ower=x"]',
        't.toml:4: expect "ower=" is not known of a transition; did you mean owner?',
    ),
    "time": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpect = ["soon raised watch"]',
        't.toml:4: expect "soon raised watch" does not begin with a time and a word, as in "10m raised watch"',
    ),
    "happening": (
        'title = "t"\npolicy = "p"\nscores = "1"\nwhen = ["0 akc by=anna"]\nexpect = []',
        't.toml:4: when "akc" is nothing that can happen; did you mean ack?',
    ),
    "point": (
        'title = "t"\npolicy = "p"\nscores = "1"\nwhen = ["0 trend 0.1 point=drive"]\nexpect = []',
        "t.toml:4: when has point=drive, which has no scores; did you mean drive-end?",
    ),
    "fault": (
        'title = "t"\npolicy = "p"\nscores = "1"\nwhen = ["0 fault frosen"]\nexpect = []',
        't.toml:4: when "fault frosen": did you mean frozen?',
    ),
    "number": (
        'title = "t"\npolicy = "p"\nscores = "1"\nwhen = ["0 effect rms 1.1"]\nexpect = []',
        't.toml:4: when "effect rms 1.1 1.0" (value, expected), or none',
    ),
    "option": (
        'title = "t"\npolicy = "p"\nscores = "1"\nwhen = ["0 shelve unto=1h"]\nexpect = []',
        't.toml:4: when "unto=" does not belong to shelve; did you mean until?',
    ),
    "quote": (
        "title = \"t\"\npolicy = \"p\"\nscores = \"1\"\nwhen = [\"0 ack reason='x\"]\nexpect = []",
        "t.toml:4: when \"0 ack reason='x\" cannot be read: No closing quotation",
    ),
    "unknown_key": (
        'title = "t"\npolicy = "p"\nscores = "1"\nexpects = []\nexpect = []',
        "t.toml:4: expects is no key here; did you mean expect?",
    ),
    "no_policy": ('title = "t"\nscores = "1"\nexpect = []', "t.toml:1: policy is missing; name its file, or write it here as a table"),
    "with_wrong": (
        'title = "t"\npolicy = "p.toml"\nscores = "1"\nexpect = []\n[with.bands.watch]\nclear_at = 2',
        "t.toml (with):6: bands[1].clear_at is 2, not below raise_at = 1; it would clear where it begins",
    ),
    "with_unknown": (
        'title = "t"\npolicy = "p.toml"\nscores = "1"\nexpect = []\nwith.refract = 2',
        "t.toml (with):5: refract is no key here; did you mean refractory?",
    ),
    "with_new_band": (
        'title = "t"\npolicy = "p.toml"\nscores = "1"\nexpect = []\nwith.bands.warning.raise_at = 2',
        "t.toml (with):5: bands[2].clear_at is missing; give the score below which it ends: clear_at = 0.8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_test_file_says_what_to_do(name):
    """A test that cannot be read says so with file and line; it neither passes nor fails."""
    text, message = BAD[name]

    with pytest.raises(FilesRejected) as caught:
        load_case("t.toml", text.replace('"p"', '"p.toml"'), lambda name: BASE)

    assert str(caught.value) == message


def test_policy_of_a_test_may_be_wrong_itself(tmp_path):
    """The problems of a policy that a test names have the policy's file and lines; one that is missing is named."""
    (tmp_path / "p.toml").write_text("name = 'p'\nfoo = 1\n", encoding="utf-8")
    for name, policy in (("a.toml", "p.toml"), ("b.toml", "q.toml")):
        (tmp_path / name).write_text(f'title = "t"\npolicy = "{policy}"\nscores = "1"\nexpect = []\n', encoding="utf-8")

    with pytest.raises(FilesRejected) as caught:
        read_cases([tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "nowhere"])

    lines = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert lines[0] == "nowhere: cannot be read: No such file or directory"
    assert lines[1].startswith("p.toml:1: bands is missing")
    assert lines[2].startswith("p.toml:2: foo is no key here")
    assert lines[3].startswith('b.toml:2: policy is "q.toml", which cannot be read: No such file or directory')


def test_directories_are_read_whole(tmp_path):
    """Of a directory every TOML and YAML file counts; one without any is an error."""
    (tmp_path / "a.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "notes.md").write_text("no policy", encoding="utf-8")
    (tmp_path / "empty").mkdir()

    assert [policy.name for policy in read_policies([tmp_path])] == ["one-band"]
    with pytest.raises(FilesRejected, match=r"empty: has no \.toml, \.yaml or \.yml file"):
        read_policies([tmp_path / "empty"])


class TestNotation:
    """The short notation of series and times."""

    def test_series(self):
        """Repetitions, lines, times, rows without a score and rows that did not come."""
        rows = series("0.2x2 -x2 1..2x3 ? 5x20s", 10 * NS)

        assert [(row.at_ns // NS, row.value) for row in rows] == [
            (0, 0.2),
            (10, 0.2),
            (40, 1.0),
            (50, 1.5),
            (60, 2.0),
            (70, None),
            (80, 5.0),
            (90, 5.0),
        ]

    @given(st.integers(0, 320_000_000))
    def test_times_return_from_their_text(self, seconds):
        """What `clock` writes, `span` reads."""
        assert span(clock(seconds * NS)) == seconds * NS
