"""Vectors of files: those that a Fleet gives for the same records, in any batching, one series after the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock.cli import app
from foreshock.contract import Asset, Block
from foreshock.errors import ConfigurationError
from foreshock.fleet import Fleet, FleetSpec
from foreshock.recordings import blocks, read_series
from foreshock.signals import FeatureVector
from foreshock.streams.errands import extract
from foreshock.streams.errands.extract import Extraction
from foreshock.streams.wire import Encoder
from tests.parity.inputs import ASSETS, EVERY_S, recordings

SPEC = FleetSpec(features_every_s=EVERY_S)
KNOWN = {each.asset: each for each in ASSETS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of a machine and of a table."""
    return recordings(tmp_path_factory.mktemp("recordings"))


def direct(folder: Path, size: int) -> list[FeatureVector]:
    """What a Fleet makes of the records, so many at a time."""
    found: list[FeatureVector] = []
    for series in read_series(folder):
        fleet = Fleet(SPEC, assets=[KNOWN.get(series.id, series.asset)])
        records: Sequence[Block] = list(blocks(series))
        for start in range(0, len(records), size):
            found += [each for outcome in fleet.receive(records[start : start + size]) for each in outcome.vectors]
    return found


def bits(vector: FeatureVector) -> tuple[object, ...]:
    """Id, values as bytes and masks."""
    values = np.array([np.nan if each is None else each for each in vector.values])
    return vector.vector_id, vector.point, vector.from_ns, values.tobytes(), vector.masks


def test_they_are_those_of_a_fleet_in_any_batching(folder: Path) -> None:
    """The way over the wire changes no bit, and neither does the size of a batch."""
    found = list(Extraction(folder, SPEC, KNOWN).run())

    assert Counter(each.asset for each in found).keys() == {"recorded-1", "table-1"}
    assert [bits(each) for each in found] == [bits(each) for each in direct(folder, 7)]
    assert len({each.vector_id for each in found}) == len(found)


def test_windows_span_blocks_and_end_at_a_gap(folder: Path) -> None:
    """A quarter of a second has no velocity; the windows of joined blocks have, but for one that the gap has cut."""
    found = [each for each in Extraction(folder, SPEC, KNOWN).run() if each.asset == "recorded-1"]
    whole = [each for each in found if each.ended == "complete"]

    assert len(found) >= 4
    assert all(each.samples > 2048 and each.origin.offset > each.first_offset for each in whole)
    assert all(each.speed_hz == 25.0 and each.speed_source == "context" for each in found)
    for each in whole:
        assert each.masks[each.names.index("velocity_rms[x]")] == ""


def test_no_value_is_without_a_reason(folder: Path) -> None:
    """A value, or a mask that says why there is none; never both, and never a NaN."""
    for vector in Extraction(folder, SPEC, KNOWN).run():
        assert len(vector.names) == len(vector.units) == len(vector.values) == len(vector.masks)
        assert [value is None for value in vector.values] == [mask != "" for mask in vector.masks]
        assert np.isfinite([value for value in vector.values if value is not None]).all()


def test_one_series_is_read_when_the_one_before_is_done(folder: Path, tmp_path: Path) -> None:
    """So a large folder needs no more memory than its largest series: what is broken behind is met later."""
    again = recordings(tmp_path / "again")
    (again / "b.csv").unlink()
    found = Extraction(again, SPEC, KNOWN)
    come: list[FeatureVector] = []
    with pytest.raises(ConfigurationError, match=r"b\.csv"):
        come.extend(found.run())

    assert {each.asset for each in come} == {"recorded-1"}


def test_what_a_worker_would_refuse_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that is no number makes a dead letter there, and a number in the summary here."""
    monkeypatch.setattr(extract, "_BATCH", 5)
    folder = recordings(tmp_path / "r")
    data = dict(np.load(folder / "a.npz"))
    data["x"][17, 3, 0] = np.nan
    np.savez(folder / "a.npz", **data)
    extraction = Extraction(folder, SPEC, KNOWN)
    found = list(extraction.run())

    assert extraction.found.refused == {"not_finite": 1}
    assert extraction.found.records == 60 - 1 + 40
    assert extraction.found.vectors == len(found) > 0


def test_the_command_writes_a_file(folder: Path, tmp_path: Path) -> None:
    """With master data from a file, as for `assets register`; Avro holds the very bytes of the topic."""
    master = tmp_path / "assets.json"
    master.write_text(json.dumps([{"asset": "recorded-1", "rated_speed_hz": 25.0, "warmup_blocks": 12}]))
    out = tmp_path / "vectors.avro"
    arguments = [
        "features",
        "extract",
        str(folder),
        "--out",
        str(out),
        "--assets",
        str(master),
        "--every",
        "3",
        "--json",
    ]
    result = CliRunner().invoke(app, arguments)
    known = {"recorded-1": Asset(asset="recorded-1", rated_speed_hz=25.0, warmup_blocks=12)}
    vectors = list(Extraction(folder, SPEC, known).run())

    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert (told["records"], told["vectors"], told["refused"]) == (100, len(vectors), {})
    written = out.read_bytes()
    assert all(Encoder().encode(each)[10:] in written for each in vectors)


def test_a_folder_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    """Both kinds are named."""
    with pytest.raises(ConfigurationError, match=r"manifest\.json .* export of sensors\.v1"):
        Extraction(tmp_path, SPEC, {})
