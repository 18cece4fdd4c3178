"""Scores as they stand on `scores.v1`, for questions about the past that need nothing but them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foreshock.alerts.preview import Measured, Scored
from foreshock.contract import Origin
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.tailing import records
from foreshock.vocabulary import Mode, RunState, ScoreState

_ORIGIN = ("topic", "topic_id", "partition", "offset", "ingest_ns")


def scored(settings: Settings, since_ms: int) -> Iterator[Scored | None]:
    """Give the scores that the broker took since a time, up to the end that the topic has when it is reached.

    A record comes as None where it cannot be read. Those that a restarted worker sent again come twice.

    Raises
    ------
    ConfigurationError
        There is no such topic.
    Unavailable
        Kafka cannot be reached.
    """
    registry = registry_for(settings)
    for message in records(settings, "scores.v1", beginning=False, follow=False, since_ms=since_ms):
        try:
            yield scored_of(decode_output(message.value() or b"", registry)["record"])
        except (InputRejected, KeyError):
            yield None


def scored_of(record: dict[str, Any]) -> Scored:
    """Take of a decoded score what a desk makes its readings of (`foreshock/core/desk.py`); late rows are none.

    Raises
    ------
    KeyError
        It is no score.
    """
    origin = Origin(**{name: record["origin"][name] for name in _ORIGIN})
    return Scored(
        asset=record["asset"],
        point=record["point"],
        quality=tuple(record["quality"]),
        origin=origin,
        rows=tuple(
            Measured(
                at_ns=min(row["source_ns"], origin.ingest_ns),
                value=row["value"],
                trend=row["trend"],
                running=row["run_state"] == RunState.RUNNING,
                usable=row["state"] != ScoreState.NOT_USABLE,
                mode=Mode.STATIC_LIMIT.value if row["p_value"] is None else record["mode"],
            )
            for row in record["rows"]
            if row["state"] != ScoreState.LATE
        ),
    )
