"""What receives deliveries in tests: endpoints, a chat, a system of work orders, a mail server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.sinks.servers import Script, free_port


class Endpoint:
    """Takes whatever is posted; `received` are alert and event ids in order."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.keys: list[str] = []

    async def __call__(self, request: web.Request, body: bytes) -> Any:
        tree = json.loads(body)
        self.bodies.append(tree)
        key = request.headers["Idempotency-Key"]
        self.keys.append(key)
        self.received.append((self._alert(tree), key))
        return {"ok": True}

    @staticmethod
    def _alert(tree: Any) -> str:
        """The alert's id, wherever the shape has it."""
        if isinstance(tree, list):
            return str(tree[0]["labels"]["alert_id"])
        if "attachments" in tree:
            return str(tree["attachments"][0]["footer"].split()[1])
        if "subject" in tree:
            return str(tree["subject"])
        return str(tree["alerts"][0]["fingerprint"]) if "alerts" in tree else str(tree["alert_id"])


class WorkOrders:
    """A system of work orders: finds by reference, makes what it is asked to, and knows no idempotency keys."""

    def __init__(self) -> None:
        self.made: list[str] = []  # references, as they were made
        self.closed: set[str] = set()

    async def __call__(self, request: web.Request, body: bytes) -> Any:
        if request.path == "/find":
            number = self.number_of(request.query["ref"])
            state = "DONE" if number in self.closed else "OPEN"
            return {"items": [{"number": number, "state": state}] if number else []}
        reference = json.loads(body)["reference"]
        self.made.append(reference)
        return {"number": f"WO-{len(self.made)}"}

    def number_of(self, reference: str) -> str:
        return f"WO-{self.made.index(reference) + 1}" if reference in self.made else ""


WORK_TEMPLATE = {
    "look_up": {
        "path": "/find?ref={alert_id}",
        "number": "items.0.number",
        "status": "items.0.state",
        "closed": ["done"],
    },
    "create": {
        "method": "POST",
        "path": "/orders",
        "body": {"reference": "{alert_id}", "text": "{title}", "priority": "{priority}"},
        "number": "number",
    },
}


class Mailbox:
    """A mail server's behaviour, by script: "ok", "451" and "421" at DATA, "554", "cut before" and "cut after" the mail is taken."""

    def __init__(self, script: Script | None = None, refuse: dict[str, str] | None = None) -> None:
        self.script = script or Script()
        self.refuse = refuse or {}  # recipient -> answer
        self.mails: list[Message] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        answer = self.refuse.get(address, "")
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        action = self.script.next()
        if action in {"451", "421", "554"}:
            return f"{action} not now"
        if action == "cut before":
            return self._cut(server)
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return self._cut(server) if action == "cut after" else "250 taken"

    @staticmethod
    def _cut(server: SMTP) -> str:
        assert server.transport is not None
        server.transport.abort()
        return "250 nobody hears this"

    def received(self) -> list[tuple[str, str]]:
        return [(str(each["X-Foreshock-Alert-Id"]), str(each["X-Foreshock-Event-Id"])) for each in self.mails]

    def repeats(self) -> Counter[str]:
        counted = Counter(str(each["Message-ID"]) for each in self.mails)
        return Counter({name: count - 1 for name, count in counted.items() if count > 1})


class MailServer:
    """A real SMTP server on loopback, in a thread of its own."""

    def __init__(self, mailbox: Mailbox, **more: Any) -> None:
        self.port = free_port()
        self._controller = Controller(mailbox, hostname="127.0.0.1", port=self.port, **more)

    def __enter__(self) -> int:
        self._controller.start()
        return self.port

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class Published:
    """Takes the place of Kafka for a system of work orders' sink: what it puts on `maintenance.v1`."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.traces: list[str] = []

    async def __call__(self, record: Any, traceparent: str) -> None:
        await asyncio.sleep(0)
        self.records.append(record)
        self.traces.append(traceparent)
