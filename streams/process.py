"""One worker process, from start to end."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.policies import read_policies
from foreshock.settings import Settings
from foreshock.streams.errors import fatal, guarded
from foreshock.streams.logs import to_stderr
from foreshock.streams.stopping import Stopper

if TYPE_CHECKING:
    from foreshock.streams.app import App
    from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.worker")


def run(settings: Settings, slot: int = 0, gate: int | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT; anything else that ends it raises or leaves with a last line.

    What takes long is done side by side: while this thread loads and compiles, another one looks at the topics, and a wrong
    setting ends the process without waiting for either.

    Parameters
    ----------
    settings
        Of all workers of this command.
    slot
        Number of this process among them; it makes the instance id its own.
    gate
        Descriptor from which a byte comes once Kafka may be asked; None: at once.

    Raises
    ------
    ConfigurationError
        The instance id or the address of the metrics is in use on this host, or a policy is not as it must be.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who started this one passes it on as SIGTERM
    stopper = Stopper()
    gc.disable()  # until all is loaded: nothing of it goes
    settings = of_slot(settings, slot)
    to_stderr(settings, settings.telemetry.service_name)
    policies = read_policies(settings.alerts.policies)
    settings.classes.read()  # what is wrong in a class is told before anything starts
    with _alone(settings):
        found: Future[dict[str, TopicInfo]] = Future()
        look = guarded(lambda: found.set_result(_look(settings, gate)))
        threading.Thread(name="topics", target=look, daemon=True).start()
        from foreshock.streams.metrics.model import Process
        from foreshock.streams.metrics.surface import Surface

        surface = Surface(settings, Process.WORKER, name=_name(settings), slot=slot)
        from foreshock.detection import spec_of
        from foreshock.streams.app import build
        from foreshock.streams.warm import warm

        warm(spec_of(settings))
        gc.collect()
        app = build(settings, found.result(), worker=_name(settings), surface=surface, policies=policies)
        gc.freeze()  # what is there now stays: the collector need not look at it again
        gc.set_threshold(50_000, 20, 100)  # a batch makes tens of thousands of objects, none of them in a cycle
        gc.enable()
        asyncio.run(_live(app, stopper))
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)  # everything is stopped: to take it apart piece by piece only takes time, and may hang


def _look(settings: Settings, gate: int | None) -> dict[str, TopicInfo]:
    """Check the topics, as soon as we may.

    Raises
    ------
    ConfigurationError
        A topic is not as it must be.
    Unavailable
        Kafka cannot be reached.
    """
    if gate is not None and not os.read(gate, 1):
        raise Unavailable("who started this process ended before it could begin")
    from foreshock.streams import topics

    return topics.ensure(settings)


def of_slot(settings: Settings, slot: int) -> Settings:
    """Give a process its own instance id, where static membership is wanted."""
    name = settings.worker.instance_id
    if not name or settings.worker.processes == 1:
        return settings
    return replace(settings, worker=replace(settings.worker, instance_id=f"{name}-{slot}"))


async def _live(app: App, stopper: Stopper) -> None:
    """Start the parts in order, wait for the signal, stop them in the opposite order."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    whole = (loop.run_in_executor(None, each.read_all) for each in app.followed)
    await asyncio.gather(app.checkpoint.start(), *whole)
    stopper.begun(stopping)
    background = [
        asyncio.create_task(fatal(app.publisher.serve())),
        asyncio.create_task(fatal(app.checkpoint.every(app.settings.worker.checkpoint_s))),
        asyncio.create_task(fatal(app.timers.every())),
        asyncio.create_task(fatal(app.places.serve(app.checkpoint.put))),
        asyncio.create_task(fatal(_faust_ends(app, stopping))),
        asyncio.create_task(fatal(app.metrics.every())),
    ]
    for each in app.followed:
        each.follow()
    app.commands.follow()
    app.watchdog.watch(stopper.ask)
    starting = asyncio.create_task(fatal(app.faust.start()))  # it ends with the first assignment only
    await stopping.wait()
    app.watchdog.stop()
    await app.faust.stop()  # the consumer delivers, takes the last checkpoint and leaves
    for task in [starting, *background]:
        task.cancel()
    for each in app.followed:
        each.stop()
    app.commands.stop()
    app.cache.close()
    app.telemetry.close()
    app.keeper.close()
    app.checkpoint.close()
    app.surface.close()


async def _faust_ends(app: App, stopping: asyncio.Event) -> None:
    """Pass on why Faust ended, if nobody asked it to."""
    await app.faust.wait_until_stopped()
    if not stopping.is_set():
        raise app.faust.crash_reason or RuntimeError("Faust ended by itself")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the instance id on this host; the kernel gives it back however the process ends.

    Raises
    ------
    ConfigurationError
        Another process has it. Two members with one id would fence each other for ever.
    """
    name = settings.worker.instance_id
    if not name:
        yield
        return
    folder = settings.worker.data_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{settings.worker.group}-{name}.lock".replace("/", "_")
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConfigurationError(
                f"worker.instance_id {name!r} is in use on this host by process {file.read().strip() or '?'}: "
                "give each worker its own"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _name(settings: Settings) -> str:
    """Give this process a name that is stable where its membership is, and else its own."""
    return settings.worker.instance_id or f"{socket.gethostname()}-{os.getpid()}"
