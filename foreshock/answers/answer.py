"""Why is there no score, or no alert? From facts that were gathered, one sentence and what it rests on. Pure.

The facts come as plain records, as they stand on the topics (`streams/errands/inquiry.py` gathers them). What explains most is
said first: nobody works, the record was refused, it waits, the sensor is silent; then what the Fleet itself said of the
last record.
"""

from __future__ import annotations

import difflib

from foreshock.answers import alerting
from foreshock.answers.facts import FRESH_S, NS, Answer, Facts, Seen, ago, clock, counted, ingest_ns
from foreshock.answers.lines import lines
from foreshock.answers.points import by_point

BEHIND_S = 10.0  # a record that has waited for so long is told; less is under way


def answer(facts: Facts) -> Answer:
    """Say why an asset has a score or an alert, or why not."""
    points = _points(facts)
    last_ns = max((ingest_ns(each) for each in points.values()), default=0)
    heard = points or facts.waiting or facts.letters or facts.cached or facts.registered
    found = _unworked(facts, last_ns) if heard else _unknown(facts)
    if found is None and not points:
        found = _unseen(facts)
    found = found or _refused(facts, last_ns) or _late_worker(facts) or by_point(facts, points)
    told = f"{found.sentence}{alerting.sentence(facts)}"
    return Answer(found.code, told, found.fix, found.known, tuple(lines(facts, points)))


def _points(facts: Facts) -> dict[str, Seen]:
    """The newest score of each measuring point."""
    found: dict[str, Seen] = {}
    for each in facts.scores:
        found.setdefault(each.record["point"], each)
    return dict(sorted(found.items()))


def _unworked(facts: Facts, last_ns: int) -> Answer | None:
    """Nobody works: what waits cannot have a score."""
    since = f" The last score is of {clock(last_ns)} ({ago(facts.now_ns - last_ns)} ago)." if last_ns else ""
    waits = f"{counted(facts.behind, 'record')} of partition {facts.partition} wait"
    if not facts.members:
        sentence = f"No worker is running: nobody is in the group {facts.group!r}; {waits}.{since}"
        fix = "start one: foreshock worker"
        if last_ns and facts.now_ns - last_ns < FRESH_S * NS:
            fix += "; or, as scores came just now, name the group of those that work: --group (worker.group)"
        return Answer("no_worker", sentence, fix)
    if not facts.owner:
        sentence = (
            f"Nobody has partition {facts.partition}, where {facts.asset} belongs: the group {facts.group!r} has "
            f"{counted(facts.members, 'worker')} and is {facts.group_state}; {waits}.{since}"
        )
        return Answer(
            "no_owner", sentence, "wait for the rebalance; where it stays so, look at the workers' last lines"
        )
    return None


def _unseen(facts: Facts) -> Answer | None:
    """No score at all: waiting, refused, registered only, or never heard of."""
    if facts.waiting is not None:
        return _late_worker(facts) or Answer(
            "under_way",
            f"The first record of {facts.asset} came {ago(facts.now_ns - facts.waiting.at_ns)} ago and is being worked on.",
        )
    if facts.letters:
        return _rejected(facts, facts.letters[0], "Nothing of it could be used so far. ")
    if facts.cached:
        newest = max(facts.cached, key=lambda each: int(each["ingest_ns"]))
        sentence = (
            f"{facts.asset} was last heard {clock(newest['ingest_ns'])} ({ago(facts.now_ns - newest['ingest_ns'])} ago); since "
            "then nothing came, and its scores are further back than was looked."
        )
        return Answer("silent", sentence, "look at the gateway and the sensor")
    if facts.registered is not None:
        sentence = f"{facts.asset} is registered, but no record of it was found{_how_far(facts)}."
        fix = "send to sensors.v1 with this id as the key; `foreshock validate` looks at a payload before it is sent"
        return Answer("never_heard", sentence, fix)
    return None


def _unknown(facts: Facts) -> Answer:
    """Nobody ever heard of it: it may be another's name, misspelt."""
    near = difflib.get_close_matches(facts.asset, list(facts.names), n=3, cutoff=0.75)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    known = f"{counted(len(facts.names), 'asset')} known" if facts.names else "no asset is known at all"
    sentence = f"{facts.asset} is unknown: no score, dead letter or master data of it{_how_far(facts)}; {known}.{hint}"
    return Answer("unknown", sentence, "ids are case-sensitive; is the prefix right?", known=False)


def _how_far(facts: Facts) -> str:
    return f" since {clock(facts.looked_back_ns)}" if facts.looked_back_ns else ""


def _refused(facts: Facts, last_ns: int) -> Answer | None:
    """The newest record was refused, and nothing better came after it."""
    newest = facts.letters[0] if facts.letters else None
    if newest is None or ingest_ns(newest) < last_ns:
        return None
    return _rejected(facts, newest, "")


def _rejected(facts: Facts, letter: Seen, before: str) -> Answer:
    record = letter.record
    sentence = (
        f"{before}The last record of {facts.asset} ({ago(facts.now_ns - ingest_ns(letter))} ago) was refused as {record['reason']}: "
        f"{record['sentence']}."
    )
    return Answer("rejected", sentence, record["fix"] or f"foreshock dead-letters show {record['event_id']}")


def _late_worker(facts: Facts) -> Answer | None:
    """Records wait, and have waited for longer than a batch takes."""
    if facts.waiting is None or facts.now_ns - facts.waiting.at_ns < BEHIND_S * NS:
        return None
    sentence = (
        f"The worker is {counted(facts.behind, 'record')} behind on partition {facts.partition}: a record of {facts.asset} has waited "
        f"for {ago(facts.now_ns - facts.waiting.at_ns)}."
    )
    return Answer(
        "behind", sentence, "more processes or hosts in the group; `foreshock trace` shows where the time goes"
    )
