"""E-mail: one connection for each mail, in threads of its own."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from foreshock.settings_deliver import SmtpSettings
from foreshock.streams.sinks.answers import Answer, Decision, Delivered, decide
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.http import context
from foreshock.streams.sinks.mail import mail
from foreshock.streams.sinks.template import Template
from foreshock.streams.sinks.words import words

_LOCAL_NAME = "foreshock"  # in HELO; asking DNS for our own name may take longer than the mail
_REMEMBERED = 10_000
_OK, _FORWARDED = 250, 251
_Refused = dict[str, tuple[int, bytes]]


class SmtpSink:
    """Sends a mail for each transition.

    A recipient whose server says "later" holds up no other one: those who have the mail are remembered, and the next attempt
    is for the rest.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        place = f"deliver.{settings.name}"
        self._subject = Template(settings.subject, f"{place}.subject")
        self._body = Template(settings.body, f"{place}.body")
        self._tls = context(settings.ca_file, f"{place}.ca_file")
        self._have: OrderedDict[str, frozenset[str]] = OrderedDict()  # by event: recipients that have the mail
        self._threads = ThreadPoolExecutor(settings.parallel, thread_name_prefix=f"smtp-{settings.name}")

    async def open(self) -> None:
        """Nothing is connected before the first mail."""

    async def close(self) -> None:
        """Leave what is under way; its thread ends with its timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def deliver(self, item: Item) -> Decision:
        """Make one attempt."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._attempt, item)

    def _attempt(self, item: Item) -> Decision:
        values = words(item.alert)
        found = mail(
            item.alert,
            sink=self.settings.name,
            sender=self.settings.sender,
            to=self.settings.to,
            subject=self._subject.fill(values),
            body=self._body.fill(values),
            traceparent=item.traceparent,
        )
        event_id = item.alert.event_id
        have = self._have.get(event_id, frozenset())
        decision, now = self._send(found.as_bytes(), [each for each in self.settings.to if each not in have])
        if isinstance(decision, Delivered):
            self._have.pop(event_id, None)
        elif now:
            self._have[event_id] = have | now
            if len(self._have) > _REMEMBERED:
                self._have.popitem(last=False)
        return decision

    def _send(self, message: bytes, to: list[str]) -> tuple[Decision, frozenset[str]]:
        """Send to these recipients; give what came of it, and who has it now."""
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as exc:  # whatever it is, nothing of the mail is at fault: it can wait
            return decide(Answer("smtp", None, _said(exc), sent=False)), frozenset()
        try:
            answer, refused = self._exchange(server, message, to)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
        return self._outcome(decide(answer), to, refused)

    def _exchange(self, server: smtplib.SMTP, message: bytes, to: list[str]) -> tuple[Answer, _Refused]:
        """Give the server's answer to the mail, and its answers to recipients that it does not take."""
        sent = False
        try:
            code, text = server.mail(self.settings.sender)
            if code != _OK:
                return Answer("smtp", code, _text(text)), {}
            refused = {each: answer for each in to if (answer := server.rcpt(each))[0] not in {_OK, _FORWARDED}}
            if len(refused) == len(to):
                code, text = min(refused.values())  # 4xx before 5xx: where one may still get it, it is tried again
            else:
                sent = True
                code, text = server.data(message)
            return Answer("smtp", code, _text(text)), refused
        except smtplib.SMTPResponseException as exc:
            return Answer("smtp", exc.smtp_code, _text(exc.smtp_error)), {}
        except (OSError, smtplib.SMTPException) as exc:
            return Answer("smtp", None, _said(exc), sent=sent), {}

    def _outcome(self, decision: Decision, to: list[str], refused: _Refused) -> tuple[Decision, frozenset[str]]:
        if not isinstance(decision, Delivered):
            return decision, frozenset()
        have = frozenset(to) - refused.keys()
        later = {each: answer for each, answer in refused.items() if answer[0] < 500}
        if later:
            code, text = next(iter(later.values()))
            return decide(Answer("smtp", code, f"for {', '.join(later)}: {_text(text)}")), have
        return Delivered(f"refused for {', '.join(refused)}" if refused else ""), have

    def _connected(self) -> smtplib.SMTP:
        given = self.settings
        if given.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                given.host, given.port, _LOCAL_NAME, timeout=given.timeout_s, context=self._tls
            )
        else:
            server = smtplib.SMTP(given.host, given.port, _LOCAL_NAME, timeout=given.timeout_s)
        try:
            if given.security == "starttls":
                server.starttls(context=self._tls)
            if given.user:
                server.login(given.user, given.password)
            server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _text(told: bytes | str) -> str:
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
    return " ".join(text.split())[:200]


def _said(exc: BaseException) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"{exc.smtp_code} {_text(exc.smtp_error)}"
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    if isinstance(exc, smtplib.SMTPServerDisconnected):
        return "the connection ended before the answer came"
    return _text(str(exc)) or type(exc).__name__
