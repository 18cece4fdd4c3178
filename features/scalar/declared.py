"""The SCALAR set: what each tag of a frame, each pair of tags, and the point as a whole have as features."""

from __future__ import annotations

from functools import lru_cache

from foreshock.features.declared import Declared, DeclaredSet, Input
from foreshock.features.scalar import profile, regimes, relations, slopes, statistics
from foreshock.features.scalar.state import BINS, HORIZONS, HOURS, MOST_RELATED, MOST_TAGS, REGIMES, WINDOW
from foreshock.vocabulary import QualityKind

MOST_PAIRED = 12
"""Tags whose correlations stand in the vector pair by pair, the first ones."""

_VALUES, _PAST = (Input.VALUES,), (Input.VALUES, Input.HISTORY)
_TIMED = (Input.VALUES, Input.TIMES, Input.HISTORY)
_VOID = (QualityKind.FROZEN, QualityKind.OUT_OF_RANGE)
_LAST = f"of the last {WINDOW} values"


def _made(name: str, unit: str, part: str, inputs: tuple[Input, ...], meaning: str, source: str = "") -> Declared:
    function = f"foreshock.features.scalar.{part}"
    return Declared(
        name=name, unit=unit, function=function, inputs=inputs, meaning=meaning, source=source, voided_by=_VOID
    )


def _rolling() -> tuple[Declared, ...]:
    one, few = "fold.fold", "statistics.rolling"
    return (
        _made("value", "u", one, _VALUES, "newest value"),
        _made("rows", "", one, _VALUES, "values since the last vector"),
        _made("interval", "s", "statistics.intervals", _TIMED, f"median time between values, {_LAST}"),
        _made("window_mean", "u", one, _VALUES, "mean since the last vector"),
        _made("window_std", "u", one, _VALUES, "standard deviation since the last vector"),
        _made("window_min", "u", one, _VALUES, "smallest value since the last vector"),
        _made("window_max", "u", one, _VALUES, "largest value since the last vector"),
        _made("mean", "u", few, _PAST, f"mean {_LAST}"),
        _made("std", "u", few, _PAST, f"standard deviation {_LAST}"),
        _made("min", "u", few, _PAST, f"smallest {_LAST}"),
        _made("max", "u", few, _PAST, f"largest {_LAST}"),
        _made("median", "u", few, _PAST, f"median {_LAST}"),
        _made("mad", "u", few, _PAST, f"median absolute deviation from the median, {_LAST}"),
        _made(
            "robust_z",
            "",
            "statistics.robust_z",
            _PAST,
            "distance of the newest value from the median of those before it, over 1.4826 of their median absolute deviation",
            "Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993",
        ),
        _made("difference", "u", "describe.describe", _PAST, "newest value less the one before it"),
        _made("rate", "u/s", "describe.describe", _TIMED, "the same over the time between them"),
    )


def _slopes() -> tuple[Declared, ...]:
    source = "Sen, J. Am. Stat. Assoc. 63 (1968) 1379"
    made = []
    for name in HORIZONS:
        for end, meaning in (("", "median slope"), ("_low", "lower end of its"), ("_high", "upper end of its")):
            tail = " 95 % interval by Kendall's variance" if end else ""
            text = f"{meaning}{tail}, through {BINS} means over {name} of the running machine"
            made.append(_made(f"slope_{name}{end}", "u/s", "slopes.theil_sen", _TIMED, text, source))
    return tuple(made)


def _usual() -> tuple[Declared, ...]:
    day, week = "at this time of the day", "at this time of this day of the week"
    part, weeks = "profile.usual", "over four weeks, UTC"
    return (
        _made("day_expected", "u", part, _TIMED, f"median of hourly means {day}, {weeks}"),
        _made("day_deviation", "u", part, _TIMED, f"mean since the last vector less what is usual {day}"),
        _made("week_expected", "u", part, _TIMED, f"median of hourly means {week}, {weeks}"),
        _made("week_deviation", "u", part, _TIMED, f"mean since the last vector less what is usual {week}"),
    )


def _related() -> tuple[Declared, ...]:
    part, source = "relations.given_others", "Whittaker, Graphical Models in Applied Multivariate Statistics, 1990"
    return (
        _made("strongest", "", "relations.correlation", _PAST, "largest correlation with another tag, with its sign"),
        _made("explained", "", part, _PAST, "share of the variance that the other tags explain", source),
        _made("expected", "u", part, _PAST, "mean since the last vector as the other tags have it", source),
        _made("residual", "u", part, _PAST, "mean since the last vector less what the other tags make of it", source),
        _made("residual_z", "", part, _PAST, "the same in standard deviations of the residual", source),
    )


PER_TAG = (*_rolling(), *_slopes(), *_usual(), *_related())
PER_PAIR = (
    _made("correlation", "", "relations.correlation", _PAST, "Pearson correlation of the means of two tags by window"),
)
PER_POINT = (
    _made("speed", "Hz", "fold.fold", (Input.SPEED,), "mean speed since the last vector"),
    _made("load", "", "fold.fold", (Input.LOAD,), "mean load since the last vector, as a share of the rated one"),
    _made(
        "regime", "", "regimes.follow", (Input.SPEED, Input.LOAD, Input.HISTORY), "number of the operating condition"
    ),
    _made(
        "regime_distance",
        "",
        "regimes.look",
        (Input.SPEED, Input.LOAD, Input.HISTORY),
        "distance from its centre, in shares of the largest speed and load",
    ),
    _made("regime_age", "s", "regimes.follow", (Input.SPEED, Input.LOAD, Input.HISTORY), "time since it began"),
)

SCALAR = DeclaredSet(
    "scalar",
    1,
    (*PER_TAG, *PER_PAIR, *PER_POINT),
    {
        "window": WINDOW,
        "horizons": dict(HORIZONS),
        "bins": [BINS, slopes.LEAST_BINS, slopes.LEAST_SPAN, slopes.CONFIDENCE],
        "hours": [HOURS, profile.LEAST_DAYS, profile.LEAST_WEEKS],
        "robust": [statistics.MAD_TO_SIGMA, statistics.MEAN_TO_SIGMA, statistics.LEAST_BEFORE],
        "rate": [statistics.LEAST_INTERVALS, statistics.RATE_RATIO],
        "relations": [relations.LEAST_WINDOWS, relations.MEMORY, relations.CLIP, relations.RIDGES.tolist()],
        "regimes": [REGIMES, regimes.RADIUS, regimes.LEAVE, regimes.HOLD, regimes.SLOWEST],
        "most": [MOST_TAGS, MOST_RELATED, MOST_PAIRED],
    },
)
"""Features of one tag, of one pair of tags, and of the point; a vector has them for all its tags (`columns`)."""


@lru_cache(maxsize=256)
def columns(tags: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the vector of a frame with these tags.

    All features of the first tag, ``slope_1h[oil]``, then of the next; then the pairs, ``correlation[oil,winding]``, each with
    the tags before it; then those of the point.

    Returns
    -------
    names, units : tuple of str
        Units are in terms of the tag's SI unit `u`.
    """
    used = tags[:MOST_TAGS]
    names = [f"{each.name}[{tag}]" for tag in used for each in PER_TAG]
    units = [each.unit for _ in used for each in PER_TAG]
    pairs = [f"{PER_PAIR[0].name}[{a},{b}]" for i, b in enumerate(used[:MOST_PAIRED]) for a in used[:i]]
    names += [*pairs, *(each.name for each in PER_POINT)]
    units += [*("" for _ in pairs), *(each.unit for each in PER_POINT)]
    return tuple(names), tuple(units)
