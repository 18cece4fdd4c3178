"""The report as people read it: figures with their intervals, nothing that a name could break, one file."""

import html.parser
import json
import re

import pytest

from foreshock.alerts.outcomes.value import Assumptions
from foreshock.alerts.vocabulary import Change, SuppressedBy, Verdict, WorkKind
from foreshock.answers.report_html import html as to_html
from foreshock.answers.report_markdown import markdown
from foreshock.answers.report_sections import SHOWN, headlines, sections
from foreshock.cli.report import Format, written
from tests.alerts.outcomes_samples import D, H, labelled, life, month, transition, work

HOSTILE = "<script>alert(1)</script>|`x`\n# y"


def whole():
    """A month with something of everything."""
    alerts = [t for n in range(6) for t in life(f"a{n}", n * D, acknowledged=n * D + H // 2, returned=n * D + H)]
    commands = [*labelled("a0", Verdict.TRUE, 20 * D), *labelled("a1", Verdict.FALSE, 20 * D)]
    quiet = transition("s", Change.SUPPRESSED, D, suppressed_by=SuppressedBy.SENSOR_FAULT)
    jobs = [
        work("w1", WorkKind.REPAIR, 6 * D, alert_id="a0", failure_mode="VIB", downtime_s=7200.0, note="spalled"),
        work("w2", WorkKind.REPLACEMENT, 9 * D, asset=HOSTILE, failure_mode="BRD"),
    ]
    costs = Assumptions(downtime_cost_h=1000.0, failure_hours=8.0)
    return month([*alerts, quiet], commands, jobs, assets=("pump-7", HOSTILE), assumptions=costs)


class Reader(html.parser.HTMLParser):
    """Notes which elements a page has, and whether all were closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_one_file_that_asks_for_nothing():
    """No script, no link, no image, no address: it can be mailed, and opens in twenty years."""
    page = Reader()
    page.feed(to_html(whole()))

    assert page.open == []
    assert {tag for tag, _ in page.seen} & {"script", "link", "img", "iframe", "object"} == set()
    assert not any({"src", "href", "style", "onload"} & attrs.keys() for _, attrs in page.seen)
    assert "prefers-color-scheme: dark" in to_html(whole())
    assert ("html", {"lang": "en"}) in page.seen


def test_names_are_shown_and_never_run():
    """An asset may be called anything: the page shows it as text, Markdown keeps its table."""
    page = Reader()
    page.feed(to_html(whole()))
    row = next(line for line in markdown(whole()).splitlines() if "BRD" in line)

    assert "<script>alert(1)</script>" in "".join(page.text)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert "<script" not in markdown(whole()).replace(r"\<", "")


def test_every_format_says_the_same_figures():
    """What stands in the JSON stands in the words."""
    found = whole()
    tree = json.loads(written(found, Format.JSON))

    assert tree["precision"]["true"] == 1
    assert tree["missed"][0]["job"]["work_order"] == "w2"
    for text in (written(found, Format.MARKDOWN), written(found, Format.HTML)):
        assert "17% to 50%" in text
        assert "1 of 2" in text
        assert "1 sensor fault" in text
        assert "6,000 EUR" in text


@pytest.mark.parametrize("form", list(Format))
def test_an_empty_month_is_a_report_too(form):
    """Nothing happened: no figure is made up, and nothing breaks."""
    text = written(month(), form)

    assert "None" not in text
    assert re.search(r"\bnan\b", text, re.IGNORECASE) is None
    assert "not known" in text or form is Format.JSON


def test_a_long_table_says_how_much_it_leaves_out():
    """Twenty rows are shown; the rest is counted."""
    alerts = [t for n in range(SHOWN + 3) for t in life(f"a{n}", n * D, asset=f"p{n}")]
    table = next(each.table for each in sections(month(alerts)) if each.title == "Alerts against the budget")

    assert (len(table.rows), table.left_out) == (SHOWN, 3)
    assert "and 3 more." in markdown(month(alerts))


@pytest.mark.parametrize(("false", "good"), [(0, None), (20, False)])
def test_a_budget_is_broken_where_even_the_lower_bound_is_over_it(false, good):
    """No alert in one asset-month may be luck; twenty false ones against a budget of one are not."""
    alerts = [t for n in range(false) for t in life(f"a{n}", n * D, returned=n * D + H)]

    assert headlines(month(alerts))[0].good is good
