"""What holds for any alarm, whatever happens to it: drawn sequences of rows, commands, work orders, policies and ticks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock import records
from foreshock.alerts.conditions import Condition, Reading, lowest
from foreshock.alerts.lifecycle import due_ns
from foreshock.alerts.policy import Effect, Window
from foreshock.alerts.quiet import heard, unmoved
from foreshock.alerts.states import Alarm
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Holds, Severity, Verdict, WorkKind
from tests.alerts.alarm_samples import CRITICAL, T0, WARNING, WATCH, Bench, S, band, policy

N, U, A, R = (
    AlarmState.NORMAL,
    AlarmState.UNACKNOWLEDGED,
    AlarmState.ACKNOWLEDGED,
    AlarmState.RETURNED_UNACKNOWLEDGED,
)
SH, SU, OUT = AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE
PLAIN = {N, U, A, R}
SAME = {(state, state) for state in AlarmState}
# The moves of ISA-18.2, figure 4, with one way in and one way out of each of the three states that put an alarm aside.
MOVES = {
    Change.RAISED: {(N, U)},
    Change.ESCALATED: {(U, U), (A, U)},
    Change.DE_ESCALATED: {(U, U), (A, A)},
    Change.ACKNOWLEDGED: {(U, A), (R, N), (SH, SH), (OUT, OUT)},
    Change.REALARMED: {(A, U), (R, U), (N, U)},
    Change.OVERDUE: {(U, U)},
    Change.RETURNED_TO_NORMAL: {(U, R), (A, N)},
    Change.SHELVED: {*((state, SH) for state in {*PLAIN, SU, SH}), (OUT, OUT)},
    Change.UNSHELVED: {*((SH, state) for state in PLAIN), *((state, state) for state in {SU, OUT, N})},
    Change.SUPPRESSED: {*SAME, *((state, aside) for state in {N, SU, SH, OUT} for aside in {SU, SH, OUT})},
    Change.UNSUPPRESSED: {(SU, N)},
    Change.REMOVED_FROM_SERVICE: {(state, OUT) for state in {*PLAIN, SH}},
    Change.RETURNED_TO_SERVICE: {(OUT, state) for state in {*PLAIN, SH}},
    Change.CLOSED: {(state, N) for state in AlarmState},
    **dict.fromkeys(
        (Change.LABELLED, Change.REFUSED, Change.WORK_ORDER, Change.WINDOW, Change.FROZEN, Change.RESUMED), SAME
    ),
}

POLICIES = (
    policy(),
    policy(close_after_s=40.0, stale_after_s=100.0, refractory_s=30.0, realarm_after_s=25.0, most_per_hour=3),
    policy(
        band(Severity.WATCH, 1.0, 0.8, on_delay_s=3.0, off_delay_s=5.0),
        band(Severity.WARNING, 2.0, 1.6, n=2, m=3, off_delay_s=8.0, trend_at=0.5),
        band(Severity.CRITICAL, 4.0, 3.0, respond_within_s=7.0, hypotheses=("outer*",), hypothesis_at=3.5),
        close_after_s=30.0,
        page_delayed_s=10.0,
        minimum_effect=Effect(absolute=0.1),
        windows=(Window(name="once", starts_ns=T0 + 60 * S, ends_ns=T0 + 90 * S),),
    ),
    policy(
        WATCH,
        WARNING,
        CRITICAL,
        close_after_s=20.0,
        windows=(Window(name="sunday", weekdays=(6,), from_s=54_420, to_s=54_480, holds=Holds.ALERTING),),
    ),
)  # T0 is a Sunday at 54 400 s of the day

WHICH = st.sampled_from(range(len(POLICIES)))
VALUES = st.sampled_from([None, 0.3, 0.7, 0.9, 1.1, 1.7, 2.2, 3.3, 4.5, 9.0])
ROW = st.tuples(
    st.just("row"),
    VALUES,
    st.sampled_from(["de", "nde"]),
    st.fixed_dictionaries(
        {},
        optional={
            "late_s": st.sampled_from([0.0, 0.9, 3.0, 15.0, 400.0]),
            "maintenance": st.booleans(),
            "inhibited": st.booleans(),
            "running": st.booleans(),
            "trend": st.sampled_from([0.1, 0.9]),
            "hypothesis": st.sampled_from(["", "outer race"]),
            "effect": st.sampled_from([(), (("rms", 1.0, 1.05),), (("rms", 2.0, 1.0),)]),
        },
    ),
)
ASK = st.tuples(
    st.just("ask"),
    st.sampled_from(list(CommandKind)),
    st.fixed_dictionaries(
        {
            "actor": st.sampled_from(["ada", "bob", " "]),
            "until_s": st.integers(0, 200),
            "from_s": st.integers(0, 200),
            "verdict": st.sampled_from(Verdict),
            "holds": st.sampled_from(Holds),
        }
    ),
)
ORDER = st.tuples(st.just("order"), st.sampled_from(list(WorkKind)), st.sampled_from(["", "1", "2"]))
TICK = st.tuples(st.just("tick"))
PARENT = st.tuples(st.just("parent"), st.sampled_from(["", "line-3"]))
OTHER = st.tuples(st.just("policy"), WHICH)
STEPS = st.lists(st.tuples(st.integers(0, 40), st.one_of(ROW, ROW, ROW, ASK, ORDER, TICK, PARENT, OTHER)), max_size=40)


def play(bench: Bench, at_s: float, event) -> list[str]:
    """Have one event happen."""
    match event:
        case ("row", value, point, more):
            return bench.row(at_s - more.get("late_s", 0.0), value, point, **more)
        case ("ask", kind, more):
            return bench.ask(kind, at_s, **more)
        case ("order", kind, number):
            return bench.order(kind, at_s, number)
        case ("parent", name):
            bench.parent = name
            return []
        case ("policy", which):
            bench.policy = POLICIES[which]
            return []
        case _:
            return bench.tick(at_s)


def times(steps):
    """Events with the seconds at which they happen."""
    at_s = 0
    for gap, event in steps:
        at_s += gap
        yield at_s, event


def everything(rules, steps) -> Bench:
    """A bench after all that, with the ticks that fall due between."""
    bench = Bench(rules)
    for at_s, event in times(steps):
        catch_up(bench, at_s)
        play(bench, at_s, event)
    return bench


def catch_up(bench: Bench, until_s: float) -> None:
    """Ticks at the times at which they are due, or at once where another policy would have had them before; each gets on."""
    for _ in range(200):
        due_s = bench.due_s()
        if due_s is None or due_s >= until_s:
            return
        at_s = max(due_s, bench.now_s)
        bench.tick(at_s)
        after_s = bench.due_s()
        assert after_s is None or after_s > at_s
    raise AssertionError("it is due for ever")


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS)
def test_a_state_that_went_through_its_tree_goes_on_the_same(rules, steps):
    """Written and read again after every step, state and conditions lead to the same transitions with the same ids."""
    whole, cut = Bench(POLICIES[rules]), Bench(POLICIES[rules])
    for at_s, event in times(steps):
        play(whole, at_s, event)
        play(cut, at_s, event)
        cut.alarm = records.from_tree(Alarm, records.to_tree(cut.alarm))
        cut.conditions = {
            name: records.from_tree(Condition, records.to_tree(each)) for name, each in cut.conditions.items()
        }

    assert cut.told == whole.told
    assert cut.alarm == whole.alarm


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS)
def test_an_alarm_never_leaves_the_graph_of_isa_18_2(rules, steps):
    """Each transition is a move of the graph, and starts where the one before it of that alert ended."""
    told = everything(POLICIES[rules], steps).told
    last: dict[str, AlarmState] = {}
    for each in told:
        assert (each.before, each.state) in MOVES[each.change] or not each.alert_id, each
        if each.alert_id and each.points:
            assert each.before is last.get(each.alert_id, N), each
            last[each.alert_id] = each.state


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS)
def test_ids_are_unique_and_time_never_runs_backwards_in_an_alert(rules, steps):
    """No two transitions have the same id; of one alert none is before the one that was told before it; one is open."""
    bench = everything(POLICIES[rules], steps)
    last: dict[str, int] = {}
    closed: set[str] = set()
    for each in bench.told:
        if each.alert_id and each.change is not Change.REFUSED:  # which is no change of it
            assert each.at_ns >= last.get(each.alert_id, 0)
            last[each.alert_id] = each.at_ns
        if each.change is Change.RAISED:
            assert set(last) - closed == {each.alert_id}
        if each.change in {Change.RAISED, Change.ESCALATED, Change.REALARMED}:
            assert each.rule
            assert each.score is not None
        if each.change is Change.CLOSED:
            closed.add(each.alert_id)

    assert len({each.event_id for each in bench.told}) == len(bench.told)
    assert set(last) - closed <= {bench.alarm.incident.alert_id if bench.alarm.incident else ""} | labelled(bench.told)


def labelled(told) -> set[str]:
    """Alerts that a label names, which may be closed."""
    return {each.alert_id for each in told if each.change is Change.LABELLED}


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS)
def test_what_is_above_a_level_is_raised_or_suppressed_with_a_reason(rules, steps):
    """A demand leads to an alert that stands, to a suppression that was told, or is held until late records are caught up."""
    bench = Bench(POLICIES[rules])
    for at_s, event in times(steps):
        catch_up(bench, at_s)
        play(bench, at_s, event)
        incident = bench.alarm.incident
        if bench.alarm.members:
            assert incident is not None
            assert incident.raised_ns is not None or incident.told or incident.held

    assert all(each.suppressed_by for each in bench.told if each.change is Change.SUPPRESSED)


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS)
def test_a_command_twice_is_a_command_once(rules, steps):
    """The same command again is refused, and leaves everything but the count of transitions as it was."""
    bench = Bench(POLICIES[rules])
    for at_s, event in times(steps):
        told = play(bench, at_s, event)
        if event[0] == "ask" and told and bench.last.command_id:
            first = next(each for each in bench.told[-len(told) :] if each.command_id)
            if first.change is not Change.REFUSED:
                before = bench.alarm
                again = bench.ask(event[1], at_s, **{**event[2], "command_id": first.command_id})
                assert [each.split()[0] for each in again] == ["refused"]
                assert bench.alarm._replace(number=0) == before._replace(number=0)


@settings(deadline=None, max_examples=60)
@given(WHICH, STEPS, st.floats(0.01, 0.99))
def test_nothing_happens_before_it_is_due(rules, steps, share):
    """A tick before the next due time tells nothing; a second one at the same time neither."""
    bench = Bench(POLICIES[rules])
    for at_s, event in times(steps):
        catch_up(bench, at_s)
        play(bench, at_s, event)
        bench.tick(at_s)  # takes up a parent's alarm, or another policy
        due_s = bench.due_s()
        early_s = at_s + 500.0 if due_s is None else at_s + (due_s - at_s) * share
        if early_s > at_s:
            assert bench.tick(early_s) == []
            before = bench.alarm
            assert bench.tick(early_s) == []
            assert bench.alarm == before


class Watched(Bench):
    """A bench that asks for the short way of each row before it goes the long one."""

    short = 0

    def row(self, at_s: float, value: float | None, point: str = "de", *, late_s=0.0, maintenance=False, **more):
        """Where the short way is taken it ends where the long one does, and nothing is told."""
        reading = Reading(T0 + round(at_s * S), value, delayed_s=late_s, **more)
        short = None if maintenance or reading.inhibited else self._short(reading, point)
        before = self.conditions.get(point, Condition())
        told = super().row(at_s, value, point, late_s=late_s, maintenance=maintenance, **more)
        if short is not None:
            self.short += 1
            assert (self.alarm, self.conditions[point], told) == (short, before, [])
        return told

    def _short(self, reading: Reading, point: str) -> Alarm | None:
        """The state by the short way; None: it is not taken."""
        value, before = reading.value, self.conditions.get(point, Condition())
        if value is None or not reading.running or not value < lowest(self.policy):
            return None
        demands = before.counts[0].severity if before.counts else None
        if demands is not None and not unmoved(self.policy, before, reading.at_ns, value, 1.0):
            return None
        log_ns = reading.at_ns + round(reading.delayed_s * S)
        due = due_ns(self.policy, self.alarm, self.asset.path, log_ns - reading.at_ns)
        return heard(
            self.policy, self.alarm, point=point, demands=demands, value=value, at_ns=reading.at_ns, log_ns=log_ns,
            parent=self.parent, due_ns=due,
        )  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(WHICH, STEPS)
def test_the_short_way_of_a_row_ends_where_the_long_one_does(rules, steps):
    """Whatever came before: a row that is only heard leaves the same state either way."""
    bench = Watched(POLICIES[rules])
    for at_s, event in times(steps):
        play(bench, at_s, event)


def test_what_is_over_and_was_never_raised_goes_the_short_way():
    """One row above a level that wants two of three: suppressed, then heard until it is closed."""
    bench = Watched(policy(band(Severity.WARNING, 2.0, 1.6, n=2, m=3), close_after_s=60.0))
    told = bench.rows(0, 1.0, 2.5, *[1.0] * 70)

    assert bench.short > 50
    assert [word.split()[0] for word in told] == ["suppressed", "closed"]


@pytest.mark.parametrize("late_s", [0.0, 400.0], ids=["raised", "held back"])
def test_what_stands_goes_the_short_way_while_it_is_below(late_s):
    """Below the clear level an alert stands for its off-delay; only the first row below and the last one say more."""
    bench = Watched(policy(band(Severity.WARNING, 2.0, 1.6, off_delay_s=60.0), page_delayed_s=300.0))
    told = [each for at_s in range(100) for each in bench.row(at_s, 2.5 if at_s == 1 else 1.0, late_s=late_s)]

    assert bench.short > 85
    assert [word.split()[0] for word in told] == (["suppressed"] if late_s else ["raised", "returned_to_normal"])
