"""`foreshock report`: what became of the alerts: precision, missed failures, lead time, load, reliability, value."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, PrefixOption, settings_from
from foreshock.cli.period import interval_ns, span_s

if TYPE_CHECKING:
    from foreshock.alerts.outcomes.report import Report


class Format(StrEnum):
    """How it is written."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def run(
    *,
    last: Annotated[str, typer.Option(help="Length of the interval: 24h, 30d.")] = "30d",
    until: Annotated[str, typer.Option(help="Its end (ISO 8601 with a zone); default: now.")] = "",
    layout: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.MARKDOWN,
    out: Annotated[Path | None, typer.Option(help="A file; without one it is printed.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="False alerts per asset and month; without: what the policies say.")
    ] = None,
    weekly_budget: Annotated[float | None, typer.Option(min=0, help="Alerts per engineer and week; likewise.")] = None,
    engineers: Annotated[int, typer.Option(min=1, help="People who answer alerts.")] = 1,
    horizon: Annotated[str, typer.Option(help="An alert so long before a failure is of it.")] = "14d",
    spares_lead: Annotated[str, typer.Option(help="A part takes so long to come.")] = "7d",
    downtime_cost: Annotated[float | None, typer.Option(min=0, help="Cost of an hour of unplanned down time.")] = None,
    failure_hours: Annotated[
        float | None, typer.Option(min=0, help="Hours that a failure without warning stops a machine.")
    ] = None,
    would_fail: Annotated[float, typer.Option(min=0, max=1, help="Share of true alerts that would have failed.")] = 1.0,
    check_cost: Annotated[float, typer.Option(min=0, help="Cost of looking at an alert that was not true.")] = 0.0,
    currency: Annotated[str, typer.Option(help="Of the costs.")] = "EUR",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Join alerts, labels and work orders of an interval, and say what they came to, each figure with its interval.

    Times are those of the alerts: for recordings that were sent later, give --until.
    """
    from foreshock.alerts.outcomes.report import report
    from foreshock.alerts.outcomes.value import Assumptions
    from foreshock.streams.errands.outcomes import Wanted, gather

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    from_ns, until_ns = interval_ns(last, until)
    wanted = Wanted(
        from_ns=from_ns,
        until_ns=until_ns,
        budget=budget,
        weekly_budget=weekly_budget,
        engineers=engineers,
        horizon_s=span_s(horizon),
        spares_lead_s=span_s(spares_lead),
        assumptions=Assumptions(
            currency=currency,
            downtime_cost_h=downtime_cost,
            failure_hours=failure_hours,
            would_have_failed=would_fail,
            check_cost=check_cost,
        ),
    )
    text = written(report(gather(settings, wanted)), layout)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")
        print(f"written to {out}")


def written(found: Report, layout: Format) -> str:
    """Write a report in a format."""
    if layout is Format.HTML:
        from foreshock.answers.report_html import html

        return html(found)
    if layout is Format.MARKDOWN:
        from foreshock.answers.report_markdown import markdown

        return markdown(found)
    import json

    from foreshock.records import to_tree

    return json.dumps(to_tree(found), ensure_ascii=False) + "\n"
