"""`foreshock cases`: keep the raw records around each anomaly and each work order, as they come."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from


def run(
    *,
    before: Annotated[int, typer.Option(min=0, help="Raw records of the asset before the event.")] = 16,
    after: Annotated[int, typer.Option(min=0, help="Raw records of the asset after the event.")] = 8,
    after_s: Annotated[
        float, typer.Option("--after-seconds", min=0, help="Wait so long for the records after the event.")
    ] = 120.0,
    work_s: Annotated[
        float, typer.Option("--after-work-seconds", min=0, help="The same after work on the machine.")
    ] = 3600.0,
    scan: Annotated[
        int, typer.Option(min=1, help="Look through so many records of the partition for those before, at most.")
    ] = 20_000,
    once: Annotated[bool, typer.Option("--once", help="Stop at the present end of both topics.")] = False,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow anomalies.v1 and maintenance.v1 and write the raw records before and after each event to evidence.v1.

    A consumer group of its own (worker.group with -cases), so several may run, and any may be killed: what was not
    committed is written again, with the same ids and bytes. Anomalies that are opened or updated get a
    window, and work orders that are opened or closed, repairs and replacements.
    """
    from foreshock.streams.cases.windows import Reach
    from foreshock.streams.cases.writer import CaseWriter
    from foreshock.streams.logs import to_stderr
    from foreshock.streams.metrics.cases import watch
    from foreshock.streams.metrics.model import Process
    from foreshock.streams.metrics.surface import Surface
    from foreshock.streams.spans.sending import service_name
    from foreshock.streams.topics import ensure

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    reach = Reach(before=before, after=after, after_s=after_s, work_s=work_s, scan=scan)
    to_stderr(settings, service_name(settings, "cases"))
    writer = CaseWriter(settings, ensure(settings), reach)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    surface = None if once else Surface(settings, Process.CASES, name=f"cases-{socket.gethostname()}-{os.getpid()}")
    if surface is not None:
        watch(surface, writer.told)

    def stopped() -> bool:
        if surface is not None:
            surface.health.beat("")
        return stopping.is_set()

    writer.run(stopped, once=once)
    if surface is not None:
        surface.close()
    if as_json:
        print(json.dumps({"written": writer.written}))
    else:
        print(f"{writer.written} parts of cases written to {settings.topics.prefix}evidence.v1")
