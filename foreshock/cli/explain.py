"""`foreshock explain EVENT`: an anomaly in plain words, and whether it can be proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.cli.replay import of_case, read_file
from foreshock.errors import CaseRejected, ConfigurationError

if TYPE_CHECKING:
    from foreshock.contract import Anomaly
    from foreshock.streams.cases.file import CaseFile


def run(
    event: Annotated[str, typer.Argument(metavar="[EVENT]", help="Event id, or its first digits.")] = "",
    *,
    file: Annotated[Path | None, typer.Option(help="A file of `foreshock evidence`; no broker is needed.")] = None,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell why an anomaly fired: machine, sensor, what moved how far, the rule, the records, the model's state.

    Exit code 1 where the case does not prove it.
    """
    from foreshock.account import account, text
    from foreshock.records import to_tree
    from foreshock.streams.cases.reading import recorded

    if bool(event) == (file is not None):
        raise ConfigurationError("give an event id or --file")
    anomaly, case = _from_kafka(event, config, bootstrap, prefix) if file is None else _from_file(file)
    state, proof, proven = None, "there is no case: `foreshock replay` computes it from the log", True
    if case is not None:
        try:
            state = recorded(case.anomaly, case.body, case.fingerprint).state
            verdict = of_case(case)
            proven = verdict.equal
            proof = "replayed from its case: " + (
                "EQUAL, bit for bit"
                if proven
                else f"DIFFERENT in {', '.join(d.field for d in verdict.differences[:5])}"
            )
        except CaseRejected as exc:
            proven, proof = False, f"the case proves nothing: {exc}"
    paragraphs = [*account(anomaly, state), ("proof", [proof])]
    if as_json:
        told = dict(paragraphs)
        print(
            json.dumps(
                {
                    "event_id": anomaly.event_id,
                    "proven": proven and case is not None,
                    "account": told,
                    "anomaly": to_tree(anomaly),
                }
            )
        )
    else:
        print(text(paragraphs))
    if not proven:
        raise typer.Exit(1)


def _from_kafka(
    event: str, config: Path | None, bootstrap: str | None, prefix: str | None
) -> tuple[Anomaly, CaseFile | None]:
    from foreshock.streams.cases.search import case_for, find

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    seen = find(settings, event)
    return seen.anomaly, case_for(settings, seen)


def _from_file(file: Path) -> tuple[Anomaly, CaseFile]:
    case = read_file(file)
    return case.anomaly, case
