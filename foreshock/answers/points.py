"""What the Fleet said of the last record of each measuring point, as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from foreshock.answers import alerting
from foreshock.answers.facts import NS, Answer, Facts, Record, Seen, ago, clock, ingest_ns
from foreshock.contract import Acquisition, Origin, QualityKind, ScoreState
from foreshock.features.silence import Pulse
from foreshock.vocabulary import SHADOW

QUIET = 3.0  # intervals without a record: then it is quiet, whether it was told silent or not
QUIET_S = 30.0
_ORDER = ("alarm", "silent", "not_usable", "late", "warming", "not_running", "over", "scored")


def by_point(facts: Facts, points: Mapping[str, Seen]) -> Answer:
    """What the Fleet said of the last record of each point; what matters most goes first."""
    found = [_of_point(facts, seen) for seen in points.values()]
    return min(found, key=lambda each: _ORDER.index(each.code))


def _of_point(facts: Facts, seen: Seen) -> Answer:
    score, row = seen.record, seen.record["rows"][-1]
    name = f"{facts.asset}/{score['point']}"
    silent = _silent(facts, score["point"], name, ingest_ns(seen))
    if row["alarm"]:
        return _alarm(facts, score, row, name, silent)
    if silent:
        return silent
    if row["state"] == ScoreState.WARMING:
        return _warming(facts, seen, name)
    return _unscored(row, name) or _scored(facts, score, row, name)


def _unscored(row: Record, name: str) -> Answer | None:
    """The record could not be scored, or was not to be."""
    state, reason = row["state"], row["reason"]
    if state == ScoreState.NOT_RUNNING:
        return Answer("not_running", f"{name} has no score because the machine is not running: {reason}.")
    if state == ScoreState.LATE:
        fix = "look at the gateway: it repeats records, sends them out of order, or its clock was set back"
        return Answer(
            "late", f"The last record of {name} came late and was not scored: {reason.removeprefix('late: ')}.", fix
        )
    if state == ScoreState.NOT_USABLE or row["value"] is None:
        return Answer("not_usable", f"The last record of {name} cannot be scored: {reason or state}.", "")
    return None


def _learning(score: Record) -> str:
    """Why nothing is learnt, and what warms up in the shadow; "" where there is nothing to say."""
    held, _, heir = score["learning"].partition(SHADOW)
    said = "" if held == "learning" else f" Learning is {held}."
    return (
        f"{said} The settings have changed: the new model {heir}, and the one before scores until then."
        if heir
        else said
    )


def _scored(facts: Facts, score: Record, row: Record, name: str) -> Answer:
    held, stands = _learning(score), alerting.standing(facts) is not None
    value = f"{name} has a score of {row['value']:.2f}"
    if row["value"] >= 1.0:
        why = "" if stands else ", and no alert yet: it was not there for long enough"
        return Answer("over", f"{value}, over the boundary of 1{why}.{held}")
    why = ", which is below the boundary of 1" if stands else ", and no alert because that is below the boundary of 1"
    return Answer("scored", f"{value}{why}.{held}")


def _alarm(facts: Facts, score: Record, row: Record, name: str, silent: Answer | None) -> Answer:
    value = "no value" if row["value"] is None else f"a score of {row['value']:.2f}"
    event = next((each for each in facts.anomalies if each.record["point"] == score["point"]), None)
    since, fix = "", ""
    if event is not None:
        since = f" since {clock(event.record['started_ns'])} of its own time ({event.record['severity']})"
        fix = f"foreshock explain {event.record['event_id'][:8]}"
    held = _learning(score)
    also = f" {silent.sentence}" if silent else ""
    return Answer("alarm", f"{name} is in alarm{since}, with {value} in its last record.{held}{also}", fix)


def _silent(facts: Facts, point: str, name: str, last_ns: int) -> Answer | None:
    """The sensor was told silent, or nothing came for much longer than usual and nobody has told it yet."""
    told = [q for q in facts.quality if q.record["point"] == point and q.record["kind"] == QualityKind.SILENT]
    fix = "look at the sensor, its power and its gateway"
    if told and told[0].record["raised"] and ingest_ns(told[0]) >= last_ns:
        sentence = f"{name} is silent since {clock(last_ns)} ({ago(facts.now_ns - last_ns)}); {_expected(told[0])}."
        return Answer("silent", sentence, fix)
    limit_ns, interval_ns = _rhythm(facts, point)
    if limit_ns and facts.now_ns - last_ns > limit_ns:
        sentence = (
            f"Nothing came from {name} for {ago(facts.now_ns - last_ns)}; it used to come every {interval_ns / NS:.3g} s. "
            "It was not told silent yet."
        )
        return Answer("silent", sentence, fix)
    return None


def _expected(told: Seen) -> str:
    """What a silence says beside its length, which has grown since."""
    detail = str(told.record["detail"])
    return detail.partition("; ")[2] or detail


def _rhythm(facts: Facts, point: str) -> tuple[int, int]:
    """Limit and interval of a sensor in ns, from its last records and by the rule of the Fleet; 0 where unknown."""
    pulse = Pulse()
    for each in reversed([seen for seen in facts.scores if seen.record["point"] == point]):
        pulse = pulse.heard(Origin(**each.record["origin"]), None, Acquisition.SNAPSHOT)
    return pulse.limit_ns(QUIET, QUIET_S), pulse.interval_ns()


def _warming(facts: Facts, seen: Seen, name: str) -> Answer:
    score, row = seen.record, seen.record["rows"][-1]
    share = f"{100 * score['warmup']:.0f} %"
    cold = next((q for q in facts.quality if q.record["kind"] == QualityKind.COLD_START and q.record["raised"]), None)
    held = (
        ""
        if score["learning"] in {"learning", ""} or "warming" in score["learning"]
        else f" Learning is {score['learning']}."
    )
    why = f" It started cold: {cold.record['detail']}." if cold is not None else ""
    return Answer(
        "warming",
        f"{name} has no score yet: it warms up and is at {share} ({row['reason'].removeprefix('warming up, ')}).{why}{held}",
    )
