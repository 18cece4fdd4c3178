"""`foreshock evaluate`: the same Fleet as the worker's, on recordings, without a broker."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from foreshock.cli.options import ConfigOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from foreshock.detectors.reference import Reference
    from foreshock.fleet import Fleet, FleetSpec
    from foreshock.outcome import Outcome
    from foreshock.recordings import Series

_BATCH = 256


def run(
    folder: Annotated[Path, typer.Option("--in", help="Folder in protocol 1: manifest.json and one file per series.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for one csv (score,alarm) per series.")] = None,
    reference: Annotated[Path | None, typer.Option(help="Reference record of the asset class.")] = None,
    write_reference: Annotated[
        Path | None, typer.Option(help="Compute a reference from the warm-up of the series, write it, and stop.")
    ] = None,
    asset_class: Annotated[str, typer.Option(help="Asset class of the written reference; empty: any.")] = "",
    budget: Annotated[
        float | None, typer.Option(help="False alarms per asset and month that are tolerated (detection.budget).")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="full or lean (detection.profile).")] = None,
    river: Annotated[
        str | None, typer.Option(help="A class of river.anomaly in place of the trees (detection.river).")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="Policies of the alerts: files or directories (alerts.policies).")
    ] = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Score recordings and write the scores and alarms as a worker with the same settings would have sent them.

    `alerts.jsonl` in the same folder has the changes of alerts.v1, as nobody acknowledges or repairs anything.
    """
    from foreshock.detection import reference_of, spec_of
    from foreshock.fleet import Fleet
    from foreshock.policies import read_policies
    from foreshock.recordings import read_series

    settings = settings_from(
        config,
        detection__budget=budget,
        detection__profile=profile,
        detection__river=river,
        detection__reference=None if reference is None else str(reference),
    )
    spec = spec_of(settings)
    if write_reference:
        record = build_reference(folder, spec, asset_class)
        record.save(write_reference)
        print(json.dumps({"reference": record.id}) if as_json else f"{record.id} -> {write_reference}")
        return
    if out is None:
        raise ConfigurationError("--out is needed: the folder that the scores go to")
    known = reference_of(settings)
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    policies = read_policies(policy or settings.alerts.policies)
    with (out / "alerts.jsonl").open("w") as told:
        for series in read_series(folder):
            fleet = Fleet(spec, reference=known, assets=[series.asset], policies=policies)
            rows.append({"series": series.id, "rows": series.rows, **_write(out, series, score(fleet, series), told)})
    seconds = time.perf_counter() - started
    if as_json:
        names = {"model": spec.model_name, "policy": spec.waveform_policy_name, "reference": known.id if known else ""}
        print(json.dumps({"seconds": round(seconds, 3), **names, "series": rows}))
    else:
        blocks, alarms = sum(r["rows"] for r in rows), sum(r["alarms"] for r in rows)
        print(f"{spec.model_name}, {spec.waveform_policy_name}")
        alerts, suppressed = sum(r["alerts"] for r in rows), sum(r["suppressed"] for r in rows)
        print(f"{len(rows)} series, {blocks} rows, {alarms} in alarm, {seconds:.1f} s -> {out}")
        print(f"{alerts} alerts raised, {suppressed} times suppressed")


def score(fleet: Fleet, series: Series) -> Iterator[Outcome]:
    """Outcomes of a series, in batches as a worker would see them."""
    from foreshock.recordings import blocks

    records = list(blocks(series))
    for i in range(0, len(records), _BATCH):
        yield from fleet.receive(records[i : i + _BATCH])


def build_reference(folder: Path, spec: FleetSpec, asset_class: str = "") -> Reference:
    """Reference of the waveform series of a folder, from the blocks that are known to be healthy.

    Raises
    ------
    ConfigurationError
        The folder has no waveform series.
    """
    import numpy as np

    from foreshock.contract import Context
    from foreshock.detectors.reference import Healthy, Reference
    from foreshock.features.catalog import extract
    from foreshock.recordings import read_series

    healthy = {}
    for series in read_series(folder):
        if series.kind == "blocks":
            x = np.ascontiguousarray(np.moveaxis(series.x[: series.warmup], 2, 1))
            vectors = extract(x, series.rate_hz, spec.feature_set)
            names = spec.feature_set.names(series.columns)
            healthy[series.id] = Healthy(names, vectors, [Context()] * len(vectors))
    if not healthy:
        raise ConfigurationError(f"{folder}: no waveform series to compute a reference from")
    return Reference.build(asset_class, 1, spec.feature_set.id, healthy)


def _write(out: Path, series: Series, outcomes: Iterator[Outcome], told: TextIO) -> dict[str, int]:
    from foreshock.records import to_tree

    alarms = episodes = 0
    changes: Counter[str] = Counter()
    with (out / f"{series.id.replace('/', '__')}.csv").open("w") as handle:
        handle.write("score,alarm\n")
        for outcome in outcomes:
            episodes += sum(a.phase == "opened" for a in outcome.anomalies)
            for row in outcome.score.rows:
                alarms += row.alarm
                handle.write(f"{row.value or 0.0!r},{int(row.alarm)}\n")
            for alert in outcome.alerts:
                changes[alert.change] += 1
                told.write(json.dumps({"series": series.id, **to_tree(alert)}) + "\n")
    return {"alarms": alarms, "episodes": episodes, "alerts": changes["raised"], "suppressed": changes["suppressed"]}
