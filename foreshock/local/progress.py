"""A progress bar for the first start, when Kafka's jars are fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from foreshock.local import jars


@contextmanager
def shown(console: Console) -> Iterator[jars.Progress]:
    """Give the callback for `LocalStack(progress=...)`; the bar appears only if something is fetched."""
    columns = (TextColumn("fetching Apache Kafka, once"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
