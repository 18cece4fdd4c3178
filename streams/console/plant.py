"""All that the console holds in memory: assets, alerts, anomalies, dead letters, built from records alone. Pure.

It is bounded whatever comes: assets that were not heard for longest go, unless an alert of theirs stands.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.vocabulary import AlarmState, Severity
from foreshock.contract import Asset
from foreshock.streams.console.alertbook import STANDING, AlertBook
from foreshock.streams.console.feed import Feed
from foreshock.streams.console.machine import NS_MS, Machine
from foreshock.streams.console.rings import Room
from foreshock.streams.console.seen import Seen

ANOMALIES = 5_000
LETTERS = 1_000
SAYINGS = 5_000  # commands, work orders
_LOOKED_AT = 50  # assets, to find one that may go


class Plant:
    """What is known.

    Parameters
    ----------
    feed
        Is told what is new.
    assets, rows
        Held at most.
    """

    def __init__(self, feed: Feed, *, assets: int, rows: int) -> None:
        self.feed = feed
        self.room = Room(rows)
        self.assets_most = assets
        self.left_out = 0  # assets that had to go
        self.machines: OrderedDict[str, Machine] = OrderedDict()  # those heard last are last
        self.registered: OrderedDict[str, Asset] = OrderedDict()
        self.alerts = AlertBook()
        self.lines = AlertBook()  # incidents of lines
        self.anomalies: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.letters: deque[dict[str, Any]] = deque(maxlen=LETTERS)
        self.reasons: Counter[str] = Counter()
        self.commands: deque[tuple[float, Command]] = deque(maxlen=SAYINGS)
        self.work: deque[tuple[float, WorkOrder]] = deque(maxlen=SAYINGS)
        self.done: dict[
            int, tuple[int, float]
        ] = {}  # partition of sensors.v1 -> offset after the newest outcome, arrival
        self.outcomes: Counter[str] = Counter()
        self.unread = 0
        self._take = {
            "scores.v1": self._score,
            "anomalies.v1": self._anomaly,
            "alerts.v1": self._alert,
            "alarms.v1": self._alarm,
            "incidents.v1": self._incident,
            "quality.v1": self._quality,
            "dead-letters.v1": self._letter,
            "assets.v1": self._asset,
            "control.v1": self._command,
            "maintenance.v1": self._work,
        }

    def take(self, each: Seen) -> None:
        """Take a record; one that says what this release cannot show is counted, and nothing of it is told."""
        if each.record is None and each.topic != "alarms.v1":
            return
        try:
            self._take[each.topic](each)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            self.unread += 1

    def machine(self, name: str) -> Machine | None:
        """Give an asset that was heard."""
        return self.machines.get(name)

    def known(self, name: str) -> bool:
        """Say whether anything is known of an asset."""
        return name in self.machines or name in self.registered or bool(self.alerts.of(name))

    def severity(self, machine: Machine | None, name: str) -> str:
        """Say in the words of a lane what an asset is now: an alert that stands before all else."""
        alert = self.alerts.standing(name)
        if alert is not None and alert.last["state"] in STANDING:
            return str(alert.last["severity"])
        return "none" if machine is None else machine.word

    def _heard(self, name: str) -> Machine:
        machine = self.machines.get(name)
        if machine is None:
            if len(self.machines) >= self.assets_most:
                self._drop()
            machine = self.machines[name] = Machine(name, self.room)
        else:
            self.machines.move_to_end(name)
        return machine

    def _drop(self) -> None:
        """Let the asset go that was not heard for longest; one whose alert stands only where all others' do too."""
        oldest = [name for name, _ in zip(self.machines, range(_LOOKED_AT), strict=False)]
        gone = next((name for name in oldest if self.alerts.standing(name) is None), oldest[0])
        self.machines.pop(gone).close()
        self.left_out += 1

    def _score(self, each: Seen) -> None:
        record = each.record
        origin = record["origin"]
        self._outcome(origin, record["rows"][-1]["state"] if record["rows"] else "none")
        machine = self._heard(record["asset"])
        point = machine.take(record, each.offset)
        if point is None or not self.feed.live:
            return
        word = self.severity(machine, machine.name)
        row = point.row
        self.feed.score(
            machine.name, [machine.name, word, row["value"], row["p_value"], row["alarm"], point.at_ms, row["state"]]
        )

    def _outcome(self, origin: Mapping[str, Any], what: str) -> None:
        self.outcomes[what] += 1
        partition, after = origin["partition"], origin["offset"] + 1
        if after > self.done.get(partition, (0, 0.0))[0]:
            self.done[partition] = (after, origin["ingest_ns"] / NS_MS)

    def _anomaly(self, each: Seen) -> None:
        record = each.record
        if record["event_id"] in self.anomalies:
            return
        names = (
            "event_id",
            "episode_id",
            "asset",
            "point",
            "phase",
            "severity",
            "mode",
            "score",
            "hypothesis",
            "trace_id",
        )
        told = {name: record[name] for name in names} | {
            "at_ms": each.at_ms,
            "source_ms": record["source_ns"] / NS_MS,
            "p": record["p_value"],
            "partition": each.partition,
            "offset": each.offset,
            "top": [part["feature"] for part in sorted(record["contributions"], key=lambda part: -part["amount"])[:4]],
        }
        self.anomalies[record["event_id"]] = told
        if len(self.anomalies) > ANOMALIES:
            self.anomalies.popitem(last=False)
        self.feed.tell("anomaly", told)

    def _alert(self, each: Seen) -> None:
        record = each.record
        _shown(record)
        alert = self.alerts.take(record, each.at_ms)
        if alert is None and record["alert_id"]:
            return
        names = ("event_id", "alert_id", "asset", "change", "state", "severity", "actor", "reason")
        self.feed.tell("alert", {name: record[name] for name in names} | {"at_ms": each.at_ms})

    def _incident(self, each: Seen) -> None:
        record = each.record
        _shown(record)
        if not record.get("members") or self.lines.take(record, each.at_ms) is None:
            return  # an alert of no line, as it is on alerts.v1, or a change that came before
        names = ("event_id", "alert_id", "line", "change", "state", "severity", "reason")
        told = {name: record[name] for name in names} | {"at_ms": each.at_ms, "members": len(record["members"])}
        self.feed.tell("line", told)

    def _alarm(self, each: Seen) -> None:
        if each.record is not None:
            _shown(each.record)
        self.alerts.take_alarm(each.key.decode("utf-8", "replace"), each.record)

    def _quality(self, each: Seen) -> None:
        record = each.record
        names = ("event_id", "asset", "point", "channel", "kind", "raised", "detail", "cause")
        says = ("health", "status", "layer", "why")
        told = (
            {name: record[name] for name in names} | {name: record.get(name) for name in says} | {"at_ms": each.at_ms}
        )
        if record["asset"]:
            self._heard(record["asset"]).take_quality(told)
        self.feed.tell("quality", told)

    def _letter(self, each: Seen) -> None:
        told = {"partition": each.partition, "offset": each.offset, "at_ms": each.at_ms, **each.record}
        self.letters.append(told)
        self.reasons[told["reason"]] += 1
        self.outcomes["dead"] += 1
        names = ("partition", "offset", "reason", "sentence", "asset", "at_ms")
        self.feed.tell("dead_letter", {name: told[name] for name in names})

    def _asset(self, each: Seen) -> None:
        asset: Asset = each.record
        self.registered[asset.asset] = asset
        self.registered.move_to_end(asset.asset)
        if len(self.registered) > self.assets_most:
            self.registered.popitem(last=False)

    def _command(self, each: Seen) -> None:
        self.commands.append((each.at_ms, each.record))

    def _work(self, each: Seen) -> None:
        self.work.append((each.at_ms, each.record))


def _shown(record: Mapping[str, Any]) -> None:
    """Refuse words of a later version: what has no place in the order of severity cannot be drawn."""
    Severity(record["severity"])
    AlarmState(record["state"])
