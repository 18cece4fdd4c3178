"""Zones of velocity: boundaries by group and support, the change from the baseline, who is exempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import Asset, MeasuringPoint, Zones
from foreshock.features import zones

POINT = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
RIGID = zones.boundaries(zones.PART_3, "2", "rigid")
speeds = st.floats(0.0, 0.1)


@pytest.mark.parametrize(
    ("group", "support", "figures"),
    [
        ("1", "rigid", (2.3, 4.5, 7.1)),
        ("1", "flexible", (3.5, 7.1, 11.0)),
        ("2", "rigid", (1.4, 2.8, 4.5)),
        ("Group 2", "Flexible", (2.3, 4.5, 7.1)),
    ],
)
def test_boundaries_of_part_3(group, support, figures):
    """The well-known figures, in m/s."""
    found = zones.boundaries(zones.PART_3, group, support)

    assert (found.a_b, found.b_c, found.c_d) == pytest.approx([f * 1e-3 for f in figures])
    assert found.part == "ISO 20816-3"


@pytest.mark.parametrize(("part", "group", "support"), [("ISO 20816-3", "9", "rigid"), ("ISO 20816-9", "1", "rigid")])
def test_nothing_is_made_up(part, group, support):
    """A group or a part without figures has no zones."""
    assert zones.boundaries(part, group, support) is None


@pytest.mark.parametrize(
    ("mm_s", "zone", "severity"),
    [
        (0.0, "A", ""),
        (1.4, "A", ""),
        (1.401, "B", ""),
        (2.8, "B", ""),
        (2.81, "C", "warning"),
        (4.5, "C", "warning"),
        (4.6, "D", "critical"),
        (400.0, "D", "critical"),
    ],
)
def test_the_level_alone(mm_s, zone, severity):
    """Without a baseline a velocity is judged by its level; a boundary belongs to the better zone."""
    standing = zones.judge(mm_s * 1e-3, RIGID)

    assert (standing.zone, standing.severity) == (zone, severity)
    assert (standing.ratio > 1.0) == bool(severity)
    assert bool(standing.reason) == bool(severity)


@pytest.mark.parametrize(
    ("was", "now", "severity"),
    [
        (1.5, 2.1, ""),
        (1.5, 2.3, "warning"),
        (0.3, 1.1, "watch"),
        (2.4, 1.6, "watch"),
        (2.4, 1.8, ""),
        (1.0, 3.0, "warning"),
    ],
)
def test_a_change_of_more_than_a_quarter_of_the_boundary(was, now, severity):
    """From 1.5 to 2.3 mm/s is a change of 0.8, above a quarter of 2.8, though both are in zone B."""
    standing = zones.judge(now * 1e-3, RIGID, was * 1e-3)

    assert standing.severity == severity
    assert (standing.ratio > 1.0) == bool(severity)


def test_the_sentence_names_what_was_passed():
    """A person reads levels in mm/s and the standard."""
    level, change = zones.judge(5e-3, RIGID), zones.judge(2.5e-3, RIGID, 1.5e-3)

    assert level.reason == "velocity 5 mm/s is above the boundary C/D 4.5 mm/s of ISO 20816-3"
    assert "rose from 1.5 to 2.5 mm/s" in change.reason
    assert level.limit == pytest.approx(4.5e-3)
    assert change.limit == pytest.approx(2.2e-3)


def test_the_users_boundaries_come_first():
    """What is stated for the point counts, then group and support of the machine; without them there are no zones."""
    own = Zones(a_b=1e-3, b_c=2e-3, c_d=3e-3, part="works standard")
    machine = Asset(asset="p", power_group="2", support="rigid")

    assert zones.zones_of(machine, MeasuringPoint(point="DE", quantity="velocity", unit="mm/s", zones=own)) is own
    assert zones.zones_of(machine, POINT) == RIGID
    assert zones.zones_of(Asset(asset="p", rated_power_w=75e3, support="rigid"), POINT) is None
    assert zones.zones_of(machine, MeasuringPoint(point="I", quantity="current", unit="A")) is None


@pytest.mark.parametrize("name", ["moulding_machine", "Moulding machine", "injection-moulding machine"])
def test_moulding_machines_have_no_zones(name):
    """Their class is exempt, whatever else is stated."""
    own = Zones(a_b=1e-3, b_c=2e-3, c_d=3e-3)
    machine = Asset(asset="m", asset_class=name, power_group="1", support="rigid")

    assert zones.zones_of(machine, POINT) is None
    assert zones.zones_of(machine, MeasuringPoint(point="DE", quantity="velocity", unit="mm/s", zones=own)) is None


def test_a_share_of_zero_switches_the_second_criterion_off():
    """Then only levels count."""
    off = Zones(a_b=1e-3, b_c=2e-3, c_d=3e-3, change_share=0.0)

    assert zones.judge(2e-3, off, 0.0).severity == ""


@given(speeds, speeds, st.none() | speeds)
def test_more_is_never_better(one, other, baseline):
    """A higher velocity is in the same or a worse zone, and who stands above B/C always calls somebody."""
    low, high = sorted((one, other))
    standing = zones.judge(high, RIGID, baseline)

    assert zones.zone_of(low, RIGID) <= zones.zone_of(high, RIGID)
    assert bool(standing.severity) == (standing.ratio > 1.0)
    assert zones.worst((zones.zone_of(low, RIGID), zones.zone_of(high, RIGID), "")) == standing.zone
