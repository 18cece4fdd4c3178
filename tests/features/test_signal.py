"""The SIGNAL set as a whole: the same bits in any batch, a reason for whatever is missing, and what it declares."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foreshock.features import masks, signal
from foreshock.features.signal import SIGNAL, Band, Gear, Given, extract
from foreshock.features.waves import cepstrum, constants, demodulated, fine, integrated, reasons, statistics, welch
from foreshock.vocabulary import MaskReason
from tests.features.signals import bursts, features, noise
from tests.features.signals import reasons as reasons_of

FULL = Given(
    rate_hz=2048.0,
    speed_hz=20.3,
    rated_speed_hz=25.0,
    quantity="acceleration",
    bands=(Band("low", 10.0, 100.0), Band("first", 0.5, 1.5, True)),
    gears=(Gear("pinion", 13), Gear("wheel", 31, 0.5)),
)
stated = st.sampled_from(
    [FULL, FULL._replace(rate_hz=100.0), FULL._replace(envelope_band=(200.0, 600.0)), FULL._replace(gears=()), Given()]
)


def rows_of(rows, n, seed):
    """Noise, bursts, a constant, something not finite, large and small units: whatever may stand side by side."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, n)).astype(np.float32)
    for row, kind in enumerate(generator.integers(0, 8, rows)):
        if kind == 0:
            x[row] = 7.25
        elif kind == 1:
            x[row, generator.integers(n)] = np.nan
        elif kind == 2:
            x[row] *= np.float32(1e18)
        elif kind == 3:
            x[row] = x[row] * np.float32(1e-18) + np.float32(1e-17)
        elif kind == 4:
            x[row] += bursts(n, 61.7, 0.2, 6.0).astype(np.float32)
    return x


@given(
    rows=st.integers(1, 40),
    n=st.sampled_from([16, 33, 64, 255, 256, 257, 1000, 2048, 4097]),
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    given_=stated,
)
@settings(max_examples=60, deadline=None)
def test_any_split_of_a_batch_gives_the_same_bytes(rows, n, seed, cuts, given_):
    """Every feature and every mask of a row is a function of that row, to the last bit."""
    x = rows_of(rows, n, seed)
    whole = extract(x, given_)
    at = sorted({0, rows, *(c for c in cuts if c < rows)})
    parts = [extract(x[a:b], given_) for a, b in itertools.pairwise(at)]

    assert np.concatenate([p.values for p in parts]).tobytes() == whole.values.tobytes()
    assert np.concatenate([p.masks for p in parts]).tobytes() == whole.masks.tobytes()


@pytest.mark.slow
def test_windows_of_the_largest_size_one_by_one_equal_the_batch():
    """Six windows of 2**16 samples, where passes hold fewer rows than transforms take at once."""
    x = rows_of(6, 2**16, 5)
    given_ = FULL._replace(rate_hz=25_600.0)
    alone = np.concatenate([extract(row[None], given_).values for row in x])

    assert alone.tobytes() == extract(x, given_).values.tobytes()


def test_order_of_rows_does_not_matter_and_the_input_is_left_alone():
    """A permuted, strided, read-only batch gives the permuted rows."""
    x = rows_of(30, 2048, 6)
    order = np.random.default_rng(7).permutation(30)
    before = x.tobytes()
    x.flags.writeable = False

    assert extract(x[order], FULL).values.tobytes() == extract(x, FULL).values[order].tobytes()
    assert extract(x[::2], FULL).values.tobytes() == extract(x, FULL).values[::2].tobytes()
    assert x.tobytes() == before


@given(
    st.sampled_from([0, 1, 15, 16, 63, 64, 256, 300, 2048]),
    st.lists(st.floats(width=32), min_size=1, max_size=80),
    stated,
)
@example(2048, [3.4e38, -3.4e38], FULL)
@example(2048, [1e-45, 0.0], FULL)
@example(2048, [1.0, 1.0000001], FULL)
@settings(deadline=None)
def test_whatever_comes_in_nothing_but_numbers_and_reasons_come_out(n, values, given_):
    """Zeros, constants, infinities, the largest and the smallest: finite values, 0 where there is a reason."""
    found = extract(np.resize(np.array(values, np.float32), (1, n)), given_)

    assert np.isfinite(found.values).all()
    assert (found.values[found.masks != 0] == 0.0).all()
    assert found.masks.max() < len(masks.CODES)
    assert found.values.shape == found.masks.shape == (1, signal.set_of(given_).per_channel)


def test_with_all_that_is_needed_nothing_is_masked():
    """Noise of 2048 samples at 2048 Hz with speed, gears and bands has every feature."""
    assert set(reasons_of(noise(2048), **FULL._asdict()).values()) == {""}


EVERYTHING = set(reasons_of(noise(2048), **FULL._asdict()))
LEVELS = {"mean", "rms", "peak", "peak_to_peak"}
HERTZ = {"centroid", "spread", "env_low", "env_high", "env_line_hz", "quefrency"}
TURNS = {f"order_{k}" for k in range(1, 6)} | {"comb_share", "comb_clarity"}
GEARS = {"mesh", "mesh_2", "sideband", "mesh_wheel", "mesh_wheel_2", "sideband_wheel"}
VELOCITY = {"velocity_rms", "velocity_peak", "displacement_rms", "velocity_from"}
BANDS = {"rms_low", "rms_first"}
STATISTICS = LEVELS | {"crest", "kurtosis", "skewness", "impulse", "shape", "clearance"}

BAD = {
    "no samples": (np.zeros(0), {}, "window_too_short", EVERYTHING),
    "fifteen samples": (noise(15), {}, "window_too_short", EVERYTHING),
    "not a number": (np.where(np.arange(2048) == 5, np.nan, noise(2048)), {}, "not_finite", EVERYTHING),
    "infinite": (np.where(np.arange(2048) == 5, np.inf, noise(2048)), {}, "not_finite", EVERYTHING),
    "constant": (np.full(2048, 3.3), {}, "constant", EVERYTHING - LEVELS),
    "all zero": (np.zeros(2048), {}, "constant", EVERYTHING - LEVELS),
    "no rate": (noise(2048), {"rate_hz": None}, "no_rate", HERTZ | TURNS | GEARS | VELOCITY | BANDS),
    "a rate of 0": (noise(2048), {"rate_hz": 0.0}, "no_rate", HERTZ | TURNS | GEARS | VELOCITY | BANDS),
    "a rate that is no number": (
        noise(2048),
        {"rate_hz": math.nan},
        "no_rate",
        HERTZ | TURNS | GEARS | VELOCITY | BANDS,
    ),
    "no speed": (noise(2048), {"speed_hz": None}, "no_speed", TURNS | GEARS | {"rms_first"}),
    "speed no number": (noise(2048), {"speed_hz": math.nan}, "no_speed", TURNS | GEARS | {"rms_first"}),
    "standing still": (noise(2048), {"speed_hz": 0.0}, "zero_speed", TURNS | GEARS | {"rms_first"}),
    "turning backwards": (noise(2048), {"speed_hz": -20.0}, "zero_speed", TURNS | GEARS | {"rms_first"}),
    "less than four turns": (noise(2048), {"speed_hz": 3.9}, "window_too_short", TURNS | GEARS),
    "half a second": (noise(1024), {}, "window_too_short", VELOCITY),
    "a slow machine": (noise(2048), {"rated_speed_hz": 9.0}, "window_too_short", VELOCITY),
    "a current": (noise(2048), {"quantity": "current"}, "other_quantity", VELOCITY),
    "an envelope beyond the rate": (
        noise(2048),
        {"envelope_band": (500.0, 1500.0)},
        "rate_too_low",
        {name for name in EVERYTHING if name.startswith("env_")} | {"impulsiveness"},
    ),
    "a thin envelope": (
        noise(2048),
        {"envelope_band": (500.0, 505.0)},
        "window_too_short",
        {name for name in EVERYTHING if name.startswith("env_")} | {"impulsiveness"},
    ),
    "fast gears": (
        noise(2048),
        {"gears": (Gear("a", 60), Gear("wheel", 31, 0.5))},
        "rate_too_low",
        {"mesh", "mesh_2", "sideband"},
    ),
    "a wheel of three teeth": (
        noise(2048),
        {"gears": (Gear("a", 3), Gear("wheel", 31, 0.5))},
        "no_geometry",
        {"mesh", "mesh_2", "sideband"},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_reason_and_never_an_exception(name):
    """Exactly the features that need what is missing are masked, with the reason for it."""
    x, change, reason, missing = BAD[name]
    found = reasons_of(x, **{**FULL._asdict(), **change})
    because = {feature for feature, why in found.items() if why == reason}

    assert because >= missing, sorted(missing - because)
    assert {feature for feature, why in found.items() if why} - missing <= BANDS | TURNS | GEARS, "masked beyond need"
    assert because - missing <= BANDS | {"order_5"}


def test_a_bad_channel_leaves_its_neighbours_alone():
    """One that is constant and one that is not finite beside one that is well."""
    x = np.stack([noise(2048), np.full(2048, 2.0), np.full(2048, np.nan)]).astype(np.float32)
    found = extract(x, FULL)

    assert not found.masks[0].any()
    assert found.values[0].tobytes() == extract(x[:1], FULL).values[0].tobytes()
    assert found.values[1, :4].tolist() == [2.0, 0.0, 0.0, 0.0]
    assert set(masks.words(found.masks[2].tobytes())) == {MaskReason.NOT_FINITE}


def test_without_gears_the_geometry_is_missing():
    """The columns of the main gear are there all the same, so that the set of a point does not depend on it."""
    found = reasons_of(noise(2048), rate_hz=2048.0, speed_hz=20.0)

    assert {name for name, why in found.items() if why == "no_geometry"} == {"mesh", "mesh_2", "sideband"}


def test_the_columns_are_those_of_the_declaration():
    """As many as declared, under the names of their parts, and the parts stand where `reasons` says."""
    names = [each.name for each in SIGNAL.features]

    assert names[reasons.SPECTRAL_AT][0] == "band_01"
    assert names[reasons.DEMODULATED_AT][:3] == ["env_low", "env_high", "impulsiveness"]
    assert names[reasons.CEPSTRUM_AT] == ["quefrency", "cepstrum_height"]
    assert names[reasons.ORDER_AT][-2:] == ["comb_share", "comb_clarity"]
    assert names[reasons.GEAR_AT] == ["mesh", "mesh_2", "sideband"]
    assert names[reasons.INTEGRATED_AT][0] == "velocity_rms"
    extended = [each.name for each in signal.set_of(FULL).features]
    assert extended[reasons.gear_at(1)] == ["mesh_wheel", "mesh_wheel_2", "sideband_wheel"]
    assert extended[reasons.band_at(1, 2)] == "rms_first"


def test_names_are_distinct_whatever_gears_and_bands_are_called():
    """Gears of one name, one that is called 2, and bands of one name have a column each."""
    gears = (Gear("a", 20), Gear("2", 30), Gear("b", 31), Gear("b", 32))
    stated = FULL._replace(gears=gears, bands=(Band("x", 10.0, 20.0), Band("x", 20.0, 40.0)))
    names = [each.name for each in signal.set_of(stated).features]

    assert len(set(names)) == len(names) == SIGNAL.per_channel + 3 * 3 + 2
    assert extract(noise(2048)[None].astype(np.float32), stated).values.shape == (1, len(names))


def test_every_feature_names_code_that_is_there():
    """The dotted names of the declarations can be imported."""
    for each in signal.set_of(FULL).features:
        module, _, function = each.function.rpartition(".")
        assert hasattr(__import__(module, fromlist=[function]), function), each.name


def test_what_a_point_adds_is_another_set_and_so_is_another_constant(monkeypatch):
    """Bands and further gears change the hash, not the name; the formulas' constants do as well."""
    plain, full = signal.set_of(Given()), signal.set_of(FULL)

    assert plain is SIGNAL
    assert (plain.name, plain.version) == (full.name, full.version)
    assert plain.hash != full.hash
    before = constants.of()
    monkeypatch.setattr(constants.fine, "SLIP", 0.01)
    assert constants.of() != before


def test_one_row_and_many_take_the_same_kernels():
    """A worker compiles them at its start with one channel; a second channel, or a read-only one, compiles nothing."""
    for rows in (1, 3):
        x = rows_of(rows, 2048, 8)
        extract(x, FULL)
        x.flags.writeable = False
        extract(x, FULL)
        extract(np.asfortranarray(x), FULL)

    for module in (cepstrum, demodulated, fine, integrated, statistics, welch):
        kernels = {name: each for name, each in vars(module).items() if hasattr(each, "signatures")}
        assert {name for name, each in kernels.items() if len(each.signatures) > 1} == set(), module.__name__


def test_rows_have_two_axes():
    """Anything else is an error of the caller."""
    with pytest.raises(ValueError, match="samples must be"):
        extract(np.zeros((1, 1, 64), np.float32), Given())


def test_no_rows_give_no_rows():
    """An empty batch is a batch."""
    assert extract(np.zeros((0, 64), np.float32), FULL).values.shape == (0, signal.set_of(FULL).per_channel)


def test_a_unit_is_a_factor():
    """A thousand times the samples: levels a thousand times as large, ratios and places as they were, to 1e-5."""
    x = bursts(2048, 97.3, 0.2, 8.0, background=0.1)
    one, other = features(x, **FULL._asdict()), features(1000.0 * x, **FULL._asdict())
    units = {each.name: each.unit for each in signal.set_of(FULL).features}

    for name, unit in units.items():
        scaled = one[name] * (1000.0 if unit in {"u", "m", "m/s"} else 1.0)
        scaled += np.log(1e6) if unit == "u2" else 0.0
        assert other[name] == pytest.approx(scaled, rel=1e-5, abs=1e-7), name
