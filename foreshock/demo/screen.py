"""What a demonstration looks like while it runs: a table that is drawn again and again, or plain lines."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from foreshock.demo.board import Board, Row
from foreshock.simulate.verdict import ANOMALY, Event

_BARS = "▁▂▃▄▅▆▇█"
_FULL = 2.0
"""Score at which a bar is full; 1 is the boundary of normal."""


def sparkline(scores: list[float]) -> str:
    """Draw scores as bars, from 0 to twice the boundary."""
    return "".join(_BARS[min(len(_BARS) - 1, int(len(_BARS) * max(0.0, each) / _FULL))] for each in scores)


def clock(board: Board, plant_s: float) -> str:
    """Say where the plan stands."""
    plan = board.plan
    if plant_s < plan.warmup_s:
        return f"warm-up {plant_s / plan.warmup_s:.0%}"
    return f"feed {min(plant_s - plan.warmup_s, plan.duration_s):.0f} of {plan.duration_s:.0f} s"


class Screen(Protocol):
    """Shows progress; used as a context."""

    def say(self, text: str) -> None:
        """Tell what is being done."""
        ...

    def event(self, board: Board, new: Event) -> None:
        """Tell what was found."""
        ...

    def draw(self, board: Board, plant_s: float) -> None:
        """Show where things stand."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...


class Lines:
    """Plain lines, for files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = ""

    def say(self, text: str) -> None:
        """Print it."""
        self._console.print(text, soft_wrap=True)

    def event(self, board: Board, new: Event) -> None:
        """Print one line."""
        at = new.plant_s - board.plan.warmup_s
        what = "anomaly opened" if new.what == ANOMALY else f"sensor: {new.what}"
        self.say(f"{at:7.1f} s  {new.asset:<14} {what}: {new.detail}")

    def draw(self, board: Board, plant_s: float) -> None:
        """Print one line each time a fifth of the warm-up or ten seconds of the feed have passed."""
        plan = board.plan
        part = f"w{5 * plant_s // plan.warmup_s}" if plant_s < plan.warmup_s else f"f{(plant_s - plan.warmup_s) // 10}"
        if part != self._told:
            self._told = part
            self.say(f"{clock(board, plant_s)}: {board.scores} blocks scored or accounted for")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


class LiveTable:
    """A table of the assets, redrawn four times a second, from the first time it is drawn."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=False)

    def say(self, text: str) -> None:
        """Print it above the table."""
        self._live.console.print(text, soft_wrap=True)

    def event(self, board: Board, new: Event) -> None:
        """Leave it to the table."""

    def draw(self, board: Board, plant_s: float) -> None:
        """Redraw."""
        if not self._live.is_started:
            self._live.start()  # not before: while the stack starts, its progress bar has the terminal
        self._live.update(table(board, plant_s))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last table standing."""
        self._live.stop()


def table(board: Board, plant_s: float) -> Table:
    """Lay out the assets as they stand."""
    found = Table(title=f"{clock(board, plant_s)}   {board.scores} blocks", title_justify="left", expand=False)
    for name in ("asset", "state", "score", "trend", "last event"):
        found.add_column(name, justify="right" if name == "score" else "left", no_wrap=True)
    for row in board.rows.values():
        found.add_row(*_cells(row), style="bold red" if row.alarm else "")
    return found


def _cells(row: Row) -> tuple[str, ...]:
    score = "" if row.score is None else f"{row.score:.2f}"
    return row.asset, "ALARM" if row.alarm else row.state, score, sparkline(list(row.trend)), row.last_event
