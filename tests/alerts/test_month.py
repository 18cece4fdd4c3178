"""A month of a simulated plant: what has to be told is told, once, and nothing else; also by a Fleet that is stopped.

The figures of 50 assets and 30 days with 100 stops: `python -m tests.alerts.month`.
"""

from __future__ import annotations

import os

import pytest

from foreshock.alerts.vocabulary import Change, SuppressedBy
from tests.alerts.month import ALARMS, POLICY, Report, replay
from tests.alerts.month_plan import ORDERED, SUNDAY, Month

ASSETS, DAYS, STOPS = (int(each) for each in os.environ.get("MONTH", "12,16,100").split(","))
WARNING = 2.0  # score from which a fault is of warning size: where the band begins
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> Report:
    """One month for all tests."""
    found = replay(Month(7, ASSETS, DAYS), STOPS, 7)
    print("\n".join(found.lines()))
    return found


def test_every_fault_of_warning_size_is_alerted_before_the_machine_fails(report: Report) -> None:
    """There are some, and none is missed."""
    faults = [e for e in report.month.events if e.of_machine and report.peaks.get(e, 0.0) >= WARNING]

    assert faults
    assert [e for e in faults if report.alarmed(e) is None] == []


def test_false_alerts_are_within_the_budget(report: Report) -> None:
    """Alerts that nobody labelled count as false, those of sensor faults and of new regimes as well."""
    allowed = POLICY.budget_per_asset_month * len(report.month.machines) * report.month.days / 30

    assert len(report.false(strict=False)) <= len(report.false(strict=True)) <= allowed


def test_an_asset_has_one_incident_at_a_time(report: Report) -> None:
    """Whatever happens to it meanwhile joins it."""
    assert report.at_once() == 1


def test_nothing_is_alerted_while_somebody_works_on_a_machine(report: Report) -> None:
    """In windows of the policy and of a command: each time it is told what was not alerted, and why."""
    works = [event for event in report.month.events if event.kind in {SUNDAY, ORDERED}]
    loud = [event for event in works if report.peaks.get(event, 0.0) >= WARNING]

    assert {event.kind for event in loud} == {SUNDAY, ORDERED}
    for event in works:
        assert report.of(event, *ALARMS) == []
    for event in loud:
        reasons = {each.suppressed_by for each in report.of(event, Change.SUPPRESSED)}
        assert SuppressedBy.MAINTENANCE_WINDOW in reasons


def test_a_fleet_that_is_stopped_tells_the_same(report: Report) -> None:
    """The same transitions in the same order, each once, with the same ids."""
    assert report.again == report.told
    assert len({each.event_id for each in report.told}) == len(report.told)


def test_a_repair_ends_what_it_repaired(report: Report) -> None:
    """The incident returns to normal with it, and is closed."""
    repaired = [event for event in report.month.events if event.of_machine and report.alarmed(event) is not None]
    for event in repaired:
        name = report.month.machines[event.asset].asset
        after = [e for e in report.told if e.asset == name and e.at_ns >= report.span(event)[1]]
        assert Change.CLOSED in {each.change for each in after}


def test_the_report_of_the_month_is_what_happened(report: Report) -> None:
    """From transitions and work orders alone: each failure found that was alerted, none that was not, no alert true without one."""
    found, month = report.outcomes(), report.month
    faults = [event for event in month.events if event.of_machine and event.end < month.steps]
    alerted = [event for event in faults if report.alarmed(event) is not None]

    assert (found.failures, len(found.leads_s)) == (len(faults), len(alerted))
    assert {each.job.asset for each in found.missed} == {
        month.machines[e.asset].asset for e in faults if e not in alerted
    }
    assert found.volume.alerts == sum(each.change is Change.RAISED for each in report.told)
    assert found.precision.unlabelled >= len(report.false(strict=True))
    assert found.acknowledged_of > 0
