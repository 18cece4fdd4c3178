"""What people may ask of an alarm: each command has a stated outcome, and a refused one no other effect."""

import pytest

from foreshock.alerts.policy import Window
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Holds, Severity, Verdict
from foreshock.alerts.windows import learning_held
from tests.alerts.alarm_samples import PUMP, T0, Bench, S, policy

HOUR = 3600.0
SHELVE, UNSHELVE, ACK, CLOSE = CommandKind.SHELVE, CommandKind.UNSHELVE, CommandKind.ACKNOWLEDGE, CommandKind.CLOSE
FREEZE, RESUME, WINDOW, LABEL = CommandKind.FREEZE, CommandKind.RESUME, CommandKind.WINDOW, CommandKind.LABEL


def standing() -> Bench:
    """A warning that stands since second 0."""
    bench = Bench()
    bench.row(0, 2.5)
    return bench


def refusal(bench: Bench, kind: CommandKind, at_s: float = 10, **more) -> str:
    """The reason of a refusal that changes nothing but the count of transitions."""
    before = bench.alarm
    assert [each.split()[0] for each in bench.ask(kind, at_s, **more)] == ["refused"]
    assert bench.alarm == before._replace(number=before.number + 1)
    return bench.last.reason


@pytest.mark.parametrize("kind", list(CommandKind))
def test_every_command_needs_an_actor_a_reason_and_an_id(kind):
    """Without one of them it is refused, whatever it asks for."""
    bench = standing()

    assert "actor" in refusal(bench, kind, actor=" ")
    assert "reason" in refusal(bench, kind, reason="")
    assert "id" in refusal(bench, kind, command_id="")


@pytest.mark.parametrize("kind", list(CommandKind))
def test_a_clock_in_the_future_is_refused(kind):
    """More than five minutes ahead of the log."""
    assert refusal(standing(), kind, at_ns=T0 + 311 * S) == "its clock is 301 s ahead of the log's"


def test_a_clock_a_little_ahead_is_taken():
    """Five minutes are within what clocks differ by."""
    assert standing().ask(ACK, 10, at_ns=T0 + 310 * S) == ["acknowledged warning"]


def test_a_command_names_who_gave_it():
    """Actor, reason, id and kind are in the answer."""
    bench = standing()
    bench.ask(ACK, 10, actor=" ada ", reason="on my way", command_id="k1")
    told = bench.last

    assert (told.actor, told.reason, told.command_id, told.acknowledged_by) == ("ada", "on my way", "k1", "ada")
    assert told.origin.topic == "control.v1"


def test_acknowledging_is_refused_where_there_is_nothing_to_acknowledge():
    """No alert, another alert, one that was acknowledged, one that was never raised, the same command again."""
    assert "no alert of pump-7 is open" in refusal(Bench(), ACK)
    assert "no alert x is open" in refusal(Bench(), ACK, alert_id="x")
    bench = standing()
    assert "no alert x is open" in refusal(bench, ACK, alert_id="x")
    assert bench.last.alert_id == ""
    bench.ask(ACK, 10, command_id="k1", alert_id=bench.told[0].alert_id)
    assert "already, by ada" in refusal(bench, ACK, actor="bob")
    assert refusal(bench, ACK, command_id="k1") == "command k1 was taken already"
    suppressed = Bench()
    suppressed.row(0, 2.5, inhibited=True)
    assert "was not raised" in refusal(suppressed, ACK)


def test_a_returned_alert_that_is_acknowledged_is_closed_after_its_time():
    """It is normal then; closing counts from the later of both."""
    bench = Bench()
    bench.rows(0, 2.5, 0.5)

    assert bench.ask(ACK, 100) == ["acknowledged warning"]
    assert bench.state == AlarmState.NORMAL
    assert bench.due_s() == 100 + HOUR


@pytest.mark.parametrize(
    ("until_s", "reason"),
    [
        (None, "a shelf needs an end: until"),
        (10, "the end of a shelf must be in the future"),
        (10 + 7 * 24 * HOUR + 1, "a shelf lasts at most 168 h; a longer stop is a maintenance window"),
    ],
)
def test_a_shelf_needs_an_end_that_is_near(until_s, reason):
    """None, one in the past, and one that is too far are refused."""
    more = {} if until_s is None else {"until_s": until_s}

    assert refusal(standing(), SHELVE, **more) == reason


def test_a_policy_may_allow_longer_shelves():
    """And shorter ones."""
    assert Bench(policy(longest_shelf_s=1e6)).ask(SHELVE, 0, until_s=1e6) == ["shelved info"]
    assert "at most 1 h" in refusal(Bench(policy(longest_shelf_s=HOUR)), SHELVE, until_s=2 * HOUR)


def test_a_command_that_lay_too_long_on_its_topic_is_refused():
    """Its shelf was over when the log took it."""
    assert "future" in refusal(standing(), SHELVE, at_s=100, at_ns=T0, until_s=50)


def test_a_shelf_may_be_moved_and_taken_away():
    """The newer end holds; unshelving twice is refused, and so is another alert."""
    bench = standing()
    bench.ask(SHELVE, 1, until_s=100)
    bench.ask(SHELVE, 2, until_s=50)

    assert bench.due_s() == 50
    assert "no alert x is open" in refusal(bench, UNSHELVE, alert_id="x")
    assert "no alert x is open" in refusal(bench, SHELVE, alert_id="x", until_s=100)
    assert bench.ask(UNSHELVE, 20) == ["unshelved warning"]
    assert bench.state == AlarmState.UNACKNOWLEDGED
    assert "not shelved" in refusal(bench, UNSHELVE)


def test_only_what_has_returned_is_closed_by_hand():
    """What stands is named; a returned one is closed without an acknowledgement."""
    bench = standing()

    assert refusal(bench, CLOSE).startswith("it has not returned to normal: de (warning)")
    bench.row(20, 0.5)
    assert bench.ask(CLOSE, 30) == ["closed warning"]
    assert "no alert of pump-7 is open" in refusal(bench, CLOSE)


def test_what_nothing_was_heard_of_for_long_may_be_closed():
    """A machine that was scrapped in alarm does not keep its alert for ever; a row decides anew."""
    bench = standing()

    assert bench.ask(CLOSE, 86_400) == ["closed warning"]
    assert bench.row(89_000, 0.9) == []  # the deadband of what was closed raises nothing
    assert bench.row(90_000, 2.5) == ["raised warning"]


def test_learning_is_frozen_and_resumed():
    """Once each; who holds it, and why, is told to who asks."""
    bench = Bench()

    assert "not held" in refusal(bench, RESUME)
    assert bench.ask(FREEZE, 0, reason="trial run") == ["frozen info"]
    assert learning_held(bench.policy, bench.alarm, PUMP.path, T0) == "frozen by ada: trial run"
    assert "already, by ada" in refusal(bench, FREEZE)
    assert bench.ask(RESUME, 10) == ["resumed info"]
    assert learning_held(bench.policy, bench.alarm, PUMP.path, T0) == ""
    assert bench.alarm.idle


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({}, "a maintenance window needs an end: until"),
        ({"from_s": 50, "until_s": 50}, "a maintenance window must end after it begins"),
        ({"from_s": 0, "until_s": 10}, "the maintenance window is over already"),
        ({"until_s": 50, "label_id": "w"}, "no window w of pump-7: there is nothing to change"),
    ],
)
def test_a_window_that_cannot_be_is_refused(times, reason):
    """Without an end, turned round, over already, or a change of one that nobody announced."""
    assert refusal(Bench(), WINDOW, **times) == reason


def test_a_window_is_announced_moved_and_ended():
    """It holds in its time; a command with its name changes it, and may end it now."""
    bench = standing()

    assert bench.ask(WINDOW, 5, command_id="w", from_s=100, until_s=200) == ["window warning"]
    assert bench.last.effect == "window w holds alerting and learning"
    assert bench.due_s() == 100
    assert bench.tick(100) == ["removed_from_service warning"]
    assert bench.ask(WINDOW, 110, label_id="w", until_s=300, holds=Holds.ALERTING) == ["window warning"]
    assert bench.alarm.windows == (
        Window(name="w", holds=Holds.ALERTING, starts_ns=T0 + 100 * S, ends_ns=T0 + 300 * S),
    )
    assert bench.tick(250) == []
    assert bench.ask(WINDOW, 260, label_id="w", until_s=255) == ["window warning", "returned_to_service warning"]


def test_windows_that_are_over_make_room():
    """An asset has at most twenty at a time."""
    bench = Bench()
    for number in range(20):
        assert bench.ask(WINDOW, number, until_s=1000) == ["window info"]

    assert "20 maintenance windows" in refusal(bench, WINDOW, 500, until_s=2000)
    assert bench.ask(WINDOW, 1001, until_s=2000) == ["window info"]
    assert len(bench.alarm.windows) == 1


def test_a_label_is_proposed_by_one_and_accepted_by_another():
    """Its interval and score come from the alert that it names; the effect is told with it."""
    bench = standing()
    alert = bench.told[0].alert_id
    bench.row(50, 0.5)

    told = bench.ask(LABEL, 60, alert_id=alert, verdict=Verdict.FALSE, command_id="l1")
    assert told == ["labelled warning"]
    (label,) = bench.alarm.labels
    assert (label.from_ns, label.until_ns, label.score) == (T0, T0 + 60 * S, 2.5)
    assert "accept it" in refusal(bench, LABEL, 61, label_id="l1", accept=True)
    assert bench.ask(LABEL, 62, label_id="l1", accept=True, actor="bob") == ["labelled warning"]
    assert bench.last.alert_id == alert
    assert bench.last.effect.startswith("threshold of pump-7 raised from 1.00 to 1.10")
    assert "overlaps" in refusal(bench, LABEL, 70, from_s=30, until_s=65, verdict=Verdict.TRUE)


def test_a_label_of_an_alert_that_is_closed_names_it():
    """It stands for itself: the open alert is another one."""
    bench = Bench()
    bench.row(0, 2.5)
    first = bench.last.alert_id
    bench.row(1, 0.5)
    bench.ask(CLOSE, 2)
    bench.row(10, 2.5)
    bench.ask(LABEL, 60, alert_id=first, from_s=0, until_s=2, verdict=Verdict.TRUE)

    assert (bench.last.change, bench.last.alert_id, bench.last.points) == (Change.LABELLED, first, ())
    assert (bench.last.state, bench.last.severity, bench.last.owner) == (AlarmState.NORMAL, Severity.INFO, "")
