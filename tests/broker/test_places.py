"""Places and the records of state.v1, without a broker: what is on record is applied where it was, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.alerts.items import Carried
from foreshock.contract import Asset, Origin
from foreshock.detectors.snapshot import Key, Keys, unseal
from foreshock.errors import SnapshotRejected
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.state import gate as gates
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.gate import Gate, Lapse
from foreshock.streams.state.places import Places
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Marker, Place, StateKey, TickRequest
from foreshock.streams.state.recovery import Start
from foreshock.streams.state.taken import Taken
from tests.alerts.test_carrying import RECORD

P = ("sensors.v1", 0)
KEYS = Keys(Key("a", b"0123456789abcdef"))
PUMP = Asset(asset="pump-7", asset_class="pump")


def start(position=0, end=0, **more):
    return Start(position=position, committed=position, published=position, end=end, **more)


@pytest.fixture
def fleet():
    """An empty Fleet."""
    return Fleet(FleetSpec(warmup_blocks=12, profile="lean"))


@pytest.fixture
def custody():
    """Holds nothing yet."""
    return Custody(lambda _: None)


@pytest.fixture
def gate():
    """Between two assignments."""
    return Gate(Lapse(10.0))


@pytest.fixture
def told():
    """What was told."""
    return []


@pytest.fixture
def places(fleet, custody, gate, told):
    """The door, for one partition."""
    return Places(
        fleet,
        custody,
        gate,
        Recipes(fleet),
        partition_of=lambda _: 0,
        tell=told.extend,
        taken=Taken({}),
        covering=Covering(fleet, ()),
    )


@pytest.fixture
def recorded():
    """What was committed."""
    return []


@pytest.fixture
def commit(recorded):
    """A broker that takes every place."""

    async def go(found, apply):
        recorded.extend(found)
        apply()
        return True

    return go


def begin(places, custody, commit, given):
    """Begin an assignment, and let the timers run once."""
    custody.fold(P, given.position)
    asyncio.run(places.assigned({P: given}, commit))


def look(places, commit):
    """Let it look once for what is ready, in the midst of an assignment."""
    places._gate.open(1)

    async def go():
        task = asyncio.create_task(places.serve(commit))
        await asyncio.sleep(0.02)
        task.cancel()

    asyncio.run(go())


def test_first_start_has_master_data_before_the_first_block(places, custody, commit, recorded, fleet):
    """Where nobody was before, what is known is put on record at the first offset and holds from there."""
    places.submit(PUMP)
    begin(places, custody, commit, start(fresh=True))

    assert recorded == [Place(0, 0, 0, (PUMP,))]
    assert fleet.master_data(0, "pump-7") == PUMP


def test_nothing_takes_effect_where_another_may_have_been(places, custody, commit, recorded, fleet):
    """Master data that changed meanwhile waits for the end of the input as it was at assignment."""
    places.submit(PUMP)
    begin(places, custody, commit, start(position=5, end=9))
    look(places, commit)

    assert recorded == []
    assert fleet.master_data(0, "pump-7") is None

    custody.fold(P, 9)
    look(places, commit)

    assert recorded == [Place(0, 9, 0, (PUMP,))]
    assert fleet.master_data(0, "pump-7") == PUMP


def test_recorded_place_is_applied_where_it_was(places, custody, commit, recorded, fleet):
    """It waits for its offset, and the same master data is not put on record again."""
    place = Place(0, 7, 0, (PUMP,))
    places.submit(PUMP)
    begin(places, custody, commit, start(position=5, end=9, places=(place,)))

    assert places.next(0) == 7
    assert fleet.master_data(0, "pump-7") is None

    places.reach(0, 7)
    custody.fold(P, 9)

    assert places.next(0) is None
    assert fleet.master_data(0, "pump-7") == PUMP


def test_place_that_was_not_committed_is_tried_again(places, custody, commit, recorded, fleet):
    """Nothing is applied that is not on record."""

    async def refuse(_found, _apply):
        return False

    begin(places, custody, commit, start(position=5, end=5))
    places.submit(PUMP)
    look(places, refuse)

    assert fleet.master_data(0, "pump-7") is None

    look(places, commit)

    assert fleet.master_data(0, "pump-7") == PUMP


def test_places_of_one_offset_are_numbered(places, custody, commit, recorded):
    """A second place before the same record does not replace the first."""
    begin(places, custody, commit, start(position=5, end=5))
    for changed in (PUMP, replace(PUMP, asset_class="fan")):
        places.submit(changed)
        look(places, commit)

    assert [place.key for place in recorded] == ["0@5/0", "0@5/1"]
    assert places.spent(0, 5, clean=False) == []
    assert places.spent(0, 5, clean=True) == recorded
    assert places.spent(0, 6, clean=False) == recorded


def test_place_that_is_not_reached_outlives_an_assignment(places, custody, commit, fleet):
    """A partition that stays with its worker in the middle of a replay goes on to what lies on record before it."""
    begin(places, custody, commit, start(position=5, end=9, places=(Place(0, 7, 0, (PUMP,)),)))
    begin(places, custody, commit, start(position=6, end=9, taken=None))

    assert places.next(0) == 7
    assert places.spent(0, 9, clean=True) == []

    places.reach(0, 7)
    assert fleet.master_data(0, "pump-7") == PUMP


CARRIED = Carried(
    origin=Origin(topic="alarms.v1", topic_id="a", partition=0, offset=7, ingest_ns=1),
    record=replace(RECORD, asset=PUMP.asset),
)


def test_alert_of_a_cold_asset_is_on_record_before_anything_of_it_can_be(
    places, fleet, custody, commit, recorded, told
):
    """With its first snapshot nobody would look for the alert again: so it is put on record at once, for where the input ended."""
    fleet.adopt_cold(0, PUMP.asset, "its state is lost")
    begin(places, custody, commit, start(position=5, end=9, carried=(CARRIED,)))

    assert recorded == [Place(0, 9, 0, (CARRIED,))]
    assert (told, places.next(0)) == ([], 9)
    assert places.spent(0, 9, clean=True) == []

    custody.fold(P, 9)
    places.reach(0, 9)

    assert [each.alert_id for each in told] == [RECORD.alert_id]
    look(places, commit)
    assert len(recorded) == 1


def test_alert_of_a_cold_asset_takes_effect_at_once_where_nothing_lies_before(places, fleet, custody, commit, told):
    """The input was read to its end, and no further record has to come."""
    fleet.adopt_cold(0, PUMP.asset, "its state is lost")
    begin(places, custody, commit, start(position=9, end=9, carried=(CARRIED,)))

    assert [each.alert_id for each in told] == [RECORD.alert_id]


def test_nothing_else_is_put_on_record_while_an_assignment_begins(places, fleet, custody, commit, recorded, gate):
    """Two places of one offset would have one number, and one of them would be lost."""
    fleet.adopt_cold(0, PUMP.asset, "its state is lost")

    async def slow(found, apply):
        await asyncio.sleep(0.02)
        return await commit(found, apply)

    async def go():
        custody.fold(P, 9)
        serving = asyncio.create_task(places.serve(slow))
        await asyncio.sleep(0)
        places.submit(PUMP)
        await places.assigned({P: start(position=9, end=9, carried=(CARRIED,))}, slow)
        serving.cancel()

    asyncio.run(go())
    assert [each.key for each in recorded] == ["0@9/0"]

    look(places, commit)
    assert [each.key for each in recorded] == ["0@9/0", "0@9/1"]


def test_alert_of_a_cold_asset_that_could_not_be_put_on_record_outlives_an_assignment(
    places, fleet, custody, commit, recorded
):
    """The partition stays with this worker, which alone knows of the alert by then."""

    async def refuse(_found, _apply):
        return False

    fleet.adopt_cold(0, PUMP.asset, "its state is lost")
    begin(places, custody, refuse, start(position=5, end=9, carried=(CARRIED,)))
    assert recorded == []
    begin(places, custody, commit, start(position=6, end=9, taken=None))

    assert recorded == [Place(0, 9, 0, (CARRIED,))]


@given(
    st.integers(0, 500),
    st.integers(0, 2**62),
    st.integers(0, 99),
    st.lists(st.one_of(st.builds(Asset, asset=st.text(min_size=1)), st.integers(0, 2**62)), max_size=4),
)
def test_place_comes_back_as_it_was(partition, offset, number, items):
    """Whatever is in it, under its own key."""
    given = tuple(each if isinstance(each, Asset) else TickRequest(partition, each, each // 2) for each in items)
    place = Place(partition, offset, number, given)

    assert Place.of(unseal(place.seal(KEYS), KEYS)) == place
    assert StateKey.of(place.key.encode()) == StateKey(partition, "place", offset=offset, number=number)


@given(st.integers(0, 500), st.text())
def test_key_of_a_snapshot_names_any_asset(partition, asset):
    """An asset's id may hold slashes and signs of other keys."""
    key = StateKey(partition, "snapshot", asset)

    assert StateKey.of(str(key).encode()) == key


@given(st.integers(0, 500))
def test_marker_stands_under_two_keys(partition):
    """Both hold the same, and each is read as a marker of its partition."""
    first, second = Marker("id", 3, 4).records(partition, KEYS)

    assert (first.partition, first.value) == (second.partition, second.value)
    assert [StateKey.of(each.key) for each in (first, second)] == [
        StateKey(partition, "marker"),
        StateKey(partition, "marker", number=1),
    ]


@pytest.mark.parametrize("key", [b"", b"+", b"1++", b"1+/x", b"x", b"-1", b"1@x/2", b"1@2", b"1@2/x", None])
def test_foreign_key_is_none_of_ours(key):
    """It is passed over."""
    assert StateKey.of(key) is None


def test_marker_is_no_place():
    """A record of another kind under a key is refused."""
    sealed = unseal(Marker("id", 3, 4).seal(KEYS), KEYS)

    assert Marker.of(sealed) == Marker("id", 3, 4)
    with pytest.raises(SnapshotRejected):
        Place.of(sealed)


def test_lapse_is_noticed_by_whoever_looks_first(monkeypatch):
    """A process that was stopped for too long lets nothing pass, until it has dropped what it held."""
    now = [100.0]
    monkeypatch.setattr(gates, "_now", lambda: now[0])
    lapse = Lapse(10.0)
    gate = Gate(lapse)
    gate.open(3)
    now[0] += 7.9

    assert gate.lets(3)
    assert not gate.lets(2)

    now[0] += 0.2

    assert not gate.lets(3)
    assert lapse.beat()
    assert not gate.lets(3), "the poll thread's sign of life comes too late"

    lapse.settle()

    assert gate.lets(3)
