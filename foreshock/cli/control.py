"""`foreshock ack`, `shelve`, `unshelve`, `close`, `freeze`, `resume`, `label`, `window`: what people ask of alerts and models.

Each is a command on control.v1 with actor and reason; the answer of the worker on alerts.v1 is told. Exit codes: 0 done,
1 refused with the reason, 2 it cannot be meant, 3 nobody answered in time.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.alerts.fields import seconds_of
from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind, Holds, Verdict
from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError, InputRejected, Unavailable

if TYPE_CHECKING:
    from foreshock.settings import Settings

NS = 1_000_000_000

TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="ASSET|ALERT", help="The asset, an alert, or an incident of a line, by its id (8 digits suffice)."
    ),
]
AssetArgument = Annotated[str, typer.Argument(help="The asset's id.")]
ActorOption = Annotated[str, typer.Option("--actor", help="Who asks: a person, or a system.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the record.")]
NoteOption = Annotated[str, typer.Option("--note", help="Anything else worth keeping.")]
OrderOption = Annotated[str, typer.Option("--work-order", help="Number of the work order.")]
UntilOption = Annotated[str, typer.Option("--until", help="How long (30m, 2h, 1d), or when (ISO 8601 with a zone).")]
IdOption = Annotated[str, typer.Option("--id", help="Id of the command; the same one sent again has no second effect.")]
WaitOption = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the answer.")]


def ack(
    target: TargetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    note: NoteOption = "",
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Acknowledge an alert: somebody has seen it and acts."""
    about: dict[str, Any] = {"actor": actor, "reason": reason, "note": note, "command_id": command_id}
    _ask(CommandKind.ACKNOWLEDGE, target, about, (config, bootstrap, prefix, wait_s, as_json))


def shelve(
    target: TargetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    until: UntilOption,
    note: NoteOption = "",
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the alarm of an asset aside for a time; it is watched meanwhile, and alarms again at the end if it stands."""
    about: dict[str, Any] = {
        "actor": actor,
        "reason": reason,
        "note": note,
        "command_id": command_id,
        "until_ns": when(until),
    }
    _ask(CommandKind.SHELVE, target, about, (config, bootstrap, prefix, wait_s, as_json))


def unshelve(
    target: TargetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a shelf before its time."""
    about: dict[str, Any] = {"actor": actor, "reason": reason, "command_id": command_id}
    _ask(CommandKind.UNSHELVE, target, about, (config, bootstrap, prefix, wait_s, as_json))


def close(
    target: TargetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    note: NoteOption = "",
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close an alert by hand."""
    about: dict[str, Any] = {"actor": actor, "reason": reason, "note": note, "command_id": command_id}
    _ask(CommandKind.CLOSE, target, about, (config, bootstrap, prefix, wait_s, as_json))


def freeze(
    asset: AssetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the learning of an asset until it is resumed; scoring and alerting go on."""
    about: dict[str, Any] = {"actor": actor, "reason": reason, "command_id": command_id}
    _ask(CommandKind.FREEZE, asset, about, (config, bootstrap, prefix, wait_s, as_json))


def resume(
    asset: AssetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an asset learn again."""
    about: dict[str, Any] = {"actor": actor, "reason": reason, "command_id": command_id}
    _ask(CommandKind.RESUME, asset, about, (config, bootstrap, prefix, wait_s, as_json))


def window(
    asset: AssetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    until: UntilOption,
    begin: Annotated[str, typer.Option("--from", help="When it begins (ISO 8601); default: now.")] = "",
    holds: Annotated[Holds, typer.Option(help="What it holds.")] = Holds.BOTH,
    order: OrderOption = "",
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Announce a maintenance window of an asset: no alerts, no learning, or neither."""
    start = when(begin) if begin else None
    about: dict[str, Any] = {
        "actor": actor,
        "reason": reason,
        "command_id": command_id,
        "holds": holds,
        "work_order": order,
    }
    about |= {"from_ns": start, "until_ns": when(until, start)}
    _ask(CommandKind.WINDOW, asset, about, (config, bootstrap, prefix, wait_s, as_json))


def label(
    target: TargetArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    verdict: Annotated[Verdict | None, typer.Option(help="Was it true, false, or neither?")] = None,
    begin: Annotated[str, typer.Option("--from", help="Start of the interval; default: that of the alert.")] = "",
    until: Annotated[str, typer.Option("--until", help="End of the interval; default: that of the alert.")] = "",
    code: Annotated[str, typer.Option("--code", help="Code of the fault, after ISO 14224.")] = "",
    revises: Annotated[str, typer.Option("--revises", help="Id of the label that this one takes the place of.")] = "",
    accept: Annotated[str, typer.Option("--accept", help="Accept this label, as a second person.")] = "",
    order: OrderOption = "",
    note: NoteOption = "",
    command_id: IdOption = "",
    wait_s: WaitOption = 10.0,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether an alert, or an interval, was a fault; the answer says what that changed."""
    if accept and (verdict or revises):
        raise ConfigurationError("--accept takes no verdict: it accepts the label as it is")
    about: dict[str, Any] = {
        "actor": actor,
        "reason": reason,
        "note": note,
        "command_id": command_id,
        "work_order": order,
    }
    about |= {"verdict": verdict, "fault_code": code, "label_id": accept or revises, "accept": bool(accept)}
    about |= {"from_ns": when(begin) if begin else None, "until_ns": when(until) if until else None}
    _ask(CommandKind.LABEL, target, about, (config, bootstrap, prefix, wait_s, as_json))


def when(text: str, start_ns: int | None = None) -> int:
    """Read a time: how long from the start (now, where none is given), or ISO 8601 with a zone.

    Raises
    ------
    ConfigurationError
        It is neither.
    """
    lasts_s = seconds_of(text)
    if lasts_s is not None:
        return (time.time_ns() if start_ns is None else start_ns) + int(lasts_s * NS)
    from foreshock.streams.codec.json_arrays import text_to_ns

    try:
        return text_to_ns("time", text)
    except InputRejected as exc:
        raise ConfigurationError(f"{exc.sentence}; or say how long: 30m, 2h, 1d") from exc


def _ask(kind: CommandKind, named: str, about: dict[str, Any], shell: tuple[Any, Any, Any, float, bool]) -> None:
    """Send a command, wait for its answer, and leave with the code that says how it went."""
    from foreshock.streams.errands.asking import targets

    config, bootstrap, prefix, wait_s, as_json = shell
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    found = targets(settings, named)
    if kind in {CommandKind.FREEZE, CommandKind.RESUME, CommandKind.WINDOW}:
        found = [(asset, "") for asset, _ in found]
    command_id = about.pop("command_id") or uuid.uuid4().hex
    refused = False
    for number, (asset, alert_id) in enumerate(found):  # several: of the incident of a line
        about["command_id"] = f"{command_id}-{number}" if number else command_id
        command = Command(kind=kind, asset=asset, alert_id=alert_id, at_ns=time.time_ns(), **about)
        refused |= _answered(settings, command, wait_s, as_json=as_json)
    if refused:
        raise typer.Exit(1)


def _answered(settings: Settings, command: Command, wait_s: float, *, as_json: bool) -> bool:
    """Send a command and show its answer; say whether it was refused."""
    from foreshock.streams.errands.asking import ask

    asset = command.asset
    answer = ask(settings, command, wait_s)
    if answer is None:
        raise Unavailable(
            f"no answer within {wait_s:g} s. The command {command.command_id} stands on control.v1: a worker that is down takes "
            f"it when it is back. `foreshock alerts {asset}` shows the answer then; `foreshock why {asset}` says who has the asset"
        )
    _show(answer, as_json=as_json)
    return bool(answer["change"] == "refused")


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    from foreshock.cli.alerts import line
    from foreshock.streams.errands.show import plain

    if as_json:
        import json

        print(json.dumps(plain(answer)))
    else:
        print(line(answer))
