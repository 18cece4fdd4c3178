"""Alerts, labels and work orders joined: figures that can be counted on fingers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.alerts.outcomes.incidents import incidents
from foreshock.alerts.outcomes.reliability import Exposure
from foreshock.alerts.outcomes.report import MONTH_S
from foreshock.alerts.outcomes.value import Assumptions
from foreshock.alerts.outcomes.work import jobs
from foreshock.alerts.vocabulary import AlarmState, Change, Severity, SuppressedBy, Verdict, WorkKind
from tests.alerts.outcomes_samples import MONTH, D, H, S, labelled, life, month, transition, work


def test_precision_has_both_bounds():
    """One true, one false, one neutral, one unlabelled: 1 of 3 where the unlabelled is false, 1 of 2 where it is left out."""
    alerts = [t for n in range(4) for t in life(f"a{n}", n * D, returned=n * D + H)]
    verdicts = [Verdict.TRUE, Verdict.FALSE, Verdict.NEUTRAL]
    commands = [c for n, verdict in enumerate(verdicts) for c in labelled(f"a{n}", verdict, 20 * D)]

    found = month(alerts, commands).precision

    assert (found.true, found.false, found.neutral, found.unlabelled) == (1, 1, 1, 1)
    assert found.counted_false.value == pytest.approx(1 / 3)
    assert found.left_out.value == pytest.approx(1 / 2)


def test_a_proposal_is_no_verdict_and_a_refused_command_no_label():
    """Only what two people said counts, and what the service refused counts for nothing."""
    alerts = [*life("a0", 0, returned=H), *life("a1", D, returned=D + H)]
    proposal, second = labelled("a0", Verdict.TRUE, 5 * D)[:1], labelled("a1", Verdict.TRUE, 5 * D)
    refused = transition("", Change.REFUSED, 5 * D, command_id="l-a1")

    found = month([*alerts, refused], [*proposal, *second])

    assert (found.precision.true, found.precision.unlabelled, found.volume.refused) == (0, 2, 1)


def test_a_label_of_an_interval_judges_the_alert_in_it():
    """A label that names no alert is of the one that it covers most of."""
    alerts = [*life("a0", 0, returned=10 * H), *life("a1", 11 * H, returned=12 * H)]
    commands = labelled("", Verdict.FALSE, 5 * D, from_ns=9 * H, until_ns=12 * H)

    found = month(alerts, commands).precision

    assert (found.false, found.unlabelled) == (2, 0)


def test_a_failure_is_found_or_missed_and_has_its_lead_time():
    """The first alert that stood in the horizon gives the lead; an alert long over, of another asset, or too late gives none."""
    alerts = [
        *life("early", 0, returned=H),
        *life("first", 16 * D, returned=17 * D),
        *life("second", 18 * D),
        *life("late", 21 * D),
        *life("other", 19 * D, asset="fan-1"),
    ]
    failed = work("w1", WorkKind.REPAIR, 20 * D, failure_mode="VIB", downtime_s=7200.0, finished_ns=20 * D + 2 * H)
    missed = work("w2", WorkKind.REPLACEMENT, 12 * D, asset="mill-2", failure_mode="BRD")

    found = month(alerts, (), [failed, missed], assets=("pump-7", "fan-1", "mill-2"), horizon_s=3 * 86400.0)

    assert found.failures == 2
    assert [each.job.work_order for each in found.missed] == ["w2"]
    assert found.leads_s == (4 * 86400.0,)
    assert (found.precision.true, found.precision.unlabelled) == (2, 3)


def test_what_a_job_names_is_what_it_is_of():
    """Where the work order names its alert, the others before it are not made true by it; an alert may name the order too."""
    alerts = [*life("a0", D), *life("a1", 2 * D), *life("a2", 3 * D, work_order="w2")]
    jobs_done = [
        work("w1", WorkKind.REPAIR, 4 * D, failure_mode="VIB", alert_id="a1"),
        work("w2", WorkKind.REPAIR, 5 * D, failure_mode="VIB"),
    ]

    found = month(alerts, (), jobs_done)

    assert found.leads_s == (2 * 86400.0, 2 * 86400.0)
    assert (found.precision.true, found.precision.unlabelled) == (2, 1)


def test_planned_work_is_no_failure_and_judges_nothing():
    """A scheduled replacement after a drift says neither that the alert was true nor that the machine failed."""
    alerts = life("a0", D)
    found = month(alerts, (), [work("w1", WorkKind.REPLACEMENT, 2 * D, planned=True, alert_id="a0")])

    assert (found.failures, found.precision.unlabelled, found.actioned.value) == (0, 1, 1.0)
    assert found.by_class[0].failures == 0


def test_time_between_failures_is_running_hours_by_corrective_failures():
    """Two failures in 730.5 running hours; repairs of 2 h and 4 h; one that is open is not in the mean."""
    records = [
        work("w1", WorkKind.REPAIR, 5 * D, downtime_s=7200.0),
        work("w2", WorkKind.OPENED, 8 * D, failure_mode="VIB"),
        work("w2", WorkKind.CLOSED, 8 * D + 4 * H),
        work("w3", WorkKind.OPENED, 9 * D, failure_mode="ELP"),
        work("w4", WorkKind.REPAIR, 9 * D, planned=True, downtime_s=999.0),
    ]

    (found,) = month((), (), records).by_asset

    assert (found.name, found.failures, found.repaired, found.open) == ("pump-7", 3, 2, 1)
    assert found.mtbf_h.value == pytest.approx(MONTH_S / 3600 / 3)
    assert found.mttr_h == pytest.approx(3.0)
    assert found.measured


def test_running_time_that_nobody_measured_is_what_was_observed_less_the_down_time():
    """And the figure says that it was not measured."""
    exposures = {"pump-7": Exposure(asset="pump-7", observed_s=36000.0)}

    (found,) = month((), (), [work("w", WorkKind.REPAIR, D, downtime_s=7200.0)], exposures=exposures).by_asset

    assert (found.running_h, found.measured) == (8.0, False)


def test_acknowledged_in_time_counts_what_is_due():
    """Acknowledged at once, too late, never, and one whose window is still open."""
    alerts = [
        *life("a0", 0, acknowledged=H // 2),
        *life("a1", D, acknowledged=D + 2 * H),
        *life("a2", 2 * D),
        *life("a3", MONTH - H // 2),
    ]

    found = month(alerts)

    assert (found.acknowledged, found.acknowledged_of) == (1, 3)


def test_a_flood_begins_over_ten_in_ten_minutes_and_ends_under_five():
    """11, 5, 4, 10: two windows of flood; ten alone are none. Each owner has his own screen."""
    windows = [11, 5, 4, 10]
    alerts = [t for w, count in enumerate(windows) for n in range(count) for t in life(f"{w}-{n}", w * 600 * S + n * S)]

    (found,) = month(alerts, until_ns=100 * 600 * S).floods

    assert (found.windows, found.most, found.time_share) == (2, 11, 0.02)


def test_chattering_and_stale_alarms_are_named():
    """Three announcements in a minute chatter; an alert that stands for more than a day is stale."""
    chatter = [
        transition("c", Change.RAISED, 0),
        transition("c", Change.REALARMED, 30 * S, raised_ns=0),
        transition("c", Change.REALARMED, 60 * S, raised_ns=0),
        transition("c", Change.RETURNED_TO_NORMAL, 61 * S, raised_ns=0),
    ]
    calm = [transition("n", Change.RAISED, 5 * D), transition("n", Change.REALARMED, 5 * D + 61 * S, raised_ns=5 * D)]

    found = month([*chatter, *calm])

    assert (found.chattering, found.stale) == (("c",), ("n",))


def test_volume_is_told_against_the_budget():
    """Four alerts of two assets in a month are two an asset and month, and 0.92 an engineer and week."""
    alerts = [t for n in range(4) for t in life(f"a{n}", n * D, returned=n * D + H)]
    quiet = transition("s", Change.SUPPRESSED, D, suppressed_by=SuppressedBy.MAINTENANCE_WINDOW)

    found = month([*alerts, quiet], assets=("pump-7", "fan-1")).volume

    assert found.alerts == 4
    assert found.per_asset_month.value == pytest.approx(2.0)
    assert found.per_engineer_week.value == pytest.approx(4 / (MONTH_S / 604800))
    assert found.suppressed == (("maintenance_window", 1),)
    assert found.by_asset == (("pump-7", 4),)


def test_rules_that_never_changed_an_outcome_come_first():
    """Rules are told apart without the figures of each alert."""
    idle = [t for n in range(3) for t in life(f"i{n}", n * D, returned=n * D + H, rule=f"score {n}.5 at or above 1.00")]
    useful = life("u", 9 * D, rule="vibration over the limit", severity=Severity.CRITICAL, work_order="w9")

    first, second = month([*useful, *idle]).rules

    assert (first.rule, first.alerts, first.idle) == ("score # at or above #", 3, True)
    assert (second.policy, second.severity, second.actioned, second.idle) == ("pumps", "critical", 1, False)


def test_avoided_cost_states_what_it_rests_on():
    """Ten hours at 1,000 saved, two hours of planned stop and one useless check paid."""
    alerts = [*life("a0", D), *life("a1", 9 * D, returned=9 * D + H)]
    commands = labelled("a0", Verdict.TRUE, 20 * D)
    jobs_done = [work("w1", WorkKind.REPAIR, 3 * D, planned=True, alert_id="a0", downtime_s=7200.0)]
    given = Assumptions(downtime_cost_h=1000.0, failure_hours=10.0, check_cost=50.0)

    found = month(alerts, commands, jobs_done, assumptions=given).avoided

    assert found.value == pytest.approx(10_000 - 2_000 - 50)
    assert len(found.assumptions) == 5
    assert month(alerts, commands, jobs_done).avoided.value is None


def test_a_dossier_is_alert_work_order_note_and_trend():
    """One has all, one lacks the note, one has only its trend."""
    alerts = [*life("a0", D), *life("a1", 9 * D, work_order="w1"), *life("a2", 10 * D)]
    records = [work("w0", WorkKind.REPAIR, 2 * D, planned=True, alert_id="a0", note="bearing was dry")]

    found = month(alerts, (), records).dossiers

    assert (found.alerts, found.complete, found.with_work_order, found.with_note, found.with_trend) == (3, 1, 2, 1, 3)


@pytest.mark.parametrize(("later", "drifted"), [(Verdict.FALSE, True), (Verdict.TRUE, False)])
def test_a_fall_of_precision_is_told_from_chance(later, drifted):
    """20 true then 20 false is no chance; all true is none either; five outcomes are too few to say."""
    alerts, commands = [], []
    for n in range(40):
        alerts += life(f"a{n:02}", n * H, returned=n * H + 1)
        commands += labelled(f"a{n:02}", Verdict.TRUE if n < 20 else later, 20 * D)

    assert month(alerts, commands).drift.drifted is drifted
    few = month(alerts[:10], commands).drift
    assert (few.tested, few.drifted) == (False, False)
    assert few.sentence == "insufficient evidence: 5 judged alerts, 30 are needed"


def test_jobs_are_made_of_their_records_in_any_order():
    """Opened, noted, repaired, closed is one job; a note without a number is none."""
    records = [
        work("w", WorkKind.OPENED, D, alert_id="a"),
        work("w", WorkKind.NOTE, 2 * D, note="smells burnt"),
        work("w", WorkKind.REPAIR, 3 * D, failure_mode="OHE"),
        work("w", WorkKind.CLOSED, 4 * D),
        work("", WorkKind.NOTE, 4 * D, note="passed by"),
    ]

    (job,) = jobs(records[::-1] + records)

    assert (job.opened_ns, job.stopped_ns, job.finished_ns, job.notes) == (D, 3 * D, 4 * D, 1)
    assert (job.failure, job.alert_ids, job.failure_mode) == (True, ("a",), "OHE")


def test_the_stop_is_what_is_stated_or_what_an_order_is_for():
    """Down time before the end; the repair, where the order answers an alert; the opening, where a failure opened it."""
    opened, repaired = work("w", WorkKind.OPENED, D), work("w", WorkKind.REPAIR, 3 * D)
    answers = work("w", WorkKind.OPENED, D, alert_id="a")
    stated = work("w", WorkKind.REPAIR, 3 * D, downtime_s=3600.0, finished_ns=3 * D)

    stops = [jobs(each)[0].stopped_ns for each in ([opened, repaired], [answers, repaired], [opened, stated])]

    assert stops == [D, 3 * D, 3 * D - H]


def test_the_end_of_an_alert_is_its_last_return():
    """What came back after a return to normal stands."""
    returned = transition("a", Change.RETURNED_TO_NORMAL, H, raised_ns=0, state=AlarmState.RETURNED_UNACKNOWLEDGED)
    again = transition("a", Change.REALARMED, 2 * H, raised_ns=0)
    first = transition("a", Change.RAISED, 0)

    assert incidents([first, returned])[0].ended_ns == H
    assert incidents([first, returned, again])[0].ended_ns is None


def test_the_workshop_sees_emergencies_spares_diagnosis_and_how_alerts_ended():
    """A repair ten days after its alert, one without any, planned work; one alert over by itself, one that stands."""
    alerts = [
        *life("a0", D, returned=11 * D),
        *life("a1", 12 * D, returned=12 * D + H),
        *life("a2", 25 * D),
    ]
    records = [
        work("w0", WorkKind.OPENED, 2 * D, alert_id="a0", failure_mode="VIB"),
        work("w0", WorkKind.REPAIR, 11 * D, alert_id="a0", downtime_s=3 * 3600.0),
        work("w1", WorkKind.REPLACEMENT, 14 * D, "fan-1", downtime_s=3600.0),
        work("w2", WorkKind.REPLACEMENT, 15 * D, "fan-1", planned=True, downtime_s=1800.0),
    ]
    commands = labelled("a1", Verdict.FALSE, 13 * D)

    found = month(alerts, commands, records, assets=("pump-7", "fan-1")).maintenance

    assert (found.emergency, found.emergency_h, found.planned, found.planned_h) == (2, 4.0, 1, 0.5)
    assert (found.replacements, found.foreseen) == (2, 1)
    assert (found.diagnosed, found.diagnosis_s) == (2, 86400.0)
    assert (found.after_action, found.by_itself, found.standing) == (1, 1, 1)


def test_what_was_never_raised_is_no_alert():
    """Suppressed from its beginning to its end: told with its reason, counted there, and asked of nobody."""
    held = [
        transition("s", Change.SUPPRESSED, D, suppressed_by=SuppressedBy.PARENT),
        transition("s", Change.UNSUPPRESSED, 2 * D, raised_ns=D),
        transition("s", Change.CLOSED, 3 * D, raised_ns=D),
    ]

    found = month(held).volume

    assert (found.alerts, found.suppressed) == (0, (("parent", 1),))


times = st.integers(0, 29).map(lambda day: day * D)
lives = st.lists(st.tuples(times, st.sampled_from([None, Verdict.TRUE, Verdict.FALSE, Verdict.NEUTRAL])), max_size=12)


@settings(deadline=None)
@given(lives=lives, repairs=st.lists(times, max_size=4), seed=st.integers(0, 999))
def test_repeats_and_order_change_nothing_and_the_bounds_hold(lives, repairs, seed):
    """At-least-once delivery in any order gives the same report; parts add up; lower bounds are lower."""
    alerts, commands = [], []
    for n, (at, verdict) in enumerate(lives):
        alerts += life(f"a{n}", at + n, returned=at + n + H, asset=f"p{n % 3}")
        if verdict is not None:
            commands += labelled(f"a{n}", verdict, MONTH, asset=f"p{n % 3}", from_ns=n, until_ns=n + 1)
    records = [work(f"w{n}", WorkKind.REPAIR, at, asset=f"p{n % 3}") for n, at in enumerate(repairs)]
    assets = ("p0", "p1", "p2")
    found = month(alerts, commands, records, assets=assets)
    shuffled, again = alerts * 2, records * 2
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(again)

    assert month(shuffled, commands, again, assets=assets) == found
    counts = found.precision
    assert counts.true + counts.false + counts.neutral + counts.unlabelled == found.volume.alerts == len(lives)
    if counts.left_out.value is not None:
        assert counts.counted_false.value <= counts.left_out.value
    assert found.failures == len(found.leads_s) + len(found.missed)
    assert all(lead >= 0 for lead in found.leads_s)
    assert sum(rule.alerts for rule in found.rules) == found.volume.alerts
    assert sum(each.failures for each in found.by_class) == sum(each.failures for each in found.by_asset)
    for figure in (counts.counted_false, counts.left_out, found.actioned, found.volume.per_asset_month):
        assert figure.value is None or figure.lower <= figure.value <= figure.upper
