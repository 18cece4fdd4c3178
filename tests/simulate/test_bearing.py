"""Bearings: fault frequencies against published ones, slip, load zone."""

import numpy as np
import pytest

from foreshock.contract import Bearing
from foreshock.simulate.bearing import Element, impact_order, impulses, load, orders
from foreshock.simulate.catalogue import B6205
from foreshock.simulate.seeding import Purpose, generator


def test_orders_are_those_of_a_known_bearing():
    """The drive end bearing of the CWRU rig, SKF 6205, has the orders that its data set states."""
    found = orders(B6205)

    assert found.outer_race == pytest.approx(3.5848, abs=2e-3)
    assert found.inner_race == pytest.approx(5.4152, abs=2e-3)
    assert 2 * found.ball_spin == pytest.approx(4.7135, abs=2e-3)
    assert found.cage == pytest.approx(0.39828, abs=2e-4)


def test_races_share_out_the_balls():
    """What passes the outer and the inner race in a turn adds up to the number of balls."""
    found = orders(Bearing(name="any", balls=11, ball_diameter_m=0.011, pitch_diameter_m=0.062, contact_angle_rad=0.3))

    assert found.outer_race + found.inner_race == pytest.approx(11)


@pytest.mark.parametrize("element", list(Element))
@pytest.mark.parametrize("slip", [0.01, 0.02])
def test_impulses_come_at_the_fault_frequency_and_slip(element, slip):
    """Over many turns the rate of impacts is the fault order, and their spacing scatters by the slip."""
    rng = generator(3, 1, Purpose.BLOCK, 5)
    found = impulses(B6205, element, 2000.0, slip, rng)
    order = impact_order(B6205, element)

    assert len(found.turns) == pytest.approx(2000.0 * order, rel=0.005)
    assert np.diff(found.turns).std() * order == pytest.approx(slip, rel=0.05)
    assert np.sqrt(np.square(found.size).mean()) == pytest.approx(1.0, abs=0.05)


def test_slip_adds_up():
    """The train is pseudo-cyclostationary: the position of the k-th impulse scatters with the root of k."""
    ends = [impulses(B6205, Element.OUTER_RACE, 100.0, 0.02, generator(s, 0, Purpose.BLOCK)) for s in range(300)]
    early = np.std([e.turns[20] - e.turns[0] for e in ends])
    late = np.std([e.turns[320] - e.turns[0] for e in ends])

    assert late / early == pytest.approx(4.0, rel=0.25)


def test_inner_race_is_struck_in_the_load_zone_only():
    """A defect that travels with the shaft is silent for more than half of each turn; a fixed one is not."""
    rng = generator(3, 1, Purpose.BLOCK, 5)
    inner = impulses(B6205, Element.INNER_RACE, 500.0, 0.01, rng)
    outer = impulses(B6205, Element.OUTER_RACE, 500.0, 0.01, rng)

    assert (inner.size == 0.0).mean() > 0.5
    assert (outer.size > 0.5).mean() > 0.99


def test_load_is_largest_on_the_load_line():
    """Stribeck's distribution: 1 on the load line, 0 opposite to it."""
    assert load(np.array([0.0, 0.5, 1.0])).tolist() == pytest.approx([1.0, 0.0, 1.0])
