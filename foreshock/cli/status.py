"""`foreshock status`: the last state of each asset, as the cache has it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from foreshock.cli.options import ConfigOption, JsonOption, PrefixOption, RedisOption, settings_from

STALE_GAPS = 3  # times the last gap between two states
STALE_S = 60.0
PLAIN_WIDTH = 200  # where the output is no terminal


def run(
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="One asset; all without.")] = "",
    *,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    config: ConfigOption = None,
    stale_s: Annotated[
        float,
        typer.Option(
            "--stale-after",
            help="Seconds of silence, or three times the asset's own interval, that make a state stale.",
        ),
    ] = STALE_S,
    as_json: JsonOption = False,
) -> None:
    """Show state, score, last event, warm-up and learning of each asset."""
    import orjson

    from foreshock.streams.cache import CacheReader

    settings = settings_from(config, redis=redis, prefix=prefix)
    reader = CacheReader(settings.redis.url, prefix=settings.topics.prefix)
    names = [asset] if asset else reader.assets()
    now_ns = time.time_ns()
    found = [with_age(point, now_ns, stale_s) for point in reader.read(*names)]
    if as_json:
        for point in found:
            print(orjson.dumps(point).decode())
    elif found:
        _print_table(found)
    if not found:
        where = f"prefix {settings.topics.prefix!r}" if settings.topics.prefix else "no topic prefix"
        what = f"knows no asset {asset!r}" if asset else "is empty"
        typer.echo(
            f"foreshock: the cache {what} ({where}). It fills with the next record of each asset that a worker scores; is one "
            "running with this cache and prefix?",
            err=True,
        )
        if asset:
            raise typer.Exit(1)


def with_age(point: dict[str, Any], now_ns: int, stale_s: float) -> dict[str, Any]:
    """Add how long ago the asset was heard, and since when the state is stale (None: it is not)."""
    age_s = max(0.0, (now_ns - point["ingest_ns"]) / 1e9)
    limit_s = max(stale_s, STALE_GAPS * point["gap_s"])
    return {**point, "age_s": round(age_s, 3), "stale_since_ns": point["ingest_ns"] if age_s > limit_s else None}


def state_text(point: dict[str, Any]) -> str:
    """Say the state in a few words: an alarm first, then why there is no score."""
    if point["alarm"]:
        return "ALARM"
    return (
        str(point["state"]) if point["state"] in ("scored", "not_running") else f"{point['state']}: {point['reason']}"
    )


def sensor_text(point: dict[str, Any]) -> str:
    """Say how well the sensor is where it is not, and what was found with its last record."""
    health = point.get("health", 1.0)
    return ", ".join([f"{health:.0%}"] * (health < 1.0) + point["quality"])


def event_text(event: dict[str, Any] | None) -> str:
    """Say the last event in a few words, with the digits that `foreshock trace` takes."""
    if not event:
        return ""
    what = (
        f"{event['phase']} {event['severity']}"
        if event["kind"] in ("alert", "anomaly")
        else f"{event['kind']} {event['phase']}"
    )
    return f"{what} {event['event_id'][:8]}"


def trend_text(per_hour: float | None) -> str:
    """Write the growth of the level: percent per hour, or per day where that is the readable number."""
    if per_hour is None:
        return ""
    return f"{100 * per_hour:+.1f} %/h" if abs(per_hour) >= 0.01 else f"{2400 * per_hour:+.1f} %/d"


def ago(seconds: float) -> str:
    """Write an age: seconds, minutes, hours or days."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


def cells(point: dict[str, Any]) -> tuple[str, ...]:
    """Give the cells of one line of the table."""
    stale = point["stale_since_ns"]
    since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(stale / 1e9)) if stale is not None else ""
    return (
        point["asset"],
        point["point"],
        state_text(point),
        "" if point["score"] is None else f"{point['score']:.2f}",
        "" if point["p_value"] is None else f"{point['p_value']:.3f}",
        trend_text(point.get("trend")),
        event_text(point["last_event"]),
        f"{100 * point['warmup']:.0f} %",
        "" if point["learning"] == "learning" else point["learning"],
        sensor_text(point),
        f"stale since {since}" if since else f"{ago(point['age_s'])} ago",
    )


def _print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:  # nobody looks at a screen: lines are not cut
        console.width = PLAIN_WIDTH
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("asset", "point", "state"):
        table.add_column(name)
    for name in ("score", "p", "trend"):
        table.add_column(name, justify="right")
    for name in ("last event", "warm-up", "learning held", "quality", "last seen"):
        table.add_column(name)
    for point in found:
        style = "dim" if point["stale_since_ns"] is not None else "red" if point["alarm"] else ""
        table.add_row(*cells(point), style=style)
    console.print(table)
