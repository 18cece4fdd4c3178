"""What is told at the end: injected against found, what was reported beyond that, where to look next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich.table import Table

from foreshock.demo.board import Board
from foreshock.settings import Settings
from foreshock.simulate.verdict import Finding, Report


@dataclass(frozen=True, slots=True)
class Run:
    """What a demonstration was and what became of it."""

    seed: int
    settings: Settings
    board: Board
    report: Report
    sent: int
    seconds: dict[str, float]
    data: Path | None
    """Folder of the stack; None where a broker was there."""
    log: Path
    page: str = ""
    """Address of its console; empty: there is none."""


def injected_against_found(run: Run) -> Table:
    """Lay out the faults and what became of each."""
    plan, found = run.board.plan, Table(title="injected against found", title_justify="left")
    for name in ("asset", "fault", "strength", "begins", "found as", "delay", "event"):
        found.add_column(name, no_wrap=name != "strength")
    for each in sorted(run.report.findings, key=lambda finding: finding.fault.start_s):
        fault = each.fault
        strength = "" if fault.strength_db is None else f"{fault.strength_db:+.1f} dB {fault.kind.measure}"
        found.add_row(
            fault.asset,
            f"{'sensor' if fault.kind.of_sensor else 'machine'}: {fault.kind.replace('_', ' ')}",
            strength,
            f"{fault.start_s - plan.warmup_s:.1f} s",
            "NOT FOUND" if each.event is None else each.event.what,
            _delay(each),
            "" if each.event is None else each.event.event_id,
            style="" if each.event else "bold red",
        )
    return found


def _delay(finding: Finding) -> str:
    if finding.delay_blocks is None:
        return ""
    stopped = "" if finding.running_blocks == finding.delay_blocks else f", {finding.running_blocks} of them running"
    return f"{finding.delay_blocks} block{'s' if finding.delay_blocks != 1 else ''}{stopped}"


def summary(run: Run) -> list[str]:
    """Say what else was reported, and the verdict."""
    report, plan = run.report, run.board.plan
    outcomes = run.board.scores + report.dead_letters
    lines = [f"false alarms: {len(report.false_alarms)}, dead letters: {report.dead_letters}"]
    lines.append(f"blocks sent: {run.sent}, with an outcome: {outcomes}, alerts raised: {len(run.board.raised)}")
    lines += [
        f"  FALSE {each.asset} {each.what} at {each.plant_s - plan.warmup_s:.1f} s: {each.detail} ({each.event_id})"
        for each in report.false_alarms
    ]
    lines += [f"  NO SCORE of {asset} in the feed" for asset in report.unscored]
    found = sum(finding.event is not None for finding in report.findings)
    lines.append(
        f"{'PASSED' if report.passed else 'FAILED'}: {found} of {len(report.findings)} faults found (seed {run.seed})"
    )
    return lines


def next_steps(run: Run) -> list[str]:
    """Give commands that work as pasted, with ids of this run."""
    settings, events = run.settings, run.board.events
    anomaly = next((each for each in events if each.what == "anomaly"), events[0] if events else None)
    asset = anomaly.asset if anomaly else next(iter(run.board.rows))
    prefix, kafka = f"--prefix {settings.topics.prefix}", f"--bootstrap {settings.kafka.bootstrap}"
    lines = [f"foreshock trace {anomaly.event_id}"] if anomaly else []
    if run.data is not None and not run.page:  # with a page the plant goes on
        lines.append(
            f"foreshock up --data {shlex.quote(str(run.data))}   # this run's Kafka and cache again, for what follows"
        )
    lines.append(f"foreshock tail anomalies.v1 --from beginning --no-follow --key {asset} {prefix} {kafka}")
    if run.board.raised:
        lines.append(f"foreshock alerts {next(iter(run.board.raised.values()))} {prefix} {kafka}")
    if settings.redis.url:
        lines.append(f"foreshock status {asset} {prefix} --redis {settings.redis.url}")
    return lines


def to_look_at(run: Run) -> list[tuple[str, str]]:
    """Name the three things to look at on the page of a run: (address, what is to be seen there); none without a page."""
    if not run.page:
        return []
    board = run.board
    anomaly = next((each for each in board.events if each.what == "anomaly"), None)
    asset = anomaly.asset if anomaly else next(iter(board.rows))
    alert = next((alert for alert, of in board.raised.items() if of == asset), next(iter(board.raised), None))
    return [
        (f"{run.page}#/asset/{quote(asset, safe='')}", f"{asset}: its signal, and the features that left their band"),
        (
            f"{run.page}#/alert/{alert}" if alert else f"{run.page}#/alerts",
            "its alert: why it fired, what to do, its lineage and trace; press r to replay it",
        ),
        (f"{run.page}#/pipeline", "the pipeline: what is behind, where the time goes, what was not used"),
    ]


def as_json(run: Run) -> dict[str, Any]:
    """Give everything as one object."""
    report, plan = run.report, run.board.plan
    truth = {(each["asset"], each["kind"]): each for each in plan.plant.truth()}
    faults = [
        {
            **truth[finding.fault.asset, str(finding.fault.kind)],
            "found": finding.event is not None,
            "event_id": finding.event.event_id if finding.event else None,
            "delay_blocks": finding.delay_blocks,
            "delay_running_blocks": finding.running_blocks,
        }
        for finding in report.findings
    ]
    false = [
        {"asset": each.asset, "what": each.what, "event_id": each.event_id, "detail": each.detail}
        for each in report.false_alarms
    ]
    return {
        "passed": report.passed,
        "seed": run.seed,
        "faults": faults,
        "false_alarms": false,
        "dead_letters": report.dead_letters,
        "unscored": list(report.unscored),
        "blocks_sent": run.sent,
        "blocks_with_outcome": run.board.scores + report.dead_letters,
        "seconds": {name: round(value, 1) for name, value in run.seconds.items()},
        "prefix": run.settings.topics.prefix,
        "bootstrap": run.settings.kafka.bootstrap,
        "worker_log": str(run.log),
        "next": next_steps(run),
        "page": run.page,
        "look_at": [address for address, _ in to_look_at(run)],
    }
