"""A transition as bodies of HTTP requests and MQTT messages: CloudEvents, Alertmanager, chat. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Severity
from foreshock.records import to_tree
from foreshock.streams.codec.headers import iso
from foreshock.streams.sinks.words import description, ended, said, title, when

ALERT_NAME = "Foreshock"
_COLOURS = {
    Severity.INFO: "#439FE0",
    Severity.WATCH: "#E8C547",
    Severity.WARNING: "#F2962E",
    Severity.CRITICAL: "#C0232C",
}
_RESOLVED = "#2EB67D"
_NEVER = "0001-01-01T00:00:00Z"  # Alertmanager's word for "not ended"


class Payload(NamedTuple):
    """What is sent: headers beside those of the connection, and the body."""

    headers: dict[str, str]
    body: bytes


def cloudevent(alert: AlertTransition, traceparent: str) -> dict[str, Any]:
    """Give the attributes of a transition after CloudEvents 1.0, with the extensions for partitioning and tracing."""
    site = f"//{quote(alert.site, safe='')}" if alert.site else ""
    return {
        "specversion": "1.0",
        "id": alert.event_id,
        "type": f"io.foreshock.alert.{alert.change}.v1",
        "source": f"{site}/{quote(alert.asset, safe='/:@!$&()*+,;=')}",
        "subject": alert.alert_id,
        "time": iso(alert.at_ns),
        "datacontenttype": "application/json",
        "partitionkey": alert.alert_id,
        "traceparent": traceparent,
    }


def structured(alert: AlertTransition, traceparent: str, link: str = "") -> Payload:
    """Give a CloudEvent in structured mode."""
    event = cloudevent(alert, traceparent) | {"data": data(alert, link)}
    return Payload({"Content-Type": "application/cloudevents+json; charset=utf-8"}, orjson.dumps(event))


def binary(alert: AlertTransition, traceparent: str, link: str = "") -> Payload:
    """Give a CloudEvent in binary mode: attributes in headers, percent-encoded as the HTTP binding says."""
    event = cloudevent(alert, traceparent)
    content_type = event.pop("datacontenttype")
    printable = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
    headers = {f"ce-{name}": quote(value, safe=printable) for name, value in event.items()}
    return Payload({"Content-Type": content_type, **headers}, orjson.dumps(data(alert, link)))


def data(alert: AlertTransition, link: str = "") -> dict[str, Any]:
    """Give the fields of a transition as they stand on `alerts.v1`."""
    tree: dict[str, Any] = to_tree(alert)
    return tree | ({"link": link} if link else {})


def alertmanager_webhook(alert: AlertTransition, receiver: str, link: str = "") -> Payload:
    """Give the body that Alertmanager's own webhooks have, version 4, with one alert; its fingerprint is the alert's id."""
    status = "resolved" if ended(alert) else "firing"
    labels, annotations = _labels(alert), _annotations(alert)
    body = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{ALERT_NAME}", alert_id="{alert.alert_id}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": {"alertname": ALERT_NAME, "alert_id": alert.alert_id},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": link,
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": iso(alert.raised_ns),
                "endsAt": iso(alert.at_ns) if ended(alert) else _NEVER,
                "generatorURL": link,
                "fingerprint": alert.alert_id,
            }
        ],
    }
    return Payload({"Content-Type": "application/json"}, orjson.dumps(body))


def alertmanager_post(alert: AlertTransition, resolve_after_s: float, link: str = "") -> Payload:
    """Give the body of `POST /api/v2/alerts`.

    An alert is its labels there, and the severity has to be one of them: routes ask for it. So the same alert under its
    other severities ends with the same request. What is firing ends by itself after `resolve_after_s`, if nothing is
    heard of it any more: Alertmanager expects to be told again and again, and a transition comes once.
    """
    far = iso(alert.at_ns + int(resolve_after_s * 1e9))
    bodies = []
    for severity in Severity:
        present = severity is alert.severity and not ended(alert)
        bodies.append(
            {
                "labels": _labels(alert) | {"severity": severity.value},
                "annotations": _annotations(alert),
                "startsAt": iso(alert.raised_ns),
                "endsAt": far if present else iso(max(alert.at_ns, alert.raised_ns)),
                "generatorURL": link,
            }
        )
    return Payload({"Content-Type": "application/json"}, orjson.dumps(bodies))


def _labels(alert: AlertTransition) -> dict[str, str]:
    """Give what identifies an alert for as long as its severity stays; nothing else of it may be here, and no empty label."""
    labels = {
        "alertname": ALERT_NAME,
        "alert_id": alert.alert_id,
        "asset": alert.asset,
        "site": alert.site,
        "severity": alert.severity.value,
    }
    return {name: value for name, value in labels.items() if value}


def _annotations(alert: AlertTransition) -> dict[str, str]:
    told = {
        "summary": title(alert),
        "description": description(alert),
        "change": alert.change.value,
        "state": alert.state.value,
        "score": "" if alert.score is None else f"{alert.score:.6g}",
        "hypothesis": alert.hypothesis,
        "action": alert.action,
        "runbook": "\n".join(alert.runbook),
        "priority": str(alert.priority),
        "owner": alert.owner,
        "work_order": alert.work_order,
        "event_id": alert.event_id,
        "trace_id": alert.trace_id,
    }
    return {name: value for name, value in told.items() if value}


def slack(alert: AlertTransition, text: str = "", channel: str = "", link: str = "") -> Payload:
    """Give the body of an incoming webhook. `text`: in place of the title, already filled in."""
    fields = [
        ("Machine", " / ".join((*alert.path, alert.asset))),
        ("Score", "" if alert.score is None else f"{alert.score:.3g}"),
        ("Looks like", alert.hypothesis),
        ("What to do", alert.action),
        ("Who", alert.owner),
        ("Answer by", when(alert.respond_by_ns)),
        ("Work order", alert.work_order),
    ]
    attachment = {
        "color": _RESOLVED if ended(alert) else _COLOURS[alert.severity],
        "fallback": escaped(title(alert)),
        "text": escaped(f"{said(alert.change).capitalize()}: {alert.reason}"),
        "fields": [
            {"title": name, "value": escaped(value), "short": len(value) < 40} for name, value in fields if value
        ],
        "footer": f"alert {alert.alert_id} · event {alert.event_id}",
        "ts": alert.at_ns // 1_000_000_000,
    }
    body: dict[str, Any] = {"text": escaped(text or title(alert)), "attachments": [attachment]}
    if channel:
        body["channel"] = channel
    if link:
        attachment |= {"title": "Open", "title_link": link}
    return Payload({"Content-Type": "application/json"}, orjson.dumps(body))


def escaped(text: str) -> str:
    """Write text so that a chat shows it as it is: no mention, no link comes out of a machine's name."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def signature(key: str, event_id: str, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 over the event's id, a full stop and the body, in hexadecimal."""
    return hmac.new(key.encode(), event_id.encode() + b"." + body, hashlib.sha256).hexdigest()
