"""An alert outlives the state of its asset: from its record on alarms.v1 it goes on, and it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foreshock.alerts.carrying import LOST, carry
from foreshock.alerts.files import DEFAULT
from foreshock.alerts.items import Carried
from foreshock.alerts.lifecycle import command, tick
from foreshock.alerts.records import AlarmRecord, Command
from foreshock.alerts.states import Alarm, Context
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Severity, SuppressedBy
from foreshock.contract import Asset, Origin
from foreshock.detectors.snapshot import Key, Keys, unseal
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.state.records import Place
from tests.core.alerting import control, feed, place

NS = 1_000_000_000
RAISED, LOST_AT = 1_000 * NS, 5_000 * NS
ALARMS = Origin(topic="alarms.v1", topic_id="a", partition=0, offset=7, ingest_ns=LOST_AT)
SENSORS = Origin(topic="sensors.v1", topic_id="s", partition=0, offset=90, ingest_ns=1_000 * NS)
RECORD = AlarmRecord(
    alert_id="a-1", asset="pump-1", state=AlarmState.UNACKNOWLEDGED, severity=Severity.WARNING, worst=Severity.CRITICAL,
    points=("DE",), raised_ns=RAISED, changed_ns=RAISED, acknowledged_by="", shelved_until_ns=None, suppressed_by=None,
    work_order="4711", owner="mechanics", last_event_id="e", initial_score=2.5, peak=4.4, origin=SENSORS,
)  # fmt: skip


def carried(**changes: object) -> Carried:
    """A record of alarms.v1."""
    return Carried(origin=ALARMS, record=replace(RECORD, **changes))  # type: ignore[arg-type]


def context(at_ns: int = LOST_AT) -> Context:
    """When something comes."""
    return Context(asset=Asset(asset="pump-1"), origin=replace(ALARMS, ingest_ns=at_ns), at_ns=at_ns)


def after(at_s: float, alarm: Alarm) -> tuple[Alarm, list[Change]]:
    """What time alone makes of it."""
    at_ns = LOST_AT + int(at_s * NS)
    found, drafts = tick(DEFAULT, alarm, at_ns, context(at_ns))
    return found, [each.change for each in drafts]


class TestCarried:
    def test_it_returns_to_normal_with_the_reason_and_keeps_what_people_did(self) -> None:
        """Id, work order, points and peak stay."""
        alarm, drafts = carry(DEFAULT, Alarm(), carried(), context())

        assert [(each.change, each.alert_id, each.reason) for each in drafts] == [
            (Change.RETURNED_TO_NORMAL, "a-1", LOST)
        ]
        assert alarm.incident is not None
        assert (alarm.incident.work_order, alarm.incident.peak, alarm.incident.raised_ns) == ("4711", 4.4, RAISED)
        assert alarm.incident.state is AlarmState.RETURNED_UNACKNOWLEDGED

    @pytest.mark.parametrize(
        ("changes", "seconds"),
        [
            ({}, DEFAULT.stale_after_s),
            ({"state": AlarmState.ACKNOWLEDGED, "acknowledged_by": "anna"}, DEFAULT.close_after_s),
            ({"state": AlarmState.NORMAL, "acknowledged_by": "anna"}, DEFAULT.close_after_s),
            ({"state": AlarmState.RETURNED_UNACKNOWLEDGED}, DEFAULT.stale_after_s),
            ({"state": AlarmState.SUPPRESSED, "suppressed_by": SuppressedBy.PARENT}, DEFAULT.close_after_s),
            ({"state": AlarmState.OUT_OF_SERVICE, "acknowledged_by": "anna"}, DEFAULT.close_after_s),
        ],
    )
    def test_it_does_not_stay_open_for_ever(self, changes: dict[str, object], seconds: float) -> None:
        """Whatever its state was: closed once it is over for so long, and not before."""
        alarm, _ = carry(DEFAULT, Alarm(), carried(**changes), context())
        alarm, early = after(seconds - 1, alarm)
        alarm, late = after(seconds + 1, alarm)

        assert Change.CLOSED not in early
        assert late == [Change.CLOSED]
        assert alarm.incident is None

    def test_a_shelf_goes_on(self) -> None:
        """It is told when it expires."""
        until_ns = LOST_AT + 600 * NS
        alarm, drafts = carry(DEFAULT, Alarm(), carried(state=AlarmState.SHELVED, shelved_until_ns=until_ns), context())
        assert drafts == ()
        _, changes = after(601, alarm)

        assert changes == [Change.UNSHELVED, Change.RETURNED_TO_NORMAL]

    def test_people_can_end_it(self) -> None:
        """It can be acknowledged and closed as any other."""
        alarm, _ = carry(DEFAULT, Alarm(), carried(), context())
        close = Command(
            command_id="c", kind=CommandKind.CLOSE, asset="pump-1", actor="anna", reason="looked at it", at_ns=LOST_AT
        )
        alarm, drafts = command(DEFAULT, alarm, close, context(LOST_AT + NS))

        assert [each.change for each in drafts] == [Change.CLOSED]
        assert alarm.incident is None

    def test_it_gives_way_to_a_newer_one(self) -> None:
        """An asset has one incident: the one that was lost is closed, and names the other."""
        alarm, _ = carry(DEFAULT, Alarm(), carried(alert_id="a-2"), context())
        later, drafts = carry(DEFAULT, alarm, carried(), context())

        assert [(each.change, each.alert_id) for each in drafts] == [(Change.CLOSED, "a-1")]
        assert "a-2" in drafts[0].reason
        assert later.incident == alarm.incident

    def test_what_is_known_stays_as_it_is(self) -> None:
        """Given twice, nothing more is told."""
        alarm, _ = carry(DEFAULT, Alarm(), carried(), context())

        assert carry(DEFAULT, alarm, carried(), context()) == (alarm, ())


class TestOfAnAsset:
    def test_it_is_taken_up_once_and_comes_back_with_the_demand(self) -> None:
        """A Fleet takes it at its place; when the machine is as bad again, the same alert is alarmed again."""
        fleet = Fleet(FleetSpec(warmup_blocks=16))
        feed(fleet, 0, 24)
        origin = place("alarms.v1", 3, 24)
        item = Carried(
            origin=origin,
            record=replace(
                RECORD, raised_ns=origin.ingest_ns - 60 * NS, changed_ns=origin.ingest_ns - 60 * NS, origin=origin
            ),
        )
        first = fleet.take_up(item, 0, 24)
        again = fleet.take_up(item, 0, 24)
        worse = [each for outcome in feed(fleet, 24, 40, fault=6.0) for each in outcome.alerts]

        assert [each.change for each in first] == [Change.RETURNED_TO_NORMAL]
        assert again == []
        assert (worse[0].change, worse[0].alert_id) == (Change.REALARMED, "a-1")
        (answer,) = fleet.take_up(control(0, CommandKind.ACKNOWLEDGE, 40), 0, 40)
        assert (answer.change, answer.alert_id) == (Change.ACKNOWLEDGED, "a-1")

    def test_an_asset_of_which_nothing_else_is_known_can_end_it(self) -> None:
        """Its machine may never send again, and nobody else would tell that the alert is over."""
        fleet = Fleet(FleetSpec())
        (told,) = fleet.take_up(carried(), 0, 0)
        (closed,) = fleet.take_up(control(0, CommandKind.CLOSE, 40, alert_id="a-1"), 0, 0)

        assert (told.change, told.asset) == (Change.RETURNED_TO_NORMAL, "pump-1")
        assert (closed.change, closed.alert_id) == (Change.CLOSED, "a-1")
        assert fleet.dirty(0) == {"pump-1": 0}

    def test_it_keeps_in_a_place(self) -> None:
        """What is put on record is what was read."""
        item = Place(0, 5, 0, (carried(),))
        keys = Keys(Key("test", b"secret"))
        assert Place.of(unseal(item.seal(keys), keys)) == item
