"""The schema files: complete, documented, the mirror of contract.py, and readable by everybody who has an older version."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import typing
from pathlib import Path
from typing import Any

import fastavro.schema
import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock import cases, contract, signals
from foreshock.alerts import records
from foreshock.cli.schema import app
from foreshock.streams.codec import compat, schemas
from foreshock.streams.codec.avro.schema import SchemaError, canonical, fingerprint, parse
from foreshock.streams.codec.schemas import Version
from foreshock.streams.wire import Encoder, decode_output
from tests.wire.make_golden import readable
from tests.wire.samples import RECORDS

GOLDEN = Path(__file__).parent.parent / "golden"
# What the wire says in another way, or does not say at all.
NOT_ON_THE_WIRE = {
    "SensorBlock": {"origin", "gain"},  # coordinates come from Kafka; gain follows from scale and unit
    "TelemetryFrame": {"origin"},
    "Tag": {"gain", "shift"},
    "Asset": {"registered", "class_record"},  # whether anybody sent it, and what its class added, is known here alone
}
ON_THE_WIRE_ONLY = {"SensorBlock": {"encoding", "count"}}


def all_types() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for version in schemas.current().values():
        named: dict[str, Any] = {}
        fastavro.schema.parse_schema(copy.deepcopy(version.schema), named)
        found += [(f"{version.name}: {name}", dict(schema)) for name, schema in named.items()]
    return found


def changed(name: str, change: typing.Callable[[dict[str, Any]], object]) -> Version:
    schema = copy.deepcopy(schemas.current()[name].schema)
    change(schema)
    return Version(name, schema, fingerprint(schema), "changed.avsc")


@pytest.mark.parametrize(("where", "schema"), all_types(), ids=[where for where, _ in all_types()])
class TestEveryType:
    def test_every_field_has_a_sentence_and_a_unit(self, where: str, schema: dict[str, Any]) -> None:
        """Each field says what it means and in what unit."""
        assert schema["doc"].endswith(".")
        for field in schema.get("fields", ()):
            sentence, unit, rest = field["doc"].rpartition(" Unit: ")
            assert len(sentence) > 5, field["name"]
            assert unit, field["name"]
            assert rest.endswith("."), field["name"]

    def test_every_enum_can_grow(self, where: str, schema: dict[str, Any]) -> None:
        """A reader with this version reads a symbol of a later one as `unknown`."""
        if schema["type"] == "enum":
            assert schema["default"] == "unknown"
            assert "unknown" in schema["symbols"]

    def test_it_mirrors_the_contract(self, where: str, schema: dict[str, Any]) -> None:
        """Fields and symbols are those of contract.py, in name and number."""
        name = schema["name"].rpartition(".")[2]
        if name == "Header":
            return  # contract.py has a pair of it
        ours = next(getattr(place, name) for place in (contract, cases, records, signals) if hasattr(place, name))
        if schema["type"] == "enum":
            assert issubclass(ours, enum.StrEnum)
            assert [*ours, "unknown"] == schema["symbols"]
            return
        here = {field.name for field in dataclasses.fields(ours)} - NOT_ON_THE_WIRE.get(name, set())
        assert here | ON_THE_WIRE_ONLY.get(name, set()) == {field["name"] for field in schema["fields"]}


class TestFingerprints:
    def test_only_what_counts_for_reading_counts(self) -> None:
        """Documentation, defaults and where a name's namespace stands change nothing; a field's name does."""
        schema = copy.deepcopy(schemas.current()["Score"].schema)
        print_of = fingerprint(schema)
        schema["name"] = f"{schema.pop('namespace')}.{schema['name']}"
        for field in schema["fields"]:
            field["doc"] = "Changed."

        assert fingerprint(schema) == print_of
        schema["fields"][0]["name"] = "id"
        assert fingerprint(schema) != print_of

    def test_a_name_cannot_forge_another_canonical_form(self) -> None:
        """The canonical form does not escape names, so what is no name is refused."""
        plain = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]}
        forged = {"type": "record", "name": "R", "fields": [{"name": 'a","type":"int"},{"name":"b', "type": "int"}]}

        assert canonical(plain) == canonical(forged)
        with pytest.raises(SchemaError, match="no name"):
            parse(forged)

    def test_the_known_answer_of_the_specification(self) -> None:
        """The schema "int" has the fingerprint that Avro's own tests state."""
        assert fingerprint("int")[::-1].hex() == "7275d51a3f395c8f"

    def test_no_two_versions_share_one(self) -> None:
        """The allow-list holds every version."""
        assert len(schemas.by_fingerprint()) == len(schemas.current()) + len(schemas.history())

    def test_no_schema_contains_itself(self) -> None:
        """Every present schema is safe to decode with; a recursive one is refused."""
        for version in schemas.by_fingerprint().values():
            assert parse(version.schema)["name"] == f"{schemas.NAMESPACE}.{version.name}"
        recursive = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
        with pytest.raises(SchemaError, match="contains itself"):
            parse(recursive)


class TestGolden:
    @pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.bin")), ids=lambda path: path.stem)
    def test_old_bytes_still_mean_the_same(self, file: Path) -> None:
        """Every value that a version of the contract ever wrote is decoded to the fields that it had."""
        decoded = decode_output(file.read_bytes())

        assert decoded["schema"] == file.name.partition(".")[0]
        assert readable(decoded["record"]) == json.loads(file.with_suffix(".json").read_text())

    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_the_present_version_writes_its_golden_bytes(self, name: str) -> None:
        """The bytes of a record are fixed; a schema that changes needs golden bytes of its own (tests/wire/make_golden.py)."""
        file = GOLDEN / f"{name}.{schemas.current()[name].hex}.bin"

        assert file.exists(), f"no golden bytes for {name}: keep the old .avsc in history, then make new ones"
        assert Encoder().encode(RECORDS[name]) == file.read_bytes()

    def test_fastavro_reads_the_golden_bytes(self) -> None:
        """A consumer with another library sees the same values."""
        import io

        for name in schemas.NAMES:
            version = schemas.current()[name]
            data = (GOLDEN / f"{name}.{version.hex}.bin").read_bytes()
            theirs = fastavro.schemaless_reader(io.BytesIO(data[10:]), copy.deepcopy(version.schema), None)

            assert readable(theirs) == readable(decode_output(data)["record"])


class TestCompatibility:
    def test_no_change_is_no_problem(self) -> None:
        """The present schemas fit themselves and all that were kept."""
        present = list(schemas.current().values())

        assert list(compat.problems([*present, *schemas.history()], present)) == []

    @pytest.mark.parametrize(
        ("name", "change", "says"),
        [
            ("Score", lambda s: s["fields"].append({"name": "x", "type": "int"}), "x: is missing and has no default"),
            ("Score", lambda s: s["fields"].pop(1), "consumer"),
            ("Score", lambda s: s["fields"][0].update(type="double"), "score_id: is string, must be double"),
            ("SensorBlock", lambda s: s["fields"][-1].update(name="data"), "data: is missing"),
            ("Asset", lambda s: s.update(name="Machine"), "is the type Asset, must be Machine"),
        ],
    )
    def test_what_old_readers_or_writers_cannot_follow_is_told(
        self, name: str, change: typing.Callable[[dict[str, Any]], object], says: str
    ) -> None:
        """A new field without default, a field that is gone, another type: each is a line that names the field."""
        found = list(compat.problems([schemas.current()[name]], [changed(name, change)]))

        assert any(says in line for line in found), found

    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_a_new_field_with_a_default_is_allowed(self, name: str) -> None:
        """This is how the contract grows."""
        new = changed(name, lambda s: s["fields"].append({"name": "x", "type": ["null", "int"], "default": None}))

        assert list(compat.problems([schemas.current()[name]], [new])) == []

    def test_a_version_that_nobody_kept_is_told(self) -> None:
        """Values of a released version must stay decodable."""
        old = changed("Score", lambda s: s["fields"].pop())

        assert "history/Score/0001.avsc" in next(compat.forgotten([old]))

    def test_the_command_exits_with_1(self, tmp_path: Path) -> None:
        """`foreshock schema check --against` is for CI."""
        old = copy.deepcopy(schemas.current()["Score"].schema)
        (tmp_path / "Score.avsc").write_text(json.dumps(old))
        good = CliRunner().invoke(app, ["check", "--against", str(tmp_path)])
        old["fields"][0]["type"] = "bytes"
        old["fields"][1]["type"] = "int"
        (tmp_path / "Score.avsc").write_text(json.dumps(old))
        bad = CliRunner().invoke(app, ["check", "--against", str(tmp_path)])

        assert good.exit_code == 0, good.output
        assert bad.exit_code == 1
        assert "asset: is int, must be string" in bad.output

    def test_an_old_value_is_read_with_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A reader fills in what an older writer did not have, and drops what it does not know."""
        from foreshock.streams.codec.avro.reader import make
        from foreshock.streams.codec.avro.writer import make as make_writer

        old = {
            "type": "record",
            "name": "R",
            "fields": [{"name": "gone", "type": "string"}, {"name": "n", "type": "int"}],
        }
        new = {
            "type": "record",
            "name": "R",
            "fields": [{"name": "n", "type": "double"}, {"name": "added", "type": "string", "default": "d"}],
        }
        parts: list[bytes] = []
        make_writer(old)(parts.append, type("R", (), {"gone": "x", "n": 3}))

        assert make(old, new)(b"".join(parts), 0)[0] == {"n": 3.0, "added": "d"}


class TestPrinting:
    def test_what_is_printed_is_the_schema(self) -> None:
        """An integrator's build reads it."""
        result = CliRunner().invoke(app, ["print", "SensorBlock"])

        assert json.loads(result.output) == schemas.current()["SensorBlock"].schema

    def test_the_list_names_every_version(self) -> None:
        """By fingerprint, as it stands in a message."""
        lines = [json.loads(line) for line in CliRunner().invoke(app, ["list", "--json"]).output.splitlines()]

        assert {line["fingerprint"] for line in lines} == {each.hex() for each in schemas.by_fingerprint()}


def test_arrays_of_floats_are_one_piece_of_memory() -> None:
    """Feature values are read without a Python object each."""
    decoded = decode_output(Encoder().encode(RECORDS["Score"]))

    assert isinstance(decoded["record"]["rows"][0]["features"], np.ndarray)
