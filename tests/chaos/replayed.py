"""Every anomaly of a run with its case, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from foreshock.errors import CaseRejected
from foreshock.replay import replay
from foreshock.streams.cases.bytes import body_of
from foreshock.streams.cases.reading import anomaly_of, recorded
from tests.chaos.reading import Output


@dataclass
class Replays:
    """How many came out equal, and what is wrong with the others; `refused` of those whose case had one bit flipped."""

    equal: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def replayed(anomalies: Sequence[Output], cases: Sequence[Output]) -> Replays:
    """Replay each anomaly that names a case, from nothing but that case; and see each case refused with a bit flipped."""
    found = Replays()
    by_event = {(each.key or b"").decode(): body_of(each.value) for each in cases}
    for each in {event.id: event for event in anomalies}.values():
        anomaly = anomaly_of(each.record)
        if not anomaly.lineage.evidence:
            continue
        body = by_event.get(anomaly.event_id, b"")
        try:
            verdict = replay(recorded(anomaly, body))
        except CaseRejected as exc:
            found.wrong.append(f"{each.id}: {exc}")
            continue
        if verdict.equal:
            found.equal += 1
        else:
            found.wrong.append(f"{each.id}: {verdict.differences}")
        damaged = bytearray(body)
        damaged[int(each.id[:6], 16) % len(body)] ^= 1 << int(each.id[6], 16) % 8
        try:
            recorded(anomaly, bytes(damaged))
        except CaseRejected:
            found.refused += 1
    return found
