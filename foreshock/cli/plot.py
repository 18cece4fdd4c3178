"""`foreshock features plot FILE`: waveform, spectrum, spectrum of the envelope and trend of a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli.options import ConfigOption, JsonOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from foreshock.cli.drawing import F64, Picture, Trend
    from foreshock.contract import Asset, SensorBlock
    from foreshock.streams.console.spectra import F32
    from foreshock.streams.errands.recorded import Recorded

WIDTH = 2000
_MOST_TAGS = 8


def run(
    file: Annotated[
        Path,
        typer.Argument(help="Recordings (a folder with manifest.json, or a file of it), or blocks as JSON or Avro."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The picture: a .png or .svg file.")],
    name: Annotated[str, typer.Option("--asset", help="Which series or asset of the file (default: the first).")] = "",
    channel: Annotated[str, typer.Option(help="Channel of the spectra (default: the first).")] = "",
    block: Annotated[int, typer.Option(help="Record of the spectra, from 0; negative ones count from the end.")] = -1,
    feature: Annotated[str, typer.Option(help="Feature of the trend, of the sets full or signal.")] = "rms",
    speed: Annotated[
        float | None, typer.Option(min=0, help="Speed of the reference shaft in Hz, for the marks.")
    ] = None,
    assets: Annotated[
        Path | None, typer.Option(help="Master data, .toml or .json: marks where faults of its parts would show.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a recording to PNG or SVG: waveform, spectrum, envelope and trend; of telemetry the values of its tags."""
    from foreshock.cli.drawing import draw, draw_table
    from foreshock.streams.errands.recorded import recorded

    found = recorded(file, name)
    title = f"{found.asset}, {found.point}"
    if found.frames:
        trends = _tags(found)
        draw_table(title, trends, out)
        _say(as_json, out, found, {"tags": [each.label for each in trends]})
        return
    picture = _picture(
        found, title, _chosen(found, block), channel, feature, speed, _master(assets, found.asset, config)
    )
    draw(picture, out)
    _say(as_json, out, found, {"feature": feature, "envelope_band_hz": picture.shown["envelope"]["band_hz"]})


def _say(as_json: bool, out: Path, found: Recorded, more: dict[str, Any]) -> None:
    records = len(found.blocks) + len(found.frames)
    if as_json:
        told = {"out": str(out), "asset": found.asset, "point": found.point, "records": records}
        print(json.dumps({**told, "left_out": found.left_out, **more}))
        return
    rest = f"; {found.left_out} of other points or layouts left out" if found.left_out else ""
    print(f"{records} records of {found.asset}, {found.point} -> {out}{rest}")


def _chosen(found: Recorded, block: int) -> int:
    count = len(found.blocks)
    if not -count <= block < count:
        raise ConfigurationError(f"--block {block}: there are {count} records")
    return block % count


def _master(assets: Path | None, name: str, config: Path | None) -> Asset | None:
    """Give the master data of an asset, completed by its class."""
    if assets is None:
        return None
    from foreshock.classes.completing import completed
    from foreshock.cli.asset_files import read_assets

    known = {each.asset: each for each in read_assets(assets)}
    if name not in known:
        raise ConfigurationError(f"{assets} holds no asset {name!r}; it has {', '.join(known)}")
    return completed(known[name], settings_from(config).classes.read())


def _picture(
    found: Recorded, title: str, number: int, channel: str, feature: str, speed: float | None, master: Asset | None
) -> Picture:
    from foreshock.cli.drawing import Picture
    from foreshock.streams.console import spectra
    from foreshock.streams.console.block import in_si
    from foreshock.units import units_of

    first = found.blocks[0]
    channel = channel or first.channels[0]
    if channel not in first.channels:
        raise ConfigurationError(f"there is no channel {channel!r}; known: {', '.join(first.channels)}")
    block = found.blocks[number]
    x = in_si(block)[first.channels.index(channel)]
    marks, _ = spectra.markers(master, speed or block.context.speed_hz)
    unit = units_of(first.quantity)[0]
    trend = _trend(found, feature, unit, number, master)
    return Picture(
        title=f"{title}: channel {channel}, record {number} of {len(found.blocks)}",
        unit=unit,
        frequency="Hz" if block.sampling_rate_hz else "cycles per sample",
        shown=spectra.channel(x, block.sampling_rate_hz, WIDTH),
        marks=marks,
        trend=trend,
    )


def _trend(found: Recorded, feature: str, unit: str, number: int, master: Asset | None) -> Trend:
    """Compute one feature of every record: as in a score where the detectors have it, else as of a window of its own."""
    import numpy as np

    from foreshock.cli.drawing import Trend
    from foreshock.features import catalog, signal
    from foreshock.features.declared import Scale
    from foreshock.streams.console.block import in_si
    from foreshock.units import squared

    first = found.blocks[0]
    x = np.stack([in_si(each) for each in found.blocks])
    known = {each.name: each for each in catalog.FULL.features}
    if feature in known and first.samples.shape[1] >= catalog.MIN_SAMPLES:
        column = list(known).index(feature)
        values = catalog.extract(x, first.sampling_rate_hz, catalog.FULL)[:, column :: catalog.FULL.per_channel]
        declared, scale = known[feature].unit, known[feature].scale
    elif feature in signal.SIGNAL.index:
        column = signal.SIGNAL.index[feature]
        values = np.stack(
            [_of_window(rows, each, master)[:, column] for rows, each in zip(x, found.blocks, strict=True)]
        )
        declared, scale = signal.SIGNAL.features[column].unit, signal.SIGNAL.features[column].scale
    else:
        from foreshock.alerts.fields import hint

        raise ConfigurationError(f"there is no feature {feature!r}: {hint(feature, [*known, *signal.SIGNAL.index])}")
    times = np.array([each.source_ns for each in found.blocks], np.int64)
    seconds = (times - times[0]) / 1e9
    own = {"u": unit, "u2": squared(unit)}.get(declared, declared)
    label = f"Trend of {feature}{' (logarithm)' if scale is Scale.LOG else ''}"
    by_channel = {name: values[:, i].astype(np.float64) for i, name in enumerate(first.channels)}
    return Trend(label, own, seconds, by_channel, float(seconds[number]))


def _of_window(x: F32, block: SensorBlock, master: Asset | None) -> F64:
    """Give the standard set of one record; NaN where a value is masked."""
    import numpy as np

    from foreshock.features.signal import SIGNAL, Given, extract

    given = Given(
        rate_hz=block.sampling_rate_hz,
        speed_hz=block.context.speed_hz,
        rated_speed_hz=master.rated_speed_hz if master else None,
        quantity=block.quantity,
    )
    values, masks = extract(x, given)
    return np.where(masks[:, : SIGNAL.per_channel] == 0, values[:, : SIGNAL.per_channel], np.nan)


def _tags(found: Recorded) -> list[Trend]:
    import numpy as np

    from foreshock.cli.drawing import Trend

    times = np.concatenate([each.times_ns for each in found.frames])
    values = np.concatenate([each.values for each in found.frames])
    seconds = (times - times[0]) / 1e9
    tags = found.frames[0].tags[:_MOST_TAGS]
    return [Trend(tag.name, tag.unit, seconds, {tag.name: values[:, i]}) for i, tag in enumerate(tags)]
