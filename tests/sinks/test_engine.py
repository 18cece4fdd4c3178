"""The engine of one sink: order, retries, what it does while a sink is down, and what it leaves when it has to go."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.streams.sinks.answers import Ambiguous, Dead, Delivered, Retry
from foreshock.streams.sinks.engine import DOWN_AFTER, Item
from tests.sinks.making import Delivery, alert, assert_at_least_once_in_order, lives, plain


class Fake:
    """A sink that decides as it is told, and notes who was sent when."""

    def __init__(self, decide):
        self._decide = decide
        self.sent = []
        self.now = self.most = 0

    async def open(self):
        pass

    async def close(self):
        pass

    async def deliver(self, item):
        self.sent.append((item.alert.alert_id, item.alert.event_id))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            decision = self._decide(item)
            return await decision if asyncio.iscoroutine(decision) else decision
        finally:
            self.now -= 1


def deliver(decide, alerts, **changes):
    """Deliver all of them; give the sink and what became of it."""
    sink = Fake(decide)
    delivery = Delivery(sink, plain(**changes))
    asyncio.run(delivery.run(alerts))
    return sink, delivery


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.integers(1, 16), st.integers(1, 200))
def test_everything_arrives_and_each_alert_in_order(seed, parallel, window):
    """Whatever fails however often: at least once, never a later transition of an alert before an earlier one."""
    rng = random.Random(seed)
    sent = lives(60, seed)
    fails = [Retry("no"), Ambiguous("perhaps"), Delivered(), Delivered()]
    sink, delivery = deliver(lambda _: rng.choice(fails), sent, parallel=parallel, window=window, attempts=1000)

    assert_at_least_once_in_order(sink.sent, sent)
    assert delivery.engine.counters.delivered == len(sent)
    assert delivery.engine.positions() == {0: len(sent)}
    assert sink.most <= parallel
    assert len(sink.sent) == len(sent) + delivery.engine.counters.retried + delivery.engine.counters.ambiguous
    assert sorted(delivery.finished) == sorted((each.event_id, "") for each in sent)


def test_alerts_go_side_by_side_and_one_alert_does_not():
    """As many alerts at a time as `parallel` says, of each only one transition."""
    sent = [alert(f"m{number}", step) for step in range(3) for number in range(10)]
    under_way = set()

    async def decide(item):
        assert item.alert.alert_id not in under_way
        under_way.add(item.alert.alert_id)
        await asyncio.sleep(0.002)
        under_way.discard(item.alert.alert_id)
        return Delivered()

    sink, _ = deliver(decide, sent, parallel=4)

    assert sink.most == 4


def test_refused_is_set_aside_and_the_alert_goes_on():
    """What the sink refuses is kept with its reason; the next transition of the same alert is delivered."""
    sent = [alert(step=step) for step in range(4)]
    poison = sent[1].event_id
    sink, delivery = deliver(lambda item: Dead("422 no") if item.alert.event_id == poison else Delivered(), sent)

    assert delivery.aside == [(poison, "422 no")]
    assert [event for _, event in sink.sent] == [each.event_id for each in sent]
    assert (delivery.engine.counters.dead, delivery.engine.counters.delivered) == (1, 3)
    assert delivery.finished == [(each.event_id, "422 no" if each.event_id == poison else "") for each in sent]


def test_what_fails_while_others_get_through_is_set_aside_in_the_end():
    """One transition that always fails holds up its alert for `attempts`, and nobody for ever."""
    sent = [alert("bad", 0), *(alert(f"m{number}", step) for step in range(3) for number in range(20)), alert("bad", 1)]
    poison = sent[0].event_id
    decide = lambda item: Ambiguous("500") if item.alert.event_id == poison else Delivered()
    sink, delivery = deliver(decide, sent, attempts=6)

    assert [each for each, _ in delivery.aside] == [poison]
    assert "attempts failed while others got through; the last one: 500" in delivery.aside[0][1]
    assert delivery.engine.counters.delivered == len(sent) - 1
    assert (sent[-1].alert_id, sent[-1].event_id) in sink.sent


def test_sink_that_is_down_loses_nothing_and_is_asked_by_one_at_a_time(caplog, monkeypatch):
    """Failures in a row mean that it is down: one attempt at a time until it answers, then everything at once."""
    monkeypatch.setattr("foreshock.streams.sinks.engine.SURELY_S", 0.0)
    sent = lives(80)
    attempts = 0
    during = []

    def decide(_):
        nonlocal attempts
        attempts += 1
        during.append(sink.now)
        return Retry("cannot be reached") if attempts <= 40 else Delivered()

    sink = Fake(decide)
    delivery = Delivery(sink, plain(parallel=8, attempts=3))
    asyncio.run(delivery.run(sent))

    assert_at_least_once_in_order(sink.sent, sent)
    assert delivery.aside == []
    assert max(during[8 + DOWN_AFTER : 40]) == 1
    told = [record.message for record in caplog.records]
    assert any("sink test is down: cannot be reached; " in line for line in told)
    assert any("sink test is back after " in line for line in told)


def test_wait_that_the_sink_asks_for_holds_for_all_alerts():
    """After `Retry-After` nobody calls before the time; that is the sink's word, not one alert's."""
    sent = [alert(f"m{number}") for number in range(5)]
    times = []

    def decide(_):
        times.append(asyncio.get_running_loop().time())
        return Retry("429", 0.15) if len(times) == 1 else Delivered()

    deliver(decide, sent, parallel=1)

    assert all(later - times[0] >= 0.149 for later in times[1:])


def test_rate_is_kept():
    """More than the burst waits for its tokens."""
    sent = [alert(f"m{number}") for number in range(12)]
    times = []
    deliver(lambda _: times.append(asyncio.get_running_loop().time()) or Delivered(), sent, per_s=100.0, burst=4)

    assert times[3] - times[0] < 0.05
    assert times[11] - times[0] >= 0.079


def test_repeats_after_doubt_are_counted():
    """Each attempt that follows an ambiguous answer is counted: so often a sink without keys may show it twice."""
    answers = [Ambiguous("cut"), Retry("503"), Ambiguous("cut"), Delivered(), Retry("503"), Delivered()]
    _, delivery = deliver(lambda _: answers.pop(0), [alert(step=0), alert(step=1)])

    counters = delivery.engine.counters
    assert (counters.ambiguous, counters.retried, counters.repeated, counters.delivered) == (2, 2, 3, 2)


def test_attempt_that_is_under_way_may_end_and_nothing_more_begins():
    """Letting go of a partition waits for the answer that is on its way; the rest comes again to the next owner."""

    async def scenario():
        answer = asyncio.Event()

        async def decide(_):
            await answer.wait()
            return Delivered()

        delivery = Delivery(Fake(decide), plain(parallel=2))
        for offset, one in enumerate([alert("a", 0), alert("a", 1), alert("b", 0), alert("c", 0)]):
            delivery.engine.take(Item((0, offset), one))
        await asyncio.sleep(0.01)
        leaving = asyncio.create_task(delivery.engine.release([0]))
        await asyncio.sleep(0.06)
        assert not leaving.done()
        answer.set()
        positions = await leaving
        return delivery, positions

    delivery, positions = asyncio.run(scenario())

    assert [alert_id for alert_id, _ in delivery.sink.sent] == [alert("a").alert_id, alert("b").alert_id]
    assert positions == {0: 1}
    assert delivery.engine.waiting == 0


def test_answer_that_never_comes_is_not_waited_for():
    """A sink that hangs does not hold up the stop; its transition is not counted as done."""

    async def scenario():
        async def decide(_):
            await asyncio.Event().wait()

        delivery = Delivery(Fake(decide), plain())
        delivery.engine.take(Item((0, 0), alert()))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            return await delivery.engine.release([0], grace_s=0.1)

    assert asyncio.run(scenario()) == {0: 0}


def test_reading_ahead_is_bounded_in_what_comes_again_after_a_crash():
    """One alert that is stuck does not let the committed offset fall behind without end."""

    async def scenario():
        async def decide(item):
            if item.alert.asset == "stuck":
                await asyncio.Event().wait()
            return Delivered()

        delivery = Delivery(Fake(decide), plain(window=4))
        delivery.engine.take(Item((0, 0), alert("stuck")))
        offset = 1
        while not delivery.engine.full and offset < 1000:
            delivery.engine.take(Item((0, offset), alert(f"m{offset}")))
            offset += 1
            await asyncio.sleep(0.001)
        await delivery.engine.release([0], 0.0)
        return offset

    assert asyncio.run(scenario()) == 80


@pytest.mark.parametrize("count", [0, 1])
def test_filtered_transitions_are_done_at_once(count):
    """What a sink is not told of lets the offset pass."""
    delivery = Delivery(Fake(lambda _: Delivered()), plain(assets=("nothing",)))
    asyncio.run(delivery.run([alert()] * 0 + [alert(f"m{n}") for n in range(count)]))

    assert delivery.engine.positions() == {0: count}
    assert delivery.engine.counters.filtered == count


def test_what_came_first_goes_first():
    """Waiting transitions leave in the order of the topic: little of what is done lies behind something that is not."""
    behind = []

    def decide(_):
        done = delivery.engine.counters.delivered
        behind.append(done - sum(delivery.engine.positions().values()))
        return Delivered()

    sent = lives(300)
    delivery = Delivery(Fake(decide), plain(parallel=4))
    asyncio.run(delivery.run(sent))

    assert max(behind) <= 12  # of 300; three for each that is under way
