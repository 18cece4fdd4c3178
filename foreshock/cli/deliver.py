"""`foreshock deliver`: alerts to where people and systems are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import (
    BootstrapOption,
    ConfigOption,
    JsonOption,
    LogFormatOption,
    PrefixOption,
    settings_from,
)

if TYPE_CHECKING:
    from foreshock.settings import Settings


def run(
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    *,
    log_format: LogFormatOption = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this sink; may be given again.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the sinks' settings and templates, and end.")] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Send each sink a test message, and end; of work orders only the look-up.")
    ] = False,
    redrive: Annotated[
        bool, typer.Option("--redrive", help="Send each sink what it had refused once more, and end.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Deliver alerts to webhooks, Alertmanager, chat, e-mail, MQTT and systems of work orders.

    Each sink of the settings (a table `deliver.NAME`) reads alerts.v1 in a consumer group of its own: one that is down holds up no
    other, and gets everything when it is back. Offsets are committed after the sink has answered, so a transition may come
    twice after a crash, always with the same key. SIGTERM stops it within 10 s. More processes share the work.
    """
    from foreshock.streams.sinks import process

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix, telemetry__log_format=log_format)
    names = tuple(only or ())
    if not (check or test or redrive):
        process.run(settings, names)
        return
    chosen = process.sinks_of(settings, names)
    process.check(chosen)
    if test:
        _test(settings, names, as_json=as_json)
    elif redrive:
        _redrive(settings, names, as_json=as_json)
    else:
        for name, each in chosen.items():
            print(json.dumps({"sink": name, "kind": each.kind}) if as_json else f"{name} ({each.kind}): in order")


def _test(settings: Settings, names: tuple[str, ...], *, as_json: bool) -> None:
    from foreshock.streams.sinks import errands, process

    failed = False
    for each in errands.try_out(process.sinks_of(settings, names)):
        failed = failed or bool(each.problem)
        told = {"sink": each.sink, "kind": each.kind, "problem": each.problem}
        print(json.dumps(told) if as_json else f"{each.sink} ({each.kind}): {each.problem or 'has the test message'}")
    if failed:
        raise typer.Exit(1)


def _redrive(settings: Settings, names: tuple[str, ...], *, as_json: bool) -> None:
    from foreshock.streams.sinks import errands, process

    found = errands.redrive(settings, process.sinks_of(settings, names))
    for each in found:
        told = {"letter": each.letter.event_id, "sink": each.sink, "problem": each.problem}
        shown = f"{each.letter.event_id[:8]}  {each.sink}: {each.problem or 'delivered'}"
        print(json.dumps(told) if as_json else shown)
    left = sum(bool(each.problem) for each in found)
    if not as_json:
        print(f"{len(found) - left} delivered, {left} left")
    if left:
        raise typer.Exit(1)
