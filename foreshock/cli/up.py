"""`foreshock up`: Kafka and Valkey on this machine, for as long as it runs."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from foreshock.cli.options import (
    BootstrapOption,
    ConfigOption,
    JsonOption,
    PrefixOption,
    RedisOption,
    ZipkinOption,
    settings_from,
)
from foreshock.errors import Unavailable
from foreshock.settings import KafkaSettings, Settings

if TYPE_CHECKING:
    from foreshock.local.process import Process
    from foreshock.local.stack import LocalStack
    from foreshock.local.zipkin import Zipkin

_LOOK_S = 0.5
_WORKER_GRACE_S = 20.0  # it stops by itself within 10


def run(
    data: Annotated[
        Path | None, typer.Option(help="Folder that keeps topics and cache; without it they go with the end.")
    ] = None,
    worker: Annotated[bool, typer.Option("--worker", help="Run a worker too.")] = False,
    zipkin: ZipkinOption = False,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start Apache Kafka and Valkey, create the topics, and keep them until Ctrl-C.

    With --bootstrap or --redis the one that exists is used and none is started. With --zipkin the traces of the worker
    and of what is sent can be looked at in a browser.
    """
    from foreshock.local.checks import KAFKA_PORT, REDIS_PORT
    from foreshock.local.progress import shown
    from foreshock.local.stack import LocalStack

    # SIGTERM ends it as Ctrl-C does; a second one while stopping leaves the rest to the guards
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with shown(Console(stderr=True)) as progress:
            stack = LocalStack(
                data,
                kafka=bootstrap is None,
                redis=redis is None,
                ports=(KAFKA_PORT, REDIS_PORT),
                progress=progress,
            )
            stack.start()
        with stack.started(), _zipkin(stack.folder, wanted=zipkin) as traces:
            given = {"kafka.bootstrap": bootstrap, "redis.url": redis} | stack.settings_overrides()
            settings = settings_from(
                config, bootstrap=given["kafka.bootstrap"], redis=given["redis.url"], prefix=prefix
            )
            _serve(stack, settings, config if worker else None, data, traces, worker=worker, as_json=as_json)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)


def kcat_line(settings: Settings) -> str:
    """Give a shell line that sends one frame of telemetry; it works as pasted where kcat is installed."""
    frame = {
        "asset": "pump-7",
        "point": "drive-end",
        "tags": [{"name": "bearing_temperature", "quantity": "temperature", "unit": "degC"}],
        "times_ns": ["NOW"],
        "values": [41.5],
    }
    # outside the quotes the shell puts the time in: nanoseconds, UTC
    record = json.dumps(frame).replace('"NOW"', "'\"$(date +%s)000000000\"'")
    where = f"-b {shlex.quote(settings.kafka.bootstrap)} -t {shlex.quote(settings.topics.prefix + 'sensors.v1')}"
    return f"echo 'pump-7|{record}' | kcat -P {where} -K '|' -X partitioner={settings.topics.partitioner}"


@contextmanager
def _zipkin(folder: Path, *, wanted: bool) -> Iterator[Zipkin | None]:
    """Give a running Zipkin, where one is wanted; it ends after what reports to it."""
    if not wanted:
        yield None
        return
    from foreshock.local.progress import shown
    from foreshock.local.zipkin import Zipkin

    with shown(Console(stderr=True)) as progress:
        made = Zipkin(folder / "zipkin", progress=progress)
    with made:
        made.wait_ready()
        yield made


def _serve(
    stack: LocalStack,
    settings: Settings,
    config: Path | None,
    data: Path | None,
    traces: Zipkin | None,
    *,
    worker: bool,
    as_json: bool,
) -> None:
    """Make the topics, run the worker if wanted, say where everything is, and wait."""
    from foreshock.streams.topics import ensure

    names = [info.name for info in ensure(settings).values()]
    spans = traces.environment() if traces else {}
    child = _worker(stack, settings, config, spans) if worker else None
    services = [*stack.processes, *([traces.process] if traces else []), *([child] if child else [])]
    facts: dict[str, Any] = {
        "bootstrap": settings.kafka.bootstrap,
        "redis": settings.redis.url,
        "data": str(data) if data else "",
        "topics": names,
        "processes": {service.name: service.pid for service in services},
        "kcat": kcat_line(settings),
    }
    if traces:
        facts |= {"zipkin": traces.url, "environment": spans}
    if as_json:
        print(json.dumps(facts), flush=True)
    else:
        _tell(facts, child.log if child else None)
    try:
        _watch(services)
    finally:
        if child:
            child.stop()  # before what it depends on


def _tell(facts: dict[str, Any], log: Path | None) -> None:
    print(f"Kafka    {facts['bootstrap']}")
    print(f"cache    {facts['redis']}")
    print(f"data     {facts['data'] or 'temporary, gone at the end (--data DIR keeps it)'}")
    print(f"topics   {', '.join(facts['topics'])}")
    print(
        f"worker   {f'running, its log is {log}' if log else 'none here: `foreshock worker`, or `foreshock up --worker`'}"
    )
    if "zipkin" in facts:
        print(f"traces   {facts['zipkin']}/zipkin/")
    exports = {"FORESHOCK_REDIS__URL": facts["redis"], **facts.get("environment", {})}
    if facts["bootstrap"] != KafkaSettings().bootstrap:
        exports["FORESHOCK_KAFKA__BOOTSTRAP"] = facts["bootstrap"]
    print("\nin another shell, for all commands:")
    print(f"  export {' '.join(f'{name}={shlex.quote(value)}' for name, value in exports.items())}")
    print("a first record, with kcat (every producer needs this partitioner):")
    print(f"  {facts['kcat']}")
    print("  foreshock tail scores.v1")
    print("Ctrl-C stops everything", flush=True)


def _worker(stack: LocalStack, settings: Settings, config: Path | None, spans: Mapping[str, str]) -> Process:
    """Start `foreshock worker` as a child that cannot outlive us."""
    from foreshock.local.process import Process

    command = [sys.executable, "-c", "from foreshock.cli import main; main()", "worker"]
    command += ["--bootstrap", settings.kafka.bootstrap]
    command += ["--redis", settings.redis.url] if settings.redis.url else []
    command += ["--prefix", settings.topics.prefix] if settings.topics.prefix else []
    command += ["--config", str(config)] if config else []
    # where `foreshock trace` looks if nothing else is said
    store = settings.telemetry.store or str(settings.worker.data_dir / "spans")
    environment = {**os.environ, **stack.environment(), **spans, "FORESHOCK_TELEMETRY__STORE": store}
    child = Process("worker", command, log=stack.folder / "worker.log", env=environment, grace_s=_WORKER_GRACE_S)
    child.start()
    return child


def _watch(services: Sequence[Process]) -> None:
    """Wait for Ctrl-C; a service that ends by itself ends everything."""
    while True:
        for service in services:
            if not service.running:
                raise Unavailable(f"{service.name} ended; the last lines of {service.log}:\n{service.tail()}")
        time.sleep(_LOOK_S)
