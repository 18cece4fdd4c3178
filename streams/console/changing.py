"""What people change from the page: commands on control.v1, with actor and reason, and the worker's answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind, Holds, Verdict
from foreshock.streams.console import asked
from foreshock.streams.console.app import Console
from foreshock.streams.console.asset import unknown
from foreshock.streams.console.events import alert_of
from foreshock.streams.console.guard import answer
from foreshock.streams.console.problems import Problem
from foreshock.streams.errands.asking import ask

WAIT_S = 10.0
NS = 1_000_000_000
_OF_ALERT: Mapping[str, CommandKind] = {
    "ack": CommandKind.ACKNOWLEDGE,
    "shelve": CommandKind.SHELVE,
    "unshelve": CommandKind.UNSHELVE,
    "close": CommandKind.CLOSE,
    "label": CommandKind.LABEL,
}
_OF_ASSET: Mapping[str, CommandKind] = {
    "label": CommandKind.LABEL,
    "freeze": CommandKind.FREEZE,
    "resume": CommandKind.RESUME,
    "window": CommandKind.WINDOW,
}


class Changing:
    """The handlers."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.post(f"/api/alerts/{{alert}}/{{what:{'|'.join(_OF_ALERT)}}}", self.alert),
            web.post(f"/api/asset/{{what:{'|'.join(_OF_ASSET)}}}", self.asset),
        ]

    async def alert(self, request: web.Request) -> web.Response:
        """Send a command about an alert."""
        self._console.guard.may_change(request)
        alert = alert_of(self._console.plant, request.match_info["alert"])
        kind = _OF_ALERT[request.match_info["what"]]
        return await self._send(command(kind, alert.asset, alert.alert_id, await asked.body(request), time.time_ns()))

    async def asset(self, request: web.Request) -> web.Response:
        """Send a command about an asset."""
        self._console.guard.may_change(request)
        name = asked.asset_id(request)
        if not self._console.plant.known(name):
            raise unknown(self._console.plant, name)
        kind = _OF_ASSET[request.match_info["what"]]
        return await self._send(command(kind, name, "", await asked.body(request), time.time_ns()))

    async def _send(self, sent: Command) -> web.Response:
        told = await self._console.readers.run(ask, self._console.settings, sent, WAIT_S)
        if told is None:
            raise Problem(
                "no_answer",
                f"no worker answered within {WAIT_S:g} s",
                f"the command {sent.command_id} stands on control.v1: a worker that is down takes it when it is back",
            )
        if told["change"] == "refused":
            raise Problem("refused", str(told["reason"]))
        names = ("change", "state", "alert_id", "asset", "reason", "effect", "event_id", "command_id", "severity")
        return answer({name: told[name] for name in names} | {"at_ms": told["at_ns"] / 1e6})


def command(kind: CommandKind, asset: str, alert_id: str, given: Mapping[str, Any], now_ns: int) -> Command:
    """Make a command of what the page sent.

    Raises
    ------
    Problem
        Something is missing, or is not as it must be.
    """
    about: dict[str, Any] = {
        "actor": asked.said(given, "actor"),
        "reason": asked.said(given, "reason"),
        "note": asked.said(given, "note", ""),
        "work_order": asked.said(given, "work_order", ""),
    }
    if kind is CommandKind.SHELVE:
        about["until_ns"] = now_ns + int(_hours(given) * 3600 * NS)
    if kind is CommandKind.LABEL:
        about |= _label(given)
    if kind is CommandKind.WINDOW:
        about |= {"from_ns": asked.time_ns(given, "from_ms"), "until_ns": asked.time_ns(given, "until_ms")}
        about["holds"] = _word(Holds, given, "holds", Holds.BOTH.value)
    return Command(
        command_id=asked.said(given, "command_id", "") or uuid.uuid4().hex,
        kind=kind,
        asset=asset,
        alert_id=alert_id,
        at_ns=now_ns,
        **about,
    )


def _label(given: Mapping[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {
        "fault_code": asked.said(given, "fault_code", ""),
        "label_id": asked.said(given, "label_id", ""),
        "accept": given.get("accept") is True,
        "from_ns": asked.time_ns(given, "from_ms"),
        "until_ns": asked.time_ns(given, "until_ms"),
    }
    if not about["accept"]:
        about["verdict"] = _word(Verdict, given, "verdict", None)
    return about


def _hours(given: Mapping[str, Any]) -> float:
    found = given.get("hours")
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= 24 * 365:
        raise Problem("bad_request", "hours must be a number above 0: for how long the alarm is shelved")
    return float(found)


def _word(kind: type[Holds | Verdict], given: Mapping[str, Any], name: str, default: str | None) -> Holds | Verdict:
    found = asked.said(given, name, default)
    if found not in {each.value for each in kind}:
        raise Problem("bad_request", f"{name} must be one of {', '.join(each.value for each in kind)}")
    return kind(found)
