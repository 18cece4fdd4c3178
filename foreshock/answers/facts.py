"""What can be known about an asset that has, or has not, a score: the facts, and the answer that they give. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]
NS = 1_000_000_000
FRESH_S = 30.0  # a score so young says that somebody may well work, in another group


@dataclass(frozen=True, slots=True)
class Seen:
    """A record of a topic: its content and where it stands."""

    record: Record
    source: str  # topic, partition and offset, or what else was asked
    at_ns: int  # when it was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that could be found out about an asset.

    Attributes
    ----------
    now_ns
        Time of the question.
    asset, partition, group
        What is asked about, where its records belong, and which consumer group works on them.
    members
        Workers in the group.
    owner
        Who has the partition; "" for nobody.
    group_state
        In Kafka's words: stable, preparing_rebalancing, empty ...
    end, done
        Offset after the last input of the partition, and up to where inputs are known to be done.
    waiting
        Newest input record of the asset that is not done yet, where one was seen.
    scores
        Its scores, the newest first.
    quality, letters, anomalies
        Its quality transitions, dead letters and anomaly events, the newest first; letters of any partition.
    alerts
        Changes of its alerts, the newest first.
    cached
        States of its measuring points in the cache, and in its snapshot where scores are too far back.
    registered
        Its master data on assets.v1.
    names
        Other assets that are known.
    looked_back_ns
        How far back scores were looked at; None: all that are kept, or there are none.
    cache
        "" or why the cache says nothing.
    """

    now_ns: int
    asset: str
    partition: int
    group: str
    members: int = 0
    owner: str = ""
    group_state: str = ""
    end: int = 0
    done: int = 0
    waiting: Seen | None = None
    scores: tuple[Seen, ...] = ()
    quality: tuple[Seen, ...] = ()
    letters: tuple[Seen, ...] = ()
    anomalies: tuple[Seen, ...] = ()
    alerts: tuple[Seen, ...] = ()
    cached: tuple[Record, ...] = ()
    registered: Seen | None = None
    names: Collection[str] = ()
    looked_back_ns: int | None = None
    cache: str = ""

    @property
    def behind(self) -> int:
        """Inputs of the partition that are not done."""
        return max(self.end - self.done, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One fact, with its source and when it was so; None: now."""

    what: str
    value: str
    source: str
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence, a code for it that scripts can match on, and the facts."""

    code: str
    sentence: str
    fix: str = ""
    known: bool = True
    lines: tuple[Line, ...] = field(default=())


def ingest_ns(seen: Seen) -> int:
    """Log-append time of the input that a record came from."""
    return int(seen.record["origin"]["ingest_ns"])


def counted(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ago(ns: int) -> str:
    """Write a time span: seconds, minutes, hours or days."""
    seconds = max(ns, 0) / NS
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


def clock(ns: int) -> str:
    """Write a time of day in UTC."""
    return dt.datetime.fromtimestamp(ns / NS, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
