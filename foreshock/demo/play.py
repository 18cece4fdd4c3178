"""The course of a demonstration: feed and watch side by side until every block has its outcome."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from foreshock.demo.board import Board
from foreshock.demo.feed import Feed
from foreshock.demo.screen import Screen
from foreshock.demo.stage import check
from foreshock.demo.watch import Watch
from foreshock.errors import Unavailable
from foreshock.local.process import Process
from foreshock.simulate.plan import Plan
from foreshock.streams.errands.sender import Sender

WARMUP_WALL_S = 15.0
"""Wall time of the warm-up, if the machine is fast enough."""
BEYOND_S = 4 * 3600.0
"""How long a plant goes on for those who look at it; after that its machines are silent, and the page says so."""
SETTLE_S = 30.0
"""How long the worker may take for what is left after the last block was sent."""
_NS = 1_000_000_000
_WAIT_S = 0.1


def clock(plan: Plan, begin_ns: int) -> Callable[[float], int]:
    """From plant time to wall time: fast through the warm-up, in real time from there on.

    Sets the plan's epoch so that the source clock starts in the past and meets the wall clock where the feed begins.
    """
    plan.plant.epoch_ns = begin_ns + round((WARMUP_WALL_S - plan.warmup_s) * _NS)
    pace = WARMUP_WALL_S / plan.warmup_s

    def due_ns(t_s: float) -> int:
        if t_s < plan.warmup_s:
            return begin_ns + round(t_s * pace * _NS)
        return plan.plant.epoch_ns + round(t_s * _NS)

    return due_ns


def play(
    watch: Watch,
    worker: Process,
    screen: Screen,
    plan: Plan,
    *,
    sender: Sender,
    began: float,
) -> tuple[Board, Feed]:
    """Run a plan from now on; `began` is the monotonic time at which the command did.

    Raises
    ------
    Unavailable
        The worker ended, or blocks were left without an outcome.
    """
    board, stop = Board(plan), threading.Event()
    feed = Feed(sender, plan.plant, plan.end_s, clock(plan, time.time_ns()))
    with ThreadPoolExecutor(1, "feed") as pool:
        sending = pool.submit(feed.run, stop)
        try:
            _follow(board, feed, sending, watch, worker, screen, began)
        finally:
            stop.set()
    return board, feed


def _follow(
    board: Board, feed: Feed, sending: Future[None], watch: Watch, worker: Process, screen: Screen, began: float
) -> None:
    """Take what comes until all that was sent has its outcome."""
    deadline = None
    while True:
        for topic, record in watch.records(_WAIT_S):
            new = board.take(topic, record)
            if topic != "scores.v1":
                feed.keep(record.get("trace_id"))
            if board.scores and board.first_score_at is None:
                board.first_score_at = time.monotonic()
                screen.say(f"first block processed {board.first_score_at - began:.1f} s after the start")
            if new is not None:
                screen.event(board, new)
        screen.draw(board, feed.plant_s)
        check(worker)
        if not sending.done():
            continue
        sending.result()
        deadline = deadline or time.monotonic() + SETTLE_S
        left = feed.sent - board.scores - board.dead_letters
        if left <= 0:
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"{left} of {feed.sent} blocks have no outcome; the worker's log is {worker.log}")


def go_on(watch: Watch, worker: Process, plan: Plan, *, sender: Sender) -> None:
    """Let the plant of a plan go on after its end, in real time, until Ctrl-C.

    Raises
    ------
    Unavailable
        The worker ended.
    """
    feed = Feed(sender, plan.plant, plan.end_s + BEYOND_S, clock(plan, _began_ns(plan)), start_s=plan.end_s)
    stop = threading.Event()
    with ThreadPoolExecutor(1, "feed") as pool:
        pool.submit(feed.run, stop)
        try:
            while True:
                check(worker)
                for topic, record in watch.records(_WAIT_S):
                    if topic != "scores.v1":
                        feed.keep(record.get("trace_id"))
        except KeyboardInterrupt:
            return
        finally:
            stop.set()


def _began_ns(plan: Plan) -> int:
    """Give the wall time at which a plan that runs began."""
    return plan.plant.epoch_ns - round((WARMUP_WALL_S - plan.warmup_s) * _NS)
