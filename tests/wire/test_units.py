"""Plant spellings to UCUM and SI."""

from __future__ import annotations

import math

import pytest

from foreshock.contract import Measure, Reason
from foreshock.errors import InputRejected
from foreshock.units import QUANTITIES, quantity_of, resolve, units_of


@pytest.mark.parametrize(
    ("quantity", "spelling", "ucum", "value", "si"),
    [
        ("acceleration", "g", "[g]", 1.0, 9.80665),
        ("acceleration", "G", "[g]", 2.0, 19.6133),
        ("acceleration", "m/s²", "m/s2", 1.0, 1.0),
        ("acceleration", "m/s^2", "m/s2", 1.0, 1.0),
        ("acceleration", "mg", "m[g]", 1000.0, 9.80665),
        ("velocity", "mm/s", "mm/s", 7.1, 0.0071),
        ("velocity", "in/s", "[in_i]/s", 1.0, 0.0254),
        ("velocity", "ips", "[in_i]/s", 1.0, 0.0254),
        ("displacement", "µm", "um", 50.0, 5e-5),
        ("displacement", "mils", "[mil_i]", 1.0, 2.54e-5),
        ("temperature", "degC", "Cel", 25.0, 298.15),
        ("temperature", "°C", "Cel", -273.15, 0.0),
        ("temperature", "degF", "[degF]", 32.0, 273.15),
        ("temperature", "°F", "[degF]", 212.0, 373.15),
        ("pressure", "psi", "[psi]", 1.0, 6894.757293168),
        ("pressure", "bar", "bar", 2.5, 250_000.0),
        ("pressure", "kPa", "kPa", 101.325, 101_325.0),
        ("speed", "rpm", "1/min", 1500.0, 25.0),
        ("speed", "RPM", "1/min", 3000.0, 50.0),
        ("speed", "rad/s", "rad/s", 2 * math.pi, 1.0),
        ("current", "mA", "mA", 20.0, 0.02),
        ("power", "MW", "MW", 1.0, 1e6),
        ("power", "mW", "mW", 1.0, 1e-3),
        ("power", "kw", "kW", 1.0, 1e3),
        ("flow", "m3/h", "m3/h", 3600.0, 1.0),
        ("flow", "l/min", "L/min", 60_000.0, 1.0),
        ("flow", "gpm", "[gal_us]/min", 1.0, 6.30901964e-5),
        ("load", "%", "%", 75.0, 0.75),
        ("dimensionless", "1", "1", 3.0, 3.0),
    ],
)
def test_a_spelling_of_the_plant_gives_its_value_in_si(
    quantity: str, spelling: str, ucum: str, value: float, si: float
) -> None:
    """The code is UCUM, the value is SI."""
    unit = resolve(quantity, spelling)

    assert unit.ucum == ucum
    assert value * unit.gain + unit.shift == pytest.approx(si, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_code_means_itself_and_the_first_is_si(quantity: str) -> None:
    """UCUM codes are accepted as they are; the SI unit changes nothing."""
    for code in units_of(quantity):
        assert resolve(quantity, code).ucum == code
    first = resolve(quantity, units_of(quantity)[0])
    assert (first.gain, first.shift) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("quantity", "spelling", "measure"),
    [
        ("displacement", "mils pk-pk", Measure.PEAK_TO_PEAK),
        ("displacement", "um p-p", Measure.PEAK_TO_PEAK),
        ("displacement", "µm pp", Measure.PEAK_TO_PEAK),
        ("velocity", "mm/s RMS", Measure.RMS),
        ("velocity", "in/s pk", Measure.PEAK),
        ("acceleration", "g (peak)", Measure.PEAK),
        ("acceleration", "grms", Measure.RMS),
        ("acceleration", "g", None),
    ],
)
def test_what_is_written_behind_a_unit_is_the_measure(quantity: str, spelling: str, measure: Measure | None) -> None:
    """Peak, peak-to-peak and RMS are a field, not a unit."""
    assert resolve(quantity, spelling).measure == measure


@pytest.mark.parametrize(
    ("quantity", "spelling", "reason", "offers"),
    [
        ("acceleration", "m/s3", Reason.UNKNOWN_UNIT, "'m/s2'"),
        ("acceleration", "", Reason.UNKNOWN_UNIT, "UCUM codes"),
        ("pressure", "kpsi", Reason.UNKNOWN_UNIT, "'psi'"),
        ("power", "mw", Reason.UNKNOWN_UNIT, "mW"),
        ("acceleration", "mm/s", Reason.UNIT_MISMATCH, "velocity"),
        ("velocity", "g", Reason.UNIT_MISMATCH, "acceleration"),
        ("temperature", "bar", Reason.UNIT_MISMATCH, "pressure"),
        ("vibration", "g", Reason.UNKNOWN_UNIT, "all quantities"),
    ],
)
def test_what_is_not_known_gets_the_nearest(quantity: str, spelling: str, reason: Reason, offers: str) -> None:
    """The answer offers what was probably meant."""
    with pytest.raises(InputRejected) as caught:
        resolve(quantity, spelling)

    assert caught.value.reason == reason
    assert offers in caught.value.fix


@pytest.mark.parametrize(
    ("unit", "quantity"),
    [
        ("m/s2", "acceleration"),
        ("g", "acceleration"),
        ("mm/s rms", "velocity"),
        ("degC", "temperature"),
        ("bar", "pressure"),
    ],
)
def test_most_units_say_their_quantity(unit: str, quantity: str) -> None:
    """Where one quantity alone has the unit it need not be stated."""
    assert quantity_of(unit) == quantity


@pytest.mark.parametrize(("unit", "fix"), [("%", "humidity"), ("Hz", "speed, frequency"), ("furlong", "acceleration")])
def test_a_unit_of_several_or_no_quantities_asks_for_one(unit: str, fix: str) -> None:
    """Nothing is guessed: the answer lists what it may be."""
    with pytest.raises(InputRejected) as caught:
        quantity_of(unit)

    assert fix in caught.value.fix
