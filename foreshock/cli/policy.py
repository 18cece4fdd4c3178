"""`foreshock policy`: check alert policies, test them, show which one holds, and see what a change would bring."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from foreshock.alerts.policy import Policy
    from foreshock.alerts.preview import Preview
    from foreshock.settings import Settings

app = typer.Typer(help="Check, test, show and preview alert policies.", no_args_is_help=True)

FilesArgument = Annotated[list[Path], typer.Argument(help="Files, or directories of them.")]


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files, or directories of them; none: those of alerts.policies.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read policies as a worker does: every problem with its file and line. Exit code 0 when they can be used, else 2."""
    from foreshock.alerts.files import named
    from foreshock.policies import read_policies

    with _problems_as_json(as_json):
        found = read_policies(files or settings_from(config).alerts.policies)
    if not found:
        raise ConfigurationError("there is nothing to check: name files, or set alerts.policies")
    for policy in found:
        if as_json:
            print(json.dumps({"ok": True, "policy": policy.name, "version": policy.version}))
        else:
            print(f"ok  {named(policy)}  {_covered(policy)}: {_levels(policy)}")


@app.command("test")
def run_tests(files: FilesArgument, as_json: JsonOption = False) -> None:
    """Run policy tests: series of scores to expected transitions. Exit code 0 when all pass, 1 when one does not."""
    from foreshock.alerts.trial.run import run
    from foreshock.policies import read_cases

    with _problems_as_json(as_json):
        cases = read_cases(files)
    failed = 0
    for case in cases:
        verdict = run(case)
        failed += not verdict.passed
        if as_json:
            print(json.dumps(asdict(verdict)))
            continue
        print(f"{'pass' if verdict.passed else 'FAIL'}  {verdict.file}: {verdict.title}")
        if not verdict.passed:
            print("\n".join(f"        {line}" for line in verdict.lines))
    if not as_json:
        print(
            f"{len(cases) - failed} of {len(cases)} pass" + ("; - did not come, + was not expected" if failed else "")
        )
    if failed:
        raise typer.Exit(1)


@app.command()
def show(
    asset: Annotated[str, typer.Argument(help="Asset id.")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the policy that holds for an asset by the files of alerts.policies and its master data, and why this one."""
    from foreshock import records
    from foreshock.alerts import budget
    from foreshock.alerts.files import named, resolve
    from foreshock.alerts.transitions import line_of
    from foreshock.contract import Asset
    from foreshock.policies import read_policies
    from foreshock.streams.errands.registered import registered_assets

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    policies = read_policies(settings.alerts.policies)
    known = next((each for each in registered_assets(settings) if each.asset == asset), None)
    master = known or Asset(asset=asset, registered=False)
    policy = resolve(policies, master)
    if as_json:
        print(json.dumps({"asset": asset, "registered": known is not None, "policy": records.to_tree(policy)}))
        return
    place = f"class {master.asset_class or '-'}, place {'/'.join(master.path) or '-'}"
    print(f"{asset}: {place if known else 'not registered, so without class and place'}")
    print(f"policy {named(policy)}, for {_covered(policy)}; {budget.of(policy):g} alerts per asset and month")
    line = line_of(policy, master)
    if line:
        print(f"  alerts on {line} within {_hours(policy.group_window_s)} of the first are one incident of it")
    for band in policy.bands:
        print(
            f"  {band.severity}: from {band.raise_at:g}, cleared below {band.clear_at:g}, {band.n} of {band.m} rows, "
            f"for {band.on_delay_s:g} s; {band.owner} within {_hours(band.respond_within_s)}, "
            f"then {', '.join(band.escalation)}"
        )
        print("".join(f"    {number}. {step}\n" for number, step in enumerate(band.runbook, start=1)), end="")


@app.command()
def preview(
    files: FilesArgument,
    last: Annotated[str, typer.Option(help="How far back: 12h, 7d.")] = "7d",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the alerts that changed policies would have raised, from scores.v1, beside those of alerts.policies.

    Both columns are computed, from the same scores: every alert counts as acknowledged at once; commands and parents are
    left out, and so are minimum effects and hypotheses, for scores do not carry them.
    """
    from foreshock.alerts.fields import seconds_of
    from foreshock.alerts.preview import Preview
    from foreshock.policies import read_policies
    from foreshock.streams.errands.registered import registered_assets
    from foreshock.streams.errands.scored import scored

    back = seconds_of(last)
    if back is None or back <= 0:
        raise ConfigurationError(f"--last is {last!r}; give a time: 12h, 7d")
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    with _problems_as_json(as_json):
        changed = read_policies(files)
    assets = {each.asset: each for each in registered_assets(settings)}
    found = Preview(read_policies(settings.alerts.policies), changed, assets, settings.detection.budget)
    unread = 0
    for each in scored(settings, int((time.time() - back) * 1000)):
        if each is None:
            unread += 1
        else:
            found.take(each)
    if as_json:
        for line in found.lines():
            print(json.dumps(asdict(line) | {"raised": line.raised}))
        return
    _print_preview(found, settings, last, unread)


def _print_preview(found: Preview, settings: Settings, last: str, unread: int) -> None:
    from rich.console import Console
    from rich.table import Table

    lines = found.lines()
    table = Table("asset", "policy", "today", "", "changed", "", "per month", "budget")
    for line in lines:
        policy = line.policy if line.policy == line.changed_policy else f"{line.policy} -> {line.changed_policy}"
        today, changed = line.raised
        rate = f"{changed / line.months:.3g}" if line.months > 0 else "-"
        table.add_row(
            line.asset, policy, str(today), _severities(line.today), str(changed), _severities(line.changed), rate,
            f"{line.budget:g}",
        )  # fmt: skip
    total = [sum(line.raised[column] for line in lines) for column in (0, 1)]
    table.add_row("all", "", str(total[0]), "", str(total[1]), "", "", "", style="bold")
    Console().print(table)
    print(
        f"alerts raised in the last {last}, from {settings.topics.prefix}scores.v1; severity is the worst of each alert"
    )
    print(
        "each counts as acknowledged at once, without commands and parents; scores show no minimum effect or hypothesis"
    )
    if unread:
        print(f"{unread} records could not be read and are not in it")


def _severities(counts: Any) -> str:
    return ", ".join(f"{count} {severity}" for severity, count in counts.items())


def _covered(policy: Policy) -> str:
    parts = [" or ".join(policy.covers), f"at {' or '.join(policy.sites)}" if policy.sites else ""]
    return " ".join(filter(None, parts)) or "any asset"


def _levels(policy: Policy) -> str:
    return ", ".join(f"{band.severity} from {band.raise_at:g} to below {band.clear_at:g}" for band in policy.bands)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"


@contextmanager
def _problems_as_json(as_json: bool) -> Iterator[None]:
    """With --json, print what is wrong with files as JSON as well, a line each; the exit code stays 2."""
    from foreshock.alerts.fields import FilesRejected

    try:
        yield
    except FilesRejected as exc:
        if not as_json:
            raise
        for problem in exc.problems:
            print(json.dumps({"ok": False} | asdict(problem)))
        raise typer.Exit(2) from None
