"""`foreshock replay`: compute an anomaly again from its case, and compare every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import CaseRejected, ConfigurationError

if TYPE_CHECKING:
    from foreshock.replay import Verdict
    from foreshock.settings import Settings
    from foreshock.streams.cases.file import CaseFile

_SHOWN = 20  # differences of an event that are written out


def run(
    event: Annotated[str, typer.Argument(metavar="[EVENT]", help="Event id, or its first digits.")] = "",
    *,
    file: Annotated[Path | None, typer.Option(help="A file of `foreshock evidence`; no broker is needed.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every anomaly that is on anomalies.v1.")] = False,
    log: Annotated[bool, typer.Option(help="From the records on Kafka, although there is a case.")] = False,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild an anomaly and its score from its case, and print EQUAL or each field that differs.

    The sha256 that the anomaly names is checked first. Where there is no case, the asset's records are folded again
    from the log. Exit code 0: equal, bit for bit; 1: not equal, or not proven.
    """
    if sum((bool(event), file is not None, everything)) != 1:
        raise ConfigurationError("give an event id, or --file, or --all")
    if file is not None:
        verdicts: Iterator[Verdict] = iter([of_case(read_file(file))])
    else:
        settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
        verdicts = _all(settings) if everything else iter([_one(settings, event, log=log)])
    good = total = 0
    for verdict in verdicts:
        total, good = total + 1, good + verdict.equal
        if as_json:
            print(json.dumps(asdict(verdict)))
        elif not everything or not verdict.equal:
            show(verdict)
    if everything and not as_json:
        print(f"EQUAL for {good} of {total} anomalies")
    if good != total:
        raise typer.Exit(1)


def of_case(case: CaseFile) -> Verdict:
    """Replay a case, after it was held against what its anomaly names."""
    from foreshock.replay import replay
    from foreshock.streams.cases.reading import recorded

    return replay(recorded(case.anomaly, case.body, case.fingerprint))


def read_file(file: Path) -> CaseFile:
    """Read a case from a file."""
    from foreshock.streams.cases.file import read

    try:
        return read(file.read_bytes())
    except OSError as exc:
        raise ConfigurationError(f"{file}: {exc.strerror}") from exc


def _one(settings: Settings, event: str, *, log: bool) -> Verdict:
    from foreshock.streams.cases.log import replay_log
    from foreshock.streams.cases.search import case_for, find

    seen = find(settings, event)
    case = None if log else case_for(settings, seen)
    return replay_log(settings, seen) if case is None else of_case(case)


def _all(settings: Settings) -> Iterator[Verdict]:
    from foreshock.replay import Difference
    from foreshock.replay import verdict as conclude
    from foreshock.streams.cases.log import replay_log
    from foreshock.streams.cases.search import every_case, sightings

    wanted = {each.anomaly.event_id: each for each in sightings(settings)}
    for case in every_case(settings, wanted):
        del wanted[case.anomaly.event_id]
        try:
            yield of_case(case)
        except CaseRejected as exc:
            yield conclude(case.anomaly, [Difference("case", case.anomaly.lineage.evidence, str(exc))])
    for seen in wanted.values():
        yield replay_log(settings, seen)


def show(verdict: Verdict) -> None:
    """Print a verdict for a person."""
    print(f"{'EQUAL' if verdict.equal else 'DIFFERENT'}  {verdict.event_id}")
    for each in verdict.differences[:_SHOWN]:
        print(f"  {each.field}: recorded {each.recorded!r}, replayed {each.replayed!r}")
    if len(verdict.differences) > _SHOWN:
        print(f"  and {len(verdict.differences) - _SHOWN} more fields")
    for note in verdict.notes:
        print(f"  note: {note}")
