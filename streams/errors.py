"""What becomes of an exception: the only place of the project that catches everything.

Three answers are possible. `RETRY`: the same call may succeed later, nothing is lost by waiting. `DEAD_LETTER`: one
record is at fault, it is set aside with its reason and the stream goes on. `STOP`: going on could lose or invent
something; the process ends with one clear line and something above it starts a new one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any, NoReturn, ParamSpec, TypeVar

from confluent_kafka import KafkaError, KafkaException

from foreshock.contract import Origin, Reason
from foreshock.errors import ForeshockError, InputRejected
from foreshock.streams.logs import last_line, of_record

log = logging.getLogger("foreshock.worker")
P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

CRASHED = 1  # an exception that nobody foresaw
OUTAGE_S = 30.0  # between two lines about the same outage
ASIDE_S = 300.0  # between two lines about the same failure of what only watches
_told: dict[str, float] = {}

STOPPED = 70  # the worker ended itself rather than go on wrongly


class Verdict(Enum):
    """What to do about an exception."""

    RETRY = auto()
    DEAD_LETTER = auto()
    STOP = auto()


def decide(exc: BaseException) -> Verdict:
    """Say what to do about an exception that came from handling records.

    An exception of Kafka is never the record's fault. Whatever else comes out of decoding, scoring or encoding is laid at
    the door of one record; which one is for the caller to find.
    """
    if isinstance(exc, KafkaException):
        error = exc.args[0] if exc.args else None
        retriable = isinstance(error, KafkaError) and error.retriable() and not error.fatal()
        return Verdict.RETRY if retriable else Verdict.STOP
    if isinstance(exc, InputRejected):
        return Verdict.DEAD_LETTER
    if isinstance(exc, ForeshockError | MemoryError) or not isinstance(exc, Exception):
        return Verdict.STOP
    return Verdict.DEAD_LETTER


def attempt(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | InputRejected:
    """Run a step on records: give its result, or the rejection that a record at fault earns; anything worse ends the process."""
    try:
        return call(*args, **kwargs)
    except Exception as exc:
        return _rejection(exc, *args, *kwargs.values())


def attempt_each(call: Callable[[A, B], T], first: Iterable[A], second: Iterable[B]) -> list[T | InputRejected]:
    """Run a step on each pair of a batch, as `attempt` does."""
    results: list[T | InputRejected] = []
    append = results.append
    for a, b in zip(first, second, strict=True):
        try:
            append(call(a, b))
        except Exception as exc:
            append(_rejection(exc, a, b))
    return results


def _rejection(exc: Exception, *given: object) -> InputRejected:
    """Give the rejection of the record at fault, which is among what the step was given, or end the process.

    An exception that is no `InputRejected` is a defect of ours. It is written to the log with its place, and the record
    becomes a dead letter `internal_error`, so that one record never becomes an outage.
    """
    if decide(exc) is not Verdict.DEAD_LETTER:
        stop(exc)
    if isinstance(exc, InputRejected):
        # Without its traceback: that holds the frames, these the whole batch, and the batch this rejection.
        return InputRejected(exc.reason, exc.sentence, field=exc.field, fix=exc.fix)
    origins = (each if isinstance(each, Origin) else getattr(each, "origin", None) for each in given)
    origin = next((each for each in origins if isinstance(each, Origin)), None)
    log.error("a record could not be handled", exc_info=exc, extra=of_record(origin) if origin else None)
    return InputRejected(
        Reason.INTERNAL_ERROR,
        f"the worker failed on this record: {type(exc).__name__}: {exc}",
        fix="this is a defect of the worker; keep the dead letter and report it",
    )


def aside(call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Run what only watches: where it fails that is told now and then, and whoever is watched goes on. Say whether it ran."""
    try:
        call(*args, **kwargs)
    except Exception as exc:
        _tell_once(f"{getattr(call, '__qualname__', call)} {type(exc).__name__}", exc)
        return False
    return True


def _tell_once(what: str, exc: Exception) -> None:
    now = time.monotonic()
    if now - _told.get(what, -ASIDE_S) >= ASIDE_S:
        _told[what] = now
        log.error("a metric or a trace could not be taken; all else goes on", exc_info=exc)


def guarded(body: Callable[[], None]) -> Callable[[], None]:
    """Wrap the body of a thread: an exception in a thread is never silent, it ends the process."""

    def run() -> None:
        try:
            body()
        except BaseException as exc:
            stop(exc)

    return run


async def fatal(task: Coroutine[Any, Any, T]) -> T:
    """Run a task whose failure nobody else would see: it ends the process."""
    try:
        return await task
    except asyncio.CancelledError:
        raise
    except BaseException as exc:
        stop(exc)


@contextmanager
def nothing_escapes() -> Iterator[None]:
    """End the process on an exception that would leave an agent: Faust would lose its record and go on."""
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException as exc:
        stop(exc)


def settle(call: Callable[[], T], answer: Future[T]) -> None:
    """Make a call for somebody in another thread: what it raises is raised where the answer is awaited."""
    try:
        answer.set_result(call())
    except BaseException as exc:
        answer.set_exception(exc)


async def outcome_of(task: Awaitable[T]) -> T | Exception:
    """Give what a task comes to, also where that is an exception: for a server, whose one request must not be its end."""
    try:
        return await task
    except Exception as exc:
        return exc


def stop(exc: BaseException) -> NoReturn:
    """End the process at once with the reason as its last line.

    At once means that nothing is flushed, acknowledged or committed any more: what was not checkpointed comes again.
    """
    if isinstance(exc, ForeshockError):
        leave(str(exc), exc.exit_code)
    if isinstance(exc, KafkaException):
        leave(f"Kafka client: {exc.args[0].str() if isinstance(exc.args[0], KafkaError) else exc}", STOPPED)
    leave(f"{type(exc).__name__}: {exc}", CRASHED, exc)


def leave(reason: str, code: int, exc: BaseException | None = None) -> NoReturn:
    """Write the last line, with the traceback of a defect, and end the process, from any thread."""
    sys.stdout.flush()
    last_line(f"foreshock worker: {reason}", exc)
    logging.shutdown()
    os._exit(code)


def client_error(error: KafkaError) -> None:
    """Take what a librdkafka client reports beside its calls: fatal ends the process, an outage is told now and then.

    The rest passes by itself, or shows in the answer to a call.
    """
    if error.fatal():
        stop(KafkaException(error))
    now = time.monotonic()
    if error.code() == KafkaError._ALL_BROKERS_DOWN and now - _told.get("outage", -OUTAGE_S) >= OUTAGE_S:  # noqa: SLF001  # librdkafka's own codes start so
        _told["outage"] = now
        log.warning("no broker can be reached; going on when one is back")
