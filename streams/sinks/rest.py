"""A system of work orders: each alert gets one work request, and its number comes back to the alert."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.settings_deliver import RestSettings
from foreshock.streams.sinks.answers import Ambiguous, Answer, Decision, Delivered, Retry, decide
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.http import Http, Reply, trace_headers
from foreshock.streams.sinks.work_request import Request, lacks, load, orders

_KNOWN = 100_000  # numbers that are remembered; for the rest there is the look-up
_NOT_FOUND, _CONFLICT = 404, 409
Publish = Callable[[WorkOrder, str], Awaitable[None]]  # the record, the traceparent


class RestSink:
    """Looks a request up by the alert's id, makes one where there is none, and publishes its number.

    Parameters
    ----------
    publish
        Puts a work order on `maintenance.v1`; returns when it is there.

    Notes
    -----
    Every attempt begins with the look-up, so an answer that got lost makes no second request. The key of the creation is
    the alert's id: whatever changes of the alert, it is one request.
    """

    def __init__(self, settings: RestSettings, publish: Publish) -> None:
        self.settings = settings
        self.template = load(settings.template, dict(settings.values), f"deliver.{settings.name}.template")
        self.http = Http(settings, self.template.scheme)
        self._publish = publish
        self._known: OrderedDict[str, str] = OrderedDict()

    async def open(self) -> None:
        """Get ready."""
        await self.http.open()

    async def close(self) -> None:
        """Let go of the connections."""
        await self.http.close()

    async def deliver(self, item: Item) -> Decision:
        """Make one attempt."""
        alert = item.alert
        lacking = [each for each in lacks(alert) if each not in self._known]
        if not lacking:
            return Delivered()
        number = self._known.get(alert.alert_id, "") or await self._raised(item)
        if not isinstance(number, str):
            return number
        at_ns = min(alert.at_ns, time.time_ns())  # a machine's clock may be ahead; a record of the future is refused
        for each in orders(alert, self.settings.name, number, WorkKind.OPENED, at_ns):
            if each.alert_id in lacking:
                await self._publish(each, item.traceparent)
        for known in (*lacking, alert.alert_id):
            self._known[known] = number
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return Delivered()

    async def _raised(self, item: Item) -> Decision | str:
        """Give the number of the request of an alert, which is made where there is none; or what went wrong."""
        alert = item.alert
        reply = await self.look_up(alert.alert_id, alert.asset, trace_headers(item))
        looked = _looked(reply)
        if not isinstance(looked, Delivered):
            return looked
        number = self.template.found(reply.tree)
        if not number:
            made = await self._create(item, reply)
            if isinstance(made, Ambiguous):
                return replace(made, after_s=max(made.after_s or 0.0, self.settings.look_again_s))
            if not isinstance(made, str):
                return made
            number = made
        return number

    async def look_up(self, alert_id: str, asset: str, headers: dict[str, str]) -> Reply:
        """Ask for the work order of an alert."""
        if self.template.csrf:
            headers = {**headers, "X-CSRF-Token": "Fetch"}
        return await self._ask(self.template.look_up(alert_id, asset), headers)

    async def _create(self, item: Item, looked: Reply) -> Decision | str:
        """Ask to make one; give its number, or what went wrong."""
        headers = {**trace_headers(item), "Idempotency-Key": item.alert.alert_id}
        if self.template.csrf and looked.headers is not None:
            headers["X-CSRF-Token"] = looked.headers.get("X-CSRF-Token", "")
        reply = await self._ask(self.template.create(item.alert), headers)
        if reply.answer.code == _CONFLICT:
            return Ambiguous("409: it may be there already")
        decision = decide(reply.answer)
        if not isinstance(decision, Delivered):
            return decision
        number = self.template.made(reply.tree)
        # what was made has a number; where the answer does not say it the look-up does
        return number or Ambiguous("a request was made, and the answer does not say its number")

    async def _ask(self, request: Request, headers: dict[str, str]) -> Reply:
        body = None if request.body is None else orjson.dumps(request.body)
        given = {**({} if body is None else {"Content-Type": "application/json"}), **request.headers, **headers}
        return await self.http.ask(request.method, request.path, given, body)


def _looked(reply: Reply) -> Decision:
    """Say what a look-up came to. Nothing was asked to be done, so no answer of it is ambiguous."""
    answer: Answer = reply.answer
    decision = Delivered() if answer.code == _NOT_FOUND else decide(answer)
    if isinstance(decision, Ambiguous):
        return Retry(f"look-up: {decision.why}", decision.after_s)
    if isinstance(decision, Delivered) and answer.code != _NOT_FOUND and reply.tree is None:
        return Retry("look-up: its answer is no JSON, so nobody knows whether there is a request")
    return decision
