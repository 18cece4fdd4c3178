"""Answers about alerts and anomalies: the record in words, where it came from, its proof, its trace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from foreshock.errors import ConfigurationError
from foreshock.streams.cases.search import Sighting, find
from foreshock.streams.console import asked
from foreshock.streams.console.alertbook import Alert
from foreshock.streams.console.app import Console
from foreshock.streams.console.asset import asset, unknown
from foreshock.streams.console.events import (
    alert_behind,
    alert_of,
    alert_tree,
    anomaly_behind,
    anomaly_tree,
    digits,
    event_line,
    incident_tree,
    incident_with,
)
from foreshock.streams.console.guard import answer
from foreshock.streams.console.lineage import lineage
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.proving import prove, sighting
from foreshock.streams.console.traces import trace

SHOWN = 2000


class Alerting:
    """The handlers."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/api/alerts", self.alerts),
            web.get("/api/alerts/{alert}", self.alert),
            web.get("/api/lines", self.lines),
            web.get("/api/anomalies", self.anomalies),
            web.get("/api/anomalies/{event}", self.anomaly),
            web.get("/api/lineage/{event}", self.lineage),
            web.post("/api/replay/{event}", self.replay),
            web.get("/api/traces/{trace}", self.trace),
            web.get("/api/trace", self.trace_of_asset),
        ]

    async def alerts(self, request: web.Request) -> web.Response:
        """List alerts: those that stand first, then the newest."""
        book, name = self._console.plant.alerts, asked.text(request, "asset")
        state = asked.text(request, "state", "open")
        if state not in {"open", "all"}:
            raise Problem("bad_request", "state must be open or all")
        found = [each for each in (book.of(name) if name else book.every()) if each.raised]
        wanted = [each.summary() for each in found if state == "all" or each.open]
        wanted.sort(key=lambda each: (not each["open"], -each["raised_ms"]))
        limit = asked.whole(request, "limit", 200, 1, SHOWN)
        return answer({"alerts": wanted[:limit], "total": len(wanted)})

    async def alert(self, request: web.Request) -> web.Response:
        """Give an alert with its timeline, and the anomaly behind it."""
        plant = self._console.plant
        alert = alert_of(plant, request.match_info["alert"])
        told = alert_tree(alert)
        page = asset(plant, alert.asset, self._console.now_ms)
        event, behind = None, anomaly_behind(plant, alert)
        if behind:
            try:
                event = await self._anomaly(behind)
            except Problem as problem:
                event = problem.tree()
        line = incident_with(plant, alert.alert_id)
        beside = {
            name: [each for each in page[name] if each["alert_id"] in {"", alert.alert_id}]
            for name in ("labels", "work")
        }
        return answer({**told, **beside, "anomaly_id": behind, "anomaly": event, "now": page["now"], "incident": line})

    async def lines(self, request: web.Request) -> web.Response:
        """List incidents of lines: those that stand first, then the newest."""
        found = [incident_tree(each) for each in self._console.plant.lines.every()]
        found.sort(key=lambda each: (not each["open"], -each["raised_ms"]))
        return answer({"incidents": found[: asked.whole(request, "limit", 100, 1, SHOWN)], "total": len(found)})

    async def anomalies(self, request: web.Request) -> web.Response:
        """List the anomaly events that are held, the newest first."""
        name = asked.text(request, "asset")
        found = [e for e in reversed(self._console.plant.anomalies.values()) if name in {"", e["asset"]}]
        return answer({"anomalies": found[: asked.whole(request, "limit", 200, 1, SHOWN)], "total": len(found)})

    async def anomaly(self, request: web.Request) -> web.Response:
        """Give an anomaly event in words."""
        return answer(await self._anomaly(request.match_info["event"]))

    async def lineage(self, request: web.Request) -> web.Response:
        """Give nodes and edges from raw records to the alert; of an alert, or of an anomaly event."""
        plant = self._console.plant
        start = digits(request.match_info["event"], "an event")
        alerts = plant.alerts.get(start)
        alert: Alert | None = alerts[0] if len(alerts) == 1 else None
        event_id = anomaly_behind(plant, alert) if alert else start
        if not event_id:
            raise Problem("not_found", "no anomaly event stands behind this alert")
        seen = await self._sighting(event_id)
        if alert is None:
            behind = alert_behind(plant, seen.anomaly.event_id, seen.anomaly.asset)
            alert = plant.alerts.get(behind)[0] if behind else None
        work = [
            each
            for each in plant.work
            if alert is not None and each[1].asset == alert.asset and each[1].alert_id == alert.alert_id
        ]
        return answer(lineage(seen.anomaly, alert, work, {"partition": seen.partition, "offset": seen.offset}))

    async def replay(self, request: web.Request) -> web.Response:
        """Compute an event again, and say whether it came out the same."""
        console = self._console
        start = digits(request.match_info["event"], "an event")
        if console.replaying.locked():
            raise Problem("busy", "another replay runs", "try again in a moment")
        async with console.replaying:
            seen = await self._sighting(start)
            return answer(await console.readers.search(prove, console.settings, seen))

    async def trace(self, request: web.Request) -> web.Response:
        """Give a trace by any id."""
        return answer(await self._trace(digits(request.match_info["trace"], "a trace")))

    async def trace_of_asset(self, request: web.Request) -> web.Response:
        """Give the trace of the last anomaly of an asset."""
        name = asked.text(request, "asset")
        if not self._console.plant.known(name):
            raise unknown(self._console.plant, name)
        return answer(await self._trace(name))

    async def _trace(self, wanted: str) -> dict[str, Any]:
        console = self._console
        ratio, link = console.settings.telemetry.sample_ratio, console.settings.console.trace_link
        return await asyncio.get_running_loop().run_in_executor(None, trace, console.store, wanted, ratio, link)

    async def _anomaly(self, event_id: str) -> dict[str, Any]:
        seen = await self._sighting(event_id)
        event = seen.anomaly
        plant = self._console.plant
        behind = alert_behind(plant, event.event_id, event.asset)
        return anomaly_tree(event, behind, plant.registered.get(event.asset))

    async def _sighting(self, start: str) -> Sighting:
        """Read an anomaly event from Kafka.

        Raises
        ------
        Problem
            Kafka does not keep it.
        """
        console = self._console
        line: Mapping[str, Any] | None = event_line(console.plant, start)
        place = None if line is None else (line["partition"], line["offset"])
        event_id = start if line is None else line["event_id"]
        try:
            if place is None:
                return await console.readers.search(find, console.settings, event_id)
            return await console.readers.ask(sighting, console.settings, console.registry, place)
        except ConfigurationError as exc:
            raise Problem(
                "unknown_event", str(exc), "`foreshock tail anomalies.v1 --from beginning` shows all that Kafka keeps"
            ) from exc
