"""The four answers of `foreshock asset`, case by case."""

import dataclasses

import pytest

from foreshock.alerts.vocabulary import AlarmState, Change, Severity, SuppressedBy, Verdict, WorkKind
from foreshock.answers.dossier import Known, dossier, open_alert
from tests.alerts.outcomes_samples import D, H, labelled, life, transition, work

NOW = 30 * D
LEVELS = ((Severity.WATCH, 1.0), (Severity.WARNING, 2.0), (Severity.CRITICAL, 4.0))


def rising(start: float = 0.5, per_day: float = 0.1, days: int = 10, count: int = 60):
    """Scores on a line up to now."""
    first = NOW - days * D
    step = days * D // (count - 1)
    return tuple((first + n * step, start + per_day * days * n / (count - 1)) for n in range(count))


def known(**more) -> Known:
    """What is known of a pump of which nothing is known, with what a test says of it."""
    return Known(**({"now_ns": NOW, "asset": "pump-7", "scores": {}, "levels": LEVELS} | more))


def anomaly(hypothesis: str):
    """The newest anomaly, an hour ago."""
    parts = [{"feature": f"band-{n}", "amount": float(n)} for n in range(5)]
    return {"hypothesis": hypothesis, "ingest_ns": NOW - H, "contributions": parts}


def test_it_says_how_fast_and_when_the_next_level_is_reached():
    """From 0.5 to 1.5 in ten days: watch is passed, warning in about five days."""
    (found,) = dossier(known(scores={"DE": rising()})).headings

    assert (found.progress.word, found.severity) == ("rising", Severity.WARNING)
    assert "+0.1 a day" in found.sentence
    assert "it reaches warning (2.00) in 5 d, between 5 d and 5 d" in found.sentence


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (rising(per_day=-0.02), "and falling"),
        (rising(per_day=0.0), "does not drift beyond its scatter"),
        (rising(start=5.0), "It is above every level"),
        (rising(per_day=0.001), "is not foreseeable: not within three times"),
        (rising(count=5), "too few to say whether it drifts"),
    ],
)
def test_it_says_no_more_than_the_scores_carry(scores, words):
    """Falling, steady, past all levels, too slow to foresee, too few."""
    (found,) = dossier(known(scores={"DE": scores})).headings

    assert words in found.sentence


def test_the_failure_mode_is_a_hypothesis_with_its_source():
    """That of the alert that stands, else of the last anomaly; where nothing fits, what moved most."""
    standing = life("a0", NOW - H, hypothesis="inner race")

    assert dossier(known(transitions=standing)).failure_mode.startswith("inner race (hypothesis of the alert")
    assert (
        dossier(known(anomaly=anomaly("imbalance"))).failure_mode
        == "imbalance (hypothesis of the last anomaly, 60 min ago)"
    )
    assert "what moved most: band-4, band-3, band-2" in dossier(known(anomaly=anomaly(""))).failure_mode
    assert dossier(known()).failure_mode == "none: no anomaly of it is kept"


def test_what_was_before_a_repair_says_nothing_of_the_machine_as_it_is():
    """Scores before it are left out, and a hypothesis of before is told as such."""
    repair = work("w1", WorkKind.REPLACEMENT, NOW - 2 * D)
    found = dossier(known(scores={"DE": rising()}, work_orders=[repair], anomaly=anomaly("imbalance")))
    later = dataclasses.replace(repair, at_ns=NOW - H // 2)
    nothing_since = dossier(known(scores={"DE": rising()[:-1]}, work_orders=[later], anomaly=anomaly("imbalance")))

    assert found.headings[0].progress.span_h < 48
    assert nothing_since.headings == ()
    assert nothing_since.repaired == "replacement of 1970-01-30 23:30:00Z (w1)"
    assert nothing_since.failure_mode.startswith("none since the repair; before it: imbalance")


def test_what_to_do_is_the_runbook_of_the_alert_that_stands():
    """Its action, its steps, who owns it, and until when an answer is due."""
    found = dossier(known(transitions=life("a0b1c2d3e4", NOW - 30 * 60 * 10**9, runbook=("look", "listen")))).todo

    assert found == (
        "warning alert a0b1c2d3 stands since 30 min, unacknowledged.",
        "inspect",
        "1. look",
        "2. listen",
        "maintenance owns it; an answer is due in 30 min.",
    )
    late = dossier(known(transitions=life("a0", NOW - 5 * H))).todo
    assert late[-1] == "maintenance owns it; an answer is due 4 h ago: overdue."


def test_nothing_is_to_be_done_where_no_alert_stands():
    """One that was closed, and one that was only suppressed and is over, stand no more; a label does not open one."""
    closed = life("a0", D, returned=2 * D, closed=3 * D)
    labelled_later = transition("a0", Change.LABELLED, 5 * D, raised_ns=D, state=AlarmState.UNACKNOWLEDGED)

    assert open_alert([*closed, labelled_later]) is None
    assert dossier(known(transitions=closed)).todo == ("Nothing: no alert of it stands.",)


def test_a_suppressed_alert_says_by_what():
    """Somebody who looks at the asset must know why he was not told."""
    held = transition(
        "s", Change.SUPPRESSED, NOW - H, state=AlarmState.SUPPRESSED, suppressed_by=SuppressedBy.MAINTENANCE_WINDOW
    )

    assert "It is held back: maintenance window." in dossier(known(transitions=[held])).todo


def test_the_history_has_alerts_with_their_verdicts_and_work_the_newest_first():
    """What was before, in one list."""
    alerts = [*life("a0", D, returned=D + 2 * H), *life("a1", 9 * D, returned=9 * D + H, hypothesis="")]
    jobs = [work("w1", WorkKind.REPAIR, 3 * D, failure_mode="VIB", alert_id="a0", finished_ns=3 * D + H)]

    found = dossier(known(transitions=alerts, commands=labelled("a1", Verdict.FALSE, 20 * D), work_orders=jobs)).history

    assert [each.what for each in found] == [
        "alert a1 warning, score 2.50, for 60 min, labelled false",
        "failure w1, VIB, finished 1970-01-04 01:00:00Z",
        "alert a0 warning, score 2.50, outer race, for 2 h, a failure followed",
    ]
