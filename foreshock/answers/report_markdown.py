"""The report as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from foreshock.alerts.outcomes.report import Report
from foreshock.answers.report_sections import Table, headlines, period, sections

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(found: Report) -> str:
    """Write the report; names of assets and rules are escaped, whatever is in them."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Report) -> Iterator[str]:
    yield "# Alerts and what became of them"
    yield ""
    yield f"{period(found)}."
    yield ""
    yield "| | | |"
    yield "| --- | --- | --- |"
    for each in headlines(found):
        yield f"| {each.name} | **{each.figure}** | {each.meaning} |"
    for section in sections(found):
        yield ""
        yield f"## {section.title}"
        for sentence in section.sentences:
            yield ""
            yield _plain(sentence)
        if section.table is not None:
            yield ""
            yield from _table(section.table)


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(each.removeprefix('>') for each in table.columns)} |"
    yield f"| {' | '.join('---:' if each.startswith('>') else '---' for each in table.columns)} |"
    for row in table.rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"
    if table.left_out:
        yield ""
        yield f"and {table.left_out} more."


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
