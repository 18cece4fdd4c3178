"""docs/policies.md and examples/policies say what holds: every key with its default, and examples that run."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from foreshock.alerts.documents import read
from foreshock.alerts.fields import FilesRejected, Table, seconds_of
from foreshock.alerts.files import load_text
from foreshock.alerts.policy import Band, Policy, Priority
from foreshock.alerts.shape import policy_of
from foreshock.alerts.trial.case import load_case
from foreshock.alerts.trial.run import run
from foreshock.alerts.vocabulary import Change
from foreshock.detectors.episodes import BUDGET_TABLE
from foreshock.policies import read_cases, read_policies

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples" / "policies"
SECTIONS = {
    "The policy": "",
    "Bands": "[[bands]]",
    "minimum_effect": "[minimum_effect]",
    "windows": "[[windows]]",
    "priority": "[priority]",
}


def rows(heading):
    """Key and default of each row of a table of the page."""
    section = re.search(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    cells = [[cell.strip() for cell in line.split("|")[1:3]] for line in section.splitlines() if line.startswith("| `")]
    return [(key, default) for keys, default in cells for key in re.findall(r"`(\w+)`", keys)]


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented(heading):
    """The tables name the keys that a file may have, and no others."""
    problems = []
    policy_of(Table("a.toml", read("a.toml", f"{SECTIONS[heading]}\nzzzzzz = 1\n"), "", problems))
    known = next(problem.fix for problem in problems if problem.key.endswith("zzzzzz"))

    assert sorted(known.removeprefix("known: ").split(", ")) == sorted(key for key, _ in rows(heading))


@pytest.mark.parametrize(("heading", "kind"), [("The policy", Policy), ("Bands", Band), ("priority", Priority)])
def test_defaults_are_those_of_the_code(heading, kind):
    """A default that the page states is the one that holds."""
    declared = {field.name: field.default for field in fields(kind)}
    for key, default in rows(heading):
        stated = re.findall(r"`([^`]*)`", default)
        if not stated or key not in {*declared, *(name.removesuffix("_s") for name in declared)}:
            continue
        value = declared.get(key, declared.get(f"{key}_s"))
        values = value if isinstance(value, tuple) else (value,)
        assert tuple(map(read_as(values[0]), stated)) == values, key


def read_as(value):
    """What reads a default of the page as the code has it."""
    return (lambda text: seconds_of(text) or float(text)) if isinstance(value, float) else type(value)


def test_budget_table_is_that_of_the_code():
    """The page has the table by which a budget selects margin and hold."""
    stated = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \| (\d) of \d \| (\d+) s \|$", PAGE, re.MULTILINE)

    assert [tuple(map(float, row)) for row in stated] == [
        (row.budget, row.margin, row.hold_blocks, row.hold_s) for row in BUDGET_TABLE
    ]


def test_every_transition_is_named():
    """Whoever writes a test finds the words for all transitions on the page."""
    assert {change for change in Change if f"`{change}`" not in PAGE} == set()


def test_example_of_the_page_does_what_it_says():
    """The policy of the page loads, and the test of the page passes on it."""
    policy, test = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    verdict = run(load_case("test.toml", test, lambda name: {"pumps.toml": policy}[name]))

    assert verdict.passed, "\n".join(verdict.lines)


def test_examples_are_sound_together():
    """The policies of examples/ load together, and their tests pass."""
    assert {policy.name for policy in read_policies([EXAMPLES])} == {"pumps-hamburg", "gearboxes-critical"}
    for case in read_cases([EXAMPLES / "tests"]):
        verdict = run(case)
        assert verdict.passed, "\n".join([verdict.title, *verdict.lines])


def test_example_with_a_slip_names_it():
    """A key that is one letter wrong in an example is told with its line and the key that was meant."""
    text = (EXAMPLES / "pumps-hamburg.toml").read_text(encoding="utf-8").replace("refractory", "refactory")

    with pytest.raises(FilesRejected, match=r"pumps\.toml:15: refactory is no key here; did you mean refractory\?"):
        load_text("pumps.toml", text)
