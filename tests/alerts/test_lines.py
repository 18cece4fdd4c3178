"""The alerts of a line as one incident: what is told, what never gets lost, and that a restart changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock import records
from foreshock.alerts.files import load_text, versioned
from foreshock.alerts.lines import LATELY, Incidents, Lately, Lines
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, GroupBy, Severity, WorkKind
from foreshock.contract import Asset
from foreshock.settings_deliver import TOLD
from tests.alerts.alarm_samples import Bench, policy

LINE = ("acme", "north", "hall-1", "line-3")
NAME = "/".join(LINE)
RULES = policy(group_by=GroupBy.LINE, group_window_s=600.0, close_after_s=60.0, stale_after_s=3600.0)
UNANSWERED = {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED}
STANDING = {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


class Hall:
    """Machines whose transitions come together in one order, as they happen."""

    def __init__(self, rules=RULES, **paths: Sequence[str]) -> None:
        self.machines = {name: Bench(rules, Asset(asset=name, path=tuple(path))) for name, path in paths.items()}
        self.told: list[AlertTransition] = []

    def do(self, name: str, action: str, *given, **more) -> None:
        machine = self.machines[name]
        before = len(machine.told)
        getattr(machine, action)(*given, **more)
        self.told += machine.told[before:]


def folded(told: Iterable[AlertTransition], lines: Lines | None = None) -> list[AlertTransition]:
    """What is told instead of some transitions."""
    lines = lines or Lines()
    return [lines.take(each)[0] for each in told]


def shown(found: Iterable[AlertTransition]) -> list[str]:
    return [f"{each.asset.rpartition('/')[2]} {each.change} {each.severity} {each.state}" for each in found]


def stopped_line() -> Hall:
    """Four machines of a line alarm within seconds; somebody answers; all return and are closed."""
    hall = Hall(press=LINE, fan=LINE, belt=LINE, robot=(*LINE, "cell-2"))
    for second, name in enumerate(hall.machines):
        hall.do(name, "row", second, 2.5)
    hall.do("belt", "row", 10, 4.5)
    for second, name in enumerate(hall.machines):
        hall.do(name, "ask", CommandKind.ACKNOWLEDGE, 20 + second)
    for second, name in enumerate(hall.machines):
        hall.do(name, "row", 30 + second, 0.2)
        hall.do(name, "tick", 120 + second)
    return hall


def test_a_line_that_stops_is_told_once():
    """Four machines, one page: raised, escalated, acknowledged, over; what a machine adds is on record and calls nobody."""
    hall = stopped_line()
    found = folded(hall.told)

    assert len(hall.told) == len(found) == 17
    assert [each for each in shown(found) if each.split()[1] in set(TOLD)] == [
        "line-3 raised warning unacknowledged",
        "line-3 escalated critical unacknowledged",
        "line-3 acknowledged critical acknowledged",
        "line-3 de_escalated warning acknowledged",
        "line-3 returned_to_normal warning normal",
        "line-3 closed warning normal",
    ]
    assert [each.change for each in found if each.change not in TOLD].count(Change.JOINED) == 3
    assert len({each.alert_id for each in found}) == 1
    assert len({each.event_id for each in found}) == len(found)
    assert [each.cause for each in found] == [each.event_id for each in hall.told]
    assert [member.asset for member in found[-1].members] == ["press", "fan", "belt", "robot"]
    assert found[-1].worst is Severity.CRITICAL
    assert found[0].path == LINE


def test_who_acts_is_whoever_has_the_worst():
    """Owner, steps and urgency are those of the worst machine; the answer is due when the first of them is."""
    hall = Hall(press=LINE, fan=LINE)
    hall.do("press", "row", 0, 2.5)
    hall.do("fan", "row", 5, 4.5)
    first, second = folded(hall.told)

    assert second.change is Change.ESCALATED
    assert second.rule == second.members[1].severity + hall.told[1].rule.removeprefix("critical")
    assert second.respond_by_ns == min(each.respond_by_ns or 0 for each in hall.told)
    assert second.priority <= first.priority
    assert second.reason.startswith("fan: raised: critical")
    assert second.points == ("press/de", "fan/de")


def test_what_comes_later_is_another_incident():
    """Within the window of the first alert it joins, beyond it somebody is told anew, whichever still stands."""
    hall = Hall(press=LINE, fan=LINE, belt=LINE)
    hall.do("press", "row", 0, 2.5)
    hall.do("fan", "row", 600, 2.5)
    hall.do("belt", "row", 601, 2.5)
    found = folded(hall.told)

    assert [each.change for each in found] == [Change.RAISED, Change.JOINED, Change.RAISED]
    assert found[0].alert_id == found[1].alert_id != found[2].alert_id


def test_lines_do_not_meet_and_who_is_on_none_stays_alone():
    """Another line is another incident; a machine without a line, and one whose policy does not group, are told as they are."""
    hall = Hall(press=LINE, fan=(*LINE[:3], "line-4"), pump=("acme", "north"))
    alone = Hall(policy(), belt=LINE)
    for name in hall.machines:
        hall.do(name, "row", 0, 2.5)
    alone.do("belt", "row", 0, 2.5)
    found = folded([*hall.told, *alone.told])

    assert [each.asset for each in found] == [NAME, NAME.replace("3", "4"), "pump", "belt"]
    assert found[2:] == [hall.told[2], alone.told[0]]


def test_an_alarm_after_the_answer_asks_again():
    """Who acknowledged the incident has not seen the machine that joins it: they are told."""
    hall = Hall(press=LINE, fan=LINE)
    hall.do("press", "row", 0, 2.5)
    hall.do("press", "ask", CommandKind.ACKNOWLEDGE, 5)
    hall.do("fan", "row", 9, 1.2)

    assert shown(folded(hall.told)) == [
        "line-3 raised warning unacknowledged",
        "line-3 acknowledged warning acknowledged",
        "line-3 re_alarmed warning unacknowledged",
    ]


def test_the_next_of_the_chain_is_told_once():
    """Each machine's alert is overdue; who is next hears it of the first one alone."""
    hall = Hall(press=LINE, fan=LINE)
    hall.do("press", "row", 0, 2.5)
    hall.do("fan", "row", 1, 2.5)
    for at_s in (601, 602, 1202, 1203):
        for name in hall.machines:
            hall.do(name, "tick", at_s)
    found = [each for each in folded(hall.told) if each.change is Change.OVERDUE]

    assert [each.change for each in hall.told].count(Change.OVERDUE) == 4
    assert [each.escalation[0] for each in found] == ["shift lead", "plant manager"]


def test_a_work_order_is_told_once():
    """The same number for two machines of the incident is one piece of news; what was suppressed changes no severity."""
    hall = Hall(press=LINE, fan=LINE)
    hall.do("press", "row", 0, 1.2)
    hall.do("fan", "row", 1, 1.2)
    hall.do("press", "order", WorkKind.OPENED, 5, "WO-1")
    hall.do("fan", "order", WorkKind.OPENED, 6, "WO-1")
    *_, first, second = folded(hall.told)
    quiet = replace(hall.told[1], event_id="q", change=Change.SUPPRESSED, severity=Severity.CRITICAL)

    assert (first.change, second.change) == (Change.WORK_ORDER, Change.MEMBER_CHANGED)
    assert second.work_order == "WO-1"
    assert folded([*hall.told[:2], quiet])[-1].severity is Severity.WATCH


def test_an_alert_whose_end_was_never_told_gives_its_place_to_the_next():
    """An asset that started cold raises another alert: the incident goes on with it, and ends with it."""
    hall, again = Hall(press=LINE), Hall(press=LINE)
    hall.do("press", "row", 0, 2.5)
    again.machines["press"]._offset = 100
    again.do("press", "row", 5000, 2.5)
    again.do("press", "ask", CommandKind.ACKNOWLEDGE, 5001)
    again.do("press", "row", 5002, 0.2)
    again.do("press", "tick", 5100)
    found = folded([*hall.told, *again.told])

    assert len({each.alert_id for each in found}) == 1
    assert [each.change for each in found] == [
        *(Change.RAISED, Change.JOINED, Change.ACKNOWLEDGED, Change.RETURNED_TO_NORMAL, Change.CLOSED)
    ]
    assert [each.alert_id for each in found[-1].members] == [again.told[0].alert_id]


@pytest.mark.parametrize("text", ['group_by = "site"', 'group_window = "5m"', 'group_by = "line"\ngroup_window = 0'])
def test_a_policy_that_groups_by_nothing_does_not_load(text):
    """What it may say is `asset` or `line`, and a window longer than nothing goes with a line."""
    from foreshock.alerts.default import TEXT
    from foreshock.alerts.fields import FilesRejected

    with pytest.raises(FilesRejected, match="group_"):
        load_text("x.toml", f"{text}\n{TEXT}")


def test_a_policy_that_does_not_group_is_what_it_was():
    """Its version is that of before there were groups; one that groups is another policy."""
    plain = versioned(policy())

    assert versioned(policy(group_window_s=600.0)).version == plain.version
    assert versioned(RULES).version != plain.version
    assert "group_by" in records.to_tree(plain)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["press", "fan", "belt", "saw"]),
        st.sampled_from([0.2, 0.2, 1.2, 2.5, 4.5, "ack", "close", "shelve", "unshelve", "tick", "work"]),
        st.integers(1, 400),
    ),
    min_size=5,
    max_size=60,
)


def lived(actions) -> list[AlertTransition]:
    """The transitions of four machines, three of them on one line, that all this happens to."""
    hall = Hall(press=LINE, fan=LINE, belt=LINE, saw=(*LINE[:3], "line-4"))
    at_s = 0
    for name, what, after_s in actions:
        at_s += after_s
        if isinstance(what, float):
            hall.do(name, "row", at_s, what)
        elif what == "tick":
            hall.do(name, "tick", at_s)
        elif what == "work":
            hall.do(name, "order", WorkKind.OPENED, at_s, f"WO-{at_s}")
        else:
            kind = {"ack": CommandKind.ACKNOWLEDGE, "close": CommandKind.CLOSE}.get(what) or CommandKind(what)
            hall.do(name, "ask", kind, at_s, **({"until_s": at_s + 300} if what == "shelve" else {}))
    return hall.told


def kept(lines: Lines, names: Iterable[str]) -> Lines:
    """Lines that were stopped and started again: only what is written of each is there."""
    written = {name: records.to_tree(lines.state(name)) for name in names}
    return Lines({name: records.from_tree(Incidents, tree) for name, tree in written.items() if tree})


@settings(max_examples=120, deadline=None)
@given(ACTIONS)
def test_stopped_after_any_transition_it_tells_the_same(actions):
    """Stop after each transition and resume from what was written: the same records, with the same ids."""
    told = lived(actions)
    lines, found = Lines(), []
    names: set[str] = set()
    for each in told:
        record, line = lines.take(each)
        names |= {line} - {""}
        found.append(record)
        lines = kept(lines, names)

    assert found == folded(told)


@settings(max_examples=120, deadline=None)
@given(ACTIONS)
def test_nothing_is_lost_and_incidents_are_what_their_members_are(actions):
    """One record for each transition; severity and state are those of the members; an incident is raised and closed once."""
    told = lived(actions)
    found = folded(told)
    lives: dict[str, list[AlertTransition]] = {}

    assert len(found) == len(told)
    for record, source in zip(found, told, strict=True):
        if not record.members:
            assert record == source
            continue
        lives.setdefault(record.alert_id, []).append(record)
        states = {each.state for each in record.members if each.open}
        standing = [each.severity for each in record.members if each.open and each.state in STANDING]
        if standing:
            assert record.severity is max(standing, key=lambda each: each.rank)
            assert (record.state is AlarmState.UNACKNOWLEDGED) == bool(states & UNANSWERED)
        assert (record.change is Change.CLOSED) == (not states)
        assert source.event_id == record.cause
        assert source.alert_id in {each.alert_id for each in record.members}
    for life in lives.values():
        changes = [each.change for each in life]
        assert changes.index(Change.RAISED) == 0
        assert changes.count(Change.RAISED) == 1
        assert Change.CLOSED not in changes[:-1]
        assert max(each.rank for each in {one.severity for one in life}) == life[-1].worst.rank
    raised = {each.alert_id for each in told if each.change is Change.RAISED}
    assert {member.alert_id for life in lives.values() for each in life for member in each.members} == raised


@settings(max_examples=120, deadline=None)
@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 40)), st.integers(0, 400))
def test_what_comes_again_is_known_wherever_one_begins(begun, cuts, stop):
    """A worker that was killed sends its last events again: each is taken once, also by who reads only what came last."""
    sent: list[str] = []
    made = 0
    for fresh, back in zip(begun, cuts, strict=False):
        sent += [f"e{number}" for number in range(max(0, made - back), made + fresh)]
        made += fresh
    stop = min(stop, len(sent))
    through, resumed = Lately(), Lately(sent[:stop])
    found = [through.again(each) for each in sent]

    assert [each for each, again in zip(sent, found, strict=True) if not again] == [
        f"e{number}" for number in range(made)
    ]
    assert [resumed.again(each) for each in sent[stop:]] == found[stop:]


def test_only_what_came_last_is_remembered():
    """An event that is older than the last two thousand is taken for a new one: memory has its bound."""
    lately = Lately(f"e{number}" for number in range(LATELY))

    assert lately.again("e0")
    assert lately.again("e2")
    assert not lately.again("e1")


def test_an_asset_that_stands_in_two_lines_ends_in_one():
    """State that could not be read for a while, and can again, is nothing to stumble over."""
    here, there = Hall(fan=LINE), Hall(fan=(*LINE[:-1], "line-4"))
    kept: dict[str, Incidents] = {}
    for hall in (here, there):
        hall.do("fan", "row", 0, 2.5)
        lines = Lines()
        folded(hall.told, lines)
        kept |= {each.line: lines.state(each.line) for each in hall.told}
    both = Lines(kept)
    for hall in (there, here):
        hall.do("fan", "row", 10, 4.5)
        hall.do("fan", "ask", CommandKind.ACKNOWLEDGE, 20)
        hall.do("fan", "row", 30, 0.2)
        hall.do("fan", "tick", 120)
        for each in hall.told[1:]:
            both.take(each)

    assert both.standing() == 0
