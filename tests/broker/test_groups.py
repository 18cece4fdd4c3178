"""The state belongs to one consumer group: another one is refused, and a renamed one takes it over."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import pytest

from foreshock.detectors.snapshot import Key, Keys, seal, unseal
from foreshock.errors import ConfigurationError
from foreshock.streams.state.claims import Claims
from foreshock.streams.state.reader import read_state
from foreshock.streams.state.records import Marker
from tests.broker import undisturbed

ASSETS = [f"pump-{n}" for n in range(8)]
KEYS = Keys(Key("k", b"a secret of the tests"))


def admin(*members):
    """An administration client that knows who is in a group."""
    answer: Future = Future()
    answer.set_result(SimpleNamespace(members=members))
    return SimpleNamespace(describe_consumer_groups=lambda groups, **_: dict.fromkeys(groups, answer))


@pytest.mark.parametrize("owner", ["", "mine", "former"])
def test_own_and_former_state_is_taken_up(owner):
    """So is that of a marker from before groups were noted."""
    Claims("mine", "former", "state.v1").check(2, owner, admin())


@pytest.mark.parametrize(
    ("owner", "members", "words"),
    [
        ("theirs", (), ["'theirs'", "'mine'", "partition 2", "topics.prefix", "--from-group theirs"]),
        ("former", ("one",), ["'former'", "'mine'", "1 members left"]),
    ],
)
def test_state_of_others_is_refused(owner, members, words):
    """Whether nobody handed it over or its owners are still there: both groups are named, and what to do."""
    with pytest.raises(ConfigurationError) as refused:
        Claims("mine", "former", "state.v1").check(2, owner, admin(*members))

    assert all(word in str(refused.value) for word in words)


def test_marker_without_a_group_is_read():
    """State that was written before groups were noted is still good."""
    old = seal("marker", {"topic_id": "id", "resume": 3, "published": 4, "outputs": ["a=b"]}, header={}, keys=KEYS)

    assert Marker.of(unseal(old, KEYS)) == Marker("id", 3, 4, ("a=b",))
    assert Marker("id", 3, 4, group="mine") == Marker.of(unseal(Marker("id", 3, 4, group="mine").seal(KEYS), KEYS))


@pytest.mark.slow
def test_second_group_is_refused_and_a_renamed_one_goes_on(quick, open_topics, start_worker, send, poll_until):
    """Exit code 2 for another group on the same topics; with --from-group it goes on with every model, and owns them then."""
    quick = replace(quick, worker=replace(quick.worker, instance_id=""))  # who stops has left its group then
    topics = open_topics(quick)
    send(topics, 0, 15)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(15 * 8, worker=first)
    poll_until(lambda: owners(quick) == {quick.worker.group}, 30, first.shown)
    renamed = replace(quick, worker=replace(quick.worker, group=f"{quick.worker.group}-renamed", instance_id="other"))
    refused = start_worker(renamed, "--slot", "0")

    assert refused.ends() == 2
    assert repr(quick.worker.group) in refused.lines[-1]
    assert repr(renamed.worker.group) in refused.lines[-1]

    early = start_worker(renamed, "--slot", "0", "--from-group", quick.worker.group)

    assert early.ends() == 2
    assert "members left" in early.lines[-1]

    assert first.stop() == 0, first.shown()
    follower = start_worker(renamed, "--slot", "0", "--from-group", quick.worker.group)
    follower.wait_for("worker ready")
    poll_until(lambda: owners(quick) == {renamed.worker.group}, 30, follower.shown)
    send(topics, 15, 20)
    topics.wait_for_outcomes(20 * 8, worker=follower)

    assert follower.stop() == 0, follower.shown()
    undisturbed.same(topics)


def owners(settings):
    """Whose the markers say the state is."""
    stored = [dict(read_state(settings, number)).get(str(number)) for number in range(settings.topics.partitions)]
    return {Marker.of(each).group if each else None for each in stored}
