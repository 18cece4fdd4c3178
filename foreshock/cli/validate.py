"""`foreshock validate FILE|-`: what a worker would say to these records, before anything is sent."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import ConfigOption, JsonOption, settings_from
from foreshock.errors import ConfigurationError


def run(
    file: Annotated[
        Path, typer.Argument(help="JSON, JSON lines, an Avro value or container file; - for standard input.")
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check records of sensors.v1, assets.v1, control.v1 and maintenance.v1 as a worker does.

    Each problem names the field and the fix. The partition of a key is checked when a record is there, not here.

    Exit code 0 when every record can be used, 1 when one cannot.
    """
    from foreshock.streams.coders import registry_for
    from foreshock.streams.errands.validation import validate

    settings = settings_from(config)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{file}: {exc.strerror}") from exc
    good = bad = 0
    largest = settings.topics.max_message_bytes
    for verdict in validate(data, now_ns=time.time_ns(), largest=largest, registry=registry_for(settings)):
        good, bad = good + verdict.ok, bad + (not verdict.ok)
        if as_json:
            print(json.dumps({name: value for name, value in asdict(verdict).items() if value != ""}))
            continue
        place = f"record {verdict.number}"
        if verdict.ok:
            print(f"{place}: ok, {verdict.schema} of {verdict.asset}, {verdict.summary}")
        else:
            print(f"{place}: {verdict.reason}: {verdict.field or 'the record'}: {verdict.sentence}")
            print(f"  fix: {verdict.fix}")
        if verdict.note:
            print(f"  note: {verdict.note}")
    if not as_json:
        print(f"{good} of {good + bad} records can be used")
    if bad:
        raise typer.Exit(1)
