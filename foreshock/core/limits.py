"""Static limits that the user states: from block 1, beside the models and alone while these are warming."""

from __future__ import annotations

from collections.abc import Mapping

from foreshock.contract import Asset, Limit


def limits_of(asset: Asset, point: str) -> tuple[Limit, ...]:
    """Limits of a measuring point."""
    return next((p.limits for p in asset.points if p.point == point), ())


def worst(limits: tuple[Limit, ...], values: Mapping[str, float]) -> tuple[float, Limit | None, str]:
    """The limit that is nearest to be exceeded, or exceeded most.

    Parameters
    ----------
    limits
        A limit on `rms` holds for `rms[ch]` of every channel; one on `rms[ch]` for that channel.
    values
        Feature or tag name to value in SI.

    Returns
    -------
    tuple of float, Limit or None, str
        Ratio (1 at the limit), the limit, and the name of the value; (0, None, "") where none applies.
    """
    found: tuple[float, Limit | None, str] = (0.0, None, "")
    for limit in limits:
        for name, value in values.items():
            if name == limit.feature or name.startswith(f"{limit.feature}["):
                ratio = exceedance(limit, value)
                if ratio > found[0]:
                    found = (ratio, limit, name)
    return found


def exceedance(limit: Limit, value: float) -> float:
    """How far a value is to its limit: 1 at the limit, more beyond; 0 for a value that is missing.

    value / above and below / value where both signs are positive; else 1 + the distance over max(1, |limit|).
    """
    ratios = [0.0]
    if limit.above is not None:
        scaled = limit.above > 0 and value >= 0
        ratios.append(value / limit.above if scaled else 1.0 + (value - limit.above) / max(1.0, abs(limit.above)))
    if limit.below is not None:
        scaled = limit.below > 0 and value > 0
        ratios.append(limit.below / value if scaled else 1.0 + (limit.below - value) / max(1.0, abs(limit.below)))
    return max(r for r in ratios if r == r)  # noqa: PLR0124  # leaves NaN out
