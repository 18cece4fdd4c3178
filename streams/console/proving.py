"""The replay of an event: the real one, from its case, else from the log."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import Consumer

from foreshock.contract import Anomaly
from foreshock.replay import Verdict, replay
from foreshock.settings import Settings
from foreshock.streams.cases.log import replay_log
from foreshock.streams.cases.reading import anomaly_of, recorded
from foreshock.streams.cases.search import Sighting, case_for
from foreshock.streams.codec.registry import Registry
from foreshock.streams.console.reading import one
from foreshock.streams.wire import decode_output

SHOWN = 50  # differences


def sighting(client: Consumer, settings: Settings, registry: Registry | None, place: tuple[int, int]) -> Sighting:
    """Read an anomaly event by its coordinates.

    Raises
    ------
    Problem
        Kafka does not keep it.
    """
    message = one(client, f"{settings.topics.prefix}anomalies.v1", *place)
    record = decode_output(message.value() or b"", registry)["record"]
    return Sighting(anomaly_of(record), *place, message.timestamp()[1])


def prove(settings: Settings, seen: Sighting) -> dict[str, Any]:
    """Compute an event again and say whether it came out the same, bit for bit.

    Raises
    ------
    CaseRejected
        Its case proves nothing.
    """
    began = time.monotonic()
    case = case_for(settings, seen)
    if case is None:
        verdict, source = replay_log(settings, seen), "log"
    else:
        verdict, source = replay(recorded(case.anomaly, case.body, case.fingerprint)), "case"
    return {**_tree(verdict, seen.anomaly), "from": source, "took_s": round(time.monotonic() - began, 3)}


def _tree(verdict: Verdict, event: Anomaly) -> dict[str, Any]:
    return {
        "event_id": verdict.event_id,
        "equal": verdict.equal,
        "verdict": "EQUAL" if verdict.equal else "DIFFERENT",
        "differences": [
            {"field": each.field, "recorded": repr(each.recorded), "replayed": repr(each.replayed)}
            for each in verdict.differences[:SHOWN]
        ],
        "more": max(0, len(verdict.differences) - SHOWN),
        "notes": list(verdict.notes),
        "sha256": event.lineage.evidence,
    }
