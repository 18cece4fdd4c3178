"""How much state there is room for, whatever names a gateway makes up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import Asset
from foreshock.core.points import Layout
from foreshock.core.room import STRANGERS, Room
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import block

SPEC = FleetSpec(warmup_blocks=12)
SIZE = Fleet(SPEC)._admission.lane(Layout.of(block(0)), Fleet(SPEC).recipe).slot_bytes


def crowded_fleet(machines: int, points: int = 99) -> Fleet:
    """A Fleet with room for so many measuring points of machines that nobody registered, and so many of one machine."""
    fleet = Fleet(SPEC)
    fleet._room = Room(fleet._admission, strangers=machines * SIZE, asset=points * SIZE)
    return fleet


def fold(fleet: Fleet, blocks) -> set[int]:
    """Fold in what there is room for; give the offsets of the others."""
    full = {offset for _, offset in fleet.crowded(blocks)}
    fleet.receive([each for each in blocks if each.origin.offset not in full])
    return full


def test_strangers_have_room_for_so_many_and_the_others_go_on():
    """The fifth machine that nobody registered is refused, with words; those that have state, and registered ones, are not."""
    fleet = crowded_fleet(machines=4)
    fleet.take_up(Asset(asset="known"), 0, 0)
    names = ["a", "b", "c", "d", "e", "a", "known", "e"]

    assert fold(fleet, [block(i, asset=name) for i, name in enumerate(names)]) == {4, 7}
    assert fleet.master_data(0, "e") is None
    assert "that nobody registered have" in fleet.crowded([block(8, asset="e")])[0, 8]
    assert fold(fleet, [block(8, asset="e"), block(9, asset="b")]) == {8}
    assert not fold(fleet, [replace(block(10, asset="e"), origin=block(10, partition=1).origin)]), (
        "of its own partition"
    )
    fleet.take_up(Asset(asset="e"), 0, 11)
    assert not fold(fleet, [block(11, asset="e")])


def test_a_machine_has_room_for_so_many_measuring_points():
    """Registered or not: its state has to go into one record."""
    fleet = crowded_fleet(machines=99, points=3)
    fleet.take_up(Asset(asset="pump-1"), 0, 0)

    assert fold(fleet, [block(i, point=f"p{i % 5}") for i in range(12)]) == {3, 4, 8, 9}
    assert "the measuring points of pump-1 have" in fleet.crowded([block(12, point="p9")])[0, 12]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=30), st.data())
def test_who_is_refused_is_the_same_in_any_batching(records, data):
    """One by one, all at once, or in parts."""
    blocks = [block(i, asset=f"m{name}", point=f"p{point}") for i, (name, point) in enumerate(records)]
    one, some = crowded_fleet(5, 2), crowded_fleet(5, 2)
    expected = {each.origin.offset for each in blocks if fold(one, [each])}
    found: set[int] = set()
    rest = blocks
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found |= fold(some, rest[:size])
        rest = rest[size:]

    assert found == expected
    assert sum(lane.used for lane in some._admission.lanes.values()) <= 5


def test_a_machine_that_was_registered_makes_room_in_time(monkeypatch):
    """Machines are counted again after a while, and when a partition is taken up anew."""
    monkeypatch.setattr("foreshock.core.room.ANEW", 50)
    fleet = crowded_fleet(machines=2)
    assert fold(fleet, [block(i, asset=name) for i, name in enumerate("abc")]) == {2}
    fleet.take_up(Asset(asset="a"), 0, 3)
    assert not fold(fleet, [block(60, asset="c")])

    state = fleet.capture(0, "c")
    fleet.release([0])
    fleet.restore(state)
    assert fold(fleet, [block(61 + i, asset=name) for i, name in enumerate("xyz")]) == {62, 63}


def test_a_plant_of_ten_thousand_machines_has_room_on_one_partition():
    """As many as a worker is made for, with one channel each, although nobody registered them."""
    assert STRANGERS // SIZE > 10_000
