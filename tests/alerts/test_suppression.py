"""What is above a level and not alerted: told with its reason, once, and raised when the reason is over."""

import pytest

from foreshock.alerts.policy import Effect, Window
from foreshock.alerts.vocabulary import AlarmState, CommandKind, Holds
from tests.alerts.alarm_samples import T0, Bench, S, band, policy

ACK, SHELVE, UNSHELVE = CommandKind.ACKNOWLEDGE, CommandKind.SHELVE, CommandKind.UNSHELVE


def once(from_s, to_s, holds=Holds.BOTH) -> Window:
    """A window in seconds after T0."""
    return Window(name="overhaul", starts_ns=T0 + from_s * S, ends_ns=T0 + to_s * S, holds=holds)


def test_a_faulty_sensor_is_told_once_and_raises_when_it_is_sound():
    """The alert has the id that it was suppressed with; a higher severity is told again."""
    bench = Bench()

    assert bench.row(0, 2.5, inhibited=True) == ["suppressed warning sensor_fault"]
    assert bench.row(1, 2.5, inhibited=True) == []
    assert bench.row(2, 4.5, inhibited=True) == ["suppressed critical sensor_fault"]
    assert bench.row(3, 2.5, inhibited=True) == []
    assert bench.row(4, 4.5) == ["unsuppressed critical", "raised critical"]
    assert len({each.alert_id for each in bench.told}) == 1


def test_a_suppressed_alert_that_is_over_is_closed():
    """It was never raised: nobody has to acknowledge it."""
    bench = Bench()
    bench.row(0, 2.5, inhibited=True)
    bench.row(1, 0.5)

    assert bench.due_s() == 3601
    assert bench.tick(3601) == ["closed warning"]
    assert bench.last.reason == "over for 3600 s and never raised: sensor_fault"


def test_a_sensor_fault_takes_back_nothing_and_escalates_nothing():
    """What was raised stands; what is more is told as suppressed."""
    bench = Bench()

    assert bench.rows(0, 2.5) == ["raised warning"]
    assert bench.row(1, 4.5, inhibited=True) == ["suppressed critical sensor_fault"]
    assert bench.row(2, 0.1, inhibited=True) == []
    assert bench.row(3, 0.1) == ["returned_to_normal warning"]


def test_a_suppression_is_told_again_in_the_alert_that_came_of_it():
    """What was told before the raise was of another state of affairs; each says whose reason it is."""
    bench = Bench(policy(minimum_effect=Effect(absolute=0.5)))
    bench.row(0, 4.5, inhibited=True)
    bench.row(1, 2.5)
    small = (("rms", 1.1, 1.0),)

    assert bench.row(2, 4.5, inhibited=True) == ["suppressed critical sensor_fault"]
    assert bench.last.reason == "the sensor of de has a fault"
    assert bench.row(3, 4.5, effect=small) == ["suppressed critical minimum_effect"]
    assert "minimum effect" in bench.last.reason
    assert bench.last.peak == 4.5  # of the row that its sensor was sound in


def test_a_parent_inhibits_its_child_until_it_is_sound():
    """It is raised with the first row, or tick, at which the parent's alarm no longer stands."""
    bench = Bench()
    bench.parent = "line-3"

    assert bench.row(0, 2.5) == ["suppressed warning parent"]
    assert "line-3" in bench.last.reason
    bench.parent = ""
    assert bench.tick(5) == ["unsuppressed warning", "raised warning"]


def test_maintenance_begins_and_ends_at_its_times():
    """What stands is removed from service and returned; what comes meanwhile is told as suppressed, and raised then."""
    bench = Bench(policy(windows=(once(100, 200, Holds.ALERTING),)))
    bench.row(0, 2.5)
    bench.ask(ACK, 1)

    assert bench.due_s() == 100
    assert bench.tick(100) == ["removed_from_service warning"]
    assert bench.row(150, 4.5) == ["suppressed critical maintenance_window"]
    assert bench.due_s() == 200
    assert bench.tick(200) == ["returned_to_service warning", "escalated critical"]
    assert [(each.before.value, each.state.value) for each in bench.told[-2:]] == [
        ("out_of_service", "acknowledged"),
        ("acknowledged", "unacknowledged"),
    ]


def test_what_stands_after_it_was_put_aside_is_alarmed_again():
    """Acknowledged before is not acknowledged for ever."""
    bench = Bench(policy(windows=(once(100, 200),)))
    bench.row(0, 2.5)
    bench.ask(ACK, 1)
    bench.tick(100)

    assert bench.tick(200) == ["returned_to_service warning", "re_alarmed warning"]


def test_a_window_that_holds_learning_alone_holds_no_alert():
    """Alerting goes on."""
    bench = Bench(policy(windows=(once(0, 200, Holds.LEARNING),)))

    assert bench.row(50, 2.5) == ["raised warning"]


def test_the_device_may_say_that_it_is_worked_on():
    """Its alerts are out of service until it says otherwise."""
    bench = Bench()

    assert bench.row(0, 2.5, maintenance=True) == ["suppressed warning out_of_service"]
    assert bench.row(1, 0.5, "nde") == []  # another point says nothing of this one
    assert bench.row(2, 2.5) == ["returned_to_service warning", "raised warning"]


def test_a_shelf_hides_until_its_time_is_over():
    """Shelved before anything stood, and while it stands."""
    bench = Bench()

    assert bench.ask(SHELVE, 0, until_s=100) == ["shelved info"]
    assert bench.last.alert_id == ""
    assert bench.row(1, 2.5) == ["suppressed warning shelved"]
    assert bench.last.shelved_until_ns == T0 + 100 * S
    assert bench.due_s() == 100
    assert bench.tick(100) == ["unshelved warning", "raised warning"]
    assert bench.ask(SHELVE, 101, until_s=200) == ["shelved warning"]
    assert bench.row(150, 0.5) == []
    assert bench.ask(UNSHELVE, 160) == ["unshelved warning", "returned_to_normal warning"]
    assert bench.last.state is AlarmState.RETURNED_UNACKNOWLEDGED


def test_out_of_service_goes_before_shelved_before_suppressed():
    """The strongest reason is told; each ends by itself, and the next shows."""
    bench = Bench(policy(windows=(once(10, 20),)))

    assert bench.row(0, 2.5, inhibited=True) == ["suppressed warning sensor_fault"]
    assert bench.ask(SHELVE, 5, until_s=30) == ["shelved warning", "suppressed warning shelved"]
    assert bench.tick(10) == ["suppressed warning maintenance_window"]
    assert bench.row(12, 4.5, inhibited=True) == ["suppressed critical maintenance_window"]
    assert bench.state == AlarmState.OUT_OF_SERVICE
    assert bench.tick(20) == ["returned_to_service critical", "suppressed critical shelved"]
    assert bench.state == AlarmState.SHELVED
    assert bench.tick(30) == ["unshelved critical", "suppressed critical sensor_fault"]
    assert bench.row(31, 4.5) == ["unsuppressed critical", "raised critical"]


def test_an_acknowledgement_counts_while_it_is_put_aside():
    """The state below the shelf changes; that above it does not."""
    bench = Bench()
    bench.row(0, 2.5)
    bench.ask(SHELVE, 1, until_s=100)

    assert bench.ask(ACK, 2) == ["acknowledged warning"]
    assert bench.state == AlarmState.SHELVED
    bench.row(50, 0.5)
    assert bench.tick(100) == ["unshelved warning", "returned_to_normal warning"]
    assert bench.state == AlarmState.NORMAL


def test_after_one_alert_the_next_waits_for_the_refractory_time():
    """It counts from the closing; what stands then is raised then."""
    bench = Bench(policy(refractory_s=100.0, close_after_s=10.0))
    bench.rows(0, 2.5, 0.5)
    bench.ask(ACK, 2)
    bench.tick(12)

    assert bench.row(20, 2.5) == ["suppressed warning refractory"]
    assert bench.due_s() == 112
    assert bench.tick(112) == ["unsuppressed warning", "raised warning"]


def test_an_asset_is_raised_so_often_in_an_hour_and_no_more():
    """The oldest raise leaves the hour, and what stands is raised."""
    bench = Bench(policy(most_per_hour=2, close_after_s=10.0))
    for start in (0, 100):
        bench.rows(start, 2.5, 0.5)
        bench.ask(ACK, start + 2)
        bench.tick(start + 12)

    assert bench.row(200, 2.5) == ["suppressed warning rate_limit"]
    assert bench.due_s() == 3600
    assert bench.tick(3600) == ["unsuppressed warning", "raised warning"]


def test_chattering_is_told_and_held_standing_until_it_is_quiet():
    """Three alarms within a minute: then it returns only after a minute without a demand."""
    bench = Bench()
    flicker = bench.rows(0, *(2.5, 0.5) * 6)

    assert flicker == [
        "raised warning", "returned_to_normal warning", "re_alarmed warning", "returned_to_normal warning",
        "re_alarmed warning", "suppressed warning chattering",
    ]  # fmt: skip
    assert bench.state == AlarmState.UNACKNOWLEDGED
    assert bench.due_s() == 11 + 60
    assert bench.tick(71) == ["returned_to_normal warning"]


def test_fleeting_excursions_are_one_suppressed_incident():
    """Told once, counted, and closed so long after the last one."""
    bench = Bench(policy(band(on_delay_s=5.0), close_after_s=100.0))

    assert bench.rows(0, 2.5, 0.5) == ["suppressed warning fleeting"]
    assert bench.rows(50, 2.5, 0.5, 2.5, 0.5) == []
    assert bench.due_s() == 153
    assert bench.tick(153) == ["closed warning"]
    assert bench.last.reason == "over for 100 s and never raised: fleeting 3 times"


def test_a_fleeting_excursion_may_become_the_alert():
    """What stands later is raised under the same id."""
    bench = Bench(policy(band(on_delay_s=5.0)))
    bench.rows(0, 2.5, 0.5)

    assert bench.rows(10, *[2.5] * 6) == ["unsuppressed warning", "raised warning"]
    assert len({each.alert_id for each in bench.told}) == 1


def test_a_backlog_whose_alert_is_over_never_pages():
    """It is held while its records are late, and told as suppressed once it has cleared."""
    bench = Bench()

    assert bench.row(0, 4.5, late_s=1000.0) == []
    assert bench.row(5, 4.5, late_s=1000.0) == []
    assert bench.row(10, 2.5, late_s=1000.0) == ["suppressed critical cleared_while_delayed"]
    assert bench.row(20, 0.5, late_s=1000.0) == []
    assert not [each for each in bench.told if each.change == "raised"]


@pytest.mark.parametrize("late_s", [0.0, 299.0])
def test_a_backlog_whose_alert_stands_is_raised_with_the_first_record_on_time(late_s):
    """Its delay is then under `page_delayed_s`."""
    bench = Bench()
    bench.row(0, 2.5, late_s=1000.0)

    assert bench.row(1001, 2.5, late_s=late_s) == ["raised warning"]


def test_a_backlog_that_nothing_follows_is_raised_after_a_while():
    """The last that is known stands: `page_delayed_s` after the log had it, it is told."""
    bench = Bench()
    bench.row(0, 2.5, late_s=1000.0)

    assert bench.due_s() == 1300
    assert bench.tick(1300) == ["raised warning"]
    assert bench.last.delayed_s == 1000.0


def test_an_escalation_from_late_records_is_held_as_well():
    """The alert stands as it was until a record is on time."""
    bench = Bench(policy(page_delayed_s=10.0))
    bench.row(0, 1.2)

    assert bench.row(1, 4.5, late_s=20.0) == []
    assert bench.row(2, 1.2, late_s=20.0) == ["suppressed critical cleared_while_delayed"]
    assert bench.state == AlarmState.UNACKNOWLEDGED
