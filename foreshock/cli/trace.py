"""`foreshock trace`: where the milliseconds of one record went, drawn in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import ConfigOption, JsonOption, settings_from
from foreshock.errors import Unavailable

if TYPE_CHECKING:
    from rich.console import Console

    from foreshock.settings import Settings
    from foreshock.streams.spans.store import SpanRow, SpanStore

PLAIN_WIDTH = 160  # where the output is no terminal
NOTES_WIDTH = 40
MOST = 5  # records of one trace that are drawn; a producer may have put many into one


def run(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|ALERT|TRACE_ID|ASSET",
            help="An event, alert, score or trace id (8 digits suffice), or an asset: its latest anomaly.",
        ),
    ],
    *,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", help="Directory of the span store (default: telemetry.store, else <worker.data_dir>/spans)."
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the trace of an event, from the log append of its input to the delivery of its outputs."""
    from foreshock.streams.spans.store import SpanStore

    settings = settings_from(config)
    found = SpanStore(store or directory(settings))
    trace_id = find(found, wanted, settings)
    spans = found.trace(trace_id)
    if as_json:
        print(json.dumps({"trace_id": trace_id, "spans": [span._asdict() for span in spans]}))
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    draw(console, spans, wanted)


def directory(settings: Settings) -> Path:
    """Give the directory of the local span store."""
    return Path(settings.telemetry.store) if settings.telemetry.store else settings.worker.data_dir / "spans"


def find(store: SpanStore, wanted: str, settings: Settings) -> str:
    """Find the trace, or say why there is none and what to do.

    Raises
    ------
    Unavailable
        There is no store.
    typer.Exit
        The store does not have it (exit code 1).
    """
    if not store.exists():
        raise Unavailable(
            f"there is no span store in {store.path.parent}: no worker has written one there. Start the workers with "
            "telemetry.store set to a directory (`foreshock up` and `foreshock demo` do), or name another one by --store"
        )
    trace_id = store.find(wanted.strip())
    if trace_id is None:
        typer.echo(
            f"foreshock: no trace for {wanted!r}. The store in {store.path.parent} has {store.count()} traces. Anomalies, alerts, quality "
            f"events and dead letters are always there within a second of their delivery; of other blocks "
            f"{100 * settings.telemetry.sample_ratio:g} % are (telemetry.sample_ratio), unless their producer decides. "
            "Give an event id (`foreshock tail anomalies.v1`), a trace id, or an asset that had an anomaly",
            err=True,
        )
        raise typer.Exit(1)
    return trace_id


def draw(console: Console, spans: list[SpanRow], wanted: str) -> None:
    """Draw the records of a trace; of many only the one that was asked for."""
    from foreshock.streams.spans.waterfall import records

    every = records(spans)
    chosen = [record for record in every if _is_asked_for(record, wanted.strip())] or every
    for record in chosen[:MOST]:
        _draw_record(console, record)
    if len(every) > len(chosen[:MOST]):
        console.print(f"{len(every) - len(chosen[:MOST])} more records in this trace: --json has them all", style="dim")


def _is_asked_for(record: list[SpanRow], wanted: str) -> bool:
    """Say whether a record has the event or score, or an anomaly of the asset."""
    if not wanted:
        return False
    return any(
        (span.event_id or "").startswith(wanted)
        or str(span.attributes.get("foreshock.alert_id", "")).startswith(wanted)
        or (span.span_id == wanted[:16])
        or (span.asset == wanted and span.event_id and span.name.endswith("anomalies.v1"))
        for span in record
    )


def _draw_record(console: Console, record: list[SpanRow]) -> None:
    from rich.table import Table
    from rich.text import Text

    from foreshock.streams.spans.waterfall import BAR, duration, lines, main_of

    root = main_of(record)
    console.print(f"trace {root.trace_id}", style="bold")
    about = root.attributes
    worker = f"{root.resource.get('service.name', '')} {root.resource.get('service.instance.id', '')}".strip()
    group = about.get("messaging.consumer.group.name", "")
    console.print(
        f"by {worker}"
        + (f", group {group}" if group else "")
        + f", sampled by {about.get('foreshock.sampled_by', '?')}"
    )
    if record[0].parent_id:
        console.print(f"joined to the producer's span {record[0].parent_id}, which the producer's own backend has")
    if root.error:
        console.print(f"{about.get('error.type', 'error')}: {root.error}", style="red")
        if "foreshock.fix" in about:
            console.print(f"to mend it: {about['foreshock.fix']}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    laid_out = lines(record)
    bar = max(10, min(BAR, console.width - max(len(line.name) for line in laid_out) - 24 - NOTES_WIDTH))
    table.add_column("span", no_wrap=True)
    table.add_column("at", justify="right", no_wrap=True, min_width=8)
    table.add_column("took", justify="right", no_wrap=True, min_width=8)
    table.add_column("", width=bar, no_wrap=True)
    table.add_column("of note", overflow="fold")
    block = "█" if "utf" in console.encoding.lower() else "#"
    for line in lines(record, bar):
        first, length = line.bar
        style = "red" if line.failed else "bright_black" if line.waiting else "cyan"
        table.add_row(
            line.name,
            duration(line.start_ns),
            duration(line.duration_ns),
            Text(" " * first + block * length, style=style),
            Text(line.notes),
        )
    console.print(table)
    console.print()
