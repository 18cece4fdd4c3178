"""Which alert to label next: the one whose verdict tells most."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from foreshock.alerts.outcomes.incidents import incidents
from foreshock.alerts.outcomes.queue import gain, queue
from foreshock.alerts.outcomes.verdicts import judge, labels
from foreshock.alerts.vocabulary import Severity, Verdict
from tests.alerts.outcomes_samples import D, H, labelled, life


def asked(alerts, commands=(), levels=None):
    """The queue of some alerts."""
    found = incidents(alerts)
    return queue(judge(found, labels(commands, found), (), until_ns=30 * D), levels or {})


def ids(found):
    return [each.incident.alert_id for each in found]


def test_the_first_verdict_tells_a_little_over_a_quarter_bit():
    """1 - 1 / (2 ln 2) bits of a share of which nothing is known."""
    assert gain(0, 0) == pytest.approx(1 - 0.5 / math.log(2))


@pytest.mark.parametrize(("true", "false"), [(0, 0), (3, 1), (0, 9), (20, 20)])
def test_the_gain_is_the_mutual_information(true, false):
    """Against the integral of the definition."""
    of = stats.beta(1 + true, 1 + false)
    entropy = lambda p: -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    expected, _ = integrate.quad(lambda p: of.pdf(p) * entropy(p), 0, 1)

    assert gain(true, false) == pytest.approx(entropy(of.mean()) - expected, abs=1e-6)


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_verdicts_leave_less_to_tell(true, false):
    """Twice as many with the same share say more; it is never negative."""
    assert 0 <= gain(2 * true + 1, 2 * false + 1) <= gain(true, false) + 1e-12


def test_what_is_novel_near_and_severe_comes_first():
    """A hypothesis that nobody judged, before one known; at its level, before far above; critical, before watch."""
    known = [t for n in range(5) for t in life(f"k{n}", n * D, returned=n * D + H, hypothesis="looseness")]
    commands = [c for n in range(4) for c in labelled(f"k{n}", Verdict.TRUE, 20 * D)]
    alerts = [
        *known,
        *life("far", 6 * D, returned=6 * D + H, score=16.0, initial_score=16.0),
        *life("near", 7 * D, returned=7 * D + H, score=2.0, initial_score=2.0),
        *life("worst", 8 * D, returned=8 * D + H, score=2.0, initial_score=2.0, severity=Severity.CRITICAL),
    ]
    level = {("pump-7", severity): 2.0 for severity in Severity}

    found = asked(alerts, commands, level)

    assert ids(found) == ["worst", "near", "far", "k4"]
    assert "nothing like it was labelled; at its level" in found[1].why
    assert "4 like it labelled, 4 of them true" in found[3].why


def test_what_was_labelled_is_asked_no_more_and_what_only_failed_is():
    """A verdict of any kind takes an alert off the queue; a proposal does not."""
    alerts = [t for n in range(4) for t in life(f"a{n}", n * D, returned=n * D + H)]
    commands = [
        *labelled("a0", Verdict.NEUTRAL, 20 * D),
        *labelled("a1", Verdict.FALSE, 20 * D),
        *labelled("a2", Verdict.TRUE, 20 * D)[:1],
    ]

    assert sorted(ids(asked(alerts, commands))) == ["a2", "a3"]


def test_a_static_limit_has_no_nearness():
    """A limit is where the user put it: its verdict moves no threshold."""
    limit = asked(life("l", D, mode="static_limit"))[0]

    assert (limit.near, limit.value) == (0.0, pytest.approx(3 * gain(0, 0)))
    assert limit.why.endswith("a limit, not a score")
