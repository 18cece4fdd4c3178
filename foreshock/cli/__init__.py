"""The `foreshock` command: one file per command, or family of commands, each with a `run` function or an `app` of its own.

Exit codes: 0 done, 1 the answer is no (a check failed), 2 wrong configuration or usage, 3 something cannot be reached,
70 an output was refused.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from foreshock.errors import ForeshockError

# command -> module in foreshock.cli, and after a colon its function (else `run`); the order is that of `foreshock --help`
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "simulate": "simulate",
    "up": "up",
    "worker": "worker",
    "deliver": "deliver",
    "lines": "lines",
    "doctor": "doctor",
    "topics": "topics",
    "cache": "cache",
    "status": "status",
    "console": "console",
    "why": "why",
    "diagnose": "diagnose",
    "asset": "asset",
    "report": "report",
    "queue": "queue",
    "alerts": "alerts",
    "ack": "control:ack",
    "shelve": "control:shelve",
    "unshelve": "control:unshelve",
    "close": "control:close",
    "label": "control:label",
    "window": "control:window",
    "freeze": "control:freeze",
    "resume": "control:resume",
    "work": "work",
    "trace": "trace",
    "explain": "explain",
    "replay": "replay",
    "evidence": "evidence",
    "cases": "cases",
    "dead-letters": "dead_letters",
    "assets": "assets",
    "features": "features",
    "policy": "policy",
    "feed": "feed",
    "backfill": "backfill",
    "evaluate": "evaluate",
    "validate": "validate",
    "tail": "tail",
    "export": "export",
    "schema": "schema",
}

app = typer.Typer(
    name="foreshock",
    help="Streaming anomaly detection for industrial machines on Apache Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _module_name in COMMANDS.items():
    _module_name, _, _function = _module_name.partition(":")
    _module = import_module(f"foreshock.cli.{_module_name}")
    if hasattr(_module, "app"):
        app.add_typer(_module.app, name=_name)
    else:
        app.command(_name)(getattr(_module, _function or "run"))


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(version("foreshock"))
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Streaming anomaly detection for industrial machines on Apache Kafka."""


def main() -> None:
    """Run the command line; an error made on purpose is one line and an exit code, never a traceback."""
    try:
        app()
    except ForeshockError as exc:
        from foreshock.streams.logs import last_line

        last_line(f"foreshock: {exc}")
        sys.exit(exc.exit_code)
