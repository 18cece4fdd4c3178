"""Options that many commands share, and the settings they make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from foreshock.settings import Settings, load

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file (default: ./foreshock.toml).")]
BootstrapOption = Annotated[str | None, typer.Option("--bootstrap", help="Kafka's address, host:port.")]
RedisOption = Annotated[str | None, typer.Option("--redis", help="URL of the cache; without one nothing else changes.")]
PrefixOption = Annotated[str | None, typer.Option("--prefix", help="Prefix of all topic names, with its separator.")]
LogFormatOption = Annotated[
    str | None, typer.Option("--log-format", help="human or json (default: JSON where standard error is no terminal).")
]
ZipkinOption = Annotated[
    bool, typer.Option("--zipkin", help="Start Zipkin too, which shows traces in a browser (131 MB, fetched once).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def settings_from(
    config: Path | None = None,
    *,
    bootstrap: str | None = None,
    redis: str | None = None,
    prefix: str | None = None,
    **more: Any,
) -> Settings:
    """Read the settings with the flags of a command over them; `more` is ``worker__processes=2`` and the like."""
    flags = {"kafka.bootstrap": bootstrap, "redis.url": redis, "topics.prefix": prefix}
    return load(config, flags=flags | {name.replace("__", ".", 1): value for name, value in more.items()})
