"""The walk of a batch without a broker: one outcome each, whatever fails in it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, replace

import pytest

from foreshock.contract import Reason
from foreshock.core.room import Room
from foreshock.fleet import Fleet, FleetSpec
from foreshock.settings import Settings
from foreshock.streams import outputs, wire
from foreshock.streams.border import Border
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.folding import Folding
from foreshock.streams.state.gate import Gate, Lapse
from foreshock.streams.state.places import Places
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.taken import Taken
from foreshock.streams.telemetry import Telemetry
from foreshock.streams.topics import TOPICS, TopicInfo
from foreshock.streams.walk import Walk

SETTINGS = Settings()
INFO = {
    name: TopicInfo(name, f"id-of-{name}", 4, 1, {"max.message.bytes": "1200000"})
    for name, each in TOPICS.items()
    if each.used
}


@dataclass
class Record:
    """A Kafka record, as far as the walk looks at it."""

    at: int
    name: bytes | None
    body: bytes | None
    number: int = 0

    def partition(self):
        return self.number

    def offset(self):
        return self.at

    def timestamp(self):
        return 1, 1_760_000_000_000 + self.at

    def key(self):
        return self.name

    def value(self):
        return self.body

    def headers(self):
        return None


class Fragile(Fleet):
    """A Fleet with a defect: it fails on one block, after it has folded in the others of the batch."""

    def receive(self, batch):
        outcomes = super().receive(batch)
        if any(getattr(each, "sequence", None) == 666 for each in batch):
            raise ZeroDivisionError("the defect")
        return outcomes


def walk_around(fleet):
    """A walk without a broker."""
    encoders = {name: wire.Encoder(topic=name) for name in outputs.TOPIC_OF.values()}
    custody = Custody(fleet.release)
    places = Places(
        fleet,
        custody,
        Gate(Lapse(10.0)),
        Recipes(fleet),
        partition_of=lambda _: 0,
        tell=lambda _: None,
        taken=Taken({}),
        covering=Covering(fleet, ()),
    )
    return Walk(
        Folding(fleet, custody, places, lambda: None, Casebook()),
        Border(INFO["sensors.v1"], partitioner="murmur2_random", largest=1_000_000, decoder=wire.Decoder()),
        outputs.Outputs(
            INFO,
            encoders=encoders,
            framing="single-object",
            telemetry=Telemetry(SETTINGS, worker="test"),
            worker="test",
        ),
        lambda *_: None,
    )


@pytest.fixture
def walk_of():
    """Make a walk around a Fleet."""
    return walk_around


def batch_of(blocks, start=0):
    records = []
    for i, block in enumerate(blocks, start=start):
        key = block.asset.encode()
        records.append(Record(i, key, wire.Encoder().encode(block), partition_for(key, 4)))
    return Batch([], records, 1, 2)


def go(walk, batch):
    walk.decode(batch)
    walk.receive(batch)
    return walk.encode(batch)


def test_defect_in_the_core_costs_one_record(walk_of, make_block):
    """Nothing comes of the batch it is in; given again, the culprit is `internal_error` and its asset goes on without it."""
    walk = walk_of(Fragile(FleetSpec(warmup_blocks=12, profile="lean")))
    undisturbed = walk_of(Fleet(FleetSpec(warmup_blocks=12, profile="lean")))
    blocks = [make_block("a", i) for i in range(9)]
    hurt = [make_block("a", 9), make_block("a", 10, sequence=666), make_block("a", 11)]
    go(walk, batch_of(blocks[:4]))

    failed = go(walk, batch_of(blocks[4:] + hurt, start=4))

    assert not failed.events
    assert not failed.scores

    fresh = Fragile(FleetSpec(warmup_blocks=12, profile="lean"))
    walk._folding._fleet = (
        fresh  # as the restart from the checkpoint leaves it: without state, and with the suspects known
    )
    again = [*go(walk, batch_of(blocks[:4])).scores]
    box = go(walk, batch_of(blocks[4:] + hurt, start=4))
    dead = [output for output in box.events if output.topic == "dead-letters.v1"]
    letters = [wire.decode_output(output.value)["record"] for output in dead]
    expected = [*go(undisturbed, batch_of([*blocks, hurt[0]])).scores, *go(undisturbed, batch_of([hurt[2]], 11)).scores]

    assert [letter["reason"] for letter in letters] == [Reason.INTERNAL_ERROR]
    assert "ZeroDivisionError: the defect" in letters[0]["sentence"]
    assert [output.value for output in [*again, *box.scores]] == [output.value for output in expected]


def test_score_that_is_too_large_becomes_a_dead_letter(walk_of, make_block, monkeypatch):
    """An output that its topic would refuse is found before it is produced."""
    small = {**INFO, "scores.v1": replace(INFO["scores.v1"], config={"max.message.bytes": "100"})}
    monkeypatch.setitem(INFO, "scores.v1", small["scores.v1"])
    outbox = go(walk_of(Fleet(FleetSpec(warmup_blocks=12))), batch_of([make_block("a", 0)]))

    letter = wire.decode_output(outbox.events[0].value)["record"]

    assert outbox.scores == []
    assert letter["reason"] == Reason.TOO_LARGE
    assert "Score" in letter["sentence"]


def test_bad_record_does_not_keep_its_batch_in_memory(walk_of, make_block):
    """Payloads are freed at the end of the step, without help from the garbage collector; rejections hold none of them."""
    walk = walk_of(Fleet(FleetSpec(warmup_blocks=12)))
    batch = batch_of([make_block("a", 0), make_block("b", 0)])
    batch.records[1].body = b"garbage"
    payloads = [weakref.ref(record) for record in batch.records]
    gc.disable()
    try:
        outbox = go(walk, batch)
        batch.done()

        assert [payload() for payload in payloads] == [None, None]
        assert len(outbox.events) == len(outbox.scores) == 1
    finally:
        gc.enable()


def test_scores_are_the_same_however_records_are_batched(walk_of, make_block):
    """The same records in batches of 1, 7 and all at once give the same bytes."""
    blocks = [make_block(asset, i) for i in range(20) for asset in ("a", "b", "c")]
    found = []
    for size in (1, 7, 60):
        walk = walk_of(Fleet(FleetSpec(warmup_blocks=12)))
        found.append(
            [
                output.value
                for start in range(0, 60, size)
                for output in go(walk, batch_of(blocks[start : start + size], start=start)).scores
            ]
        )

    assert found[0] == found[1] == found[2]


def test_machines_without_end_become_dead_letters(walk_of, make_block):
    """Names that a gateway makes up are refused once there is no room, with words; the machines that are there go on."""
    spec = FleetSpec(warmup_blocks=12)
    fleet = Fleet(spec)
    fleet._room = Room(fleet._admission, strangers=200_000)  # of each partition
    walk = walk_of(fleet)
    go(walk, batch_of([make_block("pump-7", 0)]))

    box = go(walk, batch_of([make_block(f"made-up-{i}", i) for i in range(40)] + [make_block("pump-7", 41)], start=1))
    letters = [wire.decode_output(each.value)["record"] for each in box.events if each.topic == "dead-letters.v1"]

    assert {each["reason"] for each in letters} == {Reason.NO_ROOM}
    assert all("nobody registered" in each["sentence"] and "register" in each["fix"] for each in letters)
    assert len(box.scores) + len(letters) == 41
    assert len(letters) > 20
    assert wire.decode_output(box.scores[-1].value)["record"]["asset"] == "pump-7"
