"""Fault frequencies, demodulation, whitening and the odds of lines, against closed forms and drawn noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import Asset, Bearing, Gear, Shaft
from foreshock.features.kinematics import bands, lines
from foreshock.features.kinematics.geometry import families, orders
from foreshock.features.kinematics.speed import Speed

DRIVE_END = Bearing(name="6205", balls=9, ball_diameter_m=0.3126, pitch_diameter_m=1.537)
RATE = 25_600.0


def test_orders_are_those_of_the_data_sheet():
    """The drive-end bearing of the public test rig: 3.5848, 5.4152, 4.7135 / 2 and 0.39828 orders of the shaft."""
    found = orders(DRIVE_END)

    assert found == pytest.approx((0.39828, 3.5848, 5.4152, 4.7135 / 2), abs=2e-4)


@given(
    st.integers(4, 40),
    st.floats(0.02, 0.45),
    st.floats(0.0, 0.9),
)
def test_orders_add_up(balls: int, ratio: float, angle: float):
    """BPFO + BPFI = n, BPFO = n FTF, and a rolling element turns at BSF = pitch/2d (1 - r^2), whatever the geometry."""
    bearing = Bearing(name="b", balls=balls, ball_diameter_m=ratio, pitch_diameter_m=1.0, contact_angle_rad=angle)

    found = orders(bearing)

    assert found.bpfo + found.bpfi == pytest.approx(balls)
    assert found.bpfo == pytest.approx(balls * found.ftf)
    assert found.bsf == pytest.approx((1.0 - (ratio * math.cos(angle)) ** 2) / (2.0 * ratio))


def test_parts_turn_with_their_shafts():
    """A bearing on a shaft at a third of the speed has a third of the frequencies; a gear's family is its shaft."""
    slow = Bearing(name="slow", balls=9, ball_diameter_m=0.3126, pitch_diameter_m=1.537, shaft="out")
    gear = Gear(name="wheel", teeth=69, shaft="out", mate="pinion")
    asset = Asset(
        asset="gearbox", bearings=(DRIVE_END, slow), gears=(gear,), shafts=(Shaft(name="out", ratio=1.0 / 3.0),)
    )

    found = {family.key: family for family in families(asset)}

    assert found["slow/BPFI"].order == pytest.approx(found["6205/BPFI"].order / 3.0)
    assert found["slow/BPFI"].side == pytest.approx(1.0 / 3.0)
    assert found["slow/2xBSF"].side == pytest.approx(orders(DRIVE_END).ftf / 3.0)
    assert found["wheel/gear shaft"].order == pytest.approx(1.0 / 3.0)
    assert {family.component for family in families(asset, ("slow",))} == {"slow"}


def test_teeth_alone_are_a_pinion_and_its_wheel():
    """Where a register says teeth and no more, the second gear turns at the ratio of the teeth: one mesh frequency."""
    pinion, wheel = families(Asset(asset="gearbox", gear_teeth=(23, 67)))

    assert (pinion.order, wheel.order) == (1.0, pytest.approx(23 / 67))
    assert pinion.order * pinion.teeth == pytest.approx(wheel.order * wheel.teeth)


@pytest.mark.parametrize("carrier", [2000.0, 4000.0, 7000.0])
def test_the_envelope_of_a_modulated_tone(carrier: float):
    """Of A (1 + m cos) about a carrier in a band, the envelope has the mean A and a line of A m at the modulation."""
    n = 25_600
    t = np.arange(n) / RATE
    x = (3.0 * (1.0 + 0.4 * np.cos(2 * np.pi * 100.0 * t)) * np.sin(2 * np.pi * carrier * t)).astype(np.float32)

    found = bands.level(bands.spectrum(x), n, RATE, 3)
    nearest = int(np.argmin(np.abs(found.low_hz + 0.5 * found.width_hz - carrier)))
    envelope = found.envelopes[nearest]
    reference = np.abs(scipy.signal.hilbert(x))
    spectra = lines.spectra(envelope[None], found.rate_hz, Speed(25.0), 25.0, 8.0)

    assert envelope.mean() == pytest.approx(reference.mean(), rel=1e-4)
    assert spectra.amplitude[0, round(4.0 / spectra.step)] == pytest.approx(1.2, rel=5e-3)


def test_whitening_takes_tones_down_and_leaves_noise_flat():
    """A tone of a hundred times the noise's lines stands at three medians; noise through a resonance has one level."""
    rng = np.random.default_rng(3)
    n = 51_200
    b, a = scipy.signal.iirpeak(3000.0, 5.0, RATE)
    noise = scipy.signal.lfilter(b, a, rng.standard_normal(n)) + 0.05 * rng.standard_normal(n)
    x = noise + 10.0 * np.sin(2 * np.pi * 1500.0 * np.arange(n) / RATE)

    white = bands.whitened(bands.spectrum(x.astype(np.float32)))
    levels = [float(np.median(np.abs(white.one_sided[i : i + 500]))) for i in range(1000, 24_000, 1000)]

    assert np.abs(white.one_sided).max() == pytest.approx(bands.TONE)
    assert np.abs(white.one_sided[3000]) == pytest.approx(bands.TONE)
    assert max(levels) < 1.25 * min(levels)


@pytest.mark.parametrize("longest", [100.0, 12.0])
def test_nats_of_noise_are_standard_exponential(longest: float):
    """Whatever the band and the number of segments: of noise a line reaches u nats with the probability e^-u."""
    x = np.random.default_rng(11).standard_normal(262_144).astype(np.float32)
    found = bands.level(bands.whitened(bands.spectrum(x)).one_sided, len(x), RATE, 3)

    nats = lines.spectra(found.envelopes, found.rate_hz, Speed(25.0), longest, 30.0).nats[:, 20:]

    for u in (1.0, 3.0, 5.0):
        assert float((nats > u).mean()) == pytest.approx(math.exp(-u), rel=0.25)


@pytest.mark.parametrize("shape", [1.0, 3.0, 12.0])
def test_the_tail_of_a_gamma_variable(shape: float):
    """-ln Q agrees with scipy, and goes on where its probability is too small for a number."""
    x = np.array([0.1, 1.0, 5.0, 40.0, 300.0, 600.0])

    found = lines.log_gamma_tail(shape, x)

    assert found == pytest.approx(-scipy.stats.gamma(shape).logsf(x), rel=1e-6, abs=1e-9)
    assert lines.log_gamma_tail(shape, np.array([900.0]))[0] == pytest.approx(
        900.0 - (shape - 1.0) * math.log(900.0) + math.lgamma(shape), rel=1e-3
    )
