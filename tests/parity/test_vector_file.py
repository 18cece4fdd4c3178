"""Files of feature vectors: every value with its bits, every unit in the metadata, nothing half written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fastavro
import numpy as np
import pytest

from foreshock.errors import ConfigurationError
from foreshock.signals import FeatureVector
from foreshock.streams.codec.avro import container
from foreshock.streams.errands import vector_file
from foreshock.streams.errands.vector_file import VectorFile
from foreshock.streams.errands.vector_table import split
from foreshock.streams.wire import Encoder, decode_output
from tests.wire.samples import VECTOR

pq = pytest.importorskip("pyarrow.parquet")
ODD = (0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308)
VELOCITY = replace(VECTOR, vector_id="7" * 32, point="NDE", units=("m/s",) * 4, values=ODD, masks=("",) * 4)
FRAME = replace(
    VECTOR,
    vector_id="8" * 32,
    point="process",
    channels=("oil", "suction"),
    names=("mean[oil]", "mean[suction]", "correlation[oil,suction]", "regime"),
    units=("K", "Pa", "", ""),
    values=(333.0, 1.0e5, None, 2.0),
    masks=("", "", "too_few_rows", ""),
)


def written(out: Path, *vectors: FeatureVector) -> Path:
    with VectorFile(out) as file:
        for each in vectors:
            file.add(each)
    return out


def rows_of(file: Path) -> list[dict]:
    return [
        {name: dict(value) if name == "masks" else value for name, value in row.items()}
        for row in pq.read_table(file).to_pylist()
    ]


class TestParquet:
    def test_a_row_for_each_channel_and_a_column_for_each_feature(self, tmp_path: Path) -> None:
        """What a data scientist expects of `df.rms`; what is missing is null, and the reason stands beside it."""
        radial, axial = rows_of(written(tmp_path / "x.parquet", VECTOR))

        assert (radial["channel"], radial["rms"], radial["mesh_17"]) == ("radial", 1.25, None)
        assert (axial["channel"], axial["rms"], axial["mesh_17"]) == ("axial", 0.1 + 0.2, -3.0e-5)
        assert radial["masks"] == {"mesh_17": "no_geometry"}
        assert axial["masks"] == {}
        assert (radial["input_first"], radial["input_last"], radial["input_partition"]) == (41_230, 41_234, 3)
        assert (radial["feature_set"], radial["speed_source"], radial["ended"]) == (
            VECTOR.feature_set, "context", "complete"
        )  # fmt: skip

    def test_a_column_has_one_unit_and_says_it(self, tmp_path: Path) -> None:
        """Acceleration and velocity never share a column; the unit is the column's metadata, and the file's."""
        table = pq.read_table(written(tmp_path / "x.parquet", VECTOR, VELOCITY))
        units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in table.schema}

        assert units["rms (m/s2)"] == "m/s2"
        assert units["rms (m/s)"] == "m/s"
        assert units["speed_hz"] == "Hz"
        assert units["from_ns"] == "ns"
        assert "rms" not in units
        told = json.loads(table.schema.metadata[b"foreshock.units"])
        assert told == {name: unit for name, unit in units.items() if name in told}
        assert json.loads(table.schema.metadata[b"foreshock.feature_sets"]) == [VECTOR.feature_set]
        for row in table.to_pylist():
            own, other = ("rms (m/s2)", "rms (m/s)") if row["point"] == "DE bearing" else ("rms (m/s)", "rms (m/s2)")
            assert row[own] is not None
            assert row[other] is None

    def test_what_is_of_no_single_channel_has_a_row_of_its_own(self, tmp_path: Path) -> None:
        """A correlation is of two tags; a feature named like a column of the file takes no place of it."""
        rows = {row["channel"]: row for row in rows_of(written(tmp_path / "x.parquet", FRAME))}

        assert rows["oil"]["mean (K)"] == 333.0
        assert rows["suction"]["mean (Pa)"] == 1.0e5
        assert rows[""]["correlation[oil,suction]"] is None
        assert rows[""]["masks"] == {"correlation[oil,suction]": "too_few_rows"}
        assert rows[""]["regime (1)"] == 2.0
        assert rows[""]["regime"] == "A"

    def test_no_bit_is_lost(self, tmp_path: Path) -> None:
        """Negative zero, the smallest and the largest number."""
        rows = rows_of(written(tmp_path / "x.parquet", VELOCITY))
        found = [row[name] for row in rows for name in ("rms", "mesh_17")]

        assert np.array(found).tobytes() == np.array(ODD).tobytes()


class TestAvro:
    def test_any_avro_library_reads_the_records_of_the_topic(self, tmp_path: Path) -> None:
        """The records are those of features.v1, the units stand in the head of the file."""
        vectors = (VECTOR, VELOCITY, FRAME)
        with written(tmp_path / "x.avro", *vectors).open("rb") as file:
            reader = fastavro.reader(file)
            records = list(reader)

        assert [np.array([v for v in each["values"] if v is not None]).tobytes() for each in records] == [
            np.array([v for v in each.values if v is not None]).tobytes() for each in vectors
        ]
        assert [tuple(each["masks"]) for each in records] == [each.masks for each in vectors]
        assert json.loads(reader.metadata["foreshock.units"])["mean (K)"] == "K"

    def test_the_bytes_are_those_of_the_wire(self, tmp_path: Path) -> None:
        """Over several blocks of the container; the same vectors give the same file."""
        many = [replace(VECTOR, vector_id=f"{number:032x}") for number in range(1200)]
        one, other = (written(tmp_path / name, *many).read_bytes() for name in ("a.avro", "b.avro"))
        value = Encoder().encode(VECTOR)
        found = [body for _, body in container.records(one, {value[2:10]: None})]

        assert one == other
        assert found == [Encoder().encode(each)[10:] for each in many]
        assert decode_output(value[:10] + found[7])["record"]["vector_id"] == f"{7:032x}"


def test_rows_beyond_what_is_held_at_once_are_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file grows by row groups, in the order in which the vectors came."""
    monkeypatch.setattr(vector_file, "_ROWS", 10)
    out = written(tmp_path / "x.parquet", *[replace(VECTOR, first_offset=number) for number in range(48)])

    assert pq.ParquetFile(out).num_row_groups > 5
    assert [row["input_first"] for row in rows_of(out)] == [number for number in range(48) for _ in "xy"]


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    """What stood there before stays as it was."""
    out = tmp_path / "x.avro"
    out.write_bytes(b"before")
    with pytest.raises(KeyError), VectorFile(out) as file:
        file.add(None)  # type: ignore[arg-type]

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("x.avro", b"before")]


@pytest.mark.parametrize("name", ["x.csv", "x", "missing/x.avro"])
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Before anything is computed."""
    with pytest.raises(ConfigurationError, match=r"known: .parquet, .avro|No such file"):
        VectorFile(tmp_path / name)


def test_no_vectors_are_an_empty_file(tmp_path: Path) -> None:
    """With the columns that every file has."""
    assert pq.read_table(written(tmp_path / "x.parquet")).num_rows == 0
    with written(tmp_path / "x.avro").open("rb") as file:
        assert list(fastavro.reader(file)) == []


@pytest.mark.parametrize(
    ("name", "channels", "expected"),
    [
        ("rms[DE]", ("FE", "DE"), ("rms", "DE")),
        ("rms[a[b]]", ("b]", "a[b]"), ("rms", "a[b]")),
        ("correlation[a,b]", ("a", "b"), ("correlation[a,b]", "")),
        ("regime", (), ("regime", "")),
    ],
)
def test_names_are_taken_apart_by_the_channels_that_there_are(name: str, channels: tuple[str, ...], expected: tuple[str, str]) -> None:  # fmt: skip
    """Brackets in the name of a channel change nothing."""
    assert split(name, channels) == expected
