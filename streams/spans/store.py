"""The local store of spans: one SQLite file in a directory, written by the workers and read by `foreshock trace`.

It is meant for one machine: a demo, a plant computer, a developer. Write-ahead logging lets several workers write and a
reader read at once. Age and size are bounded; traces of ordinary blocks, which are a sample anyway, go before traces of
events.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from foreshock.errors import Unavailable

FILE = "spans.db"
MAX_AGE_S = 14 * 86400.0
MAX_BYTES = 256 * 1024 * 1024
PRUNE_EVERY_S = 30.0
BUSY_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (
    trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, asset TEXT, event_id TEXT, ordinary INTEGER,
    error TEXT NOT NULL, attributes TEXT NOT NULL, resource TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id));
CREATE INDEX IF NOT EXISTS spans_span ON spans (span_id);
CREATE INDEX IF NOT EXISTS spans_event ON spans (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS spans_asset ON spans (asset, start_ns) WHERE event_id IS NOT NULL AND asset IS NOT NULL;
CREATE INDEX IF NOT EXISTS spans_root ON spans (ordinary, start_ns) WHERE ordinary IS NOT NULL;
"""

_OF_ALERT = (
    "SELECT trace_id FROM spans WHERE event_id IS NOT NULL AND name LIKE '%alerts.v1'"
    """ AND attributes LIKE '%"foreshock.alert_id":"' || ? || '%' ORDER BY start_ns LIMIT 1"""
)

# a hundred traces, or a twentieth: those first in which nothing but ordinary blocks is
_OLDEST = (
    "DELETE FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE ordinary IS NOT NULL GROUP BY trace_id"
    " ORDER BY min(ordinary) DESC, min(start_ns) LIMIT max(100, (SELECT count(*) / 200 FROM spans)))"
)


class SpanRow(NamedTuple):
    """One span as it is kept."""

    trace_id: str  # 32 hexadecimal digits
    span_id: str  # 16
    parent_id: str  # 16, "" for none
    name: str
    kind: str
    start_ns: int
    end_ns: int
    asset: str | None
    event_id: str | None
    ordinary: int | None  # of a root: 0 for an event, 1 for an ordinary block or what a producer sent; else None
    error: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


class SpanStore:
    """Writes to and reads from the store in `directory`.

    Parameters
    ----------
    directory
        Made on the first write. A reader never makes it.
    max_age_s, max_bytes
        What is kept at most; checked now and then while writing.
    """

    ERRORS = (sqlite3.Error,)  # what `write` may raise beside OSError

    def __init__(self, directory: Path, *, max_age_s: float = MAX_AGE_S, max_bytes: int = MAX_BYTES) -> None:
        self.path = directory / FILE
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._pruned = 0.0

    def write(self, rows: Sequence[SpanRow]) -> None:
        """Keep these spans, all or none; a span that is there already is replaced.

        Raises
        ------
        sqlite3.Error
            The file cannot be written.
        """
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        values = [
            (*row[:-2], orjson.dumps(row.attributes).decode(), orjson.dumps(row.resource).decode()) for row in rows
        ]
        with closing(self._open()) as db:
            with _transaction(db):
                db.executemany(f"INSERT OR REPLACE INTO spans VALUES ({','.join('?' * 13)})", values)  # noqa: S608  # only question marks
            if time.monotonic() - self._pruned > PRUNE_EVERY_S or not self._pruned:
                self._pruned = time.monotonic()
                self._prune(db)

    def exists(self) -> bool:
        """Say whether anything was ever written here."""
        return self.path.exists()

    def count(self) -> int:
        """Count the traces in the store."""
        query = "SELECT count(DISTINCT trace_id) FROM spans WHERE ordinary IS NOT NULL"
        return int(self._read(query)[0][0]) if self.exists() else 0

    def trace(self, trace_id: str) -> list[SpanRow]:
        """Give the spans of a trace in the order of their start; none: not here."""
        found = self._read("SELECT * FROM spans WHERE trace_id = ? ORDER BY start_ns, end_ns DESC", trace_id)
        return [SpanRow._make((*row[:-2], orjson.loads(row[-2]), orjson.loads(row[-1]))) for row in found]

    def recent(self, count: int) -> list[SpanRow]:
        """Give the spans of the newest traces of single records."""
        query = (
            "SELECT * FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE ordinary IS NOT NULL"
            " ORDER BY start_ns DESC LIMIT ?) ORDER BY start_ns"
        )
        found = self._read(query, str(count))
        return [SpanRow._make((*row[:-2], orjson.loads(row[-2]), orjson.loads(row[-1]))) for row in found]

    def find(self, wanted: str) -> str | None:
        """Give the trace id of a trace, an event, a score or an alert, or of the latest anomaly of an asset.

        Of ids the first 8 digits suffice. The trace of an alert is that of its first change that is kept here.
        """
        queries = [
            "SELECT trace_id FROM spans WHERE asset = ? AND name LIKE '%anomalies.v1' ORDER BY start_ns DESC LIMIT 1"
        ]
        if len(wanted) >= 8 and all(digit in "0123456789abcdef" for digit in wanted):
            for column in ("trace_id", "event_id", "span_id"):
                key = wanted[:16] if column == "span_id" else wanted
                queries.append(
                    f"SELECT trace_id FROM spans WHERE {column} >= '{key}' AND {column} < '{key}g' LIMIT 1"  # noqa: S608  # hexadecimal digits only
                )
            queries.append(_OF_ALERT)
        for query in queries:
            found = self._read(query, *([wanted] if "?" in query else []))
            if found:
                return str(found[0][0])
        return None

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        if not self.exists():
            return []
        try:
            with closing(self._open()) as db:
                return db.execute(query, values).fetchall()
        except (OSError, sqlite3.Error) as exc:
            raise Unavailable(f"the span store {self.path} cannot be read: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        """Open the file; a connection lives for one call, so it never crosses a thread or a fork."""
        db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        db.execute("PRAGMA synchronous = NORMAL")
        if _version(db) == 0:
            with (self.path.parent / f"{FILE}.lock").open("w") as lock:
                # SQLite does not wait for its lock when the journal changes its mode: two that start at once would fail.
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _version(db) == 0:
                    _create(db)
        return db

    def _prune(self, db: sqlite3.Connection) -> None:
        """Delete what is too old, then, while there is too much, the oldest traces: ordinary ones first."""
        oldest = time.time_ns() - int(self._max_age_s * 1e9)
        with _transaction(db):
            db.execute(
                "DELETE FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE ordinary IS NOT NULL AND start_ns < ?)",
                (oldest,),
            )
        while _used_bytes(db) > self._max_bytes:
            with _transaction(db):
                gone = db.execute(_OLDEST).rowcount
            if not gone:
                return


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _create(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    with _transaction(db):
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Take the write lock at once: a lock that is upgraded later can fail without waiting."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _used_bytes(db: sqlite3.Connection) -> int:
    """Bytes of pages in use; free ones are used again, so the file does not grow past its largest."""
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
