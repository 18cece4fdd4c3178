"""docs/delivery.md: its settings, its fields, its example."""

import json
import re
from pathlib import Path

import pytest

from foreshock.settings import load
from foreshock.settings_deliver import KINDS, HttpSettings, SinkSettings, defaults
from foreshock.streams.sinks.make import make
from foreshock.streams.sinks.words import FIELDS

TEXT = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| (\w+) \| `(\w+)` \| (?:`([^`]*)`)? ?\|", TEXT, re.MULTILINE)


def shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return json.dumps(value)
    return str(value) or '""'


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_kind_is_documented_with_its_default(kind):
    """The table and the code name the same keys with the same defaults; `changes` and `kind` are told in words."""
    groups = {"every", kind} | ({"HTTP"} if issubclass(KINDS[kind], HttpSettings) else set())
    documented = {key: value for group, key, value in TABLE if group in groups and key not in {"kind", "changes"}}
    declared = {key: shown(value) for key, value in defaults(KINDS[kind]).items() if key != "changes"}

    assert documented == declared


def test_fields_of_templates_are_those_that_there_are():
    """The page lists every field, and no other."""
    listed = TEXT.partition("## Templates")[2].partition("## One trace")[0].partition("\n\n")[2].rpartition("\n\n`")[2]

    assert re.findall(r"`?(\w+)`", "`" + listed) == list(FIELDS)


def test_example_is_a_valid_configuration(tmp_path):
    """What the page shows can be copied: it loads, and each sink can be made."""

    async def nowhere(*_):
        pass

    secret = tmp_path / "secret"
    secret.write_text("https://chat.example/T1/secret\n", encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1]
    config = tmp_path / "foreshock.toml"
    config.write_text(re.sub(r'"/run/secrets/[\w-]+"', f'"{secret}"', example), encoding="utf-8")
    found = load(config, {}).deliver

    assert {name: each.kind for name, each in found.items()} == {
        "shift-chat": "slack",
        "mail": "smtp",
        "orders": "rest",
    }
    assert all(isinstance(each, SinkSettings) and make(each, nowhere) for each in found.values())
    assert "secret" not in repr(found).replace("shift-chat", "")
    assert found["orders"].values == (("siteid", "BEDFORD"),)


def test_environment_gives_keys_of_a_sink(tmp_path, monkeypatch):
    """A variable sets a key of a sink, lists with commas; the file's other keys stay."""
    monkeypatch.chdir(tmp_path)
    env = {
        "FORESHOCK_DELIVER__BUS__KIND": "mqtt",
        "FORESHOCK_DELIVER__BUS__HOST": "broker",
        "FORESHOCK_DELIVER__BUS__PORT": "8883",
        "FORESHOCK_DELIVER__BUS__TLS": "true",
        "FORESHOCK_DELIVER__BUS__CHANGES": "raised, closed",
    }
    bus = load(None, env).deliver["bus"]

    assert (bus.host, bus.port, bus.tls, bus.changes) == ("broker", 8883, True, ("raised", "closed"))
