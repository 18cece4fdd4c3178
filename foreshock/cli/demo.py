"""`foreshock demo`: watch a real Kafka find faults in machines that do not exist."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, RedisOption, settings_from

if TYPE_CHECKING:
    from rich.console import Console

    from foreshock.demo.report import Run
    from foreshock.demo.screen import Screen
    from foreshock.local.stack import LocalStack
    from foreshock.settings import Settings


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
    as_json: JsonOption = False,
) -> None:
    """Find faults in twelve simulated machines; exits with 0 only if all of them and nothing else were found."""
    from rich.console import Console

    console = Console(stderr=as_json, highlight=False)
    # SIGTERM ends it as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = _run(console, config, bootstrap, redis, data, seed=seed, duration=duration, faults=faults)
    if as_json:
        from foreshock.demo.report import as_json as result

        print(json.dumps(result(found)))
    else:
        _tell(console, found)
    if not found.report.passed:
        raise typer.Exit(1)


def _run(
    console: Console,
    config: Path | None,
    bootstrap: str | None,
    redis: str | None,
    data: Path | None,
    *,
    seed: int,
    duration: float,
    faults: Faults,
) -> Run:
    """Set the stage, play, clear the stage."""
    from foreshock.demo import stage
    from foreshock.demo.feed import register
    from foreshock.demo.play import play
    from foreshock.demo.report import Run
    from foreshock.demo.watch import Watch
    from foreshock.simulate.plan import demo_plan
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.spans.sending import Sending
    from foreshock.streams.topics import ensure

    began = time.monotonic() - time.process_time()  # what was loaded before counts too
    prefix = f"demo-{uuid.uuid4().hex[:6]}."
    settings = settings_from(config, bootstrap=bootstrap, redis=redis, prefix=prefix)
    folder = data or stage.fresh_folder(settings.worker.data_dir / "demo", prefix.rstrip("."))
    with ExitStack() as stack, _screen(console) as screen:
        folder.mkdir(parents=True, exist_ok=True)
        environment: dict[str, str] = {}
        local = None if bootstrap else stack.enter_context(_prepared(console, folder))
        if local is not None:
            settings, environment = _of_clients(local, settings, config)
        # The worker loads while Kafka starts; the assets are registered before it reads them.
        registered = folder / f"{prefix}registered"
        worker = stage.worker(settings, folder, environment, config, after=registered)
        screen.say(f"starting the worker, its log is {worker.log} (the first start compiles its kernels)")
        worker.start()
        stack.callback(worker.stop)
        if local is not None:
            screen.say(f"starting Apache Kafka and Valkey, data in {folder}")
            local.start()
            stack.enter_context(ThreadPoolExecutor(1, "prime")).submit(stage.prime, settings)
        topics = ensure(settings)
        plan = demo_plan(seed, duration, faults.value)
        register(settings, plan.plant, lambda i: plan.warmup_blocks(plan.plant.machines[i]))
        registered.touch()
        spans = Sending(settings, program="feed", held=True, store=str(stage.span_store(settings)))
        stack.callback(spans.close)
        sender = Sender(settings, spans=spans)  # this and the next connect while the worker loads
        watch = stack.enter_context(Watch(settings, topics))
        stage.wait_until_ready(worker)
        ready = time.monotonic()
        board, feed = play(watch, worker, screen, plan, sender=sender, began=began)
        played = time.monotonic()
    first = board.first_score_at or played
    seconds = {"start": ready - began, "first_block": first - began, "play": played - ready}
    rounded = {name: round(value, 1) for name, value in {**seconds, "stop": time.monotonic() - played}.items()}
    kept = folder if bootstrap is None else None
    return Run(seed, settings, board, board.report(), feed.sent, rounded, kept, worker.log)


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


def _tell(console: Console, found: Run) -> None:
    from foreshock.demo.report import injected_against_found, next_steps, summary

    if not console.is_terminal:
        console.width = 170
    console.print(injected_against_found(found))
    for line in summary(found):
        console.print(line, soft_wrap=True)
    console.print("where to look next:")
    for line in next_steps(found):
        console.print(f"  {line}", soft_wrap=True)
