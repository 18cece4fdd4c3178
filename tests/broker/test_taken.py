"""Commands on their way to an asset, without a broker: read once, put on record once, answered where they cannot be used."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from foreshock.alerts import default
from foreshock.alerts.files import load_text
from foreshock.alerts.items import Assigned, Given, Refused
from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.vocabulary import Change, CommandKind, WorkKind
from foreshock.contract import Asset, Origin
from foreshock.detectors.snapshot import Key, Keys, unseal
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import wire
from foreshock.streams.commands import CommandReader
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.gate import Gate, Lapse
from foreshock.streams.state.outside import weight
from foreshock.streams.state.places import ITEMS, Places
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Marker, Place
from foreshock.streams.state.recovery import Start
from foreshock.streams.state.taken import Arrival, Taken
from foreshock.streams.topics import TOPICS, TopicInfo
from tests.chaos.reading import Record

P = ("sensors.v1", 0)
KEYS = Keys(Key("a", b"0123456789abcdef"))
INFO = {name: TopicInfo(name, f"id-of-{name}", 4, 1, {}) for name in TOPICS}
IDS = {name: INFO[name].topic_id for name in ("control.v1", "maintenance.v1")}
NOW_NS = 1_780_000_000_000_000_000
PUMP = Asset(asset="pump-7", asset_class="pump")
FREEZE = Command(command_id="c", kind=CommandKind.FREEZE, asset="pump-7", actor="mia", reason="trial", at_ns=NOW_NS)
NOTE = WorkOrder(
    record_id="w", kind=WorkKind.NOTE, asset="pump-7", work_order="", at_ns=NOW_NS, actor="mia", note="it hums"
)
PUMPS = load_text("pumps.toml", default.TEXT.replace('name = "default"', 'name = "pumps"\ncovers = ["pump"]'))


def origin(offset, topic="control.v1"):
    """Where a command stands, on the partition of the tests."""
    return Origin(topic=topic, topic_id=IDS[topic], partition=0, offset=offset, ingest_ns=NOW_NS)


def given(offset, item=FREEZE):
    """A command at an offset, with an id of its own."""
    topic = "control.v1" if isinstance(item, Command) else "maintenance.v1"
    item = replace(item, command_id=f"c-{offset}") if isinstance(item, Command) else item
    return Given(origin=origin(offset, topic), item=item)


class Door:
    """Places with a broker that takes all that is committed."""

    def __init__(self, policies=()):
        self.fleet = Fleet(FleetSpec(warmup_blocks=12, profile="lean"))
        self.custody = Custody(lambda _: None)
        self.told, self.recorded, self.asked = [], [], []
        gate = Gate(Lapse(10.0))
        gate.open(1)
        self.places = Places(
            self.fleet,
            self.custody,
            gate,
            Recipes(self.fleet),
            partition_of=lambda _: 0,
            tell=self.told.extend,
            taken=Taken(IDS),
            covering=Covering(self.fleet, policies),
        )
        self.places.read_from = lambda epoch, starts: self.asked.append((epoch, starts))

    async def commit(self, found, apply):
        self.recorded.extend(found)
        apply()
        return True

    def begin(self, *, assets=(PUMP,), **start):
        """Begin an assignment at the end of an empty log."""
        self.custody.fold(P, 0)
        for each in assets:
            self.places.submit(each)
        found = Start(**{"position": 0, "committed": 0, "published": 0, "end": 0, **start})
        asyncio.run(self.places.assigned({P: found}, self.commit))

    def arrive(self, *items, epoch=None):
        """Hand items in as the reader does, and let the door look once."""
        for each in items:
            self.places.submit(Arrival(self.asked[-1][0] if epoch is None else epoch, each))

        async def go():
            task = asyncio.create_task(self.places.serve(self.commit))
            await asyncio.sleep(0.05)
            task.cancel()

        asyncio.run(go())

    def changes(self):
        """What was told, by the command behind it."""
        return [(each.command_id, each.change) for each in self.told]


@pytest.mark.slow
def test_command_takes_effect_once_and_is_answered():
    """Put on record with its coordinates, answered on alerts.v1; read a second time it is passed over."""
    door = Door()
    door.begin(fresh=True)
    door.arrive(given(4), given(4))
    door.arrive(given(4))

    assert [item for place in door.recorded for item in place.items if isinstance(item, Given)] == [given(4)]
    assert door.changes() == [("c-4", Change.FROZEN)]
    assert door.told[0].origin == origin(4)
    assert door.places.taken.of(0) == ("control.v1=id-of-control.v1=5",)


def test_next_assignment_reads_on_behind_what_is_on_record():
    """From the marker, and from places that are newer than it; offsets of a topic that was made again mean nothing."""
    door = Door()
    place = Place(0, 0, 0, (given(8),))
    stored = ("control.v1=id-of-control.v1=3", "maintenance.v1=another=70")
    door.begin(places=(place,), taken=stored)

    assert door.asked[-1][1] == {("control.v1", 0): 9, ("maintenance.v1", 0): 0}
    assert Marker.of(unseal(Marker("id", 3, 4, taken=door.places.taken.of(0)).seal(KEYS), KEYS)).taken == (
        "control.v1=id-of-control.v1=9",
    )


def test_what_was_read_for_another_assignment_comes_again():
    """It is not put on record out of turn."""
    door = Door()
    door.begin(fresh=True)
    door.arrive(given(4), epoch=0)

    assert door.changes() == []
    door.arrive(given(3), given(4))
    assert [command_id for command_id, _ in door.changes()] == ["c-3", "c-4"]


def test_unknown_asset_is_refused():
    """The partition that its key belongs to answers for it, and keeps no state of it."""
    door = Door()
    door.begin(fresh=True)
    door.arrive(given(1, replace(FREEZE, asset="ghost")))

    assert door.changes() == [("c-1", Change.REFUSED)]
    assert "ghost" in door.told[0].reason
    assert door.fleet.master_data(0, "ghost") is None


def test_master_data_stands_before_policies_and_these_before_commands():
    """All at one place: the command meets the asset with the policy that holds for it."""
    door = Door((PUMPS,))
    door.begin(assets=(), fresh=True)
    door.places.submit(Arrival(door.asked[-1][0], given(1)))
    door.places.submit(PUMP)
    door.arrive()

    (place,) = door.recorded
    assert [type(each) for each in place.items] == [Asset, Assigned, Given]
    assert door.fleet.policies(0) == {"pump-7": PUMPS.version}
    assert door.told[0].policy.startswith("pumps@")


def test_other_files_of_policies_are_put_on_record():
    """An asset whose state names another policy than the files give it gets the new one; one that has it already does not."""
    door = Door((PUMPS,))
    door.begin(fresh=True)
    assert [type(each) for each in door.recorded[0].items] == [Asset, Assigned]
    door.recorded.clear()
    door.arrive()
    assert door.recorded == []

    later = Door()  # another process, without policies
    later.fleet.restore(door.fleet.capture(0, "pump-7"))
    later.begin()
    later.arrive()
    assert [each.policy.name for place in later.recorded for each in place.items] == ["default"]


def test_place_with_all_that_may_be_in_it_comes_back():
    """Commands, work orders, refusals and policies, sealed and read."""
    refused = Refused(origin=origin(3), asset="pump-7", reason="actor is empty", command_id="c", actor="")
    items = (PUMP, Assigned(policy=PUMPS, assets=("pump-7",)), given(1), given(2, NOTE), refused)
    place = Place(0, 7, 0, items)

    assert Place.of(unseal(place.seal(KEYS), KEYS)) == place


def test_long_notes_are_spread_over_places():
    """A place stays small enough for its topic, in the order of the commands."""
    door = Door()
    door.begin(fresh=True)
    long = [given(number, replace(FREEZE, note="x" * 4000)) for number in range(60)]
    door.arrive(*long)

    parts = [place.items for place in door.recorded if any(isinstance(each, Given) for each in place.items)]
    assert len(parts) > 1
    assert all(sum(map(weight, part)) <= ITEMS for part in parts)
    assert [each.origin.offset for part in parts for each in part] == list(range(60))


@pytest.fixture
def reader():
    """A reader of which only the records are used."""
    found = []
    made = CommandReader(
        {"bootstrap.servers": "127.0.0.1:1", "group.id": "none", "log_level": 0},
        INFO,
        wire.Decoder(),
        partition_of=lambda asset: partition_for(asset.encode(), 4),
        submit=found.append,
        waiting=lambda: 0,
    )
    made.found = found
    return made


def record(value, key=b"pump-7", partition=None):
    """A record of control.v1 as librdkafka gives it."""
    number = partition_for(key or b"", 4) if partition is None else partition
    return Record(
        "control.v1",
        (number, 5),
        key,
        value,
        NOW_NS // 10**6,
        (("traceparent", b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01"),),
    )


ENCODE = wire.Encoder().encode


@pytest.mark.slow
def test_reader_gives_the_command_with_its_place_and_trace(reader):
    """What the producer sent as trace context goes with it."""
    reader._use(record(ENCODE(FREEZE)))

    (arrival,) = reader.found
    assert arrival.item.item == FREEZE
    assert arrival.item.origin.topic_id == "id-of-control.v1"
    assert arrival.item.origin.traceparent.startswith("00-111")


@pytest.mark.parametrize(
    ("sent", "says", "command_id"),
    [
        (record(b"\x07what"), "unknown_framing", ""),
        (record(ENCODE(replace(FREEZE, actor=" "))), "actor is empty", "c"),
        (record(ENCODE(FREEZE), partition=(partition_for(b"pump-7", 4) + 1) % 4), "partitioner", "c"),
        (record(ENCODE(FREEZE), key=b"pump-8"), "the key is", "c"),
        (record(b'{"command_id": "j", "kind": "freeze"}'), "is missing", "j"),
        (record(None), "null_value", ""),
    ],
)
def test_what_cannot_be_used_is_answered(reader, caplog, sent, says, command_id):
    """With the reason, what to mend, and the id where it can be read; and told in the log with its place."""
    reader._use(sent)

    (arrival,) = reader.found
    assert isinstance(arrival.item, Refused)
    assert says in arrival.item.reason
    assert "To mend it" in arrival.item.reason
    assert arrival.item.command_id == command_id
    assert "control.v1 partition" in caplog.text


def test_record_without_an_asset_is_in_the_log_alone(reader, caplog):
    """Nobody could look for an answer to it."""
    reader._use(record(b"{}", key=None, partition=0))

    assert reader.found == []
    assert "offset 5 not used" in caplog.text
