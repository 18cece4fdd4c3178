"""`foreshock alerts`: what stands, and what became of it."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from foreshock.alerts.fields import seconds_of
from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.cli.status import PLAIN_WIDTH, ago
from foreshock.errors import ConfigurationError

NS = 1_000_000_000
ID_DIGITS = 8


def run(
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="One asset; all without.")] = "",
    *,
    is_open: Annotated[bool, typer.Option("--open", help="Only what stands now.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="From now on, as it happens; ends with Ctrl-C.")] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="Incidents of lines in the place of the alerts that are part of one.")
    ] = False,
    since: Annotated[str, typer.Option("--since", help="How far back: 8h, 7d; everything: all.")] = "24h",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the changes of alerts, or the alerts that stand: severity, asset, who has it, until when, and why."""
    from foreshock.streams.errands.asking import ALERTS, INCIDENTS, alarms, incidents, transitions

    if is_open and follow:
        raise ConfigurationError("give either --open or --follow")
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    if is_open:
        found = incidents(settings) if lines else alarms(settings)
        _show_open([each for each in found.values() if asset in {"", *_machines(each)}], as_json=as_json)
        return
    lasts_s = None if since == "all" else seconds_of(since)
    if lasts_s is None and since != "all":
        raise ConfigurationError(f"--since {since!r} is no duration: 30m, 8h, 7d, or all")
    since_ms = None if lasts_s is None else int((time.time() - lasts_s) * 1000)
    shown = 0
    topic = INCIDENTS if lines else ALERTS
    try:
        for told in transitions(settings, follow=follow, since_ms=since_ms, asset=asset, topic=topic):
            print(_json(told) if as_json else line(told), flush=True)
            shown += 1
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    if not shown and not as_json:
        typer.echo(f"foreshock: no alert changed in the last {since}" if lasts_s else "foreshock: no alerts", err=True)


def _machines(found: dict[str, Any]) -> list[str]:
    """Whom an alert is of: an asset, or a line and its machines."""
    return [found["asset"], *(each["asset"] for each in found.get("members", ()))]


def line(told: dict[str, Any]) -> str:
    """Write a change in one line: when, what, of which asset, how bad, whose, and why."""
    at = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(told["at_ns"] / NS))
    what = told["change"].replace("_", " ")
    alert = f" {told['alert_id'][:ID_DIGITS]}" if told["alert_id"] else ""
    level = f" {told['severity']}" if told["alert_id"] else ""
    score = f" {told['score']:.2f}" if told["score"] is not None else ""
    by = f" by {told['actor']}" if told["actor"] and told["actor"] != "policy" else ""
    why = f" ({told['suppressed_by']})" if told["suppressed_by"] else ""
    reason = ". ".join(each for each in (told["reason"], told["effect"]) if each)
    return f"{at}  {told['asset']}{alert}{level}{score}: {what}{by}{why}: {reason}"


def _json(found: dict[str, Any]) -> str:
    from foreshock.streams.errands.show import plain

    return json.dumps(plain(found))


def _show_open(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            print(_json(each))
        return
    if not found:
        typer.echo("foreshock: no alert stands", err=True)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:  # nobody looks at a screen: lines are not cut
        console.width = PLAIN_WIDTH
    table = Table(box=None, pad_edge=False, header_style="dim")
    where = "machines" if any(each.get("members") for each in found) else "points"
    for name in ("alert", "asset", "severity", "state", where, "owner", "acknowledged by", "work order", "raised"):
        table.add_column(name)
    now_ns = time.time_ns()
    for each in found:
        severity = each["severity"] + ("" if each["worst"] == each["severity"] else f" (was {each['worst']})")
        table.add_row(
            each["alert_id"][:ID_DIGITS],
            each["asset"],
            severity,
            _state(each),
            ", ".join(_machines(each)[1:] or each["points"]),
            each["owner"],
            each["acknowledged_by"],
            each["work_order"],
            f"{ago(max(0.0, (now_ns - each['raised_ns']) / NS))} ago",
        )
    console.print(table)


def _state(alarm: dict[str, Any]) -> str:
    """Say where an alarm stands, and until when or why."""
    state = str(alarm["state"]).replace("_", " ")
    if alarm["shelved_until_ns"] is not None:
        return f"{state} until {time.strftime('%Y-%m-%d %H:%MZ', time.gmtime(alarm['shelved_until_ns'] / NS))}"
    return f"{state}: {alarm['suppressed_by']}" if alarm["suppressed_by"] else state
