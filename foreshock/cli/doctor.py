"""`foreshock doctor`: what is there, what is missing, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, RedisOption, settings_from
from foreshock.settings import Settings

if TYPE_CHECKING:
    from foreshock.local.checks import Check

_MARKS = {"ok": "ok     ", "warning": "warning", "missing": "MISSING", "unused": "-      "}


def run(
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is there, what is missing and what to do. Exit 1 if something needed is missing."""
    settings = settings_from(config, bootstrap=bootstrap, redis=redis, prefix=prefix)
    failed = False
    for check in _checks(settings):
        failed |= check.state == "missing"
        if as_json:
            print(json.dumps(asdict(check)))
            continue
        print(f"{_MARKS[check.state]}  {check.name:<12} {check.found}")
        if check.fix:
            print(f"{'':<22} -> {check.fix}")
    if failed:
        raise typer.Exit(1)


def _checks(settings: Settings) -> Iterator[Check]:
    """Look at everything, in the order in which one thing needs another."""
    from foreshock.local import checks, service_checks

    yield from checks.machine(settings)
    broker = service_checks.kafka(settings)
    reachable = broker.state is checks.State.OK
    yield from checks.local_parts(needed=not reachable)
    yield checks.ports()
    yield broker
    if reachable:
        yield from service_checks.topics(settings)
    yield service_checks.redis(settings)
    yield service_checks.registry(settings)
