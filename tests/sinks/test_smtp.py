"""E-mail, with a real SMTP server."""

import asyncio
import ssl

import pytest
from aiosmtpd.smtp import AuthResult

from foreshock.streams.sinks.answers import Ambiguous, Dead, Delivered, Retry
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.make import make
from tests.sinks.making import TRACEPARENT, Delivery, a_sink, alert
from tests.sinks.receivers import Mailbox, MailServer
from tests.sinks.servers import AUTHORITY, Script, free_port, server_context

PEOPLE = ("anna@plant.example", "ben@plant.example")


async def nowhere(*_):
    pass


def settings_of(port, **changes):
    given = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "f@plant.example", "to": PEOPLE}
    return a_sink("smtp", **given | changes)


def attempt(mailbox, *, server=None, **changes):
    """Make one attempt."""

    async def scenario(port):
        sink = make(settings_of(port, **changes), nowhere)
        await sink.open()
        try:
            return await sink.deliver(Item((0, 0), alert(), TRACEPARENT))
        finally:
            await sink.close()

    with MailServer(mailbox, **(server or {})) as port:
        return asyncio.run(scenario(port))


@pytest.mark.parametrize(
    ("action", "decision", "mails"),
    [
        ("ok", Delivered, 1),
        ("451", Retry, 0),
        ("421", Retry, 0),
        ("554", Dead, 0),
        ("cut before", Ambiguous, 0),
        ("cut after", Ambiguous, 1),
    ],
)
def test_each_way_to_answer_leads_to_its_decision(action, decision, mails):
    """Taken, later, never; and where the connection ends at the mail nobody knows."""
    mailbox = Mailbox(Script(once=[action]))

    assert isinstance(attempt(mailbox), decision)
    assert len(mailbox.mails) == mails


def test_mail_says_what_to_do():
    """Subject, thread and trace are in the headers, the steps in the body; templates take their place."""
    mailbox = Mailbox()
    attempt(mailbox)
    attempt(mailbox, subject="[{severity}] {asset}", body="{action} by {respond_by}")
    first, second = mailbox.mails

    assert (first["Subject"], first["Traceparent"]) == ("WARNING pump-7: raised", TRACEPARENT)
    assert "1. Listen to the drive end." in first.get_payload()
    assert (second["Subject"], second.get_payload().strip()) == (
        "[warning] pump-7",
        "Plan a bearing change by 2025-10-09T09:53:20Z",
    )


def test_server_that_is_not_there_leaves_no_doubt():
    """Nothing was sent: that is no ambiguous answer."""

    async def scenario():
        return await make(settings_of(free_port()), nowhere).deliver(Item((0, 0), alert()))

    found = asyncio.run(scenario())

    assert isinstance(found, Retry)
    assert "refused" in found.why


def test_recipient_that_is_refused_holds_up_no_other():
    """Who is unknown is told in a line; everybody else has the mail, once."""
    mailbox = Mailbox(refuse={PEOPLE[0]: "550 no such user"})
    found = attempt(mailbox)

    assert found == Delivered(f"refused for {PEOPLE[0]}")
    assert mailbox.recipients == [[PEOPLE[1]]]


def test_recipient_that_is_to_come_later_is_the_only_one_who_gets_the_next_attempt():
    """A greylisting server makes nobody get a mail twice."""

    class Greylist(Mailbox):
        async def handle_RCPT(self, server, session, envelope, address, options):
            answer = await super().handle_RCPT(server, session, envelope, address, options)
            self.refuse.pop(address, None)
            return answer

    mailbox = Greylist(refuse={PEOPLE[0]: "451 come again"})
    with MailServer(mailbox) as port:
        delivery = Delivery(make(settings_of(port), nowhere), settings_of(port))
        asyncio.run(delivery.run([alert()]))

    assert mailbox.recipients == [[PEOPLE[1]], [PEOPLE[0]]]
    assert len({each["Message-ID"] for each in mailbox.mails}) == 1


def test_nobody_who_can_get_it_is_a_refusal():
    """All recipients unknown: the mail is set aside with the server's words."""
    found = attempt(Mailbox(refuse=dict.fromkeys(PEOPLE, "550 no such user")))

    assert found == Dead("550 no such user")


@pytest.mark.parametrize(("trusted", "decision"), [(True, Delivered), (False, Retry)])
def test_starttls_checks_the_certificate(trusted, decision):
    """With the plant's authority the mail leaves over TLS; without it nothing is sent."""
    mailbox = Mailbox()
    server = {"tls_context": server_context(), "require_starttls": True}
    ca_file = str(AUTHORITY) if trusted else ""

    found = attempt(mailbox, server=server, security="starttls", ca_file=ca_file)

    assert isinstance(found, decision)
    assert len(mailbox.mails) == trusted
    if not trusted:
        assert "its certificate is not trusted" in found.why


def test_server_without_tls_gets_no_mail():
    """Where TLS is wanted and not offered, the mail waits."""
    mailbox = Mailbox()

    assert isinstance(attempt(mailbox, security="starttls"), Retry)
    assert mailbox.mails == []


@pytest.mark.slow
@pytest.mark.parametrize(("password", "decision"), [("right", Delivered), ("wrong", Retry)])
def test_account_that_is_refused_is_no_fault_of_the_mail(password, decision):
    """A wrong password keeps the mails waiting, and is told nowhere."""
    server = {
        "tls_context": server_context(),
        "auth_required": True,
        "authenticator": lambda *told: AuthResult(success=told[4].password == b"right"),
    }
    changes = {"security": "starttls", "ca_file": str(AUTHORITY), "user": "f", "password": password, "timeout_s": 1.0}
    found = attempt(Mailbox(), server=server, **changes)

    assert isinstance(found, decision)
    assert password not in repr(found)


def test_context_is_the_one_that_checks():
    """Host names and certificates are checked by default."""
    sink = make(settings_of(25), nowhere)

    assert sink._tls.check_hostname
    assert sink._tls.verify_mode is ssl.CERT_REQUIRED
