"""What sinks are sent: golden files, and what must hold of every transition."""

import json
from email import message_from_bytes

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.alerts.vocabulary import AlarmState, Change, Severity
from foreshock.errors import ConfigurationError
from foreshock.streams.sinks import shapes
from foreshock.streams.sinks.filters import wanted
from foreshock.streams.sinks.mail import mail
from foreshock.streams.sinks.template import Template, Tree
from foreshock.streams.sinks.words import FIELDS, words
from tests.sinks.make_golden import FOLDER, made
from tests.sinks.making import TRACEPARENT, alert, closed, plain

MADE = made()
NASTY = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize("name", sorted(MADE))
def test_payload_is_the_golden_one(name):
    """The same transition gives the same payload, from version to version (`python -m tests.sinks.make_golden`)."""
    assert MADE[name] == json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_no_golden_file_is_left_over():
    """Each file is compared with something."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MADE)


@given(NASTY, NASTY, NASTY)
def test_mail_has_no_header_that_a_name_could_forge(asset, reason, owner):
    """Whatever a machine is called: the mail parses to the same headers, each once, and the text is in its body."""
    one = alert(asset=asset, reason=reason, owner=owner)
    parsed = message_from_bytes(mail(one, sink="m", sender="f@x.example", to=("a@x.example",)).as_bytes())

    assert [parsed.get_all(name, []) for name in ("To", "Bcc", "X-Foreshock-Event-Id")] == [
        ["a@x.example"],
        [],
        [one.event_id],
    ]
    assert parsed["Message-ID"] == f"<{one.event_id}.m@x.example>"


def test_mails_of_an_alert_are_one_thread():
    """Every mail of an alert refers to the same thread; a repeat has the same Message-ID, another event another one."""
    sent = [mail(alert(step=step), sink="m", sender="f@x.example", to=("a@x.example",)) for step in (0, 1, 1, 4)]

    assert len({each["References"] for each in sent}) == 1
    assert [each["Message-ID"] == sent[1]["Message-ID"] for each in sent] == [False, True, True, False]
    assert sent[1].as_bytes() == sent[2].as_bytes()


@given(NASTY, NASTY)
def test_chat_shows_names_as_they_are(asset, hypothesis):
    """No mention and no link comes out of the text of an alert."""
    body = orjson.loads(shapes.slack(alert(asset=asset, hypothesis=hypothesis)).body)
    texts = [
        body["text"],
        body["attachments"][0]["text"],
        *(each["value"] for each in body["attachments"][0]["fields"]),
    ]

    assert not any("<" in text or ">" in text for text in texts)


@given(NASTY, NASTY)
def test_binary_cloudevent_has_headers_that_http_can_carry(asset, site):
    """Attributes are printable ASCII, percent-encoded where they were not."""
    headers = shapes.binary(alert(asset=asset, site=site), TRACEPARENT).headers

    assert all(value.isascii() and value.isprintable() for value in headers.values())


def test_alertmanager_sees_one_firing_alert_at_most():
    """Of the four severities one is firing while the alert lives, none when it is over, and labels else stay the same."""
    for one, firing in ((alert(), ["warning"]), (alert(step=1), ["critical"]), (closed(alert(step=4)), [])):
        sent = orjson.loads(shapes.alertmanager_post(one, 86400).body)
        live = [
            each["labels"]["severity"] for each in sent if each["endsAt"] > sent[0]["startsAt"][:4] and _late(each, one)
        ]
        assert live == firing
        assert len({json.dumps({**each["labels"], "severity": ""}) for each in sent}) == 1
        assert [each["labels"]["severity"] for each in sent] == list(Severity)


def _late(sent, one):
    return sent["endsAt"] > shapes.iso(one.at_ns + 1)


def test_signature_is_of_id_and_body():
    """Another body, id or key gives another signature; the receiver can compute it."""
    import hashlib
    import hmac

    expected = hmac.new(b"key", b"id.body", hashlib.sha256).hexdigest()

    assert shapes.signature("key", "id", b"body") == expected
    assert (
        len({shapes.signature(*each) for each in (("key", "id", b"x"), ("k", "id", b"body"), ("key", "i", b"body"))})
        == 3
    )


class TestTemplate:
    """Text with fields out of a closed list."""

    def test_every_field_can_be_named(self):
        """Each name of the list has a value for a transition without anything optional, too."""
        bare = alert(score=None, trend=None, path=(), site="", points=(), respond_by_ns=None, runbook=(), escalation=())
        for one in (alert(), bare):
            for name in FIELDS:
                assert Template(f"<{{{name}}}>", "t").fill(words(one)) == f"<{words(one)[name]}>"

    @pytest.mark.parametrize(
        "text",
        [
            "{nobody}",
            "{asset.path}",
            "{asset.__class__}",
            "{asset[0]}",
            "{asset!r}",
            "{asset:>9}",
            "{}",
            "{0}",
            "{asset",
            "}",
        ],
    )
    def test_anything_else_is_refused(self, text):
        """No attribute, no index, no conversion, no format, no unknown name, no brace alone."""
        with pytest.raises(ConfigurationError, match=r"^deliver\.chat\.text: "):
            Template(text, "deliver.chat.text")

    def test_braces_are_written_twice(self):
        """`{{` is a brace."""
        assert Template("{{{asset}}}", "t").fill(words(alert())) == "{pump-7}"

    def test_values_are_not_templates(self):
        """What an alert says is never read as a template."""
        assert Template("{asset}", "t").fill(words(alert(asset="{owner}"))) == "{owner}"

    def test_tree_keeps_numbers(self):
        """A text that is one field alone gives the value; everything else stays what it is."""
        tree = Tree({"a": "{priority}", "b": ["P{priority}", 3, None, True], "{asset}": ""}, "t")

        assert tree.fill(words(alert())) == {"a": 2, "b": ["P2", 3, None, True], "{asset}": ""}


class TestFilters:
    """Which transitions a sink is told of."""

    @pytest.mark.parametrize(
        ("settings", "one", "told"),
        [
            ({}, alert(), True),
            ({"severity": Severity.CRITICAL}, alert(), False),
            ({"severity": Severity.CRITICAL}, alert(step=1), True),
            ({"severity": Severity.CRITICAL}, alert(step=4), True),
            ({"severity": Severity.WARNING}, alert(), True),
            ({"changes": (Change.RAISED,)}, alert(step=1), False),
            ({"assets": ("pump-*",)}, alert(), True),
            ({"assets": ("fan-*", "pump-8")}, alert(), False),
            ({"sites": ("lev*",)}, alert(), True),
            ({"sites": ("acme/*/hall 3/*",)}, alert(), True),
            ({"sites": ("acme/berlin/*",)}, alert(), False),
            ({}, alert(alert_id=""), False),
        ],
    )
    def test_a_filter_lets_through_what_it_names(self, settings, one, told):
        """By the worst severity so far, by change, by patterns on asset and place; a record of no alert goes nowhere."""
        assert wanted(one, plain(**settings)) is told

    def test_who_was_told_of_it_is_told_that_it_is_over(self):
        """A critical alert that became milder and closed still reaches a sink for critical ones."""
        over = closed(alert(severity=Severity.INFO, worst=Severity.CRITICAL, state=AlarmState.NORMAL))

        assert wanted(over, plain(severity=Severity.CRITICAL))
