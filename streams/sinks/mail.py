"""A transition as an e-mail. Pure: the same transition is the same mail, with the same Message-ID."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from foreshock.alerts.records import AlertTransition
from foreshock.streams.sinks.words import description, title


def mail(
    alert: AlertTransition,
    *,
    sink: str,
    sender: str,
    to: tuple[str, ...],
    subject: str = "",
    body: str = "",
    traceparent: str = "",
) -> EmailMessage:
    """Give the mail of a transition.

    Parameters
    ----------
    sink
        Name of the sink: two sinks send two mails.
    subject, body
        In place of ours, already filled in.

    Notes
    -----
    Message-ID is a function of the event: a mail that comes twice is one mail. All mails of an alert refer to one thread
    id, a function of the alert, so that a mail program shows them as one thread whichever came first; the first mail of
    an alert cannot be named itself, because what came first is not known to who forgets everything with a restart.
    """
    found = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    domain = _domain(sender)
    found["From"] = sender
    found["To"] = ", ".join(to)
    found["Subject"] = _one_line(subject or title(alert))
    found["Date"] = format_datetime(datetime.fromtimestamp(alert.at_ns // 1_000_000_000, UTC))
    found["Message-ID"] = message_id(alert, sink, domain)
    found["In-Reply-To"] = found["References"] = thread_id(alert, sink, domain)
    found["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers to it
    found["X-Foreshock-Event-Id"] = alert.event_id
    found["X-Foreshock-Alert-Id"] = alert.alert_id
    found["X-Foreshock-Severity"] = alert.severity.value
    if traceparent:
        found["Traceparent"] = traceparent
    found.set_content(body or description(alert), charset="utf-8", cte="quoted-printable")
    return found


def message_id(alert: AlertTransition, sink: str, domain: str) -> str:
    """Give the Message-ID of a transition's mail."""
    return f"<{alert.event_id}.{sink}@{domain}>"


def thread_id(alert: AlertTransition, sink: str, domain: str) -> str:
    """Give the id that holds the mails of an alert together."""
    return f"<alert.{alert.alert_id}.{sink}@{domain}>"


def _domain(sender: str) -> str:
    found = re.search(r"@([A-Za-z0-9.-]+)", sender)
    return found[1] if found else "foreshock.invalid"


def _one_line(text: str) -> str:
    """Keep a header on one line: a line break in a machine's name adds no header."""
    return " ".join(text.split())[:200]
