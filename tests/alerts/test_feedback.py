"""Labels: two people, versions, intervals that do not overlap, and an effect that is a function of what is in force."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock import records
from foreshock.alerts.feedback import KEPT, Label, take
from foreshock.alerts.margin import CLEAR_OF_TRUE, FACTOR_MOST, effect
from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind, Verdict

NOW = 1_000_000


def said(number: int = 0, **more) -> Command:
    """A command that labels; by anna, of an interval of its own."""
    given = {
        "command_id": f"c{number}",
        "kind": CommandKind.LABEL,
        "asset": "pump-7",
        "actor": "anna",
        "reason": "looked at it",
        "at_ns": NOW,
        "from_ns": 10 * number,
        "until_ns": 10 * number + 10,
        "verdict": Verdict.FALSE,
    }
    return Command(**(given | more))


def accepted(labels, number: int = 0, verdict: Verdict = Verdict.FALSE, score: float | None = None):
    """Labels after one more, proposed by anna and accepted by ben."""
    proposed = take(labels, said(number, verdict=verdict), score=score)
    assert proposed.refused == ""
    done = take(proposed.labels, said(number + 1000, actor="ben", accept=True, label_id=f"c{number}"))
    assert done.refused == ""
    return done


def test_a_proposal_changes_nothing_until_another_person_accepts_it():
    """The margin moves at the second step, and the sentence names both thresholds and the reason."""
    proposed = take((), said(), level=1.3)
    done = take(proposed.labels, said(1, actor="ben", accept=True, label_id="c0"), level=1.3)

    assert proposed.effect.margin_factor == 1.0
    assert proposed.effect.sentence == (
        "nothing yet: label c0 waits for a second person; accepted: threshold of pump-7 raised from 1.30 to 1.43, because 1 "
        "alert is labelled false and none true"
    )
    assert done.effect.margin_factor == pytest.approx(1.1)
    assert done.effect.sentence == (
        "threshold of pump-7 raised from 1.30 to 1.43, because 1 alert is labelled false and none true"
    )
    assert (done.label.accepted_by, done.label.accepted_ns, done.label.revision) == ("ben", NOW, 1)


@pytest.mark.parametrize("actor", ["anna", " Anna "])
def test_nobody_accepts_his_own_label(actor):
    """The second step is by somebody else, however the name is written."""
    proposed = take((), said())

    refused = take(proposed.labels, said(1, actor=actor, accept=True, label_id="c0"))

    assert "somebody else has to accept it" in refused.refused
    assert refused.labels == proposed.labels


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (said(actor=" "), "name"),
        (said(verdict=None), "verdict"),
        (said(from_ns=None, until_ns=None), "interval"),
        (said(from_ns=10, until_ns=10), "end after it starts"),
        (said(until_ns=NOW + 1), "not end after the command"),
        (said(fault_code="bearing"), "ISO 14224"),
        (said(label_id="nobody"), "nothing to revise"),
        (said(accept=True, label_id="nobody"), "nothing to accept"),
        (said(accept=True), "nothing to accept"),
        (said(accept=True, actor=""), "name"),
    ],
)
def test_a_bad_command_is_refused_with_the_reason(command, words):
    """Nothing of it is taken."""
    taken = take((), command)

    assert words in taken.refused
    assert (taken.labels, taken.label, taken.effect.margin_factor) == ((), None, 1.0)


def test_labels_do_not_overlap():
    """An interval that begins where another ends is fine; one nanosecond earlier is not, and it is told which to revise."""
    first = take((), said(0)).labels

    assert take(first, said(1)).refused == ""
    assert "overlaps label c0" in take(first, said(1, from_ns=9)).refused


def test_a_revision_waits_beside_the_version_in_force():
    """Until the new version is accepted the old one counts; then it is gone, and the margin comes back."""
    old = accepted((), 0)
    revised = take(old.labels, said(5, label_id="c0", from_ns=None, until_ns=None, verdict=Verdict.TRUE))
    again = take(revised.labels, said(6, label_id="c0", from_ns=None, until_ns=None, verdict=Verdict.NEUTRAL))
    done = take(again.labels, said(7, actor="carl", accept=True, label_id="c0"))

    assert [(each.revision, each.in_force) for each in revised.labels] == [(1, True), (2, False)]
    assert [(each.revision, each.in_force) for each in again.labels] == [(1, True), (3, False)]
    assert revised.effect.margin_factor == old.effect.margin_factor
    assert (done.effect.margin_factor, len(done.labels), done.label.verdict) == (1.0, 1, Verdict.NEUTRAL)
    assert (done.label.from_ns, done.label.until_ns) == (0, 10)
    assert "lowered from 1.10 to 1.00" in done.effect.sentence


def test_the_same_command_is_taken_once():
    """A command that comes again is refused by its id, and a label is accepted once."""
    done = accepted((), 0)

    assert "taken already" in take(done.labels, said(0, label_id="c0")).refused
    assert "accepted already, by ben" in take(done.labels, said(1, actor="ben", accept=True, label_id="c0")).refused


def test_a_label_of_an_alert_takes_its_interval_and_score():
    """Who names an alert states no times: it is from raised to its end."""
    taken = take((), said(from_ns=None, until_ns=None, alert_id="a1"), score=2.5, interval=(3, 9))

    assert (taken.label.from_ns, taken.label.until_ns, taken.label.score, taken.label.alert_id) == (3, 9, 2.5, "a1")


def test_a_raise_never_hides_what_was_true():
    """The raised threshold stays under the least score that was labelled true, and says so."""
    labels = accepted((), 0, Verdict.TRUE, score=1.2).labels
    for number in range(1, 6):
        done = accepted(labels, number)
        labels = done.labels

    assert done.effect.margin_factor == pytest.approx(CLEAR_OF_TRUE * 1.2)
    assert "it goes no higher than 1.14, an alert at 1.20 was true" in done.effect.sentence


def test_state_is_bounded():
    """An asset keeps the labels of the newest intervals; the others are out of force."""
    labels = ()
    for number in range(KEPT + 5):
        labels = accepted(labels, number).labels

    assert len(labels) == KEPT
    assert min(each.from_ns for each in labels) == 50


def test_labels_are_state():
    """They go to a tree of plain values and back."""
    label = accepted((), 0, score=1.5).labels[0]

    assert records.from_tree(Label, records.to_tree(label)) == label


judged = st.builds(
    lambda number, verdict, score, by: Label(
        label_id=f"l{number}",
        from_ns=number,
        until_ns=number + 1,
        verdict=verdict,
        score=score,
        proposed_by="anna",
        proposed_ns=NOW,
        command_id=f"c{number}",
        accepted_by=by,
    ),
    st.integers(0, 50),
    st.sampled_from(Verdict),
    st.none() | st.floats(0.5, 20),
    st.sampled_from(["", "ben"]),
)


@given(labels=st.lists(judged, max_size=20, unique_by=lambda each: each.label_id), data=st.data())
def test_the_margin_is_a_bounded_function_of_what_is_in_force(labels, data):
    """Within its bounds, in any order; proposals and neutral verdicts do not count; more FALSE never lowers it."""
    factor = effect(labels, asset="a").margin_factor
    counted = [each for each in labels if each.in_force and each.verdict is not Verdict.NEUTRAL]
    false = Label(
        label_id="new",
        from_ns=99,
        until_ns=100,
        verdict=Verdict.FALSE,
        proposed_by="a",
        proposed_ns=NOW,
        command_id="n",
        accepted_by="b",
    )

    assert 1.0 <= factor <= FACTOR_MOST
    assert effect(data.draw(st.permutations(labels)), asset="a").margin_factor == factor
    assert effect(counted, asset="a").margin_factor == factor
    assert effect([*labels, false], asset="a").margin_factor >= factor
    assert effect([*labels, dataclasses.replace(false, verdict=Verdict.TRUE)], asset="a").margin_factor <= factor
