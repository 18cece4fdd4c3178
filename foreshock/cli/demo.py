"""`foreshock demo`: watch a real Kafka find faults in machines that do not exist."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli.options import (
    BootstrapOption,
    ConfigOption,
    JsonOption,
    RedisOption,
    ZipkinOption,
    settings_from,
)

if TYPE_CHECKING:
    from rich.console import Console

    from foreshock.demo.page import Page
    from foreshock.demo.report import Run
    from foreshock.demo.screen import Screen
    from foreshock.local.process import Process
    from foreshock.local.stack import LocalStack
    from foreshock.local.zipkin import Zipkin
    from foreshock.settings import Settings
    from foreshock.streams.errands.sender import Sender


class Faults(StrEnum):
    """What goes wrong."""

    ALL = "all"
    SENSOR = "sensor"
    NONE = "none"


def run(
    seed: Annotated[
        int, typer.Option(min=0, help="Draws machines, faults and times; another number, another plant.")
    ] = 1,
    duration: Annotated[float, typer.Option(min=40.0, help="Seconds of feed after the warm-up.")] = 60.0,
    faults: Annotated[
        Faults, typer.Option(help="Three machine and two sensor faults, these two alone, none.")
    ] = Faults.ALL,
    data: Annotated[
        Path | None, typer.Option(help="Folder for topics and cache (default: a fresh one, kept until the next run).")
    ] = None,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    zipkin: ZipkinOption = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Serve the console too; the plant goes on until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find faults in twelve simulated machines; exits with 0 only if all of them and nothing else were found."""
    from rich.console import Console

    console = Console(stderr=as_json, highlight=False)
    # SIGTERM ends it as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _traces(console, config, wanted=zipkin) as traces:
        tell = partial(_tell, console, as_json=as_json)
        found = _run(
            console, config, bootstrap, redis, data, traces, tell if open_page else None,
            seed=seed, duration=duration, faults=faults,
        )  # fmt: skip
        if not open_page:
            tell(found)
        if traces and not open_page and console.is_terminal and not as_json:
            console.print(f"all traces: {traces.url}/zipkin/ until Ctrl-C")
            with suppress(KeyboardInterrupt):
                signal.pause()
    if not found.report.passed:
        raise typer.Exit(1)


@contextmanager
def _traces(console: Console, config: Path | None, *, wanted: bool) -> Iterator[Zipkin | None]:
    """Give a Zipkin that gets ready, where one is wanted; this process and its children report to it."""
    if not wanted:
        yield None
        return
    from foreshock.local.progress import shown
    from foreshock.local.zipkin import Zipkin

    with shown(console) as progress:
        made = Zipkin(settings_from(config).worker.data_dir / "zipkin", progress=progress)
    os.environ.update(made.environment())
    with made:
        yield made


def _run(
    console: Console,
    config: Path | None,
    bootstrap: str | None,
    redis: str | None,
    data: Path | None,
    traces: Zipkin | None,
    tell: Callable[[Run], None] | None,
    *,
    seed: int,
    duration: float,
    faults: Faults,
) -> Run:
    """Set the stage, play, clear the stage; with `tell` there is a page, and the plant goes on until Ctrl-C."""
    from foreshock.demo import stage
    from foreshock.demo.feed import register
    from foreshock.demo.play import BEYOND_S, go_on, play
    from foreshock.demo.report import Run
    from foreshock.demo.watch import Watch
    from foreshock.simulate.plan import demo_plan
    from foreshock.streams.topics import ensure

    began = time.monotonic() - time.process_time()  # what was loaded before counts too
    prefix = f"demo-{uuid.uuid4().hex[:6]}."
    settings = settings_from(config, bootstrap=bootstrap, redis=redis, prefix=prefix)
    folder = data or stage.fresh_folder(settings.worker.data_dir / "demo", prefix.rstrip("."))
    with ExitStack() as stack:
        with _screen(console) as screen:
            folder.mkdir(parents=True, exist_ok=True)
            local = None if bootstrap else stack.enter_context(_prepared(console, folder))
            environment: dict[str, str] = {}
            if local is not None:
                settings, environment = _of_clients(local, settings, config)
            # The worker loads while Kafka starts; the assets are registered before it reads them.
            registered = folder / f"{prefix}registered"
            worker = stage.worker(settings, folder, environment, config, after=registered)
            _begin(stack, screen, worker, local, settings)
            topics = ensure(settings)
            plan = demo_plan(seed, duration, faults.value, beyond_s=BEYOND_S if tell else 0.0)
            register(settings, plan.plant, lambda i: plan.warmup_blocks(plan.plant.machines[i]))
            registered.touch()
            sender = _sender(settings, stack)  # this and the next connect while the worker loads
            watch = stack.enter_context(Watch(settings, topics))
            page = stack.enter_context(_page(settings, folder, environment, config, screen)) if tell else None
            _wait(screen, worker, traces)
            ready = time.monotonic()
            board, feed = play(watch, worker, screen, plan, sender=sender, began=began)
            played = time.monotonic()
        seconds = {
            "start": ready - began,
            "first_block": (board.first_score_at or played) - began,
            "play": played - ready,
        }
        kept = folder if bootstrap is None else None
        found = Run(
            seed, settings, board, board.report(), feed.sent, seconds, kept, worker.log, page.url if page else ""
        )
        if tell is not None:
            tell(found)
            go_on(watch, worker, plan, sender=sender)
    return replace(found, seconds={**seconds, "stop": time.monotonic() - played})


@contextmanager
def _page(
    settings: Settings, folder: Path, environment: dict[str, str], config: Path | None, screen: Screen
) -> Iterator[Page]:
    """Give the console of this run; it ends with the context."""
    from foreshock.demo.page import serve, wait_until_served

    process = serve(settings, folder, environment, config)
    try:
        page = wait_until_served(process, folder)
        screen.say(f"watch it at {page.url} (to acknowledge, shelve or label, sign in with {page.token})")
        page.opened()
        yield page
    finally:
        process.stop()


def _begin(stack: ExitStack, screen: Screen, worker: Process, local: LocalStack | None, settings: Settings) -> None:
    """Start the worker and, while it loads, the stack."""
    from foreshock.demo.stage import prime

    screen.say(f"starting the worker, its log is {worker.log} (the first start compiles its kernels)")
    worker.start()
    stack.callback(worker.stop)
    if local is not None:
        screen.say(f"starting Apache Kafka and Valkey, data in {worker.log.parent}")
        local.start()
        stack.enter_context(ThreadPoolExecutor(1, "prime")).submit(prime, settings)


def _wait(screen: Screen, worker: Process, traces: Zipkin | None) -> None:
    """Wait until all that was started is ready."""
    from foreshock.demo.stage import wait_until_ready

    wait_until_ready(worker)
    if traces:
        traces.wait_ready()
        screen.say(f"traces: {traces.url}/zipkin/")


def _sender(settings: Settings, stack: ExitStack) -> Sender:
    """Give a sender that is connected, with the spans of a gateway."""
    from foreshock.demo.stage import span_store
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.spans.sending import Sending

    spans = Sending(settings, program="feed", held=True, store=str(span_store(settings)))
    stack.callback(spans.close)
    return Sender(settings, spans=spans)


def _screen(console: Console) -> Screen:
    from foreshock.demo.screen import Lines, LiveTable

    return LiveTable(console) if console.is_terminal else Lines(console)


@contextmanager
def _prepared(console: Console, folder: Path) -> Iterator[LocalStack]:
    """Give Kafka and Valkey with their addresses, to be started; they end with the context."""
    from foreshock.local.progress import shown
    from foreshock.local.stack import LocalStack

    with shown(console) as progress:
        local = LocalStack(folder, progress=progress)
        local.prepare()
    with local.started():
        yield local


def _of_clients(local: LocalStack, settings: Settings, config: Path | None) -> tuple[Settings, dict[str, str]]:
    """Give the settings of a stack's clients, and the same for a child."""
    flags: dict[str, Any] = local.settings_overrides()
    bootstrap, redis = flags["kafka.bootstrap"], flags["redis.url"]
    return settings_from(config, bootstrap=bootstrap, redis=redis, prefix=settings.topics.prefix), local.environment()


def _tell(console: Console, found: Run, *, as_json: bool) -> None:
    from foreshock.demo.report import as_json as result
    from foreshock.demo.report import injected_against_found, next_steps, summary, to_look_at

    if as_json:
        print(json.dumps(result(found)), flush=True)
        return
    if not console.is_terminal:
        console.width = 170
    console.print(injected_against_found(found))
    for line in summary(found):
        console.print(line, soft_wrap=True)
    console.print("where to look next:")
    for line in next_steps(found):
        console.print(f"  {line}", soft_wrap=True)
    for at, (address, what) in enumerate(to_look_at(found), start=1):
        console.print(f"{at}. {what}\n   {address}", soft_wrap=True)
    if found.page:
        console.print("the plant goes on until Ctrl-C")
