"""Lag, drift, budget windows, cost, certificates, census: figures that follow from others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.errors import ConfigurationError
from foreshock.streams.metrics.certificates import expiries
from foreshock.streams.metrics.lag import Lag
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.prices import Prices, Usage, month_of, read_prices
from foreshock.streams.metrics.values import Values
from foreshock.streams.metrics.windows import ENOUGH, Window, psi

S = 1_000_000_000
CERTIFICATES = Path(__file__).parents[1] / "sinks" / "certificates"
DECILES = np.linspace(0.1, 1.0, 10)


def test_lag_is_the_age_of_the_oldest_record_that_waits():
    """It grows while nothing is done, and is 0 when nothing waits."""
    lag = Lag()
    lag.look(10, 10, 100 * S)
    assert (lag.records, lag.seconds(500 * S)) == (0, 0.0)

    lag.look(15, 10, 600 * S)
    assert lag.records == 5
    assert lag.seconds(610 * S) == 510.0  # at most: since nothing waited

    lag.done(605 * S)
    lag.look(15, 13, 610 * S)
    assert lag.seconds(612 * S) == 7.0  # since the newest one that is done was appended


def test_a_record_of_a_rare_sensor_is_no_lag_of_ten_minutes():
    """What waits since a moment waits since the last look, though the record before it is old."""
    lag = Lag()
    lag.done(1 * S)
    lag.look(1, 1, 600 * S)
    lag.look(2, 1, 602 * S)

    assert lag.seconds(602 * S) == 2.0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1))
def test_lag_is_never_negative(steps):
    """Whatever order ends and positions are seen in."""
    lag, at = Lag(), 0
    for end, position in steps:
        at += S
        lag.look(end, position, at)
        assert lag.records >= 0
        assert 0 <= lag.seconds(at) <= at / S


def test_psi_tells_uniform_ranks_from_others():
    """Uniform p-values are no drift, crowded ones are, and a few say nothing."""
    rng = np.random.default_rng(1)
    uniform = np.histogram(rng.uniform(size=20_000), bins=np.concatenate([[0.0], DECILES]))[0]
    crowded = np.histogram(rng.beta(1, 3, size=20_000), bins=np.concatenate([[0.0], DECILES]))[0]

    assert psi(uniform, DECILES) < 0.01
    assert psi(crowded, DECILES) > 0.25
    assert psi(crowded // (20_000 // ENOUGH + 1), DECILES) == 0.0


def test_a_window_forgets_what_is_older():
    """The difference is taken over the span at most."""
    window: Window[int] = Window(10.0, 1.0)
    read = [window.read(float(at), at) for at in range(30)]

    assert read[0] == (0.0, 0)
    assert read[10] == (0.0, 0)
    assert read[29] == (19.0, 19)


def test_cost_is_what_the_formula_says(tmp_path):
    """Ten assets that use half a core and 1 MiB a second, at the prices of a file."""
    path = tmp_path / "prices.toml"
    path.write_text(
        'currency = "EUR"\ncore_hour = 0.04\nmemory_gib_hour = 0.005\nreceived_gib = 0.02\nprocess_month = 2\n'
    )
    prices = read_prices(str(path))
    assert prices == Prices(currency="EUR", core_hour=0.04, memory_gib_hour=0.005, received_gib=0.02, process_month=2)

    usage = Usage(assets=10, share=0.25, cores=0.5, bytes_per_s=2.0**20)
    month = month_of(prices, usage, 2.0**30)

    cpu, received = 0.5 * 720 * 0.04, 30 * 86400 / 1024 * 0.02
    assert month == pytest.approx((cpu + received + 0.25 * (720 * 0.005 + 2)) / 10)
    assert month_of(prices, Usage(assets=0, share=0, cores=0, bytes_per_s=0), 0) == 0
    assert read_prices("") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("core_hour = 1", "currency must be a short name"),
        ('currency = "EUR"\ncore_hours = 1', "unknown price core_hours"),
        ('currency = "EUR"\ncore_hour = -1', "core_hour must be a number of at least 0, not -1"),
        ('currency = "EUR"\ncore_hour = inf', "core_hour must be a number"),
        ('currency = "a\\nb"', "currency must be"),
        ("currency", "metrics.prices"),
    ],
)
def test_a_wrong_price_file_is_told(tmp_path, text, said):
    """Every error names the file and what is wrong."""
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=said):
        read_prices(str(path))
    with pytest.raises(ConfigurationError, match="No such file"):
        read_prices(str(tmp_path / "gone.toml"))


def test_a_certificate_s_end_is_that_which_openssl_reads():
    """The date is that of another reader; what is no certificate, or is not there, has none."""
    path = CERTIFICATES / "authority.pem"
    shown = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-enddate", "-dateopt", "iso_8601"], capture_output=True, text=True, check=True)  # fmt: skip
    date = np.datetime64(shown.stdout.strip().partition("=")[2].rstrip("Z").replace(" ", "T"), "s")

    assert expiries({"ssl.ca.location": str(path)}) == {"ssl.ca.location": float(date.astype(int))}
    assert expiries({"ssl.ca.location": "/nowhere", "ssl.certificate.location": __file__}) == {}
    assert expiries({}) == {}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_no_error(data):
    """Truncated and damaged ones as well."""
    import base64
    import tempfile

    body = base64.encodebytes(data).decode()
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
        file.flush()
        expiries({"ssl.ca.location": file.name})


def test_what_is_known_beforehand_is_there_from_the_start():
    """A counter that never counted is 0, not missing: a rate over it has a first value."""
    values = Values(Process.WORKER)

    assert all(number == 0 for _, number in values.numbers("foreshock_dead_letters_total"))
    assert len(values.numbers("foreshock_quality_total")) == 2 * len(values.numbers("foreshock_quality_standing"))
    assert values.numbers("foreshock_lag_records") == []
