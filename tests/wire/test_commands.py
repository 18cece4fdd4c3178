"""Commands and work orders at the border: what people and systems send, checked field by field."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind, Verdict, WorkKind
from foreshock.contract import Origin, Reason
from foreshock.errors import InputRejected
from foreshock.streams.wire import Decoder, Encoder
from tests.wire.samples import AT_NS, COMMAND, WORK

ORIGIN = Origin(topic="control.v1", topic_id="t", partition=0, offset=7, ingest_ns=AT_NS + 1_000_000_000)
HOUR = 3_600_000_000_000
ACK = Command(
    command_id="c-2", kind=CommandKind.ACKNOWLEDGE, asset="pump-7", actor="mia", reason="on my way", at_ns=AT_NS
)
SHELVE = replace(ACK, kind=CommandKind.SHELVE, until_ns=AT_NS + HOUR)
WINDOW = replace(SHELVE, kind=CommandKind.WINDOW, from_ns=AT_NS)
LABEL = replace(COMMAND, accept=False)


def decoded(record, framing="single-object"):
    """The record, sent and read again."""
    data = Encoder(framing).encode(record)
    decode = Decoder().decode_command if isinstance(record, Command) else Decoder().decode_work_order
    return decode(data, origin=ORIGIN, key=record.asset.encode())


def refused(record) -> InputRejected:
    """Why a record is refused, whichever way it comes."""
    with pytest.raises(InputRejected) as avro:
        decoded(record)
    with pytest.raises(InputRejected) as text:
        decoded(record, "json")
    assert (avro.value.reason, avro.value.field) == (text.value.reason, text.value.field)
    assert avro.value.fix
    return avro.value


@pytest.mark.parametrize("framing", ["single-object", "json"])
@pytest.mark.parametrize("record", [COMMAND, ACK, SHELVE, WINDOW, WORK], ids=lambda each: each.kind)
def test_what_is_sent_is_what_is_read(record, framing):
    """In Avro and in JSON alike."""
    assert decoded(record, framing) == record


def test_people_write_times_as_text():
    """`at`, `until`, `from` and `finished` are ISO 8601 with a zone; the rest may be left out."""
    text = {
        "command_id": "1",
        "kind": "shelve",
        "asset": "pump-7",
        "actor": "mia",
        "reason": "spare is on its way",
        "at": "2026-05-28T20:26:40Z",
        "until": "2026-05-29T00:26:40+02:00",
    }
    made = Decoder().decode_command(json.dumps(text).encode(), origin=ORIGIN, key=b"pump-7")
    assert made.until_ns == made.at_ns + 2 * HOUR
    assert made.verdict is None

    with pytest.raises(InputRejected, match="no zone") as caught:
        Decoder().decode_command(
            json.dumps(text | {"at": "2026-05-28T20:26:40"}).encode(), origin=ORIGIN, key=b"pump-7"
        )
    assert caught.value.reason is Reason.BAD_TIMESTAMP


REFUSED = {
    "an actor without a name": (replace(ACK, actor="  "), Reason.MALFORMED, "actor"),
    "no reason": (replace(ACK, reason=""), Reason.MALFORMED, "reason"),
    "no id": (replace(ACK, command_id=""), Reason.MALFORMED, "command_id"),
    "a time in seconds": (replace(ACK, at_ns=AT_NS // 10**9), Reason.BAD_TIMESTAMP, "at_ns"),
    "a clock in the future": (replace(ACK, at_ns=AT_NS + HOUR), Reason.BAD_TIMESTAMP, "at_ns"),
    "a shelf without an end": (replace(SHELVE, until_ns=None), Reason.MALFORMED, "until_ns"),
    "a shelf that is over": (replace(SHELVE, until_ns=AT_NS), Reason.BAD_TIMESTAMP, "until_ns"),
    "a shelf for ever": (replace(SHELVE, until_ns=AT_NS + 9000 * 24 * HOUR), Reason.BAD_TIMESTAMP, "until_ns"),
    "an expired window": (
        replace(WINDOW, from_ns=AT_NS - 2 * HOUR, until_ns=AT_NS - HOUR),
        Reason.BAD_TIMESTAMP,
        "until_ns",
    ),
    "a verdict where none belongs": (replace(ACK, verdict=Verdict.TRUE), Reason.MALFORMED, "verdict"),
    "an alert where none belongs": (
        replace(ACK, kind=CommandKind.FREEZE, alert_id="x"),
        Reason.MALFORMED,
        "alert_id",
    ),
    "a label without a verdict": (replace(LABEL, verdict=None), Reason.MALFORMED, "verdict"),
    "a label with half an interval": (replace(LABEL, from_ns=None), Reason.MALFORMED, "from_ns"),
    "a label that ends before it begins": (replace(LABEL, until_ns=AT_NS - 2 * HOUR), Reason.BAD_TIMESTAMP, "until_ns"),
    "a label of nothing": (
        replace(LABEL, from_ns=None, until_ns=None, alert_id="", label_id=""),
        Reason.MALFORMED,
        "from_ns",
    ),
    "nothing to accept": (replace(LABEL, accept=True, label_id=""), Reason.MALFORMED, "label_id"),
    "a work order without a number": (replace(WORK, work_order=""), Reason.MALFORMED, "work_order"),
    "a downtime below 0": (replace(WORK, downtime_s=-1.0), Reason.MALFORMED, "downtime_s"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name):
    """With its code, the field, and what to send instead."""
    record, reason, field = REFUSED[name]
    found = refused(record)

    assert (found.reason, found.field) == (reason, field)


def test_a_note_needs_no_number():
    """Somebody saw something: that is no work order yet."""
    note = replace(WORK, kind=WorkKind.NOTE, work_order="")
    assert decoded(note) == note


def test_a_misspelt_field_is_named():
    """Its value would be lost."""
    text = {**asdict(ACK), "unitl_ns": 5}
    with pytest.raises(InputRejected, match="unitl_ns") as caught:
        Decoder().decode_command(json.dumps(text).encode(), origin=ORIGIN, key=b"pump-7")
    assert "until_ns" in caught.value.fix


def test_the_key_is_the_asset():
    """By it the command reaches the worker that has the asset."""
    with pytest.raises(InputRejected) as caught:
        Decoder().decode_command(Encoder().encode(ACK), origin=ORIGIN, key=b"pump-8")
    assert caught.value.reason is Reason.KEY_MISMATCH


def test_a_kind_of_a_later_version_is_refused():
    """Whoever sends it learns which kinds are known here."""
    data = json.dumps({**asdict(ACK), "kind": "reboot"}).encode()
    with pytest.raises(InputRejected, match="reboot") as caught:
        Decoder().decode_command(data, origin=ORIGIN, key=b"pump-7")
    assert "acknowledge" in caught.value.fix
