"""`foreshock queue`: which alerts to label next, those first whose verdict tells most."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.cli.period import interval_ns


def run(
    *,
    last: Annotated[str, typer.Option(help="Alerts raised within: 24h, 30d.")] = "30d",
    until: Annotated[str, typer.Option(help="End of that time (ISO 8601 with a zone); default: now.")] = "",
    most: Annotated[int, typer.Option(min=1, help="Show so many.")] = 20,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the alerts that nobody labelled by the information that a label would give, and labels to accept.

    Value = bits that one more verdict tells of alerts like it, times 1 to 2 for how near its score was to the level, times
    1 (info) to 4 (critical). docs/reports.md has the formula.
    """
    from foreshock.records import to_tree
    from foreshock.streams.errands.dossiers import gather_queue

    from_ns, until_ns = interval_ns(last, until)
    asked, waiting = gather_queue(settings_from(config, bootstrap=bootstrap, prefix=prefix), from_ns, until_ns)
    if as_json:
        for each in asked[:most]:
            print(json.dumps(to_tree(each)))
        return
    for asset, label_id in waiting:
        print(f"accept: label {label_id} of {asset} waits for a second person")
        print(f"  -> foreshock label {asset} --accept {label_id} --actor YOU --reason WHY")
    for each in asked[:most]:
        alert = each.incident
        score = "a limit" if alert.score is None else f"{alert.score:.2f}"
        print(f"{each.value:5.2f}  {alert.alert_id[:8]}  {alert.asset}  {alert.worst}  {score}  {each.why}")
    if asked:
        print("  -> foreshock label ALERT --verdict true|false|neutral --actor YOU --reason WHY")
    elif not waiting:
        typer.echo(f"foreshock: no alert of the last {last} is unlabelled", err=True)
