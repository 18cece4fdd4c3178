"""Records that are read when somebody asks for them: by their coordinates, off the event loop, with few clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, Message

from foreshock.errors import Unavailable
from foreshock.settings import Settings
from foreshock.streams.console.problems import Problem
from foreshock.streams.errands.backward import between
from foreshock.streams.kafka import explain, reader_config
from foreshock.streams.state.reader import reading

THREADS = 3  # that read by coordinates; and as many that wait for answers
WAITING = 24  # questions that may wait; more are refused
NEAR = 24  # offsets: records so close are read with those between them
READ_S = 6.0  # of one question
T = TypeVar("T")


class Readers:
    """Threads that answer questions one after the other; what takes long has its own, so that the rest goes on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, "reader")
        self._others = ThreadPoolExecutor(THREADS, "asker")
        self._searcher = ThreadPoolExecutor(1, "searcher")
        self._own = threading.local()
        self._clients: list[Consumer] = []
        self._waiting = 0

    async def ask(self, question: Callable[..., T], *about: Any) -> T:
        """Answer a question in a thread; it gets the thread's client first.

        Raises
        ------
        Problem
            Too many questions wait.
        ForeshockError
            What the question raised; Kafka's errors in our words.
        """
        return await self._run(self._threads, lambda: self._answer(question, *about))

    async def run(self, question: Callable[..., T], *about: Any) -> T:
        """Answer a question that makes its clients itself, and may wait for somebody's answer."""
        return await self._run(self._others, lambda: question(*about))

    async def search(self, question: Callable[..., T], *about: Any) -> T:
        """Answer a question that reads a topic through, however long that is; one at a time."""
        return await self._run(self._searcher, lambda: question(*about))

    async def _run(self, threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Problem("busy", "too many questions wait for Kafka", "try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, call)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; what is being read is left."""
        for threads in (self._threads, self._others, self._searcher):
            threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[..., T], *about: Any) -> T:
        client = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = reading({**reader_config(self._settings), "log_level": 0})
        try:
            return question(client, *about)
        except KafkaException as exc:
            raise explain(exc.args[0], [], self._settings) from exc


def one(client: Consumer, topic: str, partition: int, offset: int) -> Message:
    """Read one record.

    Raises
    ------
    Problem
        It is not kept any more, or not there yet.
    """
    for message in between(client, topic, partition, offset, offset + 1):
        if message.offset() == offset:
            return message
    raise Problem("gone", f"{topic} partition {partition} has no record at offset {offset}: retention has deleted it")


def several(
    client: Consumer, topic: str, partition: int, offsets: Sequence[int], *, most_s: float = READ_S
) -> Iterator[Message]:
    """Read records at these offsets (ascending), and what lies between those that are near; ends early after `most_s`."""
    deadline = time.monotonic() + most_s
    for first, last in runs(offsets):
        if time.monotonic() > deadline:
            return
        try:
            yield from between(client, topic, partition, first, last + 1)
        except Unavailable:
            return


def runs(offsets: Sequence[int], near: int = NEAR) -> Iterator[tuple[int, int]]:
    """Join offsets to stretches that are read at one go. First and last of each."""
    first = last = -1
    for offset in offsets:
        if first < 0:
            first = offset
        elif offset - last > near:
            yield first, last
            first = offset
        last = offset
    if first >= 0:
        yield first, last
