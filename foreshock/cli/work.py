"""`foreshock work`: what maintenance did, told by hand; a maintenance system sends the same records to maintenance.v1."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

import typer

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.cli.control import AssetArgument, when
from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from

app = typer.Typer(help="Tell of work orders, repairs and notes.", no_args_is_help=True)

NumberOption = Annotated[str, typer.Option("--order", help="Number of the work order.")]
ActorOption = Annotated[str, typer.Option("--actor", help="Who tells it: a person, or a system.")]
NoteOption = Annotated[str, typer.Option("--note", help="Anything else worth keeping.")]
AlertOption = Annotated[str, typer.Option("--alert", help="The alert that it answers (8 digits suffice).")]
IdOption = Annotated[str, typer.Option("--id", help="Id of the record; the same one sent again has no second effect.")]
ModeOption = Annotated[str, typer.Option("--failure-mode", help="What failed, after ISO 14224.")]
CauseOption = Annotated[str, typer.Option("--failure-cause", help="Why it failed, after ISO 14224.")]
PlannedOption = Annotated[bool, typer.Option("--planned", help="The work was planned beforehand.")]
DowntimeOption = Annotated[float | None, typer.Option("--downtime", min=0, help="Hours that the machine stood for it.")]
FinishedOption = Annotated[str, typer.Option("--finished", help="When it was done (ISO 8601 with a zone).")]


@app.command("open")
def open_(
    asset: AssetArgument,
    *,
    order: NumberOption,
    actor: ActorOption,
    alert: AlertOption = "",
    planned: PlannedOption = False,
    note: NoteOption = "",
    record_id: IdOption = "",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell that a work order was opened; its number is joined to the alert."""
    about = {"work_order": order, "actor": actor, "planned": planned, "note": note, "record_id": record_id}
    _tell(WorkKind.OPENED, asset, alert, about, (config, bootstrap, prefix, as_json))


@app.command()
def close(
    asset: AssetArgument,
    *,
    order: NumberOption,
    actor: ActorOption,
    alert: AlertOption = "",
    mode: ModeOption = "",
    cause: CauseOption = "",
    planned: PlannedOption = False,
    downtime_h: DowntimeOption = None,
    finished: FinishedOption = "",
    note: NoteOption = "",
    record_id: IdOption = "",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell that a work order was closed, and what was found."""
    about = {"work_order": order, "actor": actor, "failure_mode": mode, "failure_cause": cause, "planned": planned}
    about |= {"note": note, "record_id": record_id, **_times(downtime_h, finished)}
    _tell(WorkKind.CLOSED, asset, alert, about, (config, bootstrap, prefix, as_json))


@app.command()
def repair(
    asset: AssetArgument,
    *,
    order: NumberOption,
    actor: ActorOption,
    replacement: Annotated[bool, typer.Option("--replacement", help="The part was replaced.")] = False,
    alert: AlertOption = "",
    mode: ModeOption = "",
    cause: CauseOption = "",
    planned: PlannedOption = False,
    downtime_h: DowntimeOption = None,
    finished: FinishedOption = "",
    note: NoteOption = "",
    record_id: IdOption = "",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell of a repair or a replacement: the asset learns anew what is normal."""
    about = {"work_order": order, "actor": actor, "failure_mode": mode, "failure_cause": cause, "planned": planned}
    about |= {"note": note, "record_id": record_id, **_times(downtime_h, finished)}
    kind = WorkKind.REPLACEMENT if replacement else WorkKind.REPAIR
    _tell(kind, asset, alert, about, (config, bootstrap, prefix, as_json))


@app.command()
def note(
    asset: AssetArgument,
    text: Annotated[str, typer.Argument(help="What was seen or done.")],
    *,
    actor: ActorOption,
    order: NumberOption = "",
    alert: AlertOption = "",
    record_id: IdOption = "",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a note with the asset."""
    about = {"work_order": order, "actor": actor, "note": text, "record_id": record_id}
    _tell(WorkKind.NOTE, asset, alert, about, (config, bootstrap, prefix, as_json))


def _times(downtime_h: float | None, finished: str) -> dict[str, Any]:
    return {
        "downtime_s": None if downtime_h is None else downtime_h * 3600.0,
        "finished_ns": when(finished) if finished else None,
    }


def _tell(kind: WorkKind, asset: str, alert: str, about: dict[str, Any], shell: tuple[Any, Any, Any, bool]) -> None:
    """Send a record to maintenance.v1; it is done when the broker has it."""
    from foreshock.streams.errands.asking import target, tell
    from foreshock.streams.wire import Encoder

    config, bootstrap, prefix, as_json = shell
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    alert_id = (target(settings, alert)[1] or alert) if alert else ""
    about["record_id"] = about["record_id"] or uuid.uuid4().hex
    order = WorkOrder(kind=kind, asset=asset, alert_id=alert_id, at_ns=time.time_ns(), **about)
    tell(settings, order)
    number = f" {order.work_order}" if order.work_order else ""
    print(Encoder("json").encode(order).decode() if as_json else f"told of {asset}: {kind}{number}")
