"""`foreshock console`: the page that shows machines, alerts and the machine room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, PrefixOption, RedisOption, settings_from


def run(
    listen: Annotated[
        str | None, typer.Option("--listen", help="Where to listen, host:port; port 0 is any that is free.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the token that lets people change something.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
) -> None:
    """Show machines, alerts with their proof, and the pipeline, in a browser, until Ctrl-C.

    It reads Kafka in no group and holds no truth: a restart shows the same. It listens on this machine alone, and is
    read-only, unless a token is set. Exit codes: 2 wrong configuration, 3 Kafka cannot be reached or the port is taken.
    """
    from foreshock.streams.console import process

    settings = settings_from(
        config, bootstrap=bootstrap, redis=redis, prefix=prefix, console__listen=listen, console__token_file=token_file
    )
    process.run(settings, open_page=open_page)
