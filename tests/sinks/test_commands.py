"""`foreshock deliver --check` and `--test`, and which work orders are open."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foreshock.alerts.vocabulary import WorkKind
from foreshock.cli import app
from foreshock.errors import ConfigurationError
from foreshock.streams.sinks.closures import Open
from foreshock.streams.sinks.errands import TEST_ASSET
from foreshock.streams.sinks.work_request import work_order
from tests.sinks.receivers import WORK_TEMPLATE, Endpoint, Mailbox, MailServer, WorkOrders
from tests.sinks.servers import HttpServer, Script, free_port, serving


def deliver(config: Path, *arguments):
    return CliRunner().invoke(app, ["deliver", "--config", str(config), *arguments])


@pytest.fixture
def config(tmp_path):
    """A settings file, and a way to write it."""
    path = tmp_path / "foreshock.toml"
    path.write_text("", encoding="utf-8")
    return path


def test_check_names_every_sink_or_everything_that_is_wrong(config):
    """All sinks in order: a line each; else a line for each that is not, and nothing is connected."""
    good = '[deliver.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:1/"\n[deliver.bus]\nkind = "mqtt"\nhost = "b"\n'
    config.write_text(good, encoding="utf-8")
    assert deliver(config, "--check").stdout == "hook (webhook): in order\nbus (mqtt): in order\n"

    bad = good.replace("http://127.0.0.1:1/", "nowhere") + 'topic = "{nobody}"\nca_file = "/not/there"\ntls = true\n'
    config.write_text(bad, encoding="utf-8")
    told = deliver(config, "--check").exception

    assert isinstance(told, ConfigurationError)
    assert [line.partition(" ")[0] for line in str(told).splitlines()] == ["deliver.hook.url", "deliver.bus.topic:"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no sink is configured: write a table [deliver.NAME] with its kind (docs/delivery.md)"),
        (["--check", "--only", "chat"], "there is no sink chat; there are none"),
    ],
)
def test_no_sink_is_one_clear_line(config, arguments, message):
    """Without a sink, or without the one that is named, nothing is begun."""
    assert str(deliver(config, *arguments).exception) == message


def test_test_message_goes_to_every_sink_and_to_no_work_order(config, tmp_path):
    """Each sink tells what it made of a message that is plainly none of a machine; of work orders only the look-up is made."""
    hook, orders, mailbox = Endpoint(), WorkOrders(), Mailbox()
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    with serving(HttpServer(hook)) as one, serving(HttpServer(orders)) as two, MailServer(mailbox) as port:
        config.write_text(
            f'[deliver.hook]\nkind = "webhook"\nurl = "{one.url}"\n'
            f'[deliver.orders]\nkind = "rest"\nurl = "{two.url}"\ntemplate = "{template}"\n'
            f'[deliver.mail]\nkind = "smtp"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "f@x.example"\n'
            f'to = ["a@x.example"]\n[deliver.away]\nkind = "webhook"\nurl = "http://127.0.0.1:{free_port()}"\n',
            encoding="utf-8",
        )
        found = deliver(config, "--test")

    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    assert lines[:3] == [
        f"{name} has the test message" for name in ("hook (webhook):", "orders (rest):", "mail (smtp):")
    ]
    assert lines[3].startswith("away (webhook): cannot be reached")
    assert hook.bodies[0]["data"]["asset"] == TEST_ASSET
    assert "no machine is concerned" in mailbox.mails[0].get_payload().replace("=\n", "")
    assert orders.made == []


def test_answer_of_another_kind_of_server_is_a_problem(config, tmp_path):
    """A web page in the place of a look-up's answer is told by the test, not by the first alert."""
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    with serving(HttpServer(WorkOrders(), Script(once=["400"]))) as server:
        config.write_text(
            f'[deliver.orders]\nkind = "rest"\nurl = "{server.url}"\ntemplate = "{template}"\n', encoding="utf-8"
        )
        found = deliver(config, "--test", "--json")

    assert json.loads(found.stdout) == {"sink": "orders", "kind": "rest", "problem": "400 Bad Request: no, not now"}


def test_open_work_orders_are_what_was_opened_and_not_closed():
    """Of one's own only, in the order of the topic; whoever closes one, it is closed; opened again it is open again."""
    sink = Open("cmms")
    record = lambda name, number, kind: work_order("a1", "pump-7", name, number, kind, 1)
    for name, number, kind in [
        ("cmms", "1", WorkKind.OPENED),
        ("cmms", "2", WorkKind.OPENED),
        ("cmms", "2", WorkKind.OPENED),
        ("other", "3", WorkKind.OPENED),
        ("somebody", "1", WorkKind.CLOSED),
        ("cmms", "4", WorkKind.NOTE),
    ]:
        sink.take(record(name, number, kind))
    assert [each.number for each in sink.raised()] == ["2"]

    sink.take(record("cmms", "2", WorkKind.CLOSED))
    assert sink.raised() == []
