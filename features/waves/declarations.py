"""The features of the SIGNAL set: names, units, meanings, sources."""

from __future__ import annotations

from foreshock.features.declared import Declared, Input, Scale
from foreshock.features.spectrum import BANDS
from foreshock.features.waves.fine import ORDERS
from foreshock.features.waves.given import Band, Gear
from foreshock.vocabulary import QualityKind

_HERE = "foreshock.features.waves"
_CLIPPED = (QualityKind.CLIPPED,)
_RATE = (QualityKind.WRONG_RATE,)
_SAMPLES = (Input.SAMPLES,)
_SPEED = (Input.SAMPLES, Input.RATE, Input.SPEED)
_VIBRATION = (Input.SAMPLES, Input.RATE, Input.QUANTITY, Input.RATED_SPEED, Input.SPEED)

_FACTORS = "ISO 13373-2:2016; R. B. Randall, Vibration-based Condition Monitoring, 2nd ed., 2021, ch. 5"
_FORM = "G. Peeters, A large set of audio features for sound description, Ircam 2004, sec. 6"
_WELCH = "P. D. Welch, IEEE Trans. Audio Electroacoust. 15(2), 1967"
_KURTOSIS = "J. Antoni, Mech. Syst. Signal Process. 20(2), 2006"
_ENVELOPE = "R. B. Randall, J. Antoni, Mech. Syst. Signal Process. 25(2), 2011"
_CEPSTRUM = "R. B. Randall, Mech. Syst. Signal Process. 97, 2017 (cepstrum of a one-sided log spectrum)"
_VELOCITY = "ISO 2954:2012 (10-1000 Hz), ISO 20816-3:2022 (2-1000 Hz at or below 600 rpm)"
_SIDEBANDS = "J. Hanna et al., Detection of wind turbine gear tooth defects using sideband energy ratio, GE Energy"


def _statistics() -> tuple[Declared, ...]:
    lines = (
        ("mean", "u", "mean of the samples"),
        ("rms", "u", "root mean square of the deviation from the mean"),
        ("peak", "u", "largest absolute deviation from the mean"),
        ("peak_to_peak", "u", "largest sample less the smallest"),
        ("crest", "", "peak over rms; 1.41 for a sine"),
        ("kurtosis", "", "fourth central moment over squared variance; 1.5 for a sine, 3 for Gaussian noise"),
        ("skewness", "", "third central moment over variance to the 1.5; 0 when symmetric"),
        ("impulse", "", "peak over mean absolute deviation; 1.57 for a sine"),
        ("shape", "", "rms over mean absolute deviation; 1.11 for a sine"),
        ("clearance", "", "peak over the squared mean root of the absolute deviation; 1.72 for a sine"),
    )
    function = f"{_HERE}.statistics.statistics_rows"
    return tuple(
        Declared(
            name=name,
            unit=unit,
            function=function,
            inputs=_SAMPLES,
            meaning=meaning,
            source=_FACTORS,
            voided_by=() if name in {"mean", "rms"} else _CLIPPED,
        )
        for name, unit, meaning in lines
    )


def _spectral() -> tuple[Declared, ...]:
    bands = tuple(
        Declared(
            name=f"band_{i:02d}",
            unit="u2",
            function=f"{_HERE}.welch.form_rows",
            inputs=_SAMPLES,
            meaning=f"mean power density, per cycle per sample, in logarithmic band {i} of {BANDS}",
            source=_WELCH,
            scale=Scale.LOG,
        )
        for i in range(1, BANDS + 1)
    )
    hertz, plain = (Input.SAMPLES, Input.RATE), _SAMPLES
    lines = (
        ("centroid", "Hz", hertz, "power-weighted mean frequency", _FORM),
        ("spread", "Hz", hertz, "power-weighted standard deviation of frequency", _FORM),
        ("spectral_skewness", "", plain, "third power-weighted moment of frequency, standardised", _FORM),
        ("spectral_kurtosis", "", plain, "fourth power-weighted moment of frequency; 1.8 for white noise", _FORM),
        ("entropy", "", plain, "Shannon entropy of the power over its largest value; 1 for white noise", _FORM),
        ("flatness", "", plain, "geometric over arithmetic mean of the power; near 1 for white noise", _FORM),
    )
    return bands + tuple(
        Declared(
            name=name,
            unit=unit,
            function=f"{_HERE}.welch.form_rows",
            inputs=inputs,
            meaning=meaning,
            source=source,
            voided_by=_RATE if unit == "Hz" else (),
        )
        for name, unit, inputs, meaning, source in lines
    )


def _demodulated() -> tuple[Declared, ...]:
    lines = (
        ("env_low", "Hz", "lower limit of the band that was demodulated"),
        ("env_high", "Hz", "its upper limit"),
        ("impulsiveness", "", "spectral kurtosis of that band: 0 for steady noise, -1 for a sine, large for bursts"),
        ("env_mean", "u", "mean of the envelope"),
        ("env_depth", "", "standard deviation over mean of the envelope; 0.52 for Gaussian noise"),
        ("env_line_hz", "Hz", "frequency of the largest line in the spectrum of the envelope"),
        ("env_line", "", "amplitude of that line over the geometric mean of all"),
        (
            "env_line_share",
            "",
            "share of that line and its next three multiples in the power of the envelope's spectrum",
        ),
    )
    return tuple(
        Declared(
            name=name,
            unit=unit,
            function=f"{_HERE}.demodulated.demodulated_rows",
            inputs=(Input.SAMPLES, Input.RATE) if unit == "Hz" else _SAMPLES,
            meaning=meaning,
            source=_KURTOSIS if name == "impulsiveness" else _ENVELOPE,
            voided_by=_RATE if unit == "Hz" else (),
        )
        for name, unit, meaning in lines
    )


def _families() -> tuple[tuple[Declared, ...], tuple[Declared, ...]]:
    def declare(name: str, unit: str, inputs: tuple[Input, ...], function: str, meaning: str, source: str) -> Declared:
        function = f"{_HERE}.{function}"
        return Declared(
            name=name,
            unit=unit,
            function=function,
            inputs=inputs,
            meaning=meaning,
            source=source,
            voided_by=_RATE if Input.RATE in inputs else (),
        )

    rate = (Input.SAMPLES, Input.RATE)
    cepstrum = (
        declare("quefrency", "s", rate, "cepstrum.cepstrum_rows", "quefrency of the highest peak", _CEPSTRUM),
        declare("cepstrum_height", "", _SAMPLES, "cepstrum.cepstrum_rows", "its height; a for an echo of a", _CEPSTRUM),
    )
    orders = tuple(
        declare(f"order_{k}", "u", _SPEED, "fine.order_rows", f"rms of the line at {k} times the shaft speed", _FACTORS)
        for k in range(1, ORDERS + 1)
    )
    comb = (
        declare("comb_share", "", _SPEED, "fine.order_rows", "share of the lines at 1..10 orders in all power", ""),
        Declared(
            name="comb_clarity",
            unit="",
            function=f"{_HERE}.fine.order_rows",
            inputs=_SPEED,
            meaning="power of the lines at 1..10 orders over that at as many places halfway between them",
            voided_by=_RATE,
            scale=Scale.LOG,
        ),
    )
    return cepstrum, orders + comb


def _integrated() -> tuple[Declared, ...]:
    lines = (
        ("velocity_rms", "m/s", "rms of velocity, from the lower corner to 1000 Hz"),
        ("velocity_peak", "m/s", "largest absolute value of that velocity in the middle half of the window"),
        ("displacement_rms", "m", "rms of displacement in the same band"),
        ("velocity_from", "Hz", "the lower corner: 2 at or below 600 rpm, else 10"),
    )
    return tuple(
        Declared(
            name=name,
            unit=unit,
            function=f"{_HERE}.integrated.integrated_rows",
            inputs=_VIBRATION,
            meaning=meaning,
            source=_VELOCITY,
            voided_by=(*_RATE, *_CLIPPED),
        )
        for name, unit, meaning in lines
    )


def gear_features(gear: Gear | None) -> tuple[Declared, ...]:
    """Declare what is made for a gear wheel; None: the first one of a set, with its teeth not yet known."""
    tail = "" if gear is None else f"_{gear.name}"
    lines = (
        (f"mesh{tail}", "u", "rms of the line at the mesh frequency"),
        (f"mesh{tail}_2", "u", "the same at twice the mesh frequency"),
        (f"sideband{tail}", "", "sum of the three sidebands on each side of mesh over its line"),
    )
    return tuple(
        Declared(
            name=name,
            unit=unit,
            function=f"{_HERE}.fine.gear_rows",
            inputs=(*_SPEED, Input.GEARS),
            meaning=meaning,
            source=_SIDEBANDS,
            voided_by=_RATE,
        )
        for name, unit, meaning in lines
    )


def band_feature(band: Band) -> Declared:
    """Declare the rms in a named band."""
    unit = "orders of the shaft speed" if band.orders else "Hz"
    return Declared(
        name=f"rms_{band.name}",
        unit="u",
        function=f"{_HERE}.fine.band_rows",
        inputs=(*(_SPEED if band.orders else (Input.SAMPLES, Input.RATE)), Input.BANDS),
        meaning=f"rms within {band.low:g}..{band.high:g} {unit}",
        source=_WELCH,
        voided_by=_RATE,
    )


STATISTICS = _statistics()
SPECTRAL = _spectral()
DEMODULATED = _demodulated()
CEPSTRUM, ORDER = _families()
INTEGRATED = _integrated()
GEAR = gear_features(None)
