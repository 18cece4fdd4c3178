"""`foreshock evidence EVENT --out FILE`: take an anomaly's case away as one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import CaseRejected, ConfigurationError


def run(
    event: Annotated[str, typer.Argument(help="Event id, or its first digits.")],
    out: Annotated[Path, typer.Option(help="The file to write: an Avro object container.")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an anomaly, its case and the raw records around it to a file that proves itself.

    `foreshock replay --file` and `foreshock explain --file` need nothing else; any Avro tool reads the file.
    """
    from foreshock.cases import PartKind
    from foreshock.streams.cases.file import write
    from foreshock.streams.cases.reading import recorded
    from foreshock.streams.cases.search import case_for, find

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    case = case_for(settings, find(settings, event))
    if case is None:
        raise CaseRejected(
            f"anomaly {event} has no case on evidence.v1: `foreshock replay {event}` computes it from the log"
        )
    recorded(case.anomaly, case.body, case.fingerprint)  # what cannot be proven is not given away
    data = write(case)
    try:
        out.write_bytes(data)
    except OSError as exc:
        raise ConfigurationError(f"{out} cannot be written: {exc.strerror}") from exc
    found = {kind: [each for each in case.parts if each.kind is kind] for kind in PartKind}
    before, after = len(found[PartKind.BEFORE]), len(found[PartKind.AFTER])
    missing = next((each.note for each in found[PartKind.WINDOW]), "no case writer has added raw records yet")
    if as_json:
        print(
            json.dumps(
                {
                    "event_id": case.anomaly.event_id,
                    "file": str(out),
                    "bytes": len(data),
                    "sha256": case.anomaly.lineage.evidence,
                    "before": before,
                    "after": after,
                    "missing": missing,
                }
            )
        )
        return
    print(f"{out}: {len(data)} bytes, event {case.anomaly.event_id}")
    print(f"  case sha256 {case.anomaly.lineage.evidence}, as the anomaly names it")
    print(f"  raw records: {before} before the event, {after} after{f' ({missing})' if missing else ''}")
