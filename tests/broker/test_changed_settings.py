"""Changed settings on a worker's state: scored on by the ones before, until a model by the new ones is warm."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from foreshock.detection import spec_of
from foreshock.fleet import Recipe
from foreshock.streams.state.reader import read_state
from tests.broker import undisturbed

pytestmark = pytest.mark.slow
ASSETS = [f"pump-{n}" for n in range(8)]


def test_no_score_is_missing(quick, open_topics, start_worker, send, poll_until):
    """Killed before the change and in the middle of the shadow: all bytes are those of an undisturbed run."""
    lean = replace(quick, detection=replace(quick.detection, profile="lean"))
    full, changed = Recipe(spec_of(quick)), Recipe(spec_of(lean))
    topics = open_topics(lean)
    send(topics, 0, 20)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(20 * 8, worker=first)
    first.stop(signal.SIGKILL)  # maybe before its first checkpoint
    send(topics, 20, 24)
    second = start_worker(lean, "--slot", "0")
    topics.wait_for_outcomes(24 * 8, worker=second)
    poll_until(lambda: len(undisturbed.places(topics)) == 4, 30, second.shown)
    send(topics, 24, 30)
    topics.wait_for_outcomes(30 * 8, worker=second)
    second.stop(signal.SIGKILL)
    send(topics, 30, 45)
    third = start_worker(lean, "--slot", "0")
    topics.wait_for_outcomes(45 * 8, worker=third)

    assert third.stop(seconds=20) == 0, third.shown()
    places = undisturbed.places(topics)
    undisturbed.same(topics, places=places, settings=[full, changed])
    scores = [each.record for each in topics.read("scores.v1")]
    warming = {row["reason"] for each in scores for row in each["rows"] if row["state"] == "warming"}
    assert max(int(each.partition(", ")[2].partition(" ")[0]) for each in warming) == 12, "the first warm-up"
    assert sum(row["state"] == "warming" for each in scores for row in each["rows"]) == 12 * 8
    newest = {each["asset"]: each["model"] for each in scores}
    assert set(newest.values()) == {changed.spec.model_name}
    assert {each["model"] for each in scores} == {full.spec.model_name, changed.spec.model_name}
    kept = [key for number in range(4) for key, _ in read_state(lean, number) if "@" in key]
    assert not kept, "a checkpoint takes spent places back"


def test_settings_that_nothing_rests_on_any_more_are_taken_back(quick, open_topics, start_worker, send, poll_until):
    """A new budget holds from its place on, and the next start leaves its recipe alone on the topic."""
    other = replace(quick, detection=replace(quick.detection, budget=0.1))
    topics = open_topics(other)
    send(topics, 0, 14)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(14 * 8, worker=first)
    assert first.stop() == 0, first.shown()
    second = start_worker(other, "--slot", "0")
    poll_until(lambda: len(undisturbed.places(topics)) == 4, 30, second.shown)
    send(topics, 14, 16)
    topics.wait_for_outcomes(16 * 8, worker=second)
    assert second.stop() == 0, second.shown()
    third = start_worker(other, "--slot", "0")
    third.wait_for("worker ready")
    send(topics, 16, 18)
    topics.wait_for_outcomes(18 * 8, worker=third)

    assert third.stop() == 0, third.shown()
    before, now = Recipe(spec_of(quick)), Recipe(spec_of(other))
    undisturbed.same(topics, places=undisturbed.places(topics), settings=[before, now])
    recipes = {key for number in range(4) for key, _ in read_state(other, number) if "#" in key}
    assert recipes == {f"{number}#{now.key}" for number in range(4)}
    assert "cold" not in third.shown().replace("0 cold", "")
