"""What `foreshock why` says, case by case, from facts as they stand on the topics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from foreshock.answers.answer import answer
from foreshock.answers.facts import Facts, Seen
from foreshock.vocabulary import SHADOW

S = 1_000_000_000
NOW = 1_750_000_000 * S


def origin(seconds_ago: float, offset: int = 7) -> dict[str, Any]:
    return {
        "topic": "sensors.v1",
        "topic_id": "id",
        "partition": 2,
        "offset": offset,
        "ingest_ns": NOW - int(seconds_ago * S),
        "schema": "json",
        "traceparent": None,
        "tracestate": None,
    }


def seen(record: dict[str, Any], seconds_ago: float = 5.0, topic: str = "scores.v1") -> Seen:
    return Seen({"origin": origin(seconds_ago), **record}, f"{topic} [2] @7", NOW - int(seconds_ago * S))


def score(seconds_ago: float = 5.0, point: str = "DE", learning: str = "learning", **row: Any) -> Seen:
    """The last score of a measuring point."""
    rows = [{"state": "scored", "reason": "", "value": 0.4, "alarm": False, "run_state": "running", **row}]
    return seen({"point": point, "rows": rows, "warmup": row.get("warmup", 1.0), "learning": learning}, seconds_ago)


def quality(kind: str, raised: bool, seconds_ago: float, detail: str = "because", point: str = "DE") -> Seen:
    record = {"point": point, "kind": kind, "raised": raised, "channel": "", "detail": detail}
    return seen(record, seconds_ago, "quality.v1")


def letter(seconds_ago: float, fix: str = "send the unit as UCUM") -> Seen:
    record = {"reason": "unknown_unit", "sentence": "the unit 'furlong' is unknown", "fix": fix, "event_id": "ab" * 16}
    return seen(record, seconds_ago, "dead-letters.v1")


def facts(**changes: Any) -> Facts:
    """An asset that was scored five seconds ago by a worker that is at the end of its partition."""
    fields = {
        "now_ns": NOW,
        "asset": "pump-7",
        "partition": 2,
        "group": "foreshock",
        "members": 2,
        "owner": "worker-0 on 10.0.0.1",
        "group_state": "stable",
        "end": 900,
        "done": 900,
        "scores": (score(),),
    }
    return Facts(**{**fields, **changes})


WARMING = score(state="warming", reason="warming up, 24 of 60 blocks", value=None, warmup=0.4, learning="warming up")
CASES = {
    "scored": (facts(), "pump-7/DE has a score of 0.40, and no alert because that is below the boundary of 1."),
    "held": (
        facts(scores=(score(learning="held: score is suspicious"),)),
        "pump-7/DE has a score of 0.40, and no alert because that is below the boundary of 1. Learning is held: score is suspicious.",
    ),
    "shadow": (
        facts(scores=(score(learning=f"learning{SHADOW}is warming up in the shadow, 40 %"),)),
        (
            "pump-7/DE has a score of 0.40, and no alert because that is below the boundary of 1. The settings have changed: "
            "the new model is warming up in the shadow, 40 %, and the one before scores until then."
        ),
    ),
    "over": (
        facts(scores=(score(value=1.3),)),
        "pump-7/DE has a score of 1.30, over the boundary of 1, and no alert yet: it was not there for long enough.",
    ),
    "warming": (
        facts(scores=(WARMING,)),
        "pump-7/DE has no score yet: it warms up and is at 40 % (24 of 60 blocks).",
    ),
    "cold": (
        facts(scores=(WARMING,), quality=(quality("cold_start", True, 90, "its snapshot has a bad signature"),)),
        (
            "pump-7/DE has no score yet: it warms up and is at 40 % (24 of 60 blocks). It started cold: its snapshot has "
            "a bad signature."
        ),
    ),
    "not running": (
        facts(scores=(score(state="not_running", reason="stopped, 0 Hz", value=None, run_state="stopped"),)),
        "pump-7/DE has no score because the machine is not running: stopped, 0 Hz.",
    ),
    "layout": (
        facts(scores=(score(state="not_usable", reason="block layout changed from A to B", value=None),)),
        "The last record of pump-7/DE cannot be scored: block layout changed from A to B.",
    ),
    "late": (
        facts(scores=(score(state="late", reason="late: 3 s before the last one", value=None),)),
        "The last record of pump-7/DE came late and was not scored: 3 s before the last one.",
    ),
    "silent": (
        facts(
            scores=(score(3600),),
            quality=(quality("silent", True, 3600, "no record for 30 s; one every 10 s is promised"),),
        ),
        "pump-7/DE is silent since 2025-06-15 14:06:40Z (60 min); one every 10 s is promised.",
    ),
    "quiet": (
        facts(scores=tuple(score(600 + 10 * i) for i in range(8))),
        "Nothing came from pump-7/DE for 10 min; it used to come every 10 s. It was not told silent yet.",
    ),
    "rejected": (
        facts(letters=(letter(2),)),
        "The last record of pump-7 (2 s ago) was refused as unknown_unit: the unit 'furlong' is unknown.",
    ),
    "only rejected": (
        facts(scores=(), letters=(letter(2),)),
        (
            "Nothing of it could be used so far. The last record of pump-7 (2 s ago) was refused as unknown_unit: the unit 'furlong' "
            "is unknown."
        ),
    ),
    "behind": (
        facts(end=5900, waiting=Seen({}, "sensors.v1 [2] @950", NOW - 60 * S)),
        "The worker is 5,000 records behind on partition 2: a record of pump-7 has waited for 60 s.",
    ),
    "under way": (
        facts(scores=(), end=901, waiting=Seen({}, "sensors.v1 [2] @900", NOW - 2 * S)),
        "The first record of pump-7 came 2 s ago and is being worked on.",
    ),
    "no worker": (
        facts(members=0, owner="", group_state="empty", end=904),
        (
            "No worker is running: nobody is in the group 'foreshock'; 4 records of partition 2 wait. The last score is of 2025-06-15 "
            "15:06:35Z (5 s ago)."
        ),
    ),
    "no owner": (
        facts(owner="", group_state="preparing rebalancing", end=904),
        (
            "Nobody has partition 2, where pump-7 belongs: the group 'foreshock' has 2 workers and is preparing rebalancing; 4 records of "
            "partition 2 wait. The last score is of 2025-06-15 15:06:35Z (5 s ago)."
        ),
    ),
    "registered only": (
        facts(scores=(), registered=seen({"asset_class": "pump"}, 900, "assets.v1")),
        "pump-7 is registered, but no record of it was found.",
    ),
    "unknown": (
        facts(scores=(), names={"pump-1", "pump-71", "fan-2"}),
        "pump-7 is unknown: no score, dead letter or master data of it; 3 assets known. Did you mean pump-71, pump-1?",
    ),
    "unknown and nobody works": (
        facts(scores=(), members=0, owner=""),
        "pump-7 is unknown: no score, dead letter or master data of it; no asset is known at all.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_sentence(name: str) -> None:
    """Each reason has its sentence, and the facts behind it have a source each."""
    given, sentence = CASES[name]
    found = answer(given)

    assert found.sentence == sentence
    assert found.known is not name.startswith("unknown")
    assert all(line.source for line in found.lines)


def test_a_later_score_heals_a_refusal() -> None:
    """A dead letter of an hour ago explains nothing about a score of now, but is shown."""
    found = answer(facts(letters=(letter(3600),)))

    assert found.code == "scored"
    assert any(line.what == "dead letter" for line in found.lines)


def test_a_cleared_silence_is_over() -> None:
    """A sensor that was silent and came back has its score explained."""
    back = (quality("silent", False, 5), quality("silent", True, 300))

    assert answer(facts(quality=back)).code == "scored"


def test_the_point_that_matters_most_is_told() -> None:
    """Of several measuring points the one in alarm is told before the silent one, and that before the scored one."""
    alarm, silent, fine = score(point="A", alarm=True, value=2.0), score(900, point="B"), score(point="C")
    told = quality("silent", True, 900, point="B")
    event = seen(
        {
            "point": "A",
            "phase": "opened",
            "severity": "warning",
            "event_id": "cd" * 16,
            "score": 2.0,
            "started_ns": NOW - 60 * S,
        },
        topic="anomalies.v1",
    )
    found = answer(facts(scores=(alarm, silent, fine), quality=(told,), anomalies=(event,)))

    assert found.sentence == (
        "pump-7/A is in alarm since 2025-06-15 15:05:40Z of its own time (warning), with a score of 2.00 in its last record."
    )
    assert found.fix == "foreshock explain cdcdcdcd"
    assert answer(facts(scores=(silent, fine), quality=(told,))).code == "silent"
    assert {line.what for line in found.lines} >= {"A score", "B score", "C score", "A anomaly"}


def test_scores_without_a_worker_point_to_another_group():
    """Whoever asks with the wrong group is told so while scores still come, and not where the last one is old."""
    nobody = facts(members=0, owner="", group_state="empty")

    assert "--group" in answer(nobody).fix
    assert answer(replace(nobody, now_ns=nobody.now_ns + 60 * S)).fix == "start one: foreshock worker"


def test_the_cache_fills_in_what_topics_no_longer_hold() -> None:
    """An asset whose scores are too far back is known by its last state in the cache."""
    cached = ({"point": "DE", "state": "scored", "ingest_ns": NOW - 7 * 86400 * S},)
    found = answer(replace(facts(scores=()), cached=cached))

    assert (found.code, found.known) == ("silent", True)
    assert "7 d ago" in found.sentence


def alert(change: str, state: str, seconds_ago: float = 60.0, **more: Any) -> Seen:
    """A change of the asset's alert."""
    record = {
        "change": change,
        "state": state,
        "alert_id": "abcdef0123456789" * 2,
        "asset": "pump-7",
        "severity": "warning",
        "at_ns": NOW - int(seconds_ago * S),
        "actor": "policy",
        "reason": "score 2.5 >= 2",
        "owner": "mechanics",
        "acknowledged_by": "",
        "suppressed_by": None,
        "shelved_until_ns": None,
        "action": "look at it",
        "policy": "pumps@1",
    }
    return seen({**record, **more}, seconds_ago, "alerts.v1")


OVER = score(value=2.5)
UNTIL = {"shelved_until_ns": NOW + 3600 * S, "actor": "mia", "reason": "spare is coming", "suppressed_by": "shelved"}
ALERTED = {
    "raised": ((alert("raised", "unacknowledged"),), "(warning) is unacknowledged, and mechanics is to act, since"),
    "acknowledged": ((alert("acknowledged", "acknowledged", acknowledged_by="mia"),), "is acknowledged by mia, since"),
    "shelved": (
        (alert("shelved", "shelved", **UNTIL),),
        "is shelved until 2025-06-15 16:06:40Z by mia: spare is coming.",
    ),
    "suppressed": (
        (alert("suppressed", "normal", suppressed_by="minimum_effect", reason="rms is within 5 % of expected"),),
        "because of minimum effect: rms is within 5 % of expected.",
    ),
    "answers are passed over": (
        (alert("refused", "normal", alert_id=""), alert("raised", "unacknowledged")),
        "is unacknowledged",
    ),
}


@pytest.mark.parametrize("name", ALERTED)
def test_where_the_alert_stands_is_part_of_the_answer(name: str) -> None:
    """Who is to act, until when it is shelved, why it is not alerted: said beside the score, and among the facts."""
    alerts, says = ALERTED[name]
    found = answer(facts(scores=(OVER,), alerts=alerts))

    assert says in found.sentence
    assert "no alert yet" not in found.sentence
    assert any(line.what == "alert" for line in found.lines)


def test_closed_alert_is_a_fact_but_no_answer() -> None:
    """What is over is not told as if it stood."""
    found = answer(facts(alerts=(alert("closed", "normal"), alert("raised", "unacknowledged"))))

    assert found.sentence.endswith("below the boundary of 1.")
    assert any("closed" in line.value for line in found.lines)
