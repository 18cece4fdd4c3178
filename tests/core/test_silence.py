"""Sensors that go silent: told once, cleared by their next record, a function of the order and the tick alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import Acquisition, Asset, MeasuringPoint, QualityKind, Tick
from foreshock.errors import ConfigurationError
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import START_NS, block, placed

S = 1_000_000_000
SPEC = FleetSpec(warmup_blocks=12, silent_s=10.0)


def at(second: float) -> int:
    """Wall-clock time so many seconds after the first block was taken in."""
    return START_NS + 50_000_000 + int(second * S)


def tick(second: float, offset: int, since_s: float | None = None) -> Tick:
    return Tick(partition=0, offset=offset, at_ns=at(second), since_ns=0 if since_s is None else at(since_s))


def fleet(*names: str, blocks: int = 3, spec: FleetSpec = SPEC) -> Fleet:
    """Machines that send one block a second and promise it."""
    found = Fleet(spec)
    found.receive(placed([block(0, asset=name, index=i) for i in range(blocks) for name in names]))
    return found


class TestSilence:
    """When a sensor is told silent."""

    def test_is_told_after_the_limit_and_not_before(self) -> None:
        """With a block a second and ten seconds as the least, silence is told after ten seconds."""
        subject = fleet("pump")

        assert not subject.overdue(0, at(11.9))
        assert subject.tick(tick(11.9, 3)) == []
        assert subject.overdue(0, at(12.1))
        (event,) = subject.tick(tick(12.1, 3))
        assert (event.kind, event.raised, event.asset, event.point) == (QualityKind.SILENT, True, "pump", "DE")
        assert (event.value, event.limit, event.cause, event.ne107) == (pytest.approx(10.1), 10.0, "gateway", "failure")
        assert event.detail == "no record for 10 s; one every 1 s is promised"
        assert (event.source_ns, event.ingest_ns, event.origin.offset) == (at(12.1), at(2), 2)

    def test_is_told_once(self) -> None:
        """Later ticks say nothing more, and nothing is overdue any more."""
        subject = fleet("pump")
        subject.tick(tick(20, 3))

        assert not subject.overdue(0, at(5000))
        assert subject.tick(tick(20, 3)) == []
        assert subject.tick(tick(5000, 3)) == []

    def test_ends_with_the_next_record_and_may_come_again(self) -> None:
        """The first record clears it, whatever it is; the next silence is another event."""
        subject = fleet("pump")
        (first,) = subject.tick(tick(20, 3))
        (outcome,) = subject.receive([block(3, asset="pump", index=30)])
        (cleared,) = [each for each in outcome.quality if each.kind is QualityKind.SILENT]
        (second,) = subject.tick(tick(60, 4))

        assert not cleared.raised
        assert second.event_id != first.event_id

    def test_a_late_record_is_a_sign_of_life(self) -> None:
        """A repeated block is not folded, but who sends it is there."""
        subject = fleet("pump")
        subject.tick(tick(20, 3))
        again = replace(block(3, asset="pump", index=2), origin=replace(block(3).origin, offset=3, ingest_ns=at(21)))
        (outcome,) = subject.receive([again])

        assert [(q.kind, q.raised) for q in outcome.quality if q.kind is QualityKind.SILENT] == [("silent", False)]

    def test_names_every_silent_sensor_in_order_and_no_other(self) -> None:
        """Of three assets the one that went on is not told; the others come by name."""
        subject = fleet("b", "a", "c")
        subject.receive([block(9, asset="c", index=15)])

        assert [event.asset for event in subject.tick(tick(20, 10))] == ["a", "b"]

    def test_another_partition_is_another_matter(self) -> None:
        """A tick of one partition says nothing about another one."""
        subject = fleet("pump")

        assert not subject.overdue(1, at(1e6))
        assert subject.tick(Tick(partition=1, offset=0, at_ns=at(1e6))) == []

    def test_master_data_promises_for_who_does_not(self) -> None:
        """The interval of the master data counts where the records have none: a snapshot a quarter of an hour."""
        point = MeasuringPoint(
            point="DE", quantity="acceleration", unit="m/s2", acquisition=Acquisition.SNAPSHOT, interval_s=900.0
        )
        subject = Fleet(SPEC, assets=[Asset(asset="pump", points=(point,))])
        subject.receive([replace(block(0, asset="pump"), interval_s=None, acquisition=Acquisition.SNAPSHOT)])

        assert not subject.overdue(0, at(2600))
        assert subject.overdue(0, at(2701))

    def test_brokers_that_were_away_make_no_sensor_silent(self) -> None:
        """After an outage the time counts from its end: nobody could be heard before."""
        subject = fleet("pump")

        assert not subject.overdue(0, at(3600), at(3595))
        assert subject.tick(tick(3600, 3, since_s=3595)) == []
        (event,) = subject.tick(tick(3606, 3, since_s=3595))
        assert event.value == pytest.approx(11.0)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["a", "b", "look"]), st.integers(1, 15)), min_size=4, max_size=30))
    def test_what_is_known_from_the_last_look_changes_no_answer(self, order: list[tuple[str, int]]) -> None:
        """Records of a quick and a slow sensor, and looks between them: each answer is that of a Fleet that never looked."""
        subject, second, offset = Fleet(SPEC), 0, 0
        for what, step in order:
            second += step
            if what == "look":
                fresh = Fleet(SPEC)
                for name in dict(subject.dirty(0)):
                    fresh.restore(subject.capture(0, name))
                assert subject.overdue(0, at(second)) == fresh.overdue(0, at(second))
            else:
                interval = 1.0 if what == "a" else 8.0
                subject.receive([replace(block(offset, asset=what, index=second), interval_s=interval)])
                offset += 1

    def test_restored_state_is_looked_at(self) -> None:
        """What was known of a partition says nothing about an asset that comes back with an older record."""
        subject = fleet("a", "b")
        old = subject.capture(0, "a")
        subject.receive([block(6 + i, asset=name, index=30) for i, name in enumerate("ab")])
        assert not subject.overdue(0, at(31))
        subject.restore(old)

        assert subject.overdue(0, at(32))

    def test_refuses_a_setting_that_would_call_everybody_silent(self) -> None:
        """Less than one interval is no silence."""
        with pytest.raises(ConfigurationError, match="silent_intervals"):
            FleetSpec(silent_intervals=0.5)


class TestRecovery:
    """Silence is state: it survives a crash, and a tick on record is applied again without harm."""

    def test_goes_on_where_it_was(self) -> None:
        """A restored asset that was told silent is not told again; one that was not is told as the same event."""
        subject = fleet("pump")
        before = subject.capture(0, "pump")
        (event,) = subject.tick(tick(20, 3))
        after = subject.capture(0, "pump")

        early, late = Fleet(SPEC), Fleet(SPEC)
        early.restore(before)
        late.restore(after)
        assert late.tick(tick(20, 3)) == []
        assert early.tick(tick(20, 3)) == [event]
        assert early.capture(0, "pump").digest() == after.digest()
        assert early.tick(tick(20, 3)) == []

    def test_another_worker_that_ticks_later_tells_the_same_event(self) -> None:
        """Its id rests on the last record: noticed at another time, before another offset, it is one event."""
        one, other = fleet("pump"), fleet("pump")

        assert one.tick(tick(20, 3))[0].event_id == other.tick(tick(400, 77))[0].event_id

    def test_leaves_alone_who_is_further(self) -> None:
        """An asset whose state has records from behind the tick's place has seen it."""
        subject = fleet("pump")

        assert subject.tick(tick(20, 2)) == []
        assert subject.tick(tick(20, 3)) != []

    def test_a_told_silence_is_to_be_stored(self) -> None:
        """A tick that tells something makes its asset dirty from its place on; one that does not changes nothing."""
        subject = fleet("a", "b", blocks=1)
        for name in "ab":
            subject.clean(0, name, subject.capture(0, name).offset)
        subject.tick(tick(5, 2))
        assert dict(subject.dirty(0)) == {}
        subject.receive([block(2, asset="b", index=19)])
        subject.clean(0, "b", subject.capture(0, "b").offset)
        subject.tick(tick(20, 3))

        assert dict(subject.dirty(0)) == {"a": 3}

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.sampled_from(["a", "b", "tick"]), min_size=1, max_size=25), st.data())
    def test_a_crash_anywhere_changes_nothing(self, order: list[str], data: st.DataObject) -> None:
        """Records and ticks in any order, stopped anywhere and resumed from captured states: the same events, the same states."""
        steps, offset = [], 0
        for second, what in enumerate(order):
            seconds = second * 7
            steps.append(tick(seconds, offset) if what == "tick" else block(offset, asset=what, index=seconds))
            offset += what != "tick"
        cut = data.draw(st.integers(0, len(steps)))

        def run(subject: Fleet, part: list) -> list:
            told = []
            for step in part:
                if isinstance(step, Tick):
                    told += subject.tick(step)
                else:
                    told += [q for outcome in subject.receive([step]) for q in outcome.quality]
            return told

        whole, first, second = Fleet(SPEC), Fleet(SPEC), Fleet(SPEC)
        expected = run(whole, steps)
        told = run(first, steps[:cut])
        known = sorted({step.asset for step in steps[:cut] if not isinstance(step, Tick)})
        for name in known:
            second.restore(first.capture(0, name))
        assert told + run(second, steps[cut:]) == expected
        for name in {step.asset for step in steps if not isinstance(step, Tick)}:
            assert second.capture(0, name).digest() == whole.capture(0, name).digest()
