"""Write what sinks are sent, as it stands now: `python -m tests.sinks.make_golden`. Read the difference before you commit it."""

from __future__ import annotations

import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

from foreshock.streams.sinks import shapes
from foreshock.streams.sinks.mail import mail
from foreshock.streams.sinks.shapes import Payload
from foreshock.streams.sinks.work_request import load
from tests.sinks.making import TRACEPARENT, alert, closed

FOLDER = Path(__file__).parent / "golden"
LINK = "https://plant.example/alerts/1"
VALUES = {
    "maximo": {"siteid": "BEDFORD"},
    "sap": {},
    "fiix": {"query": "service=cmms&accessKey=k", "asset_id": "7", "site_id": "1"},
    "jira": {"project": "PLANT"},
}


def shown(payload: Payload) -> Any:
    return {"headers": payload.headers, "body": json.loads(payload.body)}


def work(name: str) -> Any:
    """Both requests of a template that comes along."""
    template = load(name, VALUES[name], "test")
    one = alert()
    requests = {"look_up": template.look_up(one.alert_id, one.asset), "create": template.create(one)}
    return {
        name: {"method": each.method, "path": each.path, "headers": each.headers, "body": each.body}
        for name, each in requests.items()
    }


def made() -> dict[str, Any]:
    """Everything that has a golden file, by its name."""
    one, over = alert(), closed(alert(step=4))
    found: dict[str, Any] = {
        "cloudevent_structured": shown(shapes.structured(one, TRACEPARENT, LINK)),
        "cloudevent_binary": shown(shapes.binary(one, TRACEPARENT)),
        "alertmanager_webhook": shown(shapes.alertmanager_webhook(one, "plant", LINK)),
        "alertmanager_webhook_closed": shown(shapes.alertmanager_webhook(over, "plant")),
        "alertmanager_post": shown(shapes.alertmanager_post(one, 86400, LINK)),
        "alertmanager_post_closed": shown(shapes.alertmanager_post(over, 86400)),
        "slack": shown(shapes.slack(one, link=LINK)),
        "slack_closed": shown(shapes.slack(over, "{asset} is fine", "#plant")),
    }
    for name, each in (("mail", one), ("mail_closed", over)):
        sent = mail(
            each, sink="mail", sender="Foreshock <foreshock@plant.example>", to=("a@plant.example", "b@x.example")
        )
        parsed = message_from_bytes(sent.as_bytes())
        body = parsed.get_payload(decode=True)
        assert isinstance(body, bytes)
        found[name] = {"headers": dict(parsed.items()), "body": body.decode().splitlines()}
    return found | {name: work(name) for name in VALUES}


def main() -> None:
    for name, each in made().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(each, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
