"""The alarm budget: of an asset and month, of an engineer and week, or both; the stricter one selects."""

from __future__ import annotations

import pytest

from foreshock.alerts import budget
from foreshock.alerts.default import TEXT
from foreshock.alerts.fields import FilesRejected
from foreshock.alerts.files import DEFAULT, load_text
from foreshock.alerts.outcomes.reliability import Exposure
from foreshock.alerts.outcomes.report import MONTH_S, Given, report
from foreshock.alerts.policy import Policy


def policy(name: str, keys: str = "") -> Policy:
    """The default policy with other budgets."""
    text = TEXT.replace('name = "default"', f'name = "{name}"')
    return load_text(f"{name}.toml", f"{keys}\n{text}")


def test_the_week_of_an_engineer_selects_where_it_is_the_stricter() -> None:
    """Two alerts a week for somebody with 100 machines are less than one a month for each of them."""
    mild = policy("mild", "budget_per_engineer_week = 60\nassets_per_engineer = 100")
    strict = policy("strict", "budget_per_engineer_week = 2\nassets_per_engineer = 100")

    assert budget.of(mild) == 1.0
    assert budget.of(strict) == pytest.approx(2 * 52.1786 / 12 / 100, rel=1e-4)
    assert (strict.bands[0].n, strict.bands[0].on_delay_s) == (4, 60.0)  # the line of 0.01: 0.087 is below that of 0.1
    assert budget.factor(budget.of(strict), 1.0) == pytest.approx(1.8 / 1.3)


def test_without_a_number_of_machines_the_month_selects() -> None:
    """A week's budget alone cannot be told by asset; it is reported."""
    assert budget.of(policy("week", "budget_per_engineer_week = 2")) == 1.0


def test_machines_without_a_week_are_told() -> None:
    """A key that would do nothing is no policy."""
    with pytest.raises(FilesRejected, match="nothing without budget_per_engineer_week"):
        policy("half", "assets_per_engineer = 20")


def test_a_policy_without_the_key_has_the_version_it_had() -> None:
    """Assets keep their policy over the release that brought it."""
    assert policy("default").version == DEFAULT.version


def test_the_report_takes_the_budgets_of_the_policies() -> None:
    """Their mean by the time that assets were watched, the least of the weeks, and each policy by itself."""
    pumps = policy("pumps", "budget_per_asset_month = 0.1\nbudget_per_engineer_week = 5")
    watched = {
        name: Exposure(asset=name, observed_s=months * MONTH_S) for name, months in (("a", 3.0), ("b", 1.0), ("c", 1.0))
    }
    given = Given(from_ns=0, until_ns=int(3 * MONTH_S * 1e9), transitions=(), exposures=watched, policies={"a": pumps})
    volume = report(given).volume

    assert volume.budget_per_asset_month == pytest.approx((0.1 * 3 + 1.0 * 2) / 5)
    assert volume.budget_per_engineer_week == 5
    assert [(each.policy, each.assets, each.budget_per_asset_month) for each in volume.by_policy] == [
        ("default", 2, 1.0),
        ("pumps", 1, 0.1),
    ]
