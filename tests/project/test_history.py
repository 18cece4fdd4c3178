"""History files, cut into the records that a producer would have sent."""

import wave
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.errors import ConfigurationError
from foreshock.history import History, Place, blocks_of, frames_of, read_history

PLACE = Place(asset="pump-7", point="drive-end", quantity="acceleration", unit="m/s2")
END_NS = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()) * 1_000_000_000


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_without_time_has_a_column_per_channel(tmp_path):
    """Each heading is a channel, each row a sample."""
    history = read_history(write(tmp_path, "a.csv", "x,y\n1,2\n3,4.5\n"))

    assert history.columns == ("x", "y")
    assert history.values.tolist() == [[1, 2], [3, 4.5]]
    assert history.times_ns is None


@pytest.mark.parametrize(
    "cell", ["1714521600", "2024-05-01T00:00:00Z", "2024-05-01T02:00:00+02:00", "2024-05-01 00:00:00+00:00"]
)
def test_time_is_read_as_seconds_or_iso_with_a_zone(tmp_path, cell):
    """Seconds since 1970 and ISO 8601 with a zone name the same instant."""
    history = read_history(write(tmp_path, "a.csv", f"time,temp\n{cell},20\n"))

    assert history.times_ns.tolist() == [END_NS]


def test_fraction_of_a_second_is_kept_to_the_microsecond(tmp_path):
    """A time in seconds keeps its microseconds; it does not pass through a float of nanoseconds."""
    history = read_history(write(tmp_path, "a.csv", "t,v\n1714521600.000001,1\n1714521600.999999,2\n"))

    assert [(at - END_NS) // 1000 for at in history.times_ns.tolist()] == [1, 999_999]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,v\n2024-05-01 00:00:00,1\n", "has no zone: write UTC"),
        ("time,v\n2,1\n1,1\n", "does not rise"),
        ("v\nabc\n", "row 1: 'abc' is not a number"),
        ("v,w\n1\n", r"a\.csv:2: 1 cells under 2 headings"),
        ("v\n", "holds no values"),
        ("", "holds no values"),
    ],
)
def test_wrong_csv_is_answered_with_the_place(tmp_path, text, message):
    """Local time, time that goes back, words among numbers, missing cells, nothing: each is one clear error."""
    with pytest.raises(ConfigurationError, match=message):
        read_history(write(tmp_path, "a.csv", text))


def test_unknown_ending_names_the_known_ones(tmp_path):
    """Only .csv, .parquet and .wav are read."""
    with pytest.raises(ConfigurationError, match=r"known: \.csv, \.parquet, \.wav"):
        read_history(write(tmp_path, "a.xlsx", ""))


def test_parquet_and_csv_of_the_same_table_are_the_same_history(tmp_path):
    """The kind of file makes no difference, missing values included."""
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = {"time": [datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, 1, tzinfo=UTC)], "v": [1.5, None]}
    parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
    text = write(tmp_path, "a.csv", "time,v\n2024-05-01T00:00:00Z,1.5\n2024-05-01T01:00:00Z,\n")

    one, other = read_history(tmp_path / "a.parquet"), read_history(text)

    assert one.columns == other.columns
    assert one.times_ns.tolist() == other.times_ns.tolist()
    np.testing.assert_array_equal(one.values, other.values)


def test_wav_is_shares_of_full_scale_with_its_own_rate(tmp_path):
    """16-bit samples of two channels become numbers below 1; the rate is that of the file."""
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.array([[16384, -32768], [0, 32767]], "<i2").tobytes())

    history = read_history(tmp_path / "a.wav")

    assert history.rate_hz == 8000
    assert history.values.tolist() == [[0.5, -1.0], [0.0, 32767 / 32768]]


@settings(max_examples=50)
@given(
    count=st.integers(1, 20),
    samples=st.integers(1, 64),
    left=st.integers(0, 63),
    rate=st.sampled_from([0.1, 12_000.0, 25_600.0, 44_100.0]),
)
def test_blocks_hold_every_sample_once_without_a_gap(count, samples, left, rate):
    """Blocks follow each other at the sampling rate, end at the given end, and hold the samples in order."""
    values = np.arange((count * samples + left % samples) * 2, dtype=np.float64).reshape(-1, 2)

    blocks = list(blocks_of(History(("x", "y"), values), PLACE, rate_hz=rate, samples=samples, end_ns=END_NS))

    joined = np.concatenate([block.samples.T for block in blocks])
    assert np.array_equal(joined, values[: count * samples].astype(np.float32))
    length_ns = samples / rate * 1e9
    steps = np.diff([block.source_ns for block in blocks] + [END_NS])
    assert np.abs(steps - length_ns).max() <= 1.0
    assert {block.sampling_rate_hz for block in blocks} == {rate}


def test_less_than_a_block_is_refused():
    """A file that fills no block says so instead of sending nothing."""
    with pytest.raises(ConfigurationError, match="3 samples are less than one block of 4"):
        list(blocks_of(History(("x",), np.zeros((3, 1))), PLACE, rate_hz=1.0, samples=4, end_ns=END_NS))


def test_frames_keep_every_row_with_its_time():
    """A table of slow values becomes frames of at most 256 rows, every row in one of them."""
    times = END_NS + np.arange(600) * 1_000_000_000
    history = History(("temp", "flow"), np.arange(1200.0).reshape(-1, 2), times)

    frames = list(frames_of(history, PLACE))

    assert [len(frame.times_ns) for frame in frames] == [256, 256, 88]
    np.testing.assert_array_equal(np.concatenate([frame.values for frame in frames]), history.values)
    assert [tag.name for tag in frames[0].tags] == ["temp", "flow"]


def test_table_without_time_asks_for_the_rate():
    """Without a time column it must be a waveform: the answer names --rate."""
    with pytest.raises(ConfigurationError, match="for a waveform give --rate"):
        list(frames_of(History(("x",), np.zeros((3, 1))), PLACE))
