"""Units: what plants write, as UCUM codes, with the step to SI.

A unit only means something together with its quantity: ``g`` is standard gravity for an acceleration and gram for a
mass. UCUM is the code system that electronic data interchange uses; its codes are case sensitive. Factors are those of
the SI brochure and, for the yard-pound units, of the international agreement of 1959 (inch = 25.4 mm exactly).
Gauge and absolute pressure share a unit: the product looks at changes, the sender knows which of the two it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

from foreshock.contract import Measure, Reason
from foreshock.errors import InputRejected

_G0 = 9.80665
_INCH = 0.0254
_PSI = 6894.757293168361

# quantity -> lines of "UCUM code | gain to SI | shift to SI | other spellings"; the first line is the SI unit
_Line = tuple[str, float, float, str]
_VELOCITY: tuple[_Line, ...] = (
    ("m/s", 1.0, 0.0, "mps m/sec"),
    ("mm/s", 1e-3, 0.0, "mmps mm/sec"),
    ("um/s", 1e-6, 0.0, "um/sec"),
    ("cm/s", 1e-2, 0.0, "cm/sec"),
    ("[in_i]/s", _INCH, 0.0, "in/s ips inch/s in/sec inch/sec"),
    ("[ft_i]/s", 0.3048, 0.0, "ft/s fps ft/sec"),
    ("km/h", 1 / 3.6, 0.0, "kmh kph"),
)
_RATIO: tuple[_Line, ...] = (("1", 1.0, 0.0, "ratio none - p.u. pu"), ("%", 0.01, 0.0, "percent pct"))
_TABLE: Mapping[str, tuple[_Line, ...]] = MappingProxyType(
    {
        "acceleration": (
            ("m/s2", 1.0, 0.0, "mps2 m/s/s m/sec2 ms-2 m.s-2"),
            ("[g]", _G0, 0.0, "g gn g0 gs gee gees"),
            ("m[g]", _G0 * 1e-3, 0.0, "mg mgn milli-g millig"),
            ("mm/s2", 1e-3, 0.0, "mmps2 mm/s/s mm/sec2"),
            ("cm/s2", 1e-2, 0.0, "Gal gal cm/s/s"),
            ("[in_i]/s2", _INCH, 0.0, "in/s2 ips2 inch/s2 in/s/s"),
            ("[ft_i]/s2", 0.3048, 0.0, "ft/s2 ft/s/s"),
        ),
        "velocity": _VELOCITY,
        "displacement": (
            ("m", 1.0, 0.0, "metre meter"),
            ("mm", 1e-3, 0.0, "millimetre millimeter"),
            ("um", 1e-6, 0.0, "micron microns micrometre micrometer"),
            ("nm", 1e-9, 0.0, ""),
            ("cm", 1e-2, 0.0, ""),
            ("[mil_i]", _INCH * 1e-3, 0.0, "mil mils thou"),
            ("[in_i]", _INCH, 0.0, "in inch inches"),
        ),
        "temperature": (
            ("K", 1.0, 0.0, "kelvin degK"),
            ("Cel", 1.0, 273.15, "degC C celsius centigrade deg_C"),
            ("[degF]", 5 / 9, 459.67 * 5 / 9, "degF F fahrenheit deg_F"),
            ("[degR]", 5 / 9, 0.0, "degR rankine"),
        ),
        "pressure": (
            ("Pa", 1.0, 0.0, "pascal N/m2"),
            ("hPa", 100.0, 0.0, ""),
            ("kPa", 1e3, 0.0, "kilopascal"),
            ("MPa", 1e6, 0.0, "megapascal N/mm2"),
            ("bar", 1e5, 0.0, "barg bara bar(g) bar(a)"),
            ("mbar", 100.0, 0.0, "millibar"),
            ("[psi]", _PSI, 0.0, "psi psig psia lbf/in2"),
            ("atm", 101325.0, 0.0, ""),
            ("mm[Hg]", 133.322387415, 0.0, "mmHg torr"),
            ("m[H2O]", 9806.65, 0.0, "mH2O mWC"),
        ),
        "sound_pressure": (("Pa", 1.0, 0.0, "pascal"), ("mPa", 1e-3, 0.0, ""), ("uPa", 1e-6, 0.0, "")),
        "speed": (
            ("Hz", 1.0, 0.0, "1/s rps rev/s r/s s-1 hertz"),
            ("1/min", 1 / 60, 0.0, "rpm r/min rev/min U/min min-1 cpm /min"),
            ("rad/s", 1 / (2 * math.pi), 0.0, "rad/sec"),
        ),
        "frequency": (
            ("Hz", 1.0, 0.0, "1/s s-1 hertz"),
            ("kHz", 1e3, 0.0, ""),
            ("1/min", 1 / 60, 0.0, "cpm min-1 /min"),
        ),
        "current": (
            ("A", 1.0, 0.0, "amp amps ampere"),
            ("mA", 1e-3, 0.0, "milliamp"),
            ("uA", 1e-6, 0.0, ""),
            ("kA", 1e3, 0.0, ""),
        ),
        "voltage": (
            ("V", 1.0, 0.0, "volt volts"),
            ("mV", 1e-3, 0.0, "millivolt"),
            ("uV", 1e-6, 0.0, ""),
            ("kV", 1e3, 0.0, ""),
        ),
        "power": (
            ("W", 1.0, 0.0, "watt watts"),
            ("kW", 1e3, 0.0, "kilowatt"),
            ("MW", 1e6, 0.0, "megawatt"),
            ("mW", 1e-3, 0.0, "milliwatt"),
            ("[HP]", 745.6998715822702, 0.0, "hp"),
        ),
        "energy": (("J", 1.0, 0.0, "joule"), ("kJ", 1e3, 0.0, ""), ("kW.h", 3.6e6, 0.0, "kWh")),
        "flow": (
            ("m3/s", 1.0, 0.0, "cms"),
            ("m3/h", 1 / 3600, 0.0, "m3/hr cmh"),
            ("m3/min", 1 / 60, 0.0, ""),
            ("L/s", 1e-3, 0.0, "l/s lps"),
            ("L/min", 1e-3 / 60, 0.0, "l/min lpm"),
            ("L/h", 1e-3 / 3600, 0.0, "l/h lph l/hr"),
            ("[gal_us]/min", 231 * _INCH**3 / 60, 0.0, "gpm gal/min"),
        ),
        "mass_flow": (
            ("kg/s", 1.0, 0.0, ""),
            ("kg/min", 1 / 60, 0.0, ""),
            ("kg/h", 1 / 3600, 0.0, "kg/hr"),
            ("t/h", 1 / 3.6, 0.0, "t/hr tph"),
            ("g/s", 1e-3, 0.0, ""),
            ("[lb_av]/s", 0.45359237, 0.0, "lb/s lbm/s pps"),
        ),
        "force": (("N", 1.0, 0.0, "newton"), ("kN", 1e3, 0.0, ""), ("[lbf_av]", 4.4482216152605, 0.0, "lbf")),
        "torque": (("N.m", 1.0, 0.0, "Nm N*m newtonmetre"), ("kN.m", 1e3, 0.0, "kNm kN*m")),
        "angle": (("rad", 1.0, 0.0, "radian"), ("deg", math.pi / 180, 0.0, "degree degrees")),
        "strain": (("1", 1.0, 0.0, "m/m"), ("um/m", 1e-6, 0.0, "ue microstrain ustrain")),
        "time": (("s", 1.0, 0.0, "sec"), ("ms", 1e-3, 0.0, ""), ("min", 60.0, 0.0, ""), ("h", 3600.0, 0.0, "hr")),
        "length": (("m", 1.0, 0.0, ""), ("mm", 1e-3, 0.0, ""), ("cm", 1e-2, 0.0, ""), ("um", 1e-6, 0.0, "micron")),
        "concentration": (*_RATIO, ("[ppm]", 1e-6, 0.0, "ppm"), ("[ppb]", 1e-9, 0.0, "ppb")),
        "load": _RATIO,
        "humidity": (*_RATIO, ("%{RH}", 0.01, 0.0, "%RH RH")),
        "level": _RATIO,
        "position": _RATIO,
        "percent": _RATIO,
        "dimensionless": (*_RATIO, ("{count}", 1.0, 0.0, "count counts")),
    }
)
QUANTITIES = tuple(_TABLE)
_TERM = re.compile(r"([^./\d]+)(-?\d+)?")  # a unit of a product, and its exponent

_MEASURES = MappingProxyType(
    {
        "pk-pk": Measure.PEAK_TO_PEAK,
        "pkpk": Measure.PEAK_TO_PEAK,
        "p-p": Measure.PEAK_TO_PEAK,
        "pp": Measure.PEAK_TO_PEAK,
        "peak-to-peak": Measure.PEAK_TO_PEAK,
        "0-pk": Measure.PEAK,
        "0-p": Measure.PEAK,
        "peak": Measure.PEAK,
        "pk": Measure.PEAK,
        "rms": Measure.RMS,
    }
)
_SUFFIX = re.compile(rf"(.+?)[\s_,]*\(?({'|'.join(map(re.escape, _MEASURES))})\)?", re.IGNORECASE)
_SYMBOLS = str.maketrans({"²": "2", "³": "3", "°": "deg", "µ": "u", "μ": "u", "·": ".", "−": "-", " ": "", "^": ""})  # noqa: RUF001  # what keyboards produce


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of a quantity: SI value = value * `gain` + `shift`.

    Attributes
    ----------
    ucum
        UCUM code.
    measure
        What the spelling says a value is (``mils pk-pk``); None where it says nothing.
    """

    ucum: str
    gain: float
    shift: float
    measure: Measure | None = None


def _spellings(lines: tuple[_Line, ...]) -> Iterator[tuple[str, Unit]]:
    for ucum, gain, shift, others in lines:
        for spelling in (ucum, *others.split()):
            yield spelling.translate(_SYMBOLS), Unit(ucum=ucum, gain=gain, shift=shift)


def _folded(exact: Mapping[str, Unit]) -> dict[str, Unit]:
    """Give spellings without regard to case, without those that case tells apart (``mW`` and ``MW``)."""
    found: dict[str, set[str]] = {}
    for spelling, unit in exact.items():
        found.setdefault(spelling.casefold(), set()).add(unit.ucum)
    return {name.casefold(): unit for name, unit in exact.items() if len(found[name.casefold()]) == 1}


_EXACT: Mapping[str, Mapping[str, Unit]] = {name: dict(_spellings(lines)) for name, lines in _TABLE.items()}
_FOLDED: Mapping[str, Mapping[str, Unit]] = {name: _folded(exact) for name, exact in _EXACT.items()}


@lru_cache(maxsize=4096)
def resolve(quantity: str, unit: str) -> Unit:
    """Give the UCUM code of a unit and the step to SI.

    Parameters
    ----------
    quantity
        One of `QUANTITIES`.
    unit
        A UCUM code or a usual spelling; ``pk-pk``, ``peak`` or ``rms`` behind it set the measure.

    Raises
    ------
    InputRejected
        The quantity or the unit is not known, or the unit belongs to another quantity.
    """
    if quantity not in _TABLE:
        raise InputRejected(
            Reason.UNKNOWN_UNIT,
            f"the quantity {quantity[:40]!r} is not known",
            field="quantity",
            fix=f"{_nearest(quantity, QUANTITIES)}; all quantities: {', '.join(QUANTITIES)}",
        )
    found = _find(quantity, unit)
    if found is not None:
        return found
    others = [name for name in _TABLE if _find(name, unit) is not None]
    codes = ", ".join(line[0] for line in _TABLE[quantity])
    if others:
        raise InputRejected(
            Reason.UNIT_MISMATCH,
            f"the unit {unit!r} is one of {' or '.join(others[:3])}, the quantity is {quantity}",
            field="unit",
            fix=f"send the quantity {others[0]!r}, or the unit in which the {quantity} is: {codes}",
        )
    known = [spelling for spelling in _EXACT[quantity] if spelling]
    raise InputRejected(
        Reason.UNKNOWN_UNIT,
        f"the unit {unit[:40]!r} is not known for {quantity}",
        field="unit",
        fix=f"{_nearest(unit.translate(_SYMBOLS), known)}; UCUM codes for {quantity}: {codes}",
    )


def units_of(quantity: str) -> tuple[str, ...]:
    """Give the UCUM codes that a quantity may have, the SI unit first."""
    return tuple(line[0] for line in _TABLE[quantity])


def squared(unit: str) -> str:
    """Give the UCUM code of the square of a unit: ``m2/s4`` for ``m/s2``."""
    return _TERM.sub(_doubled, unit) if unit != "1" else unit


def _doubled(term: re.Match[str]) -> str:
    return f"{term[1]}{2 * int(term[2] or 1)}"


def quantity_of(unit: str) -> str:
    """Give the quantity that a unit belongs to, where it can only be one.

    Raises
    ------
    InputRejected
        No quantity, or more than one, has such a unit.
    """
    found = [name for name in _TABLE if _find(name, unit) is not None]
    if len(found) == 1:
        return found[0]
    told = f"may be {', '.join(found)}" if found else "is not known"
    fix = f"state the quantity: {', '.join(found or QUANTITIES)}"
    raise InputRejected(Reason.UNKNOWN_UNIT, f"the unit {unit[:40]!r} {told}", field="quantity", fix=fix)


def _find(quantity: str, unit: str) -> Unit | None:
    spelling = unit.translate(_SYMBOLS)
    found = _EXACT[quantity].get(spelling) or _FOLDED[quantity].get(spelling.casefold())
    if found is not None or len(unit) > 40:
        return found
    match = _SUFFIX.fullmatch(unit.strip())
    base = _find(quantity, match[1]) if match else None
    if match is None or base is None or base.measure is not None:
        return None
    return Unit(ucum=base.ucum, gain=base.gain, shift=base.shift, measure=_MEASURES[match[2].lower()])


def _nearest(text: str, known: tuple[str, ...] | list[str]) -> str:
    return _closest(text[:40], tuple(known))


@lru_cache(
    maxsize=256
)  # who sends a wrong unit sends it in every record, and the search costs more than scoring a block
def _closest(text: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(text, known, n=2, cutoff=0.5)
    close = close or get_close_matches(text.casefold(), known, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else "nothing like it is known"
