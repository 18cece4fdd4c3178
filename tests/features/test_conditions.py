"""Conditions are raised at once and cleared after three good blocks."""

from foreshock.contract import QualityKind
from foreshock.features import conditions
from foreshock.features.conditions import Finding


def finding(kind=QualityKind.FROZEN, channel="DE", value=1.0):
    return Finding(kind, channel, value, 0.5, "it stands still")


def play(*blocks):
    """Fold findings block by block; gives what changed as '+kind' or '-kind'."""
    standing, story = (), []
    for findings in blocks:
        standing, changed = conditions.step(standing, tuple(findings))
        story.append([("+" if t.raised else "-") + t.finding.kind for t in changed])
    return story


def test_raised_by_the_first_block_and_only_once():
    """A condition that holds is one transition."""
    assert play([finding()], [finding()], [finding()]) == [["+frozen"], [], []]


def test_cleared_by_the_third_good_block():
    """Two good blocks are not enough, three are."""
    assert play([finding()], [], [], [], []) == [["+frozen"], [], [], ["-frozen"], []]


def test_a_condition_that_comes_and_goes_stays_one():
    """Good blocks are counted from the last bad one."""
    assert play([finding()], [], [], [finding()], [], [], []) == [["+frozen"], [], [], [], [], [], ["-frozen"]]


def test_channels_and_kinds_are_separate_conditions():
    """Each has its own beginning and end."""
    story = play(
        [finding(channel="DE")], [finding(channel="FE"), finding(QualityKind.SPIKE, "DE")], [], [], [finding()]
    )

    assert story == [["+frozen"], ["+frozen", "+spike"], [], ["-frozen"], ["-frozen", "-spike", "+frozen"]]


def test_the_cleared_transition_shows_the_last_finding():
    """The value of the end is that of the last bad block."""
    standing, _ = conditions.step((), (finding(value=1.0),))
    standing, _ = conditions.step(standing, (finding(value=0.7),))
    for _ in range(3):
        standing, changed = conditions.step(standing, ())

    assert changed[0].finding.value == 0.7
    assert standing == ()


def test_two_findings_of_a_kind_and_channel_are_one():
    """The first counts."""
    _, changed = conditions.step((), (finding(value=1.0), finding(value=2.0)))

    assert [t.finding.value for t in changed] == [1.0]


def test_every_kind_has_a_cause_beside_the_machine():
    """A quality condition is never the machine's."""
    for kind in QualityKind:
        (transition,) = conditions.step((), (finding(kind),))[1]

        assert transition.cause in {"sensor", "gateway", "pipeline"}
        assert transition.ne107 in {"failure", "check_function", "out_of_specification", "maintenance_required"}
