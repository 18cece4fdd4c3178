"""`foreshock validate`: what an integrator sees before anything is sent."""

from __future__ import annotations

import copy
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import pytest
import typer
from typer.testing import CliRunner, Result

from foreshock.cli.validate import run
from foreshock.streams.codec import schemas
from foreshock.streams.wire import Encoder, decode_output
from tests.wire.samples import ASSET, BLOCK, COMMAND, FRAME, WORK

HOUR_NS = 3_600_000_000_000
APP = typer.Typer()
APP.command()(run)


def now_block(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Encoder("json").encode(replace(BLOCK, source_ns=time.time_ns() - 1_000_000_000)))
    return found | changes


def validate(data: bytes | str, *options: str, tmp_path: Path) -> Result:
    file = tmp_path / "input"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return CliRunner().invoke(APP, [str(file), *options])


class TestGoodFiles:
    @pytest.mark.parametrize(
        ("data", "records"),
        [
            (json.dumps(now_block()), 1),
            (json.dumps(now_block(), indent=2), 1),
            ("\n".join([json.dumps(now_block())] * 3) + "\n", 3),
            (json.dumps([now_block()] * 2), 2),
            (Encoder().encode(replace(BLOCK, source_ns=time.time_ns())), 1),
            (Encoder().encode(FRAME), 1),
            (Encoder().encode(ASSET), 1),
            (Encoder("json").encode(ASSET), 1),
            ('{"asset": "pump-7"}', 1),
            (Encoder().encode(COMMAND), 1),
            (Encoder("json").encode(WORK), 1),
            (
                '{"command_id": "c", "kind": "acknowledge", "asset": "pump-7", "actor": "mia", "reason": "r", "at": "2026-05-28T20:26:40Z"}',
                1,
            ),
            (
                '{"record_id": "r", "kind": "opened", "asset": "pump-7", "actor": "cmms", "work_order": "4711", "at": "2026-05-28T20:26:40Z"}',
                1,
            ),
        ],
    )
    def test_every_kind_of_file(self, data: bytes | str, records: int, tmp_path: Path) -> None:
        """JSON, JSON lines, a JSON array, an Avro value; blocks, frames, assets, commands and work orders."""
        result = validate(data, "--json", tmp_path=tmp_path)
        verdicts = [json.loads(line) for line in result.output.splitlines()]

        assert result.exit_code == 0, result.output
        assert len(verdicts) == records
        assert all(verdict["ok"] and verdict["asset"] == "pump-7" for verdict in verdicts)

    @pytest.mark.parametrize("codec", ["null", "deflate"])
    def test_an_avro_container_file(self, codec: str, tmp_path: Path) -> None:
        """As Avro tools write it, record by record."""
        schema = copy.deepcopy(schemas.current()["SensorBlock"].schema)
        records = [decode_output(Encoder().encode(replace(BLOCK, sequence=n)))["record"] for n in range(5)]
        file = io.BytesIO()
        fastavro.writer(file, fastavro.parse_schema(schema), records, codec)
        result = validate(file.getvalue(), tmp_path=tmp_path)

        assert result.exit_code == 0, result.output
        assert "5 of 5 records can be used" in result.output

    def test_standard_input(self) -> None:
        """A dash reads it."""
        result = CliRunner().invoke(APP, ["-"], input=json.dumps(now_block()))

        assert result.exit_code == 0, result.output
        assert "2 x 8 samples, 25600 Hz, acceleration in [g]" in result.output


class TestMistakes:
    def answer(self, data: bytes | str, tmp_path: Path) -> dict[str, Any]:
        result = validate(data, "--json", tmp_path=tmp_path)
        assert result.exit_code == 1, result.output
        found: dict[str, Any] = json.loads(result.output.splitlines()[-1])
        return found

    def test_wrong_unit(self, tmp_path: Path) -> None:
        """Names the field, the code, and what was probably meant."""
        found = self.answer(json.dumps(now_block(unit="m/s^3")), tmp_path)

        assert (found["reason"], found["field"]) == ("unknown_unit", "unit")
        assert "'m/s2'" in found["fix"]

    @pytest.mark.parametrize("hours", [1, 2, 5.5, 12])
    def test_local_time_as_utc(self, hours: float, tmp_path: Path) -> None:
        """A source time that is hours ahead is a clock that is set to local time."""
        at_ns = time.time_ns() + int(hours * HOUR_NS)
        found = self.answer(json.dumps(now_block(source_ns=at_ns)), tmp_path)

        assert found["field"] == "source_ns"
        assert "local time sent as UTC" in found["fix"]
        assert "ahead" in found["sentence"]

    def test_west_of_greenwich_it_is_a_note(self, tmp_path: Path) -> None:
        """Whole hours behind may be history, so it is told but not refused."""
        result = validate(json.dumps(now_block(source_ns=time.time_ns() - 5 * HOUR_NS)), tmp_path=tmp_path)

        assert result.exit_code == 0
        assert "local time sent as UTC" in result.output

    def test_a_command_without_a_person_and_a_window_without_an_end(self, tmp_path: Path) -> None:
        """Named before it is sent: nobody has to look for the refusal on alerts.v1."""
        sent = {
            "command_id": "c",
            "kind": "acknowledge",
            "asset": "pump-7",
            "actor": "",
            "reason": "r",
            "at": "2026-05-28T20:26:40Z",
        }

        assert self.answer(json.dumps(sent), tmp_path)["field"] == "actor"
        assert self.answer(json.dumps({**sent, "actor": "mia", "kind": "window"}), tmp_path)["field"] == "until_ns"

    def test_array_of_doubles(self, tmp_path: Path) -> None:
        """In Avro, samples are bytes."""
        from foreshock.streams.codec.avro.schema import fingerprint

        schema = copy.deepcopy(schemas.current()["SensorBlock"].schema)
        schema["fields"][-1]["type"] = {"type": "array", "items": "double"}
        record = decode_output(Encoder().encode(BLOCK))["record"] | {"samples": [1.0] * 16}
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, record)
        found = self.answer(b"\xc3\x01" + fingerprint(schema) + body.getvalue(), tmp_path)

        assert found["field"] == "samples"
        assert "bytes" in found["fix"]

    def test_missing_rate(self, tmp_path: Path) -> None:
        """Only null says that it is not known."""
        data = now_block()
        del data["sampling_rate_hz"]
        found = self.answer(json.dumps(data), tmp_path)

        assert (found["reason"], found["field"]) == ("bad_rate", "sampling_rate_hz")

    def test_too_large(self, tmp_path: Path) -> None:
        """By the setting topics.max_message_bytes."""
        found = self.answer(json.dumps(now_block(samples=[[1] * 300_000] * 2, count=300_000)), tmp_path)

        assert found["reason"] == "too_large"

    def test_one_bad_line_of_many(self, tmp_path: Path) -> None:
        """Every record is judged; the bad one is named by its number."""
        lines = [json.dumps(now_block(sequence=n, sampling_rate_hz=-1 if n == 2 else 100)) for n in range(5)]
        result = validate("\n".join(lines), tmp_path=tmp_path)

        assert result.exit_code == 1
        assert "record 3: bad_rate: sampling_rate_hz" in result.output
        assert "4 of 5 records can be used" in result.output

    @pytest.mark.parametrize(
        "data", [b"", b"Obj\x01", b"Obj\x01\x02\x16avro.schema", b"\x00", b"PK\x03\x04", b"[1, 2]", b"[[]]"]
    )
    def test_files_that_are_none(self, data: bytes, tmp_path: Path) -> None:
        """An answer, never a traceback."""
        assert self.answer(data, tmp_path)["reason"]
