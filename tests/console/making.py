"""Records as the console sees them, made from the samples of the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from foreshock.records import to_tree
from foreshock.streams.console.feed import Feed
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.seen import Seen, letter_line
from tests.wire import samples

NOW_MS = 1_790_000_000_000.0
HOUR_MS = 3_600_000.0


def plant(*, assets: int = 1000, rows: int = 100_000) -> Plant:
    """Nothing known yet."""
    return Plant(Feed(), assets=assets, rows=rows)


def score(
    asset: str, at_ms: float, value: float | None = 0.4, *, offset: int = 0, point: str = "de", **row: Any
) -> Seen:
    """A score of one row that came at a time."""
    ns = int(at_ms * 1e6)
    told = replace(samples.ORDINARY_ROW, source_ns=ns, value=value, **row)
    origin = replace(samples.ORIGIN, partition=1, offset=offset, ingest_ns=ns)
    record = replace(samples.ORDINARY, asset=asset, point=point, origin=origin, rows=(told,))
    return Seen("scores.v1", 1, offset, at_ms, asset.encode(), to_tree(record))


def transition(change: str, at_ms: float, *, asset: str = "pump-7", alert: str = "2" * 32, **fields: Any) -> Seen:
    """A change of an alert."""
    tree = to_tree(samples.ALERT)
    ns = int(at_ms * 1e6)
    given = {"state": "unacknowledged", "suppressed_by": None, "raised_ns": ns, "shelved_until_ns": None} | fields
    record = tree | {"change": change, "asset": asset, "alert_id": alert, "at_ns": ns, **given}
    record["event_id"] = f"{change}-{at_ms:.0f}-{alert[:4]}"
    return Seen("alerts.v1", 1, 0, at_ms, alert.encode(), record)


def anomaly(event_id: str, at_ms: float, asset: str = "pump-7") -> Seen:
    """An anomaly event."""
    record = to_tree(samples.ANOMALY) | {"event_id": event_id, "asset": asset}
    return Seen("anomalies.v1", 1, 5, at_ms, asset.encode(), record)


def quality(at_ms: float, *, raised: bool, kind: str = "silent", asset: str = "pump-7") -> Seen:
    """A condition of a sensor that was raised or cleared."""
    record = to_tree(samples.QUALITY) | {"kind": kind, "raised": raised, "asset": asset}
    return Seen("quality.v1", 1, 0, at_ms, asset.encode(), record)


def letter(at_ms: float, offset: int) -> Seen:
    """A dead letter."""
    return Seen("dead-letters.v1", 0, offset, at_ms, b"pump-7", letter_line(to_tree(samples.LETTER)))


def registered(asset: str, **fields: Any) -> Seen:
    """Master data."""
    return Seen("assets.v1", 0, 0, NOW_MS, asset.encode(), replace(samples.ASSET, asset=asset, **fields))


def command(at_ms: float, **fields: Any) -> Seen:
    """A command of somebody."""
    return Seen("control.v1", 0, 0, at_ms, b"", replace(samples.COMMAND, **fields))
