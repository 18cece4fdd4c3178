"""The tables `[deliver.NAME]`: where alerts are delivered to. As strict as the other settings, and built the same way.

A kind of sink is a dataclass; its fields are its keys. A field that is declared secret is read from a file, under its name
with `_file` behind it, and never stands in a repr; the URL of a chat's webhook is such a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from foreshock.alerts.vocabulary import Change, Severity
from foreshock.errors import ConfigurationError
from foreshock.settings_sources import Given

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")  # part of a consumer group's name and of headers
# What people and systems are told where a sink does not say: not labels, refused commands and what was suppressed.
TOLD = (
    Change.RAISED,
    Change.ESCALATED,
    Change.DE_ESCALATED,
    Change.ACKNOWLEDGED,
    Change.REALARMED,
    Change.OVERDUE,
    Change.SHELVED,
    Change.UNSHELVED,
    Change.UNSUPPRESSED,
    Change.REMOVED_FROM_SERVICE,
    Change.RETURNED_TO_SERVICE,
    Change.RETURNED_TO_NORMAL,
    Change.CLOSED,
    Change.WORK_ORDER,
)
REQUESTED = (
    Change.RAISED,
    Change.ESCALATED,
    Change.REALARMED,
    Change.OVERDUE,
    Change.UNSHELVED,
    Change.UNSUPPRESSED,
    Change.JOINED,
)
Words = tuple[str, ...]


def _secret() -> Any:
    """Declare a secret: `<key>_file` names the file that holds it."""
    return field(default="", repr=False, metadata={"secret": True})


def _limited(default: Any, *, least: float, most: float) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What every sink has. Times in seconds, rates in deliveries per second; patterns are globs."""

    kind: ClassVar[str] = ""
    name: str
    severity: Severity = Severity.INFO  # least one: of the worst that the alert has had
    sites: Words = ()
    assets: Words = ()
    changes: Words = field(default=TOLD, metadata={"words": tuple(Change)})
    per: Literal["asset", "line"] = "asset"  # what one alert is of; line: an incident, where the policy groups
    start: Literal["end", "beginning"] = "end"  # where it begins that has never delivered anything
    parallel: int = _limited(8, least=1, most=256)
    window: int = _limited(1000, least=1, most=100_000)  # transitions that are read ahead
    per_s: float = _limited(0.0, least=0, most=1e6)  # 0: as fast as it takes them
    burst: int = _limited(10, least=1, most=1_000_000)
    timeout_s: float = _limited(10.0, least=0.05, most=600)
    backoff_s: float = _limited(0.5, least=0.001, most=3600)
    longest_backoff_s: float = _limited(60.0, least=0.001, most=86400)
    attempts: int = _limited(20, least=1, most=1_000_000)  # of one that fails while others get through
    link: str = ""  # template of a page about the alert


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings(SinkSettings):
    """What every sink has that speaks HTTP: `token` is a bearer's, `user` and `password` are for basic authentication."""

    url: str = field(default="", repr=False, metadata={"secret": True, "plain": True, "needed": True})
    token: str = _secret()
    user: str = ""
    password: str = _secret()
    ca_file: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(HttpSettings):
    """An endpoint of one's own; `signing_key` signs each body."""

    kind: ClassVar[str] = "webhook"
    format: Literal["cloudevents", "cloudevents-binary", "alertmanager"] = "cloudevents"
    signing_key: str = _secret()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerSettings(HttpSettings):
    """An Alertmanager: `url` is its own, without a path; what is not ended resolves by itself after `resolve_after_s`."""

    kind: ClassVar[str] = "alertmanager"
    resolve_after_s: float = _limited(30 * 86400.0, least=60, most=3660 * 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings(HttpSettings):
    """An incoming webhook as Slack, Mattermost and Rocket.Chat have it; `text` is a template."""

    kind: ClassVar[str] = "slack"
    url: str = field(default="", repr=False, metadata={"secret": True, "needed": True})  # who has it can post
    channel: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings(SinkSettings):
    """E-mail. `subject` and `body` are templates."""

    kind: ClassVar[str] = "smtp"
    host: str = field(default="", metadata={"needed": True})
    port: int = _limited(587, least=1, most=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    user: str = ""
    password: str = _secret()
    sender: str = field(default="", metadata={"needed": True})
    to: Words = field(default=(), metadata={"needed": True})
    subject: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings(SinkSettings):
    """An MQTT broker; `topic` is a template."""

    kind: ClassVar[str] = "mqtt"
    host: str = field(default="", metadata={"needed": True})
    port: int = _limited(1883, least=1, most=65535)
    tls: bool = False
    ca_file: str = ""
    user: str = ""
    password: str = _secret()
    client_id: str = ""
    protocol: Literal["5", "3.1.1"] = "5"
    topic: str = "foreshock/alerts/{site}/{asset}/{alert_id}"
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings(HttpSettings):
    """A system of work orders: one request for an alert; `template` is the name of one that comes along, or a file."""

    kind: ClassVar[str] = "rest"
    changes: Words = field(default=REQUESTED, metadata={"words": tuple(Change)})
    template: str = field(default="", metadata={"needed": True})
    values: tuple[tuple[str, str], ...] = ()  # `[deliver.NAME.values]`: what the template leaves to the plant
    look_again_s: float = _limited(2.0, least=0, most=3600)  # after an answer that says nothing, before the look-up
    closures_s: float = _limited(0.0, least=0, most=86400)  # how often open work orders are looked at; 0: never


KINDS: Mapping[str, type[SinkSettings]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            WebhookSettings,
            AlertmanagerSettings,
            SlackSettings,
            SmtpSettings,
            MqttSettings,
            RestSettings,
        )
    }
)
Convert = Callable[[str, Any, Any], Any]  # name, declared type, what was given


def sinks(given: Iterable[Given], convert: Convert, read_secret: Callable[[Path, str], str]) -> dict[str, SinkSettings]:
    """Build the sinks of all `[deliver.NAME]` tables.

    Parameters
    ----------
    given
        The values of section `deliver`, the nearest source last; keys are `NAME.key`, from the environment `NAME__key`.
    convert
        Turns what was given into a plain declared type.
    read_secret
        Reads the file of a secret.

    Raises
    ------
    ConfigurationError
        With a line for each value that is not as it must be.
    """
    tables: dict[str, dict[str, Given]] = {}
    problems: list[str] = []
    for item in given:
        name, separator, key = item.key.replace("__", ".").partition(".")
        if not separator:
            problems.append(f"{item.place}: deliver.{item.key}: a sink has a table of its own, [deliver.NAME]")
        else:
            tables.setdefault(name, {})[key] = item
    found = {}
    for name, table in tables.items():
        sink = _sink(name, table, problems, convert, read_secret)
        if sink is not None:
            found[name] = sink
    if problems:
        raise ConfigurationError("\n".join(problems))
    return found


def _sink(
    name: str,
    table: Mapping[str, Given],
    problems: list[str],
    convert: Convert,
    read_secret: Callable[[Path, str], str],
) -> SinkSettings | None:
    place = next(iter(table.values())).place
    kind = str(table["kind"].value) if "kind" in table else ""
    if not NAME.fullmatch(name):
        problems.append(f"{place}: deliver.{name}: a name has small letters, digits and hyphens, at most 40")
    if kind not in KINDS:
        where = table["kind"].place if "kind" in table else place
        problems.append(f"{where}: deliver.{name}.kind must be one of {', '.join(KINDS)}, not {kind!r}")
        return None
    declared = {each.name: each for each in fields(KINDS[kind]) if each.name != "name"}
    values: dict[str, Any] = {}
    before = len(problems)
    for key, item in table.items():
        if key == "kind":
            continue
        try:
            taken, value = _value(f"deliver.{name}.{key}", key, item, declared, KINDS[kind], convert, read_secret)
        except ConfigurationError as exc:
            problems.append(f"{item.place}: {exc}")
            continue
        values[taken] = (*values.get(taken, ()), value) if taken == "values" else value
    if len(problems) == before:
        problems += [
            f"{place}: deliver.{name}.{key}{'_file' if _only_file(each) else ''} is missing: a sink of kind {kind} needs it"
            for key, each in declared.items()
            if each.metadata.get("needed") and not values.get(key)
        ]
    return KINDS[kind](name=name, **values) if len(problems) == before else None


def _value(
    full: str,
    key: str,
    item: Given,
    declared: Mapping[str, Any],
    kind: type[SinkSettings],
    convert: Convert,
    read_secret: Callable[[Path, str], str],
) -> tuple[str, Any]:
    """Check one value; give the field that it is for, and what goes there."""
    base = key.removesuffix("_file")
    if base != key and base in declared and declared[base].metadata.get("secret"):
        return base, read_secret(Path(str(item.value)), full)
    if key.startswith("values.") and "values" in declared:
        return "values", (key.removeprefix("values."), str(item.value))
    if key not in declared or key == "values":
        close = get_close_matches(key, declared, n=1)
        raise ConfigurationError(
            f"unknown setting {full}" + (f"; did you mean {close[0]}?" if close else f"; known: {', '.join(declared)}")
        )
    known = declared[key]
    if _only_file(known) or (key == "url" and "@" in str(item.value)):
        raise ConfigurationError(f"{full} is a secret: write it to a file and set {full}_file")
    hint = get_type_hints(kind)[key]
    value = _list(full, item.value, known) if get_origin(hint) is tuple else _plain(full, hint, item.value, convert)
    least, most = known.metadata.get("least"), known.metadata.get("most")
    if least is not None and not least <= value <= most:
        raise ConfigurationError(f"{full} must be from {least} to {most:g}, not {value}")
    return key, value


def _plain(full: str, hint: Any, value: Any, convert: Convert) -> Any:
    if hint is Severity:
        if value not in tuple(Severity):
            raise ConfigurationError(f"{full} must be one of {', '.join(Severity)}, not {value!r}")
        return Severity(value)
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise ConfigurationError(f"{full} must be one of {', '.join(get_args(hint))}, not {value!r}")
    return convert(full, hint, value)


def _list(full: str, value: Any, known: Any) -> Words:
    """Take a list of texts; from the environment, a text with commas."""
    if isinstance(value, str):
        value = [each.strip() for each in value.split(",") if each.strip()]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigurationError(f"{full} must be a list of texts, not {value!r}")
    words = known.metadata.get("words")
    for each in value:
        if words and each not in words:
            raise ConfigurationError(f"{full}: {each!r} is none of {', '.join(words)}")
    return tuple(value)


def _only_file(known: Any) -> bool:
    """Say whether a field may only be given by file."""
    return bool(known.metadata.get("secret")) and not known.metadata.get("plain")


def defaults(kind: type[SinkSettings]) -> dict[str, Any]:
    """Give the keys of a kind of sink with their defaults, for its documentation."""
    return {
        each.name: each.default if each.default is not MISSING else None for each in fields(kind) if each.name != "name"
    }
