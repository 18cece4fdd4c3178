"""infra/grafana: dashboards that Grafana can load, that ask for what exists, and that say whom to ask."""

import itertools
import json
import re
from dataclasses import replace

import pytest

from foreshock.streams.metrics.catalog import METRICS
from foreshock.streams.metrics.model import Owner
from tests.infra.known import ROOT, load, rules, series
from tests.infra.promql import read

FILES = sorted((ROOT / "infra" / "grafana" / "dashboards").glob("*.json"))
BOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
PANELS = [(f"{name}: {panel['title']}", panel) for name, board in BOARDS.items() for panel in board["panels"]]
SOURCES = {source["uid"] for source in load("infra/grafana/provisioning/datasources/foreshock.yaml")["datasources"]}
# Panels of Grafana itself: no plugin is needed. The figures of a dashboard and of a panel that it cannot do without.
KINDS = {"timeseries", "stat", "bargauge", "heatmap", "table", "text"}
OF_BOARD = {"uid", "title", "schemaVersion", "version", "time", "templating", "annotations", "panels", "tags"}
OF_PANEL = {"id", "type", "title", "description", "gridPos", "options"}
SAYS = re.compile(r"\S.* Owner: (?P<owner>\w+)\. Rule: (?P<rules>[\w:]+(?:, [\w:]+)*)\.")


def plain(expression):
    """A query as Prometheus gets it: Grafana's own variables have a value, others stay within quotes."""
    return expression.replace("$__rate_interval", "1m").replace("$__range", "1h")


def queries(panel):
    """The queries of a panel."""
    return [plain(target["expr"]) for target in panel.get("targets", [])]


def test_there_is_a_dashboard_for_each_question():
    """Service, fleet, asset, model, alerts and cost, each under a uid that links and the home page can rely on."""
    assert set(BOARDS) == {"service", "fleet", "asset", "model", "alerts", "cost"}
    assert {name: board["uid"] for name, board in BOARDS.items()} == {name: f"foreshock-{name}" for name in BOARDS}


@pytest.mark.parametrize("name", BOARDS)
def test_grafana_finds_what_it_needs(name):
    """Fields, ids, kinds, data sources and query letters are there and unique, and panels lie in 24 columns side by side."""
    board = BOARDS[name]
    panels = board["panels"]

    assert set(board) >= OF_BOARD
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if not set(panel) >= OF_PANEL or panel["type"] not in KINDS] == []
    for panel in panels:
        if panel["type"] != "text":
            assert panel["datasource"]["uid"] in SOURCES, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            letters = [target["refId"] for target in panel["targets"]]
            assert letters == sorted(set(letters)), panel["title"]
    assert [panel["title"] for panel in panels if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24] == []
    assert [(a["title"], b["title"]) for a, b in itertools.combinations(panels, 2) if overlap(a, b)] == []


def overlap(one, other):
    """Whether two panels lie on each other."""
    a, b = one["gridPos"], other["gridPos"]
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


def test_every_panel_says_whom_to_ask_and_which_rule_watches_it():
    """Each description ends with an owner of the catalogue and with rules that exist."""
    owners, names = {owner.value for owner in Owner}, {rule.name for rule in rules()}
    said = {place: SAYS.fullmatch(panel["description"]) for place, panel in PANELS}

    assert [place for place, match in said.items() if match is None] == []
    assert {place: match["owner"] for place, match in said.items() if match["owner"] not in owners} == {}
    assert {
        place: match["rules"] for place, match in said.items() if not set(match["rules"].split(", ")) <= names
    } == {}


def test_every_alert_has_a_panel_on_which_it_can_be_seen():
    """No alert fires on something that no dashboard shows."""
    shown = {name for _, panel in PANELS for name in SAYS.fullmatch(panel["description"])["rules"].split(", ")}

    assert {rule.name for rule in rules() if rule.alerts} - shown == set()


def test_what_panels_ask_for_is_in_the_catalogue():
    """Every name, label and label value of every query and annotation exists."""
    known = series()
    asked = [*PANELS, *((name, {"targets": board["annotations"]["list"]}) for name, board in BOARDS.items())]

    assert {
        place: problems
        for place, panel in asked
        for query in queries(panel)
        if (problems := read(query, known).problems)
    } == {}


def test_legends_name_labels_that_there_are():
    """A legend of a label that the result has not would read `{{partition}}`."""
    known = series()
    strange = {
        place: missing
        for place, panel in PANELS
        for target in panel.get("targets", [])
        if (
            missing := set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")))
            - (read(plain(target["expr"]), known).labels or set())
        )
    }

    assert strange == {}


def test_traces_are_linked_where_a_metric_carries_them():
    """A query shows exemplars only of histograms that have them, and the data source leads from `trace_id` to Jaeger."""
    carrying = {f"{metric.name}_bucket" for metric in METRICS if metric.exemplars}
    asking = {
        place: read(plain(target["expr"]), series()).names
        for place, panel in PANELS
        for target in panel.get("targets", [])
        if target.get("exemplar")
    }
    sources = load("infra/grafana/provisioning/datasources/foreshock.yaml")["datasources"]
    links = next(source for source in sources if source["uid"] == "prometheus")["jsonData"][
        "exemplarTraceIdDestinations"
    ]

    assert {place: names for place, names in asking.items() if not names <= carrying} == {}
    assert len(asking) >= 4
    assert {link["name"]: link["datasourceUid"] for link in links} == {"trace_id": "jaeger"}
    assert "jaeger" in SOURCES


@pytest.mark.parametrize("name", BOARDS)
def test_variables_are_declared_and_have_values(name):
    """Each `$name` of a query is a variable of its dashboard, whose values are those of a label that exists; none is idle."""
    board = BOARDS[name]
    declared = {each["name"]: each["query"]["query"] for each in board["templating"]["list"]}
    used = {
        found for panel in board["panels"] for query in queries(panel) for found in re.findall(r"\$\{?(\w+)", query)
    }
    known = series()

    assert used == set(declared)
    for query in declared.values():
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()
        assert label in known[metric].labels


def test_every_panel_notices_the_new_name_of_a_metric():
    """Whatever metric of the catalogue is renamed, each panel that uses it complains, and so does each variable."""
    users = {(place, query): read(query, series()).names for place, panel in PANELS for query in queries(panel)}
    blind, used = [], set()
    for metric in METRICS:
        renamed = series([replace(each, name=f"{each.name}_new") if each is metric else each for each in METRICS])
        touched = [key for key, names in users.items() if names & set(metric.series)]
        used |= {metric.name} if touched else set()
        blind += [(metric.name, place) for place, query in touched if not read(query, renamed).problems]

    assert blind == []
    assert len(used) > 50


def test_grafana_is_told_where_the_dashboards_are():
    """The provider's folder is the one that compose mounts, and the home page is a dashboard in it."""
    provider = load("infra/grafana/provisioning/dashboards/foreshock.yaml")["providers"][0]
    grafana = load("docker-compose.yml")["services"]["grafana"]
    mounts = dict(mount.rsplit(":", 2)[:2] for mount in grafana["volumes"] if mount.startswith("./"))
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert mounts["./infra/grafana/dashboards"] == provider["options"]["path"]
    assert home == f"{provider['options']['path']}/service.json"
