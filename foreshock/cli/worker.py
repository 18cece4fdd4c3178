"""`foreshock worker`: score the sensor topic until told to stop."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import (
    BootstrapOption,
    ConfigOption,
    LogFormatOption,
    PrefixOption,
    RedisOption,
    settings_from,
)

_START = "from foreshock.cli import main; main()"


def run(
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes; one for each core is usual.")] = None,
    accept_cold: Annotated[
        bool | None, typer.Option("--accept-cold", help="Start even where many assets have lost their state.")
    ] = None,
    from_group: Annotated[
        str | None, typer.Option("--from-group", help="Go on with the state of this group, which is used no longer.")
    ] = None,
    log_format: LogFormatOption = None,
    slot: Annotated[int | None, typer.Option(hidden=True, help="Run one process, unsupervised.")] = None,
    gate: Annotated[int | None, typer.Option(hidden=True, help="Descriptor that tells it to go on.")] = None,
    after: Annotated[Path | None, typer.Option(hidden=True, help="File that tells all of them to go on.")] = None,
) -> None:
    """Run the worker: sensor records in, scores, anomalies, quality and dead letters out.

    It keeps its processes running and starts one again that crashed. SIGTERM stops it within 10 s. Exit codes: 2 wrong
    configuration, 3 Kafka not reachable at the start, 70 it stopped rather than go on wrongly; the last line says why.
    """
    given = {"bootstrap": bootstrap, "redis": redis, "prefix": prefix}
    settings = settings_from(
        config,
        **given,
        worker__processes=processes,
        state__accept_cold=accept_cold or None,
        state__from_group=from_group,
        telemetry__log_format=log_format,
    )
    if slot is not None:
        from foreshock.streams.process import run as run_process

        run_process(settings, slot, gate)
        return
    from foreshock.streams import topics
    from foreshock.streams.logs import to_stderr
    from foreshock.streams.supervise import Supervisor

    to_stderr(settings, settings.telemetry.service_name)
    named = {"config": config, **given, "from-group": from_group, "log-format": log_format}
    flags = [text for name, value in named.items() if value is not None for text in (f"--{name}", str(value))]
    flags += ["--processes", str(settings.worker.processes), *(["--accept-cold"] if accept_cold else [])]

    def command(number: int) -> list[str]:
        return [sys.executable, "-c", _START, "worker", *flags, "--slot", str(number)]

    def check() -> None:
        while after is not None and not after.exists():
            time.sleep(0.02)
        topics.ensure(settings)

    sys.exit(Supervisor(command, settings.worker.processes, check).run())
