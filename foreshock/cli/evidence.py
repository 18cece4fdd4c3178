"""`foreshock evidence EVENT --out FILE`: take an anomaly's case away as one file, or what is kept around a work order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import CaseRejected, ConfigurationError

if TYPE_CHECKING:
    from foreshock.settings import Settings
    from foreshock.streams.cases.works import Work

NO_WINDOW = "no case writer has added raw records yet"


def run(
    event: Annotated[str, typer.Argument(metavar="[EVENT]", help="Event id, or its first digits.")] = "",
    *,
    order: Annotated[str, typer.Option("--order", help="In place of an event: number of a work order.")] = "",
    out: Annotated[Path, typer.Option(help="The file to write: an Avro object container.")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an anomaly, its case and the raw records around it to a file that proves itself.

    `foreshock replay --file` and `foreshock explain --file` need nothing else; any Avro tool reads the file.
    Of a work order: what was told of it, and the raw records before and after the work.
    """
    if bool(event) == bool(order):
        raise ConfigurationError("give an event id, or --order with the number of a work order")
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    if order:
        _work(settings, order, out, as_json=as_json)
    else:
        _case(settings, event, out, as_json=as_json)


def _case(settings: Settings, event: str, out: Path, *, as_json: bool) -> None:
    from foreshock.cases import PartKind
    from foreshock.streams.cases.file import write
    from foreshock.streams.cases.reading import recorded
    from foreshock.streams.cases.search import case_for, find

    case = case_for(settings, find(settings, event))
    if case is None:
        raise CaseRejected(
            f"anomaly {event} has no case on evidence.v1: `foreshock replay {event}` computes it from the log"
        )
    recorded(case.anomaly, case.body, case.fingerprint)  # what cannot be proven is not given away
    data = write(case)
    _save(out, data)
    found = {kind: [each for each in case.parts if each.kind is kind] for kind in PartKind}
    before, after = len(found[PartKind.BEFORE]), len(found[PartKind.AFTER])
    missing = next((each.note for each in found[PartKind.WINDOW]), NO_WINDOW)
    if as_json:
        about = {"event_id": case.anomaly.event_id, "file": str(out), "bytes": len(data)}
        kept = {"sha256": case.anomaly.lineage.evidence, "before": before, "after": after, "missing": missing}
        print(json.dumps({**about, **kept}))
        return
    print(f"{out}: {len(data)} bytes, event {case.anomaly.event_id}")
    print(f"  case sha256 {case.anomaly.lineage.evidence}, as the anomaly names it")
    print(f"  raw records: {before} before the event, {after} after{f' ({missing})' if missing else ''}")


def _work(settings: Settings, number: str, out: Path, *, as_json: bool) -> None:
    from foreshock.streams.cases.works import find_work, write_work

    found = find_work(settings, number)
    data = write_work(found)
    _save(out, data)
    if as_json:
        about = {"work_order": number, "file": str(out), "bytes": len(data)}
        print(json.dumps({**about, "records": [_kept(each) for each in found]}))
        return
    print(f"{out}: {len(data)} bytes, work order {number}")
    for each in map(_kept, found):
        print(f"  {each['asset']} {each['kind']} by {each['actor']}, id {each['event_id']}")
        missing = f" ({each['missing']})" if each["missing"] else ""
        print(f"    raw records: {each['before']} before, {each['after']} after{missing}")


def _kept(work: Work) -> dict[str, str | int]:
    from foreshock.cases import PartKind

    return {
        "event_id": work.event_id,
        "kind": str(work.order.kind),
        "asset": work.order.asset,
        "actor": work.order.actor,
        "before": len(work.of(PartKind.BEFORE)),
        "after": len(work.of(PartKind.AFTER)),
        "missing": next((each.note for each in work.of(PartKind.WINDOW)), NO_WINDOW),
    }


def _save(out: Path, data: bytes) -> None:
    try:
        out.write_bytes(data)
    except OSError as exc:
        raise ConfigurationError(f"{out} cannot be written: {exc.strerror}") from exc
