"""What things cost: a price file, and from it the cost of an asset for a month.

    currency = "EUR"
    core_hour = 0.04          # one CPU core for an hour
    memory_gib_hour = 0.005   # a GiB of memory for an hour
    received_gib = 0.02       # a GiB of sensor records: network, and Kafka's disks for as long as they are kept
    process_month = 0.0       # what a worker process costs for 30 days whatever it does

All figures are of the owner of the bill; one that is missing is 0.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from foreshock.errors import ConfigurationError

GIB = 1024.0**3
HOURS = 720.0  # of 30 days


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in one currency."""

    currency: str
    core_hour: float = 0.0
    memory_gib_hour: float = 0.0
    received_gib: float = 0.0
    process_month: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one asset class used of a process.

    Attributes
    ----------
    assets
        How many there are.
    share
        Of all assets of the process, 0..1.
    cores
        CPU seconds a second.
    bytes_per_s
        Received.
    """

    assets: int
    share: float
    cores: float
    bytes_per_s: float


def read_prices(path: str) -> Prices | None:
    """Read a price file; None for "".

    Raises
    ------
    ConfigurationError
        It cannot be read, or does not say what it must.
    """
    if not path:
        return None
    try:
        given = tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigurationError(f"metrics.prices: {path}: {exc}") from None
    known = [each.name for each in fields(Prices)]
    problems = [f"unknown price {name}; known: {', '.join(known)}" for name in given if name not in known]
    currency = given.get("currency")
    if not isinstance(currency, str) or not currency.isascii() or not currency.isalnum() or len(currency) > 8:
        problems.append('currency must be a short name like "EUR"')
    for name in known[1:]:
        value = given.get(name, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            problems.append(f"{name} must be a number of at least 0, not {value!r}")
    if problems:
        raise ConfigurationError("\n".join(f"metrics.prices: {path}: {each}" for each in problems))
    return Prices(**given)


def month_of(prices: Prices, usage: Usage, memory_bytes: float) -> float:
    """Give the cost of one asset of a class for 30 days, at the rates of now.

    (cores * 720 * core_hour + bytes_per_s * 2592000 / 2**30 * received_gib
    + share * (memory_bytes / 2**30 * 720 * memory_gib_hour + process_month)) / assets
    """
    if not usage.assets:
        return 0.0
    cpu = usage.cores * HOURS * prices.core_hour
    received = usage.bytes_per_s * HOURS * 3600.0 / GIB * prices.received_gib
    shared = usage.share * (memory_bytes / GIB * HOURS * prices.memory_gib_hour + prices.process_month)
    return (cpu + received + shared) / usage.assets
