"""The case as a file: proves itself, refuses any flipped bit, is readable by any Avro tool."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import fastavro
import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.cases import CasePart, PartKind
from foreshock.cli import explain as explain_command
from foreshock.cli import replay as replay_command
from foreshock.errors import CaseRejected
from foreshock.streams.cases.bytes import chunks, digest
from foreshock.streams.cases.file import read, write
from foreshock.streams.cases.reading import block_of, case_of, joined, recorded
from foreshock.streams.cases.subjects import times
from foreshock.streams.cases.works import Work, read_work, write_work
from foreshock.streams.codec import schemas
from foreshock.streams.codec.framing import CONFLUENT
from tests.cases.making import named
from tests.core.builders import origin


def raw(event_id: str, offset: int, kind: PartKind) -> CasePart:
    value = b"block %d" % offset
    return CasePart(
        event_id=event_id,
        kind=kind,
        number=offset,
        origin=origin(offset),
        key=b"pump-1",
        value=value,
        sha256=digest(value),
    )


@pytest.fixture(scope="module")
def file(case) -> bytes:
    event = case.anomaly.event_id
    parts = (raw(event, 43, PartKind.AFTER), raw(event, 40, PartKind.BEFORE), raw(event, 39, PartKind.BEFORE))
    return write(replace(case, parts=parts))


@pytest.fixture
def command():
    def run(function, *arguments: str):
        app = typer.Typer()
        app.command()(function)
        return CliRunner().invoke(app, arguments)

    return run


def test_what_is_written_is_read(case, file):
    """Event, case and raw records come back, these in order of their offsets."""
    found = read(file)

    assert (found.anomaly, found.body, found.fingerprint) == (case.anomaly, case.body, case.fingerprint)
    assert [(each.kind, each.number) for each in found.parts] == [("before", 39), ("before", 40), ("after", 43)]
    assert write(found) == file


def test_any_avro_tool_reads_it(case, file):
    """fastavro sees the same event and the same state."""
    theirs = list(fastavro.reader(io.BytesIO(file)))

    assert theirs[0]["event_id"] == theirs[1]["event_id"] == case.anomaly.event_id
    assert theirs[1]["state"] == case_of(case.body).state
    assert [each["number"] for each in theirs[2:]] == [39, 40, 43]


def test_any_flipped_bit_is_refused(file):
    """In 2,000 places over the whole file, and all over the header."""
    rng = np.random.default_rng(7)
    header = file.index(b"foreshock.sha256") + 100
    places = [*range(0, header, 11), *rng.integers(0, len(file), 2000).tolist()]
    for at in places:
        damaged = bytearray(file)
        damaged[at] ^= 1 << int(rng.integers(8))
        with pytest.raises(CaseRejected):
            read(bytes(damaged))


def test_any_flipped_bit_of_the_case_is_refused_by_the_sha256_of_the_anomaly(case):
    """Whoever makes the file anew around a changed case is found out by what the anomaly names."""
    rng = np.random.default_rng(8)
    for at in rng.integers(0, len(case.body), 500).tolist():
        damaged = bytearray(case.body)
        damaged[at] ^= 1 << int(rng.integers(8))
        remade = read(write(replace(case, body=bytes(damaged))))
        with pytest.raises(CaseRejected, match="not the one that the anomaly names"):
            recorded(remade.anomaly, remade.body)


def test_a_case_that_was_changed_on_purpose_is_found_by_the_replay(case):
    """An event that names a forged case does not follow from it, or the case cannot be read at all."""
    forged = case.body.replace(b'"warmup_blocks": 20', b'"warmup_blocks": 30')
    assert forged != case.body
    event = named(replace(case.anomaly, score=9.0), forged)

    from foreshock.replay import replay

    assert not replay(recorded(event, forged)).equal


@pytest.mark.parametrize("cut", [0, 3, 50, 5000, -1])
def test_a_file_that_was_cut_is_refused(file, cut):
    """Wherever it ends."""
    with pytest.raises(CaseRejected):
        read(file[:cut])


def test_a_large_case_is_put_together_from_its_pieces(case):
    """In any order and with repeats; a piece that is missing, or of another case, makes none."""
    pieces = list(chunks(case.anomaly.event_id, case.body, 7000))
    wanted = case.anomaly.lineage.evidence

    assert len(pieces) > 5
    assert joined([*reversed(pieces), pieces[2]], wanted) == (case.body, case.fingerprint)
    assert joined(pieces[:-1], wanted) is None
    assert joined(pieces, "0" * 64) is None


def test_an_input_in_confluent_framing_is_decoded_without_its_registry(case):
    """The case holds the schema that the registry gave."""
    whole = case_of(case.body)
    value = CONFLUENT + (17).to_bytes(4, "big") + whole.value[10:]
    schema = json.dumps(schemas.current()["SensorBlock"].schema)

    block = block_of(replace(whole, value=value, writer_schema=schema))

    assert block.samples.tobytes() == block_of(whole).samples.tobytes()


def test_replay_says_equal_and_ends_with_0(file, tmp_path, command):
    """Without a broker."""
    (tmp_path / "case.avro").write_bytes(file)

    result = command(replay_command.run, "--file", str(tmp_path / "case.avro"))

    assert result.exit_code == 0, result.output
    assert result.output.startswith("EQUAL")


def test_replay_refuses_a_damaged_file(file, tmp_path, command):
    """With one line that says why, and no verdict."""
    (tmp_path / "case.avro").write_bytes(file[:9000] + bytes([file[9000] ^ 1]) + file[9001:])

    result = command(replay_command.run, "--file", str(tmp_path / "case.avro"))

    assert isinstance(result.exception, CaseRejected)
    assert result.exception.exit_code == 1
    assert "EQUAL" not in result.output


def test_explain_tells_machine_feature_rule_records_and_state(case, file, tmp_path, command):
    """In plain words, and as data for programs."""
    (tmp_path / "case.avro").write_bytes(file)

    told = command(explain_command.run, "--file", str(tmp_path / "case.avro"))
    data = command(explain_command.run, "--file", str(tmp_path / "case.avro"), "--json")

    assert told.exit_code == data.exit_code == 0, told.output
    for words in (
        "opened on pump-1, sensor DE",
        "Werk / Nord",
        "was expected",
        "value >= 1",
        "held_blocks = 2",
        "offsets",
        case.anomaly.lineage.model_state,
        "EQUAL, bit for bit",
    ):
        assert words in told.output, words
    parsed = json.loads(data.output)
    assert parsed["proven"] is True
    assert parsed["anomaly"]["event_id"] == case.anomaly.event_id


@pytest.fixture(scope="module")
def works() -> list[Work]:
    """Two records of a work order, with raw records around the first of them."""
    told = WorkOrder(
        record_id="r-1",
        kind=WorkKind.OPENED,
        asset="pump-1",
        work_order="WO-1",
        at_ns=1_760_000_000_000_000_000,
        actor="hall",
    )
    opened = Work(told, "ab" * 16)
    for part in (raw("ab" * 16, 43, PartKind.AFTER), raw("ab" * 16, 40, PartKind.BEFORE)):
        opened.parts[part.kind, part.number] = part
    return [opened, Work(replace(told, kind=WorkKind.REPAIR, downtime_s=60.0), "")]


def test_file_of_a_work_order_proves_itself_too(works, file):
    """It is read as it was written; a flipped bit, and a case in its place, are refused, and the other way round."""
    data = write_work(works)
    rng = np.random.default_rng(7)

    assert read_work(data) == works
    assert len(list(fastavro.reader(io.BytesIO(data)))) == 4
    for at in rng.integers(0, len(data), 300).tolist():
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        with pytest.raises(CaseRejected):
            read_work(bytes(damaged))
    with pytest.raises(CaseRejected, match="holds WorkOrder, CasePart"):
        read(data)
    with pytest.raises(CaseRejected, match="holds Anomaly, Case, CasePart"):
        read_work(file)


@given(
    st.integers(0, 2**63 - 1), st.none() | st.integers(0, 2**63 - 1), st.none() | st.floats(0, 1e300), st.integers(0)
)
def test_work_is_over_when_it_is_told_and_never_ends_before_it_begins(at_ns, finished_ns, downtime_s, told_ns):
    """Whatever times a sender states."""
    told = WorkOrder(
        record_id="r", kind=WorkKind.REPAIR, asset="a", work_order="1", at_ns=at_ns, actor="x",
        finished_ns=finished_ns, downtime_s=downtime_s,
    )  # fmt: skip

    began, ended = times(told, told_ns)

    assert 0 <= began <= ended <= told_ns
