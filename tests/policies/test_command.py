"""`foreshock policy check` and `test`: what they print, and with which exit code they end."""

import json
from pathlib import Path

from typer.testing import CliRunner

from foreshock.cli import app
from foreshock.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "policies"
BAD = ROOT / "tests" / "policies" / "bad"
FAILING = 'title = "t"\npolicy = "one_band.toml"\nscores = "1.2x6"\nexpect = ["10s raised watch"]\n'


def run(*arguments):
    return CliRunner().invoke(app, ["policy", *map(str, arguments)])


def test_check_names_what_it_read():
    """Sound files are listed with the version and the levels of each policy."""
    found = run("check", EXAMPLES)

    assert found.exit_code == 0
    assert "pumps-hamburg@" in found.output
    assert "gearbox at acme/*/kiln: info from 0.9 to below 0.7" in found.output


def test_check_ends_with_2_where_something_is_wrong():
    """A wrong file ends the command as a wrong setting does; with --json each problem is a line with its place."""
    plain, told = run("check", BAD / "wrong_types.toml"), run("check", "--json", BAD / "wrong_types.toml")

    assert isinstance(plain.exception, ConfigurationError)
    assert plain.exception.exit_code == told.exit_code == 2
    problems = [json.loads(line) for line in told.output.splitlines()]
    assert [problem["line"] for problem in problems] == [2, 3, 4, 5, 7, 14]
    assert all(problem["wrong"] and not problem["ok"] for problem in problems)


def test_check_without_files_says_what_to_name(tmp_path, monkeypatch):
    """Where neither files nor settings name a policy there is nothing to check, and that is no success."""
    monkeypatch.chdir(tmp_path)

    assert "set alerts.policies" in str(run("check").exception)


def test_tests_are_run_and_counted(tmp_path):
    """Tests that pass are a line each; one that fails shows both sides, and ends the command with 1."""
    (tmp_path / "one_band.toml").write_text((BAD.parent / "base" / "one_band.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "late.toml").write_text(FAILING, encoding="utf-8")

    good, bad = run("test", EXAMPLES / "tests"), run("test", EXAMPLES / "tests", tmp_path / "late.toml")
    told = run("test", "--json", tmp_path / "late.toml")

    assert (good.exit_code, bad.exit_code, told.exit_code) == (0, 1, 1)
    assert good.output.splitlines()[-1] == "3 of 3 pass"
    assert bad.output.splitlines()[-1] == "3 of 4 pass; - did not come, + was not expected"
    assert [line.strip().partition("  (")[0] for line in bad.output.splitlines()[-3:-1]] == [
        "+ 0s raised watch",
        "- 10s raised watch",
    ]
    assert json.loads(told.output)["passed"] is False


def test_a_test_that_cannot_be_read_is_no_failure(tmp_path):
    """A slip in a test ends the command with 2 before any test is run."""
    (tmp_path / "slip.toml").write_text(FAILING.replace("raised", "rised"), encoding="utf-8")

    found = run("test", "--json", EXAMPLES / "tests", tmp_path / "slip.toml")

    assert found.exit_code == 2
    assert "did you mean raised?" in found.output
