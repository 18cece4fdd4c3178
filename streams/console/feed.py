"""What is told to pages that listen: events with numbers, kept for a while so that one that was away goes on where it was."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson

KEPT = 2_000
WAITING = 500  # events that a listener may be behind; then it is told to begin anew ...
WAITING_BYTES = 4 * 1024 * 1024  # ... or bytes: all that wait go out as one
LISTENERS = 64
ASSETS = 500  # of one event with scores


def framed(number: int, kind: str, tree: Mapping[str, Any]) -> bytes:
    """Give an event as it stands on the wire (text/event-stream); number 0: it is not to be resumed from."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {kind}\ndata: ".encode() + orjson.dumps(tree, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n\n"


class Listener:
    """One page that listens."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._there = asyncio.Event()
        self.lost = False
        self.ended = False

    def end(self) -> None:
        """Say that nothing comes any more."""
        self.ended = True
        self._there.set()

    def put(self, data: bytes) -> None:
        """Have something sent; a listener that is too far behind loses all of it."""
        if len(self._waiting) >= WAITING or (self._waiting and self._size + len(data) > WAITING_BYTES):
            self._waiting.clear()
            self._size = 0
            self.lost = True
        self._waiting.append(data)
        self._size += len(data)
        self._there.set()

    async def take(self, wait_s: float) -> bytes:
        """Give what there is, waiting for it; b"" where nothing came in time."""
        if not self._waiting:
            try:
                await asyncio.wait_for(self._there.wait(), wait_s)
            except TimeoutError:
                return b""
        found, self.lost = (framed(0, "reset", {}) if self.lost else b"") + b"".join(self._waiting), False
        self._waiting.clear()
        self._size = 0
        self._there.clear()
        return found


class Feed:
    """Numbers events and hands them to all listeners. Scores are held back a moment and told together."""

    def __init__(self) -> None:
        # Numbers go on growing over a restart: a page that comes back with one of before is told to begin anew.
        self._number = time.time_ns() // 1_000_000
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._listeners: set[Listener] = set()
        self._scores: dict[str, list[Any]] = {}
        self.live = False  # what is read of the past is no news

    @property
    def full(self) -> bool:
        """Whether nobody more can listen."""
        return len(self._listeners) >= LISTENERS

    def tell(self, kind: str, tree: Mapping[str, Any]) -> None:
        """Tell something that is to be resumed."""
        if not self.live:
            return
        self._number += 1
        data = framed(self._number, kind, tree)
        self._kept.append((self._number, data))
        self._send(data)

    def whisper(self, kind: str, tree: Mapping[str, Any]) -> None:
        """Tell those that listen now alone."""
        self._send(framed(0, kind, tree))

    def score(self, asset: str, row: list[Any]) -> None:
        """Note the newest score of an asset, to be told soon."""
        if self.live and self._listeners:
            self._scores[asset] = row

    def flush(self, now_ms: float) -> None:
        """Tell the scores that were noted."""
        rows = list(self._scores.values())
        self._scores.clear()
        for first in range(0, len(rows), ASSETS):
            self.whisper("scores", {"now_ms": now_ms, "rows": rows[first : first + ASSETS]})

    def join(self, after: int | None) -> Listener | None:
        """Take a listener, with what came after the event that it saw last; None: there are too many."""
        if self.full:
            return None
        listener = Listener()
        if after is not None:
            first = self._kept[0][0] if self._kept else self._number + 1
            if first - 1 <= after <= self._number:
                for number, data in self._kept:
                    if number > after:
                        listener.put(data)
            else:
                listener.put(framed(0, "reset", {}))
        self._listeners.add(listener)
        return listener

    def close(self) -> None:
        """Let all listeners go."""
        for each in self._listeners:
            each.end()

    def leave(self, listener: Listener) -> None:
        """Let a listener go."""
        self._listeners.discard(listener)

    def _send(self, data: bytes) -> None:
        for each in self._listeners:
            each.put(data)
