"""docs/runbooks: a page for each alert, whose commands and metrics exist."""

import re
import shlex

import pytest
import typer

from foreshock.cli import app
from foreshock.contract import Reason
from foreshock.streams.metrics.catalog import METRICS
from tests.infra.known import ROOT, RUNBOOKS, rules, series

ALERTS = {rule.name: rule for rule in rules() if rule.alerts}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(RUNBOOKS.glob("*.md")) if path.stem != "README"}
INDEX = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
COMMAND = typer.main.get_command(app)
PARTS = ["Meaning", "Impact", "Look", "Do", "Who"]
OTHER_TOOLS = {"kafka-consumer-groups.sh", "kafka-configs.sh", "openssl", "curl", "docker", "df"}
SETTINGS = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)
METRIC_NAMES = {metric.name for metric in METRICS} | set(series())


def commands(page):
    """Command lines of the page: those in its block, and those of ours in its sentences."""
    block = re.search(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    lines = [re.split(r"\s{2,}# ", line)[0] for line in block.splitlines()]
    return [line for line in lines if line], re.findall(r"`(foreshock [^`]+)`", page)


def test_each_alert_has_its_page_and_each_page_its_alert():
    """Pages, rules and the index name the same alerts."""
    assert set(PAGES) == set(ALERTS)
    assert re.findall(r"^\| \[(\w+)\]", INDEX, re.MULTILINE) == re.findall(r"\((\w+)\.md\)", INDEX)
    assert set(re.findall(r"^\| \[(\w+)\]", INDEX, re.MULTILINE)) == set(ALERTS)


@pytest.mark.parametrize("name", PAGES)
def test_page_says_the_five_things(name):
    """What it means, what it does to people, what to look at, what to do, and who: with severity and owner of the rule."""
    page, rule = PAGES[name], ALERTS[name]

    assert page.startswith(f"# {name}\n")
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == PARTS
    assert page.splitlines()[2].startswith(f"{rule.severity}: ")
    assert f"owner: {rule.owner} ·" in page.splitlines()[2]
    assert f"infra/prometheus/rules/{rule.file}" in page.splitlines()[2]
    assert page.rstrip().splitlines()[-1].lower().startswith(f"{rule.owner}: ")
    assert f"| {rule.severity} | {rule.owner} |" in next(line for line in INDEX.splitlines() if f"[{name}]" in line)


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_page_can_be_typed(name):
    """Every command of ours exists with its options; tools of others are known ones."""
    block, in_sentences = commands(PAGES[name])
    ours = [line for line in block if line.startswith("foreshock ")] + in_sentences

    assert block
    assert [line for line in block if line.split()[0] not in OTHER_TOOLS | {"foreshock"}] == []
    assert {line: fault for line in ours if (fault := refused(shlex.split(line)[1:]))} == {}


def refused(words):
    """Why the command line would not take these words; "" if it would. A word in capitals stands for a value."""
    command = COMMAND
    while hasattr(command, "commands"):  # a group
        if not words:
            return ""
        command, words = command.commands.get(words[0]), words[1:]
        if command is None:
            return "no such command"
    options = [option for option in command.params if option.param_type_name == "option"]
    known = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    while words:
        word, words = words[0], words[1:]
        if word.startswith("--"):
            if word not in known:
                return f"no option {word}"
            words = words if known[word].is_flag else words[1:]
    return ""


@pytest.mark.parametrize("name", PAGES)
def test_words_of_a_page_exist(name):
    """Links lead somewhere; settings, metrics and reasons of dead letters that a page names are there."""
    page = PAGES[name]
    settings = set(SETTINGS.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8")))
    sections = {each.split(".")[0] for each in settings}
    quoted = set(re.findall(r"`([a-z]+\.[a-z_]+)`", page))

    assert [link for link in re.findall(r"\]\(([^)#]+)\)", page) if not (RUNBOOKS / link).exists()] == []
    assert {each for each in quoted if each.split(".")[0] in sections and each not in settings} == set()
    assert set(re.findall(r"\bforeshock_\w+", page)) <= METRIC_NAMES
    assert set(re.findall(r"--reason ([a-z_]+)", page)) <= {reason.value for reason in Reason}
