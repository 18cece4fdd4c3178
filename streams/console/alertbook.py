"""The alerts that the console knows: each with its changes, in the order in which they were told. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from foreshock.alerts.records import AlertTransition
from foreshock.records import from_tree
from foreshock.streams.console.lanes import Piece

Record = Mapping[str, Any]
NS_MS = 1e6
MOST = 5_000  # alerts
CHANGES = 100  # of an alert
REMEMBERED = 1_000  # ids of an alert's changes: one that comes again comes soon
STANDING = frozenset({"unacknowledged", "acknowledged", "returned_unacknowledged"})
_ANSWERS = frozenset({"labelled", "refused", "window", "frozen", "resumed"})  # these change nothing of where it stands


class Alert:
    """One alert: its changes as they stand on alerts.v1, each once."""

    def __init__(self, alert_id: str, asset: str) -> None:
        self.alert_id = alert_id
        self.asset = asset
        self.changes: list[tuple[float, Record]] = []
        self.present: Record | None = None  # from alarms.v1: where the changes are not kept any more
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, record: Record, at_ms: float) -> bool:
        """Take a change; False: it came before."""
        if record["event_id"] in self._seen:
            return False
        self._seen[record["event_id"]] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self.changes.append((at_ms, record))
        if len(self.changes) > CHANGES:
            del self.changes[1]  # the first one says how it began
        return True

    @property
    def last(self) -> Record:
        """The last change that says where it stands, or what alarms.v1 says."""
        for _, record in reversed(self.changes):
            if record["change"] not in _ANSWERS:
                return record
        return self.changes[-1][1] if self.changes else (self.present or {})

    @property
    def open(self) -> bool:
        """Whether it stands; one that was only held back does not."""
        last = self.last
        return (
            bool(last) and last.get("change") != "closed" and last["state"] in {*STANDING, "shelved", "out_of_service"}
        )

    @property
    def raised(self) -> bool:
        """Whether anybody was ever told of it."""
        states = {
            record["state"] for _, record in self.changes if record["change"] not in {"suppressed", "unsuppressed"}
        }
        return bool((states | ({self.present["state"]} if self.present else set())) & STANDING)

    def pieces(self, now_ms: float) -> Iterator[Piece]:
        """Give the times at which it stood, with its severity."""
        since, word = 0.0, ""
        if not self.changes and self.present is not None and self.present["state"] in STANDING:
            yield (self.present["raised_ns"] / NS_MS, now_ms, str(self.present["severity"]))
        for at_ms, record in self.changes:
            if record["change"] in _ANSWERS:
                continue
            standing = record["state"] in STANDING and record["change"] != "closed"
            new = str(record["severity"]) if standing else ""
            if new == word:
                continue
            if word:
                yield (since, at_ms, word)
            since, word = at_ms, new
        if word:
            yield (since, now_ms, word)

    def summary(self) -> dict[str, Any]:
        """Give one line of it."""
        last = self.last
        over = None if self.open else (self.changes[-1][0] if self.changes else None)
        changed = last.get("at_ns", last.get("changed_ns", 0))
        return {
            "id": self.alert_id,
            "asset": self.asset,
            "state": last["state"],
            "severity": last["severity"],
            "worst": last.get("worst", last["severity"]),
            "points": list(last["points"]),
            "raised_ms": last["raised_ns"] / NS_MS,
            "changed_ms": changed / NS_MS,
            "told_ms": self.changes[-1][0] if self.changes else None,
            "ended_ms": over,
            "owner": last["owner"],
            "acknowledged_by": last["acknowledged_by"],
            "shelved_until_ms": _ms(last["shelved_until_ns"]),
            "suppressed_by": last["suppressed_by"],
            "work_order": last["work_order"],
            "score": last.get("score"),
            "initial_score": last.get("initial_score"),
            "peak": last.get("peak"),
            "hypothesis": next((r["hypothesis"] for _, r in reversed(self.changes) if r["hypothesis"]), ""),
            "priority": last.get("priority"),
            "anomaly_id": next((r["anomaly_id"] for _, r in self.changes if r["anomaly_id"]), ""),
            "last_event_id": last.get("event_id", last.get("last_event_id", "")),
            "reason": last.get("reason", ""),
            "respond_by_ms": _ms(last.get("respond_by_ns")),
            "open": self.open,
        }


class AlertBook:
    """All alerts, bounded: those that ended longest ago go first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._alerts: OrderedDict[str, Alert] = OrderedDict()
        self._of: dict[str, list[str]] = {}  # by asset, in the order in which they came
        self._open: dict[str, set[str]] = {}  # by asset, those that stand: asked for with every score

    def take(self, record: Record, at_ms: float) -> Alert | None:
        """Take a change of alerts.v1; None where it is of no alert, or came before."""
        if not record["alert_id"]:
            return None
        alert = self._get(record["alert_id"], record["asset"])
        taken = alert.take(record, at_ms)
        self._note(alert)
        return alert if taken else None

    def take_alarm(self, alert_id: str, record: Record | None) -> None:
        """Take what alarms.v1 says of an alert; None: nothing stands any more."""
        if record is not None:
            alert = self._get(alert_id, record["asset"])
            alert.present = record
            self._note(alert)
        elif alert_id in self._alerts and not self._alerts[alert_id].changes:
            self._remove(alert_id)

    def get(self, start: str) -> list[Alert]:
        """Give the alerts whose id begins so."""
        exact = self._alerts.get(start)
        return [exact] if exact else [each for name, each in self._alerts.items() if name.startswith(start)]

    def of(self, asset: str) -> list[Alert]:
        """Give the alerts of an asset, the newest first."""
        return [self._alerts[name] for name in reversed(self._of.get(asset, ()))]

    def standing(self, asset: str) -> Alert | None:
        """Give the alert of an asset that stands."""
        stand = self._open.get(asset)
        return next((each for each in self.of(asset) if each.alert_id in stand), None) if stand else None

    def every(self) -> list[Alert]:
        """Give all that were ever raised, the newest first."""
        return [each for each in reversed(self._alerts.values()) if each.raised]

    def pieces(self, asset: str, now_ms: float) -> list[Piece]:
        """Give the times at which alerts of an asset stood."""
        if asset not in self._of:
            return []
        return sorted(piece for each in self.of(asset) for piece in each.pieces(now_ms))

    def transitions(self, asset: str) -> list[AlertTransition]:
        """Give the changes of an asset's alerts as records of the contract."""
        known = AlertTransition.__dataclass_fields__
        return [
            from_tree(AlertTransition, {name: each for name, each in record.items() if name in known})
            for alert in self.of(asset)
            for _, record in alert.changes
        ]

    def _get(self, alert_id: str, asset: str) -> Alert:
        alert = self._alerts.get(alert_id)
        if alert is None:
            alert = self._alerts[alert_id] = Alert(alert_id, asset)
            self._of.setdefault(asset, []).append(alert_id)
            if len(self._alerts) > self._most:
                self._drop()
        return alert

    def _note(self, alert: Alert) -> None:
        """Keep in mind whether an alert stands."""
        if alert.open:
            self._open.setdefault(alert.asset, set()).add(alert.alert_id)
        else:
            self._forget(alert)

    def _forget(self, alert: Alert) -> None:
        stand = self._open.get(alert.asset, set())
        stand.discard(alert.alert_id)
        if not stand:
            self._open.pop(alert.asset, None)

    def _drop(self) -> None:
        gone = next((name for name, each in self._alerts.items() if each.changes and not each.open), None)
        self._remove(gone or next(iter(self._alerts)))

    def _remove(self, gone: str) -> None:
        alert = self._alerts.pop(gone)
        self._forget(alert)
        names = self._of[alert.asset]
        names.remove(gone)
        if not names:
            del self._of[alert.asset]


def change_tree(at_ms: float, record: Record) -> dict[str, Any]:
    """Give one line of the timeline of an alert."""
    names = (
        "change",
        "severity",
        "state",
        "actor",
        "reason",
        "score",
        "event_id",
        "command_id",
        "effect",
        "anomaly_id",
    )
    return {
        "at_ms": at_ms,
        "source_ms": record["at_ns"] / NS_MS,
        **{name: record[name] for name in (*names, "suppressed_by", "work_order", "trace_id")},
    }


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_MS
