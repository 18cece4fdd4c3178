"""The life of an alert: raised, escalated, acknowledged, returned, closed; and what time alone does to it."""

import timeit

import pytest

from foreshock import lineage
from foreshock.alerts.conditions import Condition, Reading, evaluate
from foreshock.alerts.lifecycle import Alarm, due_ns, step
from foreshock.alerts.policy import Window
from foreshock.alerts.vocabulary import AlarmState, CommandKind, Severity, WorkKind
from tests.alerts.alarm_samples import CRITICAL, PUMP, T0, WARNING, WATCH, Bench, S, band, policy, without

DAY = 86_400
ACK = CommandKind.ACKNOWLEDGE


def test_an_alert_is_raised_escalated_acknowledged_returned_and_closed():
    """The way of an ordinary alert, with the state after each change."""
    bench = Bench()

    assert bench.rows(0, 0.5, 1.2, 2.5) == ["raised watch", "escalated warning"]
    assert bench.ask(ACK, 5) == ["acknowledged warning"]
    assert bench.row(6, 4.5) == ["escalated critical"]
    assert bench.state == AlarmState.UNACKNOWLEDGED  # it asks for an answer again
    assert bench.ask(ACK, 7) == ["acknowledged critical"]
    assert bench.rows(8, 2.5, 0.5) == ["de_escalated warning", "returned_to_normal warning"]
    assert bench.state == AlarmState.NORMAL
    assert bench.tick(9 + 3600) == ["closed warning"]
    assert bench.alarm.idle
    assert {each.alert_id for each in bench.told} == {bench.told[0].alert_id}


def test_a_transition_says_who_is_to_do_what_and_why():
    """The record of a raise, field by field; its ids follow from its place alone."""
    bench = Bench()
    bench.row(3, 2.5, trend=0.02, hypothesis="outer race", anomaly_id="a1", late_s=2.0)
    told = bench.last

    assert told.alert_id == lineage.event_id("alert", told.origin, 0, "pump-7")
    assert told.event_id == lineage.event_id("alert.raised", told.origin, 0, "pump-7", "0")
    assert (told.before, told.state) == (AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED)
    assert (told.asset, told.path, told.points) == ("pump-7", PUMP.path, ("de",))
    assert (told.severity, told.worst) == (Severity.WARNING, Severity.WARNING)
    assert (told.score, told.initial_score, told.peak, told.trend) == (2.5, 2.5, 2.5, 0.02)
    assert (told.hypothesis, told.anomaly_id, told.mode, told.delayed_s) == ("outer race", "a1", "model", 2.0)
    assert told.at_ns == told.raised_ns == T0 + 3 * S
    assert told.respond_by_ns == T0 + (3 + 2 + 600) * S  # from when it could be known
    assert told.rule == told.reason == "warning: score 2.5 >= 2"
    assert (told.policy, told.priority, told.actor) == ("test@" + "0" * 16, 2, "policy")
    assert (told.owner, told.runbook, told.action) == ("maintenance", ("Look at it.",), "Look at it.")
    assert told.escalation == ("shift lead", "plant manager")
    assert told.trace_id == lineage.trace_id(told.origin)


def test_the_score_that_fired_is_never_overwritten():
    """Later changes carry their own score, and that of the raise."""
    bench = Bench()
    bench.rows(0, 1.2, 4.5, 9.0, 2.5)
    bench.ask(ACK, 9)

    assert [each.score for each in bench.told] == [1.2, 4.5, 2.5, 2.5]
    assert {each.initial_score for each in bench.told} == {1.2}
    assert [each.peak for each in bench.told] == [1.2, 4.5, 9.0, 9.0]
    assert [each.worst for each in bench.told][-1] is Severity.CRITICAL


def test_the_points_of_an_asset_are_one_incident():
    """Its severity is that of the worst point; it returns when the last one does; a joining point alone is no news."""
    bench = Bench()

    assert bench.row(0, 1.2, "de") == ["raised watch"]
    assert bench.row(1, 1.3, "nde") == []
    assert bench.row(2, 2.5, "fan") == ["escalated warning"]
    assert bench.last.points == ("de", "nde", "fan")
    assert bench.row(3, 0.5, "fan") == ["de_escalated watch"]
    assert bench.row(4, 0.5, "de") == []
    assert bench.row(5, 0.5, "nde") == ["returned_to_normal watch"]


def test_what_comes_back_before_it_is_closed_is_the_same_alert():
    """From returned, and from normal, it is alarmed again."""
    bench = Bench()
    bench.rows(0, 2.5, 0.5, 2.5)
    bench.ask(ACK, 10)
    bench.rows(100, 0.5, 2.5)

    assert [each.change for each in bench.told] == [
        "raised", "returned_to_normal", "re_alarmed", "acknowledged", "returned_to_normal", "re_alarmed",
    ]  # fmt: skip
    assert len({each.alert_id for each in bench.told}) == 1


def test_a_row_after_a_long_silence_finds_the_alert_closed():
    """Where no tick came meanwhile, what time has ended is taken up before the row."""
    bench = Bench()
    bench.rows(0, 2.5, 0.5)
    bench.ask(ACK, 2)

    assert bench.row(2 * 3600, 2.5) == ["closed warning", "raised warning"]
    assert bench.told[0].alert_id != bench.last.alert_id


def test_a_machine_that_stops_sending_leaves_no_alert_behind():
    """Off-delay and closing run out by ticks alone, each when it is due."""
    bench = Bench(policy(band(off_delay_s=30.0)))
    bench.row(0, 2.5)
    bench.ask(ACK, 1)
    bench.row(10, 0.5)

    assert bench.due_s() == 40
    assert bench.tick(39.9) == []
    assert bench.tick(40) == ["returned_to_normal warning"]
    assert bench.due_s() == 40 + 3600
    assert bench.tick(40 + 3600) == ["closed warning"]
    assert bench.due_s() is None


def test_what_time_has_ended_is_not_begun_by_rows_of_before():
    """A tick works with the lag of the last reading; rows of an earlier time, or in the deadband, alarm nothing again."""
    bench = Bench(policy(band(off_delay_s=30.0), close_after_s=1e6))
    bench.row(0, 2.5)
    bench.row(10, 0.5)
    bench.tick(40)

    assert bench.row(39, None, late_s=2.0) == []
    assert bench.row(39.5, 1.7, late_s=2.0) == []  # its condition stands still, and is kept by the deadband
    assert bench.row(60, 1.7) == []
    assert bench.row(61, 2.0) == ["re_alarmed warning"]
    assert bench.last.rule == "warning: score 2 >= 2"


def test_what_has_ended_in_part_is_reached_anew_band_by_band():
    """A tick ended the critical band: what reaches the warning band again is a warning, whatever the condition says."""
    bench = Bench(policy(WATCH, WARNING, band(Severity.CRITICAL, 4.0, 3.2, off_delay_s=30.0)))
    bench.row(0, 4.5)
    bench.row(10, 2.5)

    assert bench.tick(40) == ["de_escalated warning"]
    assert bench.row(39, 3.5, late_s=2.0) == []
    assert bench.row(42, 4.0) == ["escalated critical"]


def test_returned_waits_for_somebody_and_is_stale_in_the_end():
    """Nobody acknowledges it: it stays for `stale_after_s`, and is closed with that reason."""
    bench = Bench()
    bench.rows(0, 2.5, 0.5)

    assert bench.state == AlarmState.RETURNED_UNACKNOWLEDGED
    assert bench.tick(DAY) == []
    assert bench.tick(DAY + 1) == ["closed warning"]
    assert "stale" in bench.last.reason


def test_whoever_does_not_answer_is_passed_over():
    """Each response window that ends unanswered tells the next of the chain; then there is nobody left."""
    bench = Bench()
    bench.row(0, 2.5)
    chain = []
    while (due_s := bench.due_s()) is not None:
        chain += [(due_s, bench.tick(due_s), bench.last.escalation, bench.last.respond_by_ns)]

    assert chain == [
        (600, ["overdue warning"], ("shift lead", "plant manager"), T0 + 1200 * S),
        (1200, ["overdue warning"], ("plant manager",), None),
    ]
    assert "plant manager" in bench.last.reason


def test_what_stands_too_long_after_it_was_acknowledged_is_alarmed_again():
    """`realarm_after_s` counts from the acknowledgement."""
    bench = Bench(policy(realarm_after_s=100.0))
    bench.row(0, 2.5)
    bench.ask(ACK, 50)

    assert bench.due_s() == 150
    assert bench.tick(150) == ["re_alarmed warning"]
    assert "ada" in bench.last.reason


def test_the_time_of_the_machine_counts_also_in_a_backlog():
    """An off-delay is due so long after the log's time of its rows; a recording of old data is not overdue at once."""
    late_s = 1000 * DAY
    bench = Bench(policy(band(off_delay_s=30.0), page_delayed_s=1e9))
    bench.row(0, 2.5, late_s=late_s)
    bench.row(10, 0.5, late_s=late_s)

    assert bench.told[0].respond_by_ns == T0 + int(late_s + 600) * S
    assert bench.due_s() == late_s + 40


def test_due_times_stay_where_they_are_while_the_lag_hardly_varies():
    """Rows that come a little later or earlier move no due time; a lag that is another one does."""
    bench = Bench()
    bench.row(0, 2.5)
    bench.row(1, 0.5)
    due = [
        bench.row(2 + place, 0.5, late_s=late_s) or bench.due_s() for place, late_s in enumerate((0.3, 0.9, 0.1, 60.0))
    ]

    assert due == [86_401, 86_401, 86_401, 86_461]


def test_a_repair_ends_what_the_asset_demanded():
    """The work order is joined, and told once; the repair returns the alert to normal."""
    bench = Bench()
    bench.row(0, 2.5)

    assert bench.order(WorkKind.OPENED, 1) == ["work_order warning"]
    assert bench.order(WorkKind.OPENED, 2) == []  # the sink repeats itself after a crash
    assert bench.last.work_order == "4711"
    assert bench.order(WorkKind.NOTE, 3) == []
    assert bench.order(WorkKind.REPAIR, 4, record_id="m9") == ["work_order warning", "returned_to_normal warning"]
    assert "repair by crew" in bench.last.reason
    assert bench.order(WorkKind.REPAIR, 5, record_id="m9") == []
    assert bench.state == AlarmState.RETURNED_UNACKNOWLEDGED
    assert bench.last.work_order == "4711"


def test_a_work_order_may_come_after_its_alert_is_closed():
    """It is joined to the alert that it names, once; a repair ends what stands now, whatever it was ordered for."""
    bench = Bench()
    bench.rows(0, 2.5, 0.5)
    first = bench.last.alert_id
    bench.ask(CommandKind.CLOSE, 2)

    assert bench.order(WorkKind.OPENED, 3, alert_id=first, record_id="m1") == ["work_order info"]
    assert (bench.last.alert_id, bench.last.work_order, bench.last.state) == (first, "4711", AlarmState.NORMAL)
    assert bench.order(WorkKind.OPENED, 4, alert_id=first, record_id="m1") == []
    assert bench.order(WorkKind.OPENED, 5) == []  # of no alert
    bench.row(10, 2.5)
    assert bench.order(WorkKind.REPAIR, 11, alert_id=first) == ["work_order info", "returned_to_normal warning"]
    assert bench.told[-2].alert_id == first != bench.last.alert_id


def test_another_policy_decides_from_its_first_row_on():
    """Its bands, its people and its name; what stands goes on."""
    bench = Bench(policy(WATCH, WARNING, CRITICAL))
    bench.row(0, 4.5)
    bench.policy = without(policy(WATCH, band(owner="reliability")), version="1" * 64)

    assert bench.row(1, 4.5) == ["de_escalated warning"]
    assert (bench.last.owner, bench.last.policy) == ("reliability", "test@" + "1" * 16)


def test_the_state_of_an_asset_without_anything_is_the_default():
    """An ordinary row changes nothing of it, and tells nothing; nothing is ever due."""
    bench = Bench()

    assert bench.rows(0, 0.1, 0.9) == []
    assert bench.alarm == Alarm()
    assert bench.alarm.idle
    assert due_ns(policy(windows=(Window(name="w", weekdays=(0,)),)), Alarm()) is None


@pytest.mark.parametrize("value", [0.5, None])
def test_an_ordinary_row_costs_next_to_nothing(value):
    """Evaluation and step of a row of an idle asset, best of many: a few microseconds."""
    rules, context = policy(), Bench().context(0)
    reading = Reading(T0, value)

    def row():
        _, demand = evaluate(rules, Condition(), reading)
        step(rules, Alarm(), {"de": demand}, context)

    assert min(timeit.repeat(row, number=200, repeat=20)) / 200 < 20e-6
