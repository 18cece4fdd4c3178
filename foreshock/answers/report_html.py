"""The report as one HTML file that needs nothing else: no script, no font, no request; light and dark, and on paper. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from foreshock.alerts.outcomes.report import Report
from foreshock.answers.report_sections import Headline, Section, Table, headlines, period, sections

# Colours are told apart in lightness too, and each has its word beside it: nothing is said by colour alone.
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #55606e; --line: #d7dce2; --page: #fff; --card: #f5f7f9;
  --good: #1a7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b3; --line: #313a46; --page: #12161c;
  --card: #1b212a; --good: #5fd39a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; max-width: 75ch; }
.period { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.5rem 0; padding: 0;
  list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem .9rem; }
.cards b { display: block; font-size: 1.2rem; line-height: 1.3; margin: .15rem 0; }
.cards span, .cards small { display: block; color: var(--soft); font-size: .85rem; line-height: 1.35; }
.good b { color: var(--good); } .bad b { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; min-width: 3.5rem; }
th { color: var(--soft); font-weight: 600; overflow-wrap: normal; }
.n { text-align: right; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def html(found: Report) -> str:
    """Write the report; every name is escaped."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Report) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Alerts, {escape(period(found))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f'<h1>Alerts and what became of them</h1>\n<p class="period">{escape(period(found))}</p>'
    yield '<ul class="cards">'
    for headline in headlines(found):
        yield _card(headline)
    yield "</ul>"
    for section in sections(found):
        yield from _section(section)
    yield "</main>\n</body>\n</html>"


def _card(of: Headline) -> str:
    kind = {True: ' class="good"', False: ' class="bad"', None: ""}[of.good]
    return f"<li{kind}><span>{escape(of.name)}</span><b>{escape(of.figure)}</b><small>{escape(of.meaning)}</small></li>"


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    for sentence in section.sentences:
        yield f"<p>{escape(sentence)}</p>"
    if section.table is not None:
        yield from _table(section.table)
    yield "</section>"


def _table(table: Table) -> Iterator[str]:
    numbers = [each.startswith(">") for each in table.columns]
    # A wide table scrolls by itself, also by keyboard.
    yield '<div class="wide" tabindex="0">\n<table>\n<thead><tr>'
    for name, number in zip(table.columns, numbers, strict=True):
        yield f'<th scope="col"{_align(number)}>{escape(name.removeprefix(">"))}</th>'
    yield "</tr></thead>\n<tbody>"
    for row in table.rows:
        cells = (f"<td{_align(number)}>{escape(cell)}</td>" for cell, number in zip(row, numbers, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</div>"
    if table.left_out:
        yield f"<p>and {table.left_out} more.</p>"


def _align(number: bool) -> str:
    return ' class="n"' if number else ""
