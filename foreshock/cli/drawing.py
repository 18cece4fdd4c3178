"""Pictures of a recording as a file: waveform, spectrum, spectrum of the envelope, trend. Drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.errors import ConfigurationError

KINDS = (".png", ".svg")
_INK, _SECOND, _MARK = "#1f4e79", "#b03a2e", "#7f8c8d"
_SPANS = ((2 * 86400.0, 86400.0, "d"), (2 * 3600.0, 3600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))
_ROOM = 1.3  # beyond the last mark of an envelope
F64 = npt.NDArray[np.float64]


class Trend(NamedTuple):
    """A value of every record, over the time since the first one."""

    label: str
    unit: str
    seconds: F64
    values: dict[str, F64]  # by channel; NaN where there is none
    chosen_s: float | None = None  # the record of the other pictures


class Picture(NamedTuple):
    """What is drawn of a waveform; `shown` is as `streams/console/spectra.py` gives it."""

    title: str
    unit: str
    frequency: str  # "Hz", or "cycles per sample" where no rate is stated
    shown: dict[str, Any]
    marks: Sequence[dict[str, Any]]
    trend: Trend


def draw(picture: Picture, out: Path) -> None:
    """Draw a recording of a waveform; the end of the name says how: `.png` or `.svg`. The same picture gives the same bytes.

    Raises
    ------
    ConfigurationError
        Another kind of file, no matplotlib, or a place that cannot be written.
    """
    figure = _figure(out, (12, 8))
    waveform, spectrum, envelope, trend = figure.subplots(2, 2).flat
    shown = picture.shown
    times = np.asarray(shown["waveform"]["t_s"], np.float64) * 1e3
    waveform.margins(y=0.15)
    waveform.fill_between(times, shown["waveform"]["min"], shown["waveform"]["max"], color=_INK, linewidth=0.6)
    figures = {name: shown[name] for name in ("rms", "peak", "crest", "kurtosis") if shown[name] is not None}
    _label(waveform, "Waveform", "ms" if picture.frequency == "Hz" else "1000 samples", picture.unit)
    _note(waveform, "  ".join(f"{name} {value:.3g}" for name, value in figures.items()))
    _lines(spectrum, shown["spectrum"], "Spectrum", picture, ())
    for mark in picture.marks:
        if not mark["bearing"]:
            spectrum.axvline(mark["hz"], color=_MARK, linewidth=0.8, linestyle=":", zorder=0)
    band = shown["envelope"]["band_hz"]
    if band:
        title = f"Envelope spectrum, band {band[0]:.4g} to {band[1]:.4g} {picture.frequency}"
        _lines(envelope, shown["envelope"], title, picture, picture.marks)
    else:
        _label(envelope, "Envelope spectrum", "", "")
        _note(envelope, "too few samples")
    _trend(trend, picture.trend)
    _save(figure, picture.title, out)


def draw_table(title: str, trends: Sequence[Trend], out: Path) -> None:
    """Draw the values of the tags of frames, one under the other; raises as `draw` does."""
    figure = _figure(out, (12, 2.2 * len(trends) + 1))
    for axes, trend in zip(np.atleast_1d(figure.subplots(len(trends), 1, sharex=True)), trends, strict=True):
        _trend(axes, trend)
    _save(figure, title, out)


def _figure(out: Path, inches: tuple[float, float]) -> Any:
    if out.suffix not in KINDS:
        raise ConfigurationError(f"{out}: give a name that ends with {' or '.join(KINDS)}")
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("pictures need the extra `plot`: pip install foreshock[plot]") from None
    mpl.rcParams.update(
        {"svg.hashsalt": "foreshock", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    )
    return Figure(figsize=inches, layout="constrained")


def _save(figure: Any, title: str, out: Path) -> None:
    figure.suptitle(title)
    metadata = {"Date": None} if out.suffix == ".svg" else {"Software": None}
    try:
        figure.savefig(out, dpi=120, metadata=metadata)
    except OSError as exc:
        raise ConfigurationError(f"{out}: {exc.strerror}") from exc


def _lines(axes: Any, found: dict[str, Any], title: str, picture: Picture, marks: Sequence[dict[str, Any]]) -> None:
    """Draw amplitudes over frequency, and below them where faults would show: a colour for each kind."""
    hz = np.asarray(found["hz"], np.float64)
    axes.plot(hz, found["amplitude"], color=_INK, linewidth=0.8)
    _label(axes, title, picture.frequency, picture.unit)
    axes.set_ylim(bottom=0)
    top = float(hz[-1]) if len(hz) else 1.0
    if marks:
        top = min(top, _ROOM * max(each["hz"] for each in marks))
    axes.set_xlim(0, top)
    kinds: dict[str, list[float]] = {}
    for mark in marks:
        kinds.setdefault(_kind(mark), []).append(mark["hz"])
    for number, (kind, places) in enumerate(kinds.items()):
        axes.vlines(
            places,
            0,
            1,
            color=f"C{number + 1}",
            linewidth=0.9,
            linestyle=":",
            label=kind,
            transform=axes.get_xaxis_transform(),
        )
    if kinds:
        axes.legend(loc="upper right", fontsize=7)


def _kind(mark: dict[str, Any]) -> str:
    """Name a family of marks: `BPFI of 6205 (inner race)`."""
    if mark["name"].endswith("x") and not mark["bearing"]:
        return str(mark["what"])
    return (
        f"{mark['name']} of {mark['bearing']} ({mark['what']})"
        if mark["bearing"]
        else f"{mark['name']}: {mark['what']}"
    )


def _trend(axes: Any, trend: Trend) -> None:
    whole = float(trend.seconds[-1]) if len(trend.seconds) else 0.0
    step, word = next((step, word) for least, step, word in _SPANS if whole >= least)
    for number, (channel, values) in enumerate(trend.values.items()):
        color = (_INK, _SECOND)[number] if number < 2 else None
        axes.plot(
            trend.seconds / step,
            values,
            color=color,
            linewidth=0.8,
            marker="." if len(values) < 200 else "",
            label=channel,
        )
    if len(trend.values) > 1:
        axes.legend(loc="upper left")
    if trend.chosen_s is not None:
        axes.axvline(trend.chosen_s / step, color=_MARK, linewidth=0.8, linestyle="--")
    _label(axes, trend.label, f"{word} since the first record", trend.unit)


def _label(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _note(axes: Any, text: str) -> None:
    axes.text(
        0.99,
        0.98,
        text,
        ha="right",
        va="top",
        fontsize=8,
        transform=axes.transAxes,
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0},
    )
