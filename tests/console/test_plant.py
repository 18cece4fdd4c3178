"""What the console holds in memory: bounded whatever comes, and a function of the records alone."""

from __future__ import annotations

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.console.alertbook import AlertBook
from foreshock.streams.console.events import incident_tree, incident_with
from foreshock.streams.console.fleet import Asked, fleet
from foreshock.streams.console.lanes import LANE, RANK, Lane, overlaid
from foreshock.streams.console.rings import FIRST, MOST, Ring, Room, spans
from foreshock.streams.console.seen import checked
from tests.console.making import HOUR_MS, NOW_MS, anomaly, letter, plant, quality, registered, score, transition

MINUTE_MS = 60_000.0


def overview(held, **asked):
    """The fleet as the page gets it: through JSON."""
    given = {"from_ms": NOW_MS - HOUR_MS, "to_ms": NOW_MS, "now_ms": NOW_MS} | asked
    return json.loads(orjson.dumps(fleet(held, Asked(**given)), option=orjson.OPT_SERIALIZE_NUMPY))


def row(at_ms, value=1.0, offset=0):
    return (at_ms, at_ms, value, 0.5, 0.0, offset, offset, 1, 0, 1)


class TestRing:
    def test_keeps_the_newest_rows_in_order(self):
        """More rows than there is room for: the oldest went, none is lost in between."""
        room = Room(4 * FIRST)
        ring = Ring(room)
        for i in range(1000):
            ring.add(row(float(i)))

        assert ring.rows()["at_ms"].tolist() == [float(i) for i in range(1000 - 4 * FIRST, 1000)]
        assert ring.newest(3)["at_ms"].tolist() == [997.0, 998.0, 999.0]
        assert room.taken == 4 * FIRST

    def test_a_full_house_still_takes_each_point(self):
        """Where no room is left a new point has its first rows all the same, and gives them back."""
        room = Room(FIRST)
        first, second = Ring(room), Ring(room)
        for i in range(100):
            first.add(row(float(i)))
            second.add(row(float(i)))

        assert len(first.rows()) == len(second.rows()) == FIRST
        second.close()
        assert room.taken == FIRST

    def test_no_point_takes_more_than_its_share(self):
        """One fast sensor cannot take all the room."""
        room = Room(10**9)
        ring = Ring(room)
        for i in range(MOST + 5):
            ring.add(row(float(i)))

        assert len(ring.rows()) == MOST == room.taken

    @given(st.lists(st.floats(0, 1000), max_size=200), st.integers(1, 50))
    def test_buckets_cover_all_rows(self, times, width):
        """Whatever the order of the rows: each belongs to one bucket, and there are no more buckets than asked for."""
        starts = spans(np.array(times), 0.0, 1000.0, width)

        assert len(starts) <= max(width, 0) or len(times) <= width
        assert (np.diff(starts) > 0).all()
        assert not times or starts[0] == 0


class TestLane:
    def test_a_gap_is_told_as_nothing_known(self):
        """Minutes without a record are a hole, not the colour of before."""
        lane = Lane()
        for at in (0, 1000, 2000, 600_000, 601_000):
            lane.add(float(at), "ok")

        assert lane.pieces(0.0, 1e9) == [(0.0, 2000.0, "ok"), (600_000.0, 601_000.0, "ok")]

    def test_slow_sensors_have_no_gaps(self):
        """What comes every ten minutes is not silent for nine of them."""
        lane = Lane()
        for i in range(10):
            lane.add(600_000.0 * i, "ok")

        assert lane.pieces(0.0, 1e9)[-1] == (600_000.0, 5_400_000.0, "ok")

    def test_the_worse_of_two_counts(self):
        """An alert lies over what the scores say; where none stands they show."""
        base = [(0.0, 10.0, "ok"), (10.0, 20.0, "anomaly")]

        found = overlaid(base, [(5.0, 15.0, "warning"), (12.0, 18.0, "watch")])

        assert found == [(0.0, 5.0, "ok"), (5.0, 15.0, "warning"), (15.0, 18.0, "watch"), (18.0, 20.0, "anomaly")]

    @given(
        st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.sampled_from(LANE)), max_size=8),
        st.lists(st.floats(0, 100), max_size=8),
    )
    def test_laid_over_each_other_they_never_overlap(self, over, cuts):
        """For any alerts: pieces in order, none empty, none under another, and never better than what lay there."""
        cuts = sorted(set(cuts))
        base = [(a, b, "ok") for a, b in zip(cuts, cuts[1:], strict=False)]
        over = sorted((min(a, b), max(a, b), word) for a, b, word in over)

        found = overlaid(base, over)

        assert all(a <= b for a, b, _ in found)
        assert all(first[1] <= second[0] for first, second in zip(found, found[1:], strict=False))
        if over:
            for a, b, word in found:
                middle = (a + b) / 2
                there = [w for start, end, w in (*base, *over) if start < middle < end]
                assert not there or RANK[word] == max(RANK[w] for w in there)


class TestFleet:
    def test_the_worst_comes_first(self):
        """An alert before an anomaly before what is healthy; each with its lane, its last score and a spark."""
        held = plant()
        for i in range(60):
            at = NOW_MS - MINUTE_MS + 1000 * i
            held.take(score("ok-1", at, 0.4, offset=i))
            held.take(score("odd-1", at, 2.0 if i > 30 else 0.5, offset=i, alarm=i > 30))
            held.take(score("pump-7", at, 3.0, offset=i, alarm=True))
        held.take(transition("raised", NOW_MS - 30_000, severity="critical"))

        found = overview(held)

        assert [(each["id"], each["severity"]) for each in found["assets"]] == [
            ("pump-7", "critical"),
            ("odd-1", "anomaly"),
            ("ok-1", "ok"),
        ]
        assert found["counts"] == {"critical": 1, "anomaly": 1, "ok": 1}
        pump = found["assets"][0]
        assert pump["alert"]["id"] == "2" * 32
        assert pump["lane"][-1] == [NOW_MS - 30_000, NOW_MS, "critical"]
        assert pump["lane"][0][2] == "anomaly"
        assert pump["score"] == 3.0
        assert len(pump["spark"]) == 24
        assert found["assets"][1]["lane"][0] == [NOW_MS - MINUTE_MS, NOW_MS - MINUTE_MS + 31_000, "ok"]

    def test_filters(self):
        """By text in name or place, by severity, by class, and everything that is not well."""
        held = plant()
        held.take(registered("pump-1", path=("acme", "hall 2"), asset_class="pump"))
        held.take(registered("fan-1", path=("acme", "hall 3"), asset_class="fan"))
        held.take(score("pump-1", NOW_MS - 1000, 0.4))
        held.take(score("fan-1", NOW_MS - 1000, 2.0, alarm=True))

        names = lambda **asked: [each["id"] for each in overview(held, **asked)["assets"]]

        assert names(text="HALL 2") == ["pump-1"]
        assert names(severities=("anomaly",)) == ["fan-1"]
        assert names(classes=("pump",)) == ["pump-1"]
        assert names(problems=True) == ["fan-1"]
        assert names(limit=1, offset=1) == ["pump-1"]
        assert overview(held)["classes"] == ["fan", "pump"]

    def test_a_silent_sensor_is_no_healthy_machine(self):
        """Silence that was told shows, until the sensor is heard again."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 1000, 0.4))
        held.take(quality(NOW_MS, raised=True))
        assert overview(held)["assets"][0]["severity"] == "quality"

        held.take(quality(NOW_MS, raised=False))
        assert overview(held)["assets"][0]["severity"] == "ok"

    def test_numbers_that_are_none_stay_json(self):
        """A warming asset has no score: null, never NaN."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 1000, None, p_value=None, trend=None, state="warming"))

        found = overview(held)["assets"][0]

        assert (found["severity"], found["score"], found["spark"]) == ("warming", None, [None])


class TestBounds:
    def test_hostile_names_are_bounded(self):
        """Assets that were heard once go first; those that go on, and one whose alert stands, stay. It is told."""
        held = plant(assets=200, rows=20_000)
        held.take(transition("raised", NOW_MS, asset="real-0", severity="critical"))
        for i in range(4_000):
            held.take(score(f"<script>{i}", NOW_MS + i))
            if i % 50 == 0:
                held.take(score("real-1", NOW_MS + i, offset=i))
            if i == 0:
                held.take(score("real-0", NOW_MS))

        assert len(held.machines) == 200
        assert {"real-0", "real-1"} <= held.machines.keys()
        assert held.left_out > 3_700
        assert held.room.taken <= held.room.most

    def test_room_comes_back_with_an_asset_that_goes(self):
        """What an asset held is free for others."""
        held = plant(assets=2, rows=10_000)
        for i in range(500):
            held.take(score("a", NOW_MS + i, offset=i))
        for name in ("b", "c"):
            held.take(score(name, NOW_MS + 1000))

        assert "a" not in held.machines
        assert held.room.taken == 2 * FIRST

    def test_points_events_and_letters_are_bounded(self):
        """A sensor that invents a point with each record, and a flood of events, cannot fill the memory."""
        held = plant()
        for i in range(1200):
            held.take(score("pump-7", NOW_MS + i, point=f"p{i}"))
            held.take(quality(NOW_MS + i, raised=True))
            held.take(letter(NOW_MS + i, i))
            held.take(anomaly(f"{i:032x}", NOW_MS + i))

        machine = held.machines["pump-7"]
        assert len(machine.points) == 64
        assert len(machine.quality) == 100
        assert len(held.letters) == 1000
        assert held.reasons["unknown_unit"] == 1200
        assert len(held.anomalies) == 1200

    def test_ended_alerts_go_before_those_that_stand(self):
        """A book that is full drops the oldest that is over."""
        book = AlertBook(most=3)
        for number in range(5):
            name = f"{number:032x}"
            book.take(transition("raised", NOW_MS + number, alert=name, asset=f"a{number}").record, NOW_MS + number)
            if number % 2:
                over = transition("closed", NOW_MS + number, alert=name, asset=f"a{number}", state="normal")
                book.take(over.record, NOW_MS + number)

        assert [each.alert_id[-1] for each in book.every()] == ["4", "2", "0"]

    def test_what_a_chattering_sensor_says_is_bounded(self):
        """Conditions that stand are as many as are held, whatever channels a sender makes up, and one that goes makes room."""
        held = plant()
        for i in range(300):
            held.take(quality(NOW_MS + i, raised=True, kind=f"kind-{i}"))
        machine = held.machines["pump-7"]
        assert len(machine.standing) == 256
        held.take(quality(NOW_MS + 400, raised=False, kind="kind-0"))
        held.take(quality(NOW_MS + 401, raised=True, kind="silent"))

        assert machine.word == "quality"

    @given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["raised", "closed", "gone"])), max_size=30))
    def test_the_alert_that_stands_is_the_newest_that_is_open(self, steps):
        """For any order of changes, alerts that go for want of room, and those that alarms.v1 takes back."""
        book = AlertBook(most=3)
        for at, (number, change) in enumerate(steps):
            name, state = f"{number:032x}", "unacknowledged" if change == "raised" else "normal"
            told = transition(change, NOW_MS + at, alert=name, state=state)
            if change == "gone":
                book.take_alarm(name, None)
            else:
                book.take(told.record, NOW_MS + at)

            assert book.standing("pump-7") is next((each for each in book.of("pump-7") if each.open), None)


class TestAlerts:
    def test_a_change_that_comes_twice_counts_once(self):
        """Topics deliver at least once."""
        held = plant()
        for _ in range(2):
            held.take(transition("raised", NOW_MS))
            held.take(transition("acknowledged", NOW_MS + 5, state="acknowledged", acknowledged_by="mia"))

        alert = held.alerts.get("2222")[0]
        assert len(alert.changes) == 2
        assert alert.summary()["acknowledged_by"] == "mia"
        assert alert.open

    def test_what_was_only_held_back_is_no_alert(self):
        """A suppressed one that nobody heard of is not listed, and colours nothing."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 5))
        held.take(transition("suppressed", NOW_MS, state="suppressed", suppressed_by="n_of_m"))

        assert held.alerts.every() == []
        assert held.severity(held.machine("pump-7"), "pump-7") == "ok"

    def test_an_alert_whose_history_is_gone_still_stands(self):
        """alarms.v1 knows it; its tombstone ends it."""
        held = plant()
        told = transition("raised", NOW_MS)
        alarm = {**told.record, "changed_ns": told.record["at_ns"], "last_event_id": "x"}
        held.take(told._replace(topic="alarms.v1", record=alarm))
        assert held.severity(None, "pump-7") == "warning"
        assert overview(held, now_ms=NOW_MS + 5)["total"] == 0  # no score of it yet: it is known by its alert alone

        held.take(told._replace(topic="alarms.v1", record=None))
        assert held.severity(None, "pump-7") == "none"

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3)])
    def test_lanes_show_when_it_stood(self, order):
        """From raised over escalated to closed; answers to people in between change nothing."""
        held = plant()
        changes = [
            transition("raised", NOW_MS, severity="watch"),
            transition("escalated", NOW_MS + 10, severity="critical"),
            transition("labelled", NOW_MS + 12, severity="critical", state="normal"),
            transition("closed", NOW_MS + 20, state="normal", severity="critical"),
        ]
        for place in sorted(order, key=lambda each: changes[each].at_ms):
            held.take(changes[place])

        pieces = held.alerts.pieces("pump-7", NOW_MS + 99)
        assert pieces == [(NOW_MS, NOW_MS + 10, "watch"), (NOW_MS + 10, NOW_MS + 20, "critical")]


class TestLines:
    def test_the_machines_of_a_line_are_one_incident(self):
        """It names its members; an alert of no line, which stands there too, is none."""
        held = plant()
        member = {"asset": "pump-7", "alert_id": "2" * 32, "severity": "warning", "open": True}
        alone = transition("raised", NOW_MS, members=[])._replace(topic="incidents.v1")
        line = transition("raised", NOW_MS, asset="acme/hall 2", alert="9" * 32, line="acme/hall 2", members=[member])
        held.take(alone)
        for _ in range(2):
            held.take(line._replace(topic="incidents.v1"))

        found = [incident_tree(each) for each in held.lines.every()]
        assert [(each["line"], each["members"], each["open"]) for each in found] == [("acme/hall 2", [member], True)]
        assert len(found[0]["timeline"]) == 1
        assert incident_with(held, "2" * 32)["id"] == "9" * 32
        assert incident_with(held, "3" * 32) is None


WRONG = st.one_of(st.none(), st.integers(-(2**63), 2**63), st.floats(), st.text(max_size=5), st.just([]), st.just({}))


class TestRecordsOfAnotherVersion:
    @given(st.sampled_from(["score", "alert", "anomaly", "quality"]), st.data())
    def test_a_field_that_is_missing_or_strange_breaks_no_page(self, kind, data):
        """It is counted, and the overview is JSON all the same."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 5))
        made = {
            "score": score("pump-7", NOW_MS),
            "alert": transition("raised", NOW_MS),
            "anomaly": anomaly("a" * 32, NOW_MS),
            "quality": quality(NOW_MS, raised=True),
        }[kind]
        name = data.draw(st.sampled_from(sorted(made.record)))
        record = {**made.record, name: data.draw(WRONG)}
        if data.draw(st.booleans()):
            del record[name]
        try:
            tree = checked(made.topic, record)
        except (ValueError, TypeError, KeyError):
            return  # refused at the door
        held.take(made._replace(record=tree))

        assert overview(held)["total"] >= 1

    def test_words_of_a_later_version_are_counted(self):
        """A severity that has no place in the order, a state that is not known."""
        held = plant()
        held.take(transition("raised", NOW_MS, severity="catastrophic"))
        held.take(transition("raised", NOW_MS, state="pondering"))
        held.take(score("pump-7", NOW_MS)._replace(record={"asset": "pump-7"}))

        assert held.unread == 3
        assert held.alerts.every() == []
        assert overview(held)["total"] == 0
