"""infra/prometheus: Prometheus takes it, each alert fires when it should, and what it asks for exists."""

import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from foreshock.streams.metrics.catalog import METRICS
from foreshock.streams.metrics.model import Owner
from tests.infra.known import PROMETHEUS, ROOT, RULE_FILES, load, rules, series
from tests.infra.promql import read

RULES = rules()
ALERTS = [rule for rule in RULES if rule.alerts]
TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))
_MISSING = shutil.which("promtool") is None


@pytest.fixture
def promtool():
    """A way to run promtool; where it is not installed the test is skipped, but fails in CI."""
    if _MISSING and os.environ.get("CI") == "true":
        pytest.fail("promtool is not installed (Debian: apt-get install prometheus)")
    if _MISSING:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")

    def run(*arguments):
        done = subprocess.run(
            ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, cwd=PROMETHEUS
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_prometheus_takes_its_configuration_and_every_rule(promtool):
    """`promtool check config` reads prometheus.yml and the rule files that it names."""
    code, said = promtool("check", "config", "prometheus.yml")

    assert code == 0, said
    assert [path.name for path in RULE_FILES if path.name not in said] == []


@pytest.mark.slow  # days of samples
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_stay_quiet_when_not(promtool, path):
    """promtool's unit tests of a rule file pass."""
    code, said = promtool("test", "rules", path)

    assert code == 0, said


def test_every_alert_is_tested_firing_and_quiet():
    """Each alert has a promtool test that sees it fire, and one that sees it quiet; no test is of an alert that is gone."""
    fired, quiet = set(), set()
    for path in TESTS:
        for test in load(path.relative_to(ROOT))["tests"]:
            fired |= {
                name
                for each in test.get("promql_expr_test", [])
                if each["exp_samples"]
                for name in re.findall(r'alertname="(\w+)"', each["expr"])
            }
            quiet |= {each["alertname"] for each in test.get("alert_rule_test", []) if not each.get("exp_alerts")}

    assert fired == {alert.name for alert in ALERTS}
    assert quiet == {alert.name for alert in ALERTS}


def test_what_rules_ask_for_is_in_the_catalogue():
    """Every name, label and label value of every expression exists, and both sides of every operator can meet."""
    known = series()

    assert {rule.name: problems for rule in RULES if (problems := read(rule.expression, known).problems)} == {}


def test_every_alert_says_who_answers_for_it_and_what_to_do():
    """Each alert has a severity, an owner of the catalogue, a summary, a description and its own page of docs/runbooks/."""
    owners = {owner.value for owner in Owner}

    assert [alert.name for alert in ALERTS if alert.severity not in {"critical", "warning"}] == []
    assert [alert.name for alert in ALERTS if alert.owner not in owners] == []
    assert [
        alert.name for alert in ALERTS if not (alert.annotations["summary"] and alert.annotations["description"])
    ] == []
    assert {alert.annotations["runbook_url"] for alert in ALERTS} == {
        f"docs/runbooks/{alert.name}.md" for alert in ALERTS
    }
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


def test_words_of_an_alert_name_labels_that_it_has():
    """Each label that a summary or description quotes is one of the alert's: else a person reads "partition  is behind"."""
    known = series()
    strange = {
        alert.name: quoted
        for alert in ALERTS
        if (
            quoted := set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
            - (read(alert.expression, known).labels or set())
        )
    }

    assert strange == {}


class TestRenaming:
    """What happens when the code changes and the rules do not."""

    def test_every_rule_that_uses_a_metric_notices_its_new_name(self):
        """Whatever metric of the catalogue is renamed, each rule that uses it complains."""
        users = {rule: read(rule.expression, series()).names for rule in RULES}
        blind = {}
        for metric in METRICS:
            renamed = series([replace(each, name=f"{each.name}_new") if each is metric else each for each in METRICS])
            blind[metric.name] = [
                rule.name
                for rule, names in users.items()
                if names & set(metric.series) and not read(rule.expression, renamed).problems
            ]

        assert {name: rules for name, rules in blind.items() if rules} == {}
        assert sum(1 for metric in METRICS if any(names & set(metric.series) for names in users.values())) > 30

    def test_a_label_that_is_renamed_is_noticed(self):
        """With `partition` of the lag renamed, the alert on it complains and names the label."""
        lag = next(metric for metric in METRICS if metric.name == "foreshock_lag_seconds")
        other = replace(lag, labels=(replace(lag.labels[0], name="shard"),))
        known = series([other if each is lag else each for each in METRICS])
        alert = next(alert for alert in ALERTS if alert.name == "ForeshockLag")

        assert read(alert.expression, known).problems == ["max over partition, which nothing there has"]

    def test_a_value_that_is_renamed_is_noticed(self):
        """With the reason `internal_error` gone, the alert on it complains."""
        letters = next(metric for metric in METRICS if metric.name == "foreshock_dead_letters_total")
        other = replace(letters, labels=(replace(letters.labels[0], values=("malformed",)),))
        known = series([other if each is letters else each for each in METRICS])
        alert = next(alert for alert in ALERTS if alert.name == "ForeshockInternalErrors")

        assert read(alert.expression, known).problems == [
            "foreshock_dead_letters_total is never with reason 'internal_error'"
        ]
