"""Replay of a month: a plant, its operators and its workshop against the Fleet, with stops in between.

    python -m tests.alerts.month [--assets 50] [--days 30] [--seed 7] [--stops 100]

Two Fleets take the same items. One is never disturbed. The other is killed at random steps: its state is gone, each asset
goes on from a capture some steps old, and what came since is given again. Both have to tell the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import zlib
from collections import defaultdict, deque
from dataclasses import dataclass, field

from foreshock.alerts.files import DEFAULT, versioned
from foreshock.alerts.items import Given
from foreshock.alerts.outcomes import report as outcomes
from foreshock.alerts.outcomes.reliability import Exposure
from foreshock.alerts.policy import Window
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.vocabulary import Change, CommandKind, WorkKind
from foreshock.answers.report_sections import percent
from foreshock.contract import Asset, Block, Origin, Tick
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.alerts.month_plan import NS, ORDERED, REPAIR, STEP_S, WARMUP, WEEKLY, Event, Month

SUNDAYS = Window(name="sunday", lines=(WEEKLY,), weekdays=(6,), from_s=6 * 3600, to_s=14 * 3600)
POLICY = versioned(dataclasses.replace(DEFAULT, windows=(SUNDAYS,)))
SPEC = FleetSpec(warmup_blocks=WARMUP)
KEPT = 12  # steps that a stopped Fleet may have to go back
ALARMS = frozenset({Change.RAISED, Change.ESCALATED, Change.REALARMED})

Item = Block | Given | Tick
Steps = deque[list[tuple[int, Item]]]


def give(fleet: Fleet, items: list[tuple[int, Item]]) -> tuple[list[AlertTransition], list[Outcome]]:
    """Give the items of a step with their places: those from outside one by one, what an asset has already not at all."""
    told: list[AlertTransition] = []
    blocks: list[Block] = []
    for place, item in items:
        if isinstance(item, Tick):
            told += [each for each in fleet.tick(item) if isinstance(each, AlertTransition)]
        elif isinstance(item, Given):
            told += fleet.take_up(item, 0, place)
        elif place >= fleet.folded(0, item.asset):
            blocks.append(item)
    outcomes = fleet.receive(blocks)
    return [*told, *(each for outcome in outcomes for each in outcome.alerts)], outcomes


class Outside:
    """Operators and the workshop: what they send, and when; a function of the plan and of what they were told."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._sent: dict[str, int] = defaultdict(int)
        self._waiting: dict[int, list[Command | WorkOrder]] = defaultdict(list)
        self._asked: set[str] = set()  # assets whose alert somebody is about to acknowledge
        self.sent: list[Command | WorkOrder] = []
        for event in month.events:
            if event.of_machine:
                self._work(event, event.end, WorkKind.OPENED)
                self._work(event, event.end + REPAIR, WorkKind.REPAIR)
            elif event.kind == ORDERED:
                self._window(event)

    def _work(self, event: Event, step: int, kind: WorkKind) -> None:
        asset = self._month.machines[event.asset].asset
        order = WorkOrder(
            record_id=f"{kind}-{asset}", kind=kind, asset=asset, work_order=f"wo-{asset}",
            at_ns=self._month.time_ns(step), actor="workshop",
        )  # fmt: skip
        self._waiting[step].append(order)

    def _window(self, event: Event) -> None:
        asset, month = self._month.machines[event.asset].asset, self._month
        command = Command(
            command_id=f"window-{asset}", kind=CommandKind.WINDOW, asset=asset, actor="planner", reason="balancing",
            at_ns=month.time_ns(event.start - 8), from_ns=month.time_ns(event.start), until_ns=month.time_ns(event.end),
        )  # fmt: skip
        self._waiting[event.start - 8].append(command)

    def hear(self, told: list[AlertTransition], step: int) -> None:
        """Have somebody acknowledge what was alarmed, within some hours."""
        for each in told:
            if each.change in ALARMS and each.asset not in self._asked:
                self._asked.add(each.asset)
                hours = 1 + zlib.crc32(each.event_id.encode()) % 8
                at = step + 2 * hours
                command = Command(
                    command_id=f"ack-{each.event_id}", kind=CommandKind.ACKNOWLEDGE, asset=each.asset, actor="operator",
                    reason="seen", at_ns=self._month.time_ns(at),
                )  # fmt: skip
                self._waiting[at].append(command)

    def send(self, step: int) -> list[Given]:
        """What arrives before a step."""
        found = []
        for item in self._waiting.pop(step, []):
            if isinstance(item, Command) and item.kind is CommandKind.ACKNOWLEDGE:
                self._asked.discard(item.asset)
            topic = "control.v1" if isinstance(item, Command) else "maintenance.v1"
            origin = Origin(
                topic=topic, topic_id=topic, partition=0, offset=self._sent[topic],
                ingest_ns=self._month.time_ns(step),
            )  # fmt: skip
            self._sent[topic] += 1
            self.sent.append(item)
            found.append(Given(origin=origin, item=item))
        return found


class Stopped:
    """A Fleet that is killed, and goes on from captures of different ages."""

    def __init__(self, stops: set[int], draw: random.Random, assets: list[Asset]) -> None:
        self.fleet = Fleet(SPEC, policies=(POLICY,))
        self.told: list[AlertTransition] = []
        self._stops, self._draw = stops, draw
        self._steps: Steps = deque(maxlen=KEPT)
        self._captures: dict[str, tuple[int, bytes]] = {}  # asset -> steps so far, state
        self._assets = [asset.asset for asset in assets]
        self._done = 0
        for asset in assets:
            self.fleet.take_up(asset, 0, 0)
            self._capture(asset.asset)

    def step(self, items: list[tuple[int, Item]]) -> None:
        """Take the items of a step; afterwards it may be killed."""
        self.told += give(self.fleet, items)[0]
        self._steps.append(items)
        self._done += 1
        for name, (at, _) in list(self._captures.items()):  # a checkpoint has a slice of them
            if self._done - at >= KEPT or self._draw.random() < 0.2:
                self._capture(name)
        if self._done in self._stops:
            self._restart()

    def _capture(self, name: str) -> None:
        self._captures[name] = self._done, self.fleet.capture(0, name).to_bytes()

    def _restart(self) -> None:
        """Begin with nothing but the captures and the log; what is told again is what was told."""
        self.fleet = Fleet(SPEC, policies=(POLICY,))
        for _, state in self._captures.values():
            self.fleet.restore(AssetState.from_bytes(state))
        back = self._done - min(at for at, _ in self._captures.values())
        again = [each for items in list(self._steps)[len(self._steps) - back :] for each in give(self.fleet, items)[0]]
        known = {each.event_id: each for each in self.told}
        assert all(known.get(each.event_id) == each for each in again)


@dataclass
class Report:
    """What a month came to."""

    month: Month
    told: list[AlertTransition] = field(default_factory=list)
    again: list[AlertTransition] = field(default_factory=list)  # by the Fleet that was stopped
    peaks: dict[Event, float] = field(default_factory=dict)  # highest score while it happened
    sent: list[Command | WorkOrder] = field(default_factory=list)  # by operators and the workshop
    blocks: int = 0
    stops: int = 0

    def outcomes(self) -> outcomes.Report:
        """What `foreshock report` says of the month: nobody labels, so it knows the truth by the work orders alone."""
        month, span_s = self.month, self.month.steps * STEP_S
        return outcomes.report(
            outcomes.Given(
                from_ns=month.time_ns(0),
                until_ns=month.time_ns(month.steps),
                transitions=self.told,
                commands=[each for each in self.sent if isinstance(each, Command)],
                work_orders=[each for each in self.sent if isinstance(each, WorkOrder)],
                exposures={each.asset: Exposure(asset=each.asset, observed_s=span_s) for each in month.assets()},
            )
        )

    def look(self, step: int, outcomes: list[Outcome], numbers: dict[str, int]) -> None:
        """Note how high the scores were."""
        self.blocks += len(outcomes)
        for outcome in outcomes:
            event = self.month.happening(numbers[outcome.score.asset], step)
            if event is not None:
                values = (row.value or 0.0 for row in outcome.score.rows)
                self.peaks[event] = max(self.peaks.get(event, 0.0), *values)

    def of(self, event: Event, *changes: Change) -> list[AlertTransition]:
        """Transitions of an asset while something happens to it."""
        name, first, last = self.month.machines[event.asset].asset, *self.span(event)
        return [
            each for each in self.told if each.asset == name and first <= each.at_ns < last and each.change in changes
        ]

    def span(self, event: Event) -> tuple[int, int]:
        """First and last time of an event."""
        return self.month.time_ns(event.start), self.month.time_ns(event.end)

    def alarmed(self, event: Event) -> AlertTransition | None:
        """The first alarm of a fault."""
        return next(iter(self.of(event, Change.RAISED, Change.REALARMED, Change.ESCALATED)), None)

    def false(self, *, strict: bool) -> list[AlertTransition]:
        """Alerts raised while no machine was failing.

        Parameters
        ----------
        strict
            Alerts of sensor faults and of new regimes count as false too.
        """
        events = [e for e in self.month.events if e.of_machine or not strict]
        spans = [(self.month.machines[e.asset].asset, *self.span(e)) for e in events]
        return [
            each for each in self.told
            if each.change is Change.RAISED
            and not any(each.asset == name and first <= each.raised_ns < last for name, first, last in spans)
        ]  # fmt: skip

    def at_once(self) -> int:
        """The most incidents that were open on one asset at a time."""
        most, open_now = 0, defaultdict(set)
        for each in self.told:
            if each.change is Change.RAISED:
                open_now[each.asset].add(each.alert_id)
            elif each.change is Change.CLOSED:
                open_now[each.asset].discard(each.alert_id)
            most = max(most, len(open_now[each.asset]))
        return most

    def lines(self) -> list[str]:
        """The report as text."""
        month, faults = self.month, [e for e in self.month.events if e.of_machine]
        allowed = POLICY.budget_per_asset_month * len(month.machines) * month.days / 30
        found = [f"{len(month.machines)} assets, {month.days} days, {self.blocks} blocks, {self.stops} stops"]
        for event in sorted(faults, key=lambda e: e.start):
            alarm, end = self.alarmed(event), month.time_ns(event.end)
            lead = f"{alarm.severity} {(end - alarm.at_ns) / NS / 3600:.1f} h before" if alarm else "no alert"
            peak = self.peaks.get(event, 0.0)
            found.append(f"  {month.machines[event.asset].asset:14} {event.kind:14} peak {peak:6.1f}  {lead}")
        for event in month.events:
            if not event.of_machine:
                told = [
                    f"{e.change}{f' ({e.suppressed_by})' if e.suppressed_by else ''}" for e in self.of(event, *Change)
                ]
                name, peak = month.machines[event.asset].asset, self.peaks.get(event, 0.0)
                found.append(f"  {name:14} {event.kind:14} peak {peak:6.1f}  {', '.join(told) or '-'}")
        loose, strict = len(self.false(strict=False)), len(self.false(strict=True))
        found.append(
            f"false alerts: {loose} ({strict} with those of sensor faults and new regimes); budget {allowed:g}"
        )
        joined = self.outcomes()
        lead = f"{joined.median_lead_s / 3600:.1f} h" if joined.median_lead_s is not None else "none"
        found.append(
            f"joined with work orders: precision {percent(joined.precision.counted_false)} (unlabelled is false) to "
            f"{percent(joined.precision.left_out)} (left out), {len(joined.missed)} of {joined.failures} failures missed, "
            f"median lead {lead}"
        )
        found.append(
            f"transitions: {len(self.told)}, after stops {'the same' if self.again == self.told else 'OTHERS'}"
        )
        return found


def replay(month: Month, stops: int, seed: int) -> Report:
    """Run a month."""
    draw, report = random.Random(seed), Report(month, stops=stops)
    fleet, outside, assets = Fleet(SPEC, policies=(POLICY,)), Outside(month), month.assets()
    for asset in assets:
        fleet.take_up(asset, 0, 0)
    other = Stopped(set(draw.sample(range(1, month.steps), stops)), draw, assets)
    numbers = {machine.asset: i for i, machine in enumerate(month.machines)}
    offset = 0
    for step in range(month.steps):
        items: list[tuple[int, Item]] = [(offset, given) for given in outside.send(step)]
        if fleet.overdue(0, month.time_ns(step)):
            items.append((offset, Tick(partition=0, offset=offset, at_ns=month.time_ns(step))))
        for block in month.blocks(step):
            placed = dataclasses.replace(block, origin=dataclasses.replace(block.origin, offset=offset))
            items.append((offset, placed))
            offset += 1
        told, outcomes = give(fleet, items)
        report.look(step, outcomes, numbers)
        report.told += told
        outside.hear(told, step)
        other.step(items)
    report.again, report.sent = other.told, outside.sent
    return report


def main() -> None:
    """Print the report of a month."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("assets", 50), ("days", 30), ("seed", 7), ("stops", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    print("\n".join(replay(Month(given.seed, given.assets, given.days), given.stops, given.seed).lines()))


if __name__ == "__main__":
    main()
