"""Health of a sensor: defined for every kind, within 0 and 1, and lower with each condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import QualityKind
from foreshock.features.health import LAYERS, STATUSES, VERDICTS, health, status

kinds = st.lists(st.sampled_from(list(QualityKind)), max_size=8)


@pytest.mark.parametrize("kind", list(QualityKind))
def test_every_kind_says_where_its_fault_lies_and_why(kind):
    """Layer, status signal, cause and reason are there for each; none of them is the machine by itself."""
    verdict = VERDICTS[kind]

    assert verdict.layer in set(LAYERS) - {"machine"}
    assert verdict.ne107 in STATUSES[1:]
    assert verdict.cause in {"sensor", "gateway", "pipeline"}
    assert 0.0 <= verdict.loss <= 1.0
    assert len(verdict.why) > 10


def test_a_sensor_on_which_nothing_stands_is_good():
    """1 and good."""
    assert (health([]), status([])) == (1.0, "good")


@given(kinds, st.sampled_from(list(QualityKind)))
def test_a_further_condition_never_makes_a_sensor_healthier(standing, more):
    """Health falls or stays, the status signal gets graver or stays."""
    assert 0.0 <= health([*standing, more]) <= health(standing) <= 1.0
    assert STATUSES.index(status([*standing, more])) >= STATUSES.index(status(standing))


@given(kinds)
def test_the_order_of_conditions_does_not_matter(standing):
    """Health is a figure of what stands."""
    assert health(standing) == pytest.approx(health(standing[::-1]))
    assert status(standing) == status(standing[::-1])
