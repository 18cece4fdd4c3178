"""`foreshock backfill FILE`: send history, so that the model of an asset is warm before its first live block."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError


def run(
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet (a column per channel, maybe one `time`) or .wav.")],
    asset: Annotated[str, typer.Option(help="Asset id: the key of the records.")],
    unit: Annotated[str, typer.Option(help="Unit of the values: m/s2, g, mm/s, degC, ...")],
    quantity: Annotated[
        str | None, typer.Option(help="acceleration, velocity, ...; only where the unit does not say it.")
    ] = None,
    point: Annotated[str, typer.Option(help="Measuring point; must be that of the live data.")] = "drive-end",
    rate: Annotated[
        float | None, typer.Option(help="Samples per second of a waveform; none: a table of slow values.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Samples per block; must be that of the live data.")] = 4096,
    gain: Annotated[float, typer.Option(help="Factor from the numbers of the file to the unit.")] = 1.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send history as blocks (with --rate, or a .wav) or as frames, with source times in the past.

    Without a time column the history ends now. Send it before the live data: what is older than the last block of a
    measuring point is late, and late blocks are not learnt.
    """
    from foreshock.history import Place, blocks_of, frames_of, read_history
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.spans.sending import Sending
    from foreshock.streams.topics import ensure

    quantity = quantity or _quantity(unit)
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    history = read_history(file)
    history = replace(history, values=history.values * gain)
    place = Place(asset=asset, point=point, quantity=quantity, unit=unit)
    rate = rate if rate is not None else history.rate_hz
    if rate is not None and not 0 < rate < float("inf"):
        raise ConfigurationError(f"--rate must be above 0, not {rate}")
    if samples < 1:
        raise ConfigurationError(f"--samples must be at least 1, not {samples}")
    records = (
        frames_of(history, place)
        if rate is None
        else blocks_of(history, place, rate_hz=rate, samples=samples, end_ns=time.time_ns())
    )
    ensure(settings)
    with Sender(settings, spans=Sending(settings, program="backfill")) as sender:
        for record in records:
            sender.send(record)
    left = 0 if rate is None else len(history.values) % samples
    if as_json:
        print(
            json.dumps(
                {"asset": asset, "point": point, "quantity": quantity, "records": sender.sent, "rows_left_over": left}
            )
        )
    else:
        kind = "frames" if rate is None else f"blocks of {samples} samples"
        print(
            f"{sender.sent} {kind} of {asset}, {point} ({quantity}) sent"
            + (f"; {left} samples at the end fill no block" if left else "")
        )


def _quantity(unit: str) -> str:
    """Take the quantity from the unit; where it is not plain, ask for it."""
    from foreshock.errors import InputRejected
    from foreshock.units import quantity_of

    try:
        return quantity_of(unit)
    except InputRejected as exc:
        raise ConfigurationError(f"--unit: {exc.sentence}; {exc.fix} (--quantity)") from exc
