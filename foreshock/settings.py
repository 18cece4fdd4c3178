"""The settings: typed, strict, frozen.

Precedence: flags of the command line, over ``FORESHOCK_<SECTION>__<KEY>``, over ``foreshock.toml``, over the defaults
below. A name that is not below is an error, and all errors are told at once, each with its place. `[kafka]` alone is
open: whatever it holds beside `bootstrap` is handed to librdkafka. Secrets are given by file (`sasl.password.file`,
`url_file`) and never stand in a repr.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

from foreshock.errors import ConfigurationError
from foreshock.settings_classes import ClassSettings, is_table, tables
from foreshock.settings_deliver import SinkSettings, sinks
from foreshock.settings_sources import Given, from_env, from_file, from_flags, is_property

SECRET_PROPERTIES = frozenset(
    {
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)
# librdkafka properties on which the delivery guarantees rest, and where the user says the same thing
OWNED_PROPERTIES = MappingProxyType(
    {
        "bootstrap.servers": "set kafka.bootstrap",
        "group.id": "set worker.group",
        "group.instance.id": "set worker.instance_id",
        "partitioner": "set topics.partitioner",
        "enable.auto.commit": "commits belong to the checkpoint; remove it",
        "enable.auto.offset.store": "commits belong to the checkpoint; remove it",
        "acks": "outputs always wait for all replicas; remove it",
        "enable.idempotence": "it is always on; remove it",
    }
)


def _key(default: Any, *, least: float | None = None, above: float | None = None, most: float | None = None) -> Any:
    """Declare a key with its limits: at `least`, strictly `above`, at `most`."""
    limits = {"least": least, "above": above, "most": most}
    return field(default=default, metadata={name: value for name, value in limits.items() if value is not None})


def _secret_file() -> Any:
    """Declare a secret that never stands in the settings themselves: `<key>_file` names the file that holds it."""
    return field(default="", repr=False, metadata={"secret": True, "by_file": True})


def _secret_url() -> Any:
    """Declare a URL that may hold a password: `<key>_file` reads it from a file."""
    return field(default="", metadata={"secret": True})


def _hide_password(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@", "***@", url)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KafkaSettings:
    """How to reach Kafka: `bootstrap` and any librdkafka property."""

    bootstrap: str = "127.0.0.1:9092"
    properties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def librdkafka(self) -> dict[str, str]:
        """Give the properties for a librdkafka client, with the secrets read from their files.

        Raises
        ------
        ConfigurationError
            A secret's file cannot be read.
        """
        found = {"bootstrap.servers": self.bootstrap}
        for name, value in self.properties.items():
            base = name.removesuffix(".file")
            if base != name and base in SECRET_PROPERTIES:
                found[base] = read_secret(Path(value), f"kafka.{name}")
            else:
                found[name] = value
        return found

    def __repr__(self) -> str:
        """Show everything but secrets."""
        shown = {name: "***" if name in SECRET_PROPERTIES else value for name, value in self.properties.items()}
        return f"KafkaSettings(bootstrap={self.bootstrap!r}, properties={shown!r})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RedisSettings:
    """The cache for readers; without a URL there is none and nothing else changes."""

    url: str = _secret_url()

    def __repr__(self) -> str:
        """Show the URL without its password."""
        return f"RedisSettings(url={_hide_password(self.url)!r})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TopicSettings:
    """Names, layout and framing of the topics. `prefix` holds its own separator: ``plant7.`` gives `plant7.scores.v1`."""

    prefix: str = ""
    partitions: int = _key(4, least=1)
    replication: int = _key(1, least=1)
    create: bool = True
    partitioner: Literal["murmur2_random", "murmur2", "consistent_random", "consistent", "fnv1a", "fnv1a_random"] = (
        "murmur2_random"
    )
    framing: Literal["", "single-object", "confluent", "json"] = ""
    registry_url: str = _secret_url()
    max_message_bytes: int = _key(1024 * 1024, least=1024)

    @property
    def value_framing(self) -> str:
        """The framing of values that are written; where none is set, a registry decides for Confluent's."""
        return self.framing or ("confluent" if self.registry_url else "single-object")

    def __repr__(self) -> str:
        """Show the registry's URL without its password."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        shown = (f"{name}={_hide_password(value) if name == 'registry_url' else value!r}" for name, value in values)
        return f"TopicSettings({', '.join(shown)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The worker: consumer group, identity, deadlines in seconds of wall time, batch in records."""

    group: str = "foreshock"
    instance_id: str = ""
    checkpoint_s: float = _key(5.0, above=0)
    stall_s: float = _key(30.0, above=0)
    batch: int = _key(256, least=1)
    processes: int = _key(1, least=1)
    data_dir: Path = field(default_factory=lambda: Path.home() / ".local" / "state" / "foreshock")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """The durable state: files of its keys, seconds for a full round, whether many may start cold, whose place we take."""

    key_file: str = ""
    previous_key_file: str = ""
    round_s: float = _key(60.0, above=0)
    accept_cold: bool = False
    from_group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionSettings:
    """What is computed and how readily it alarms: `budget` is false alarms per asset and month; times in seconds."""

    profile: Literal["full", "lean"] = "full"
    budget: float = _key(1.0, above=0)
    warmup_blocks: int = _key(60, least=12)
    warmup_s: float = _key(0.0, least=0)
    hold_s: float = _key(0.0, least=0)
    horizon_s: float = _key(0.0, least=0)
    reference: str = ""
    river: str = ""
    silent_intervals: float = _key(3.0, least=1, most=1e6)
    silent_s: float = _key(30.0, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """Measurement windows of registered assets: whether, how often and how long at least, in seconds of source time."""

    enabled: bool = True
    every_s: float = _key(60.0, least=0, most=86_400)
    window_s: float = _key(1.0, above=0, most=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Files and directories of alert policies; without any the default policy holds."""

    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """Traces and logs: the share of ordinary blocks that get spans, from when on one is slow (log append to delivery), and
    the directory of the local span store ("" for none). Lines for people, or as JSON; "" is JSON where stderr is no terminal.
    """

    sample_ratio: float = _key(0.01, least=0, most=1)
    slow_ms: float = _key(10_000.0, above=0)
    store: str = ""
    service_name: str = "foreshock-worker"
    log_format: Literal["", "human", "json"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """The page: where it listens, the token without which nothing changes, where else traces are, what it holds at most."""

    listen: str = "127.0.0.1:8470"
    token: str = _secret_file()
    hosts: tuple[str, ...] = ()
    trace_link: str = ""
    look_back_s: float = _key(3600.0, least=0)
    records: int = _key(200_000, least=1)
    assets: int = _key(20_000, least=1)
    rows: int = _key(1_500_000, least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where processes are scraped (host:port, "" for nowhere), how many assets have labels, the file with the prices."""

    listen: str = "127.0.0.1:9464"  # process n of a worker listens on port + n
    deliver_listen: str = "127.0.0.1:9484"
    cases_listen: str = "127.0.0.1:9494"
    max_assets: int = _key(100, least=0, most=10_000)
    prices: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a process."""

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    topics: TopicSettings = field(default_factory=TopicSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    state: StateSettings = field(default_factory=StateSettings)
    detection: DetectionSettings = field(default_factory=DetectionSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    classes: ClassSettings = field(default_factory=ClassSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    deliver: Mapping[str, SinkSettings] = field(default_factory=lambda: MappingProxyType({}))  # by the sink's name


_SECTIONS: Mapping[str, type[Any]] = MappingProxyType(get_type_hints(Settings))


def load(
    path: Path | None = None, env: Mapping[str, str] = os.environ, flags: Mapping[str, Any] = MappingProxyType({})
) -> Settings:
    """Read the settings of this process.

    Parameters
    ----------
    path
        The settings file; None: ``foreshock.toml`` in the working directory, if there is one.
    env
        Environment; ``FORESHOCK_TOPICS__PREFIX`` sets `topics.prefix`, ``FORESHOCK_KAFKA__SASL_USERNAME`` sets the
        property `sasl.username`.
    flags
        ``{"topics.prefix": "plant7."}``: section, dot, key. A value of None is "not given".

    Raises
    ------
    ConfigurationError
        With one line for each name that is unknown and each value that is not allowed.
    """
    problems: list[str] = []
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS if section != "deliver"}
    given = [*from_file(path, _SECTIONS), *from_env(env, _SECTIONS, problems), *from_flags(flags)]
    values["classes"]["own"] = tables(path, problems)
    for item in given:
        try:
            if item.section != "deliver" and not is_table(item):
                _take(item, values)
        except ConfigurationError as exc:
            problems.append(f"{item.place}: {exc}")
    deliver: dict[str, SinkSettings] = {}
    try:
        deliver = sinks([each for each in given if each.section == "deliver"], _convert, read_secret)
    except ConfigurationError as exc:
        problems.append(str(exc))
    if problems:
        raise ConfigurationError("\n".join(problems))
    properties = values["kafka"].pop("properties", {})
    kafka = KafkaSettings(**values.pop("kafka"), properties=MappingProxyType(properties))
    built = {section: _SECTIONS[section](**keys) for section, keys in values.items()}
    return Settings(kafka=kafka, deliver=MappingProxyType(deliver), **built)


def read_secret(path: Path, name: str) -> str:
    """Read a secret from its file; one line break at the end does not belong to it."""
    try:
        return path.expanduser().read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{name}: cannot read the secret's file {path}: {exc}") from None


def _take(item: Given, values: dict[str, dict[str, Any]]) -> None:
    """Check one value and put it in its place."""
    if item.section not in _SECTIONS:
        raise ConfigurationError(
            f"unknown section [{item.section}]{_hint(item.section, _SECTIONS)}"
            if item.section
            else f"unknown setting {item.key}; every setting stands in a section"
        )
    if is_property(item.section, item.key):
        if item.key in OWNED_PROPERTIES:
            raise ConfigurationError(f"kafka.{item.key} is not yours to set: {OWNED_PROPERTIES[item.key]}")
        values["kafka"].setdefault("properties", {})[item.key] = _property(item)
        return
    declared = {entry.name: entry for entry in fields(_SECTIONS[item.section]) if "tables" not in entry.metadata}
    name = f"{item.section}.{item.key}"
    base = item.key.removesuffix("_file")
    if base != item.key and base in declared and declared[base].metadata.get("secret"):
        values[item.section][base] = read_secret(Path(str(item.value)), name)
        return
    if item.key in declared and declared[item.key].metadata.get("by_file"):
        raise ConfigurationError(f"{name} is a secret: put it into a file and name that as {name}_file")
    if item.key not in declared:
        raise ConfigurationError(f"unknown setting {name}{_hint(item.key, declared)}")
    kind = get_type_hints(_SECTIONS[item.section])[item.key]
    value = _texts(name, item.value) if kind == tuple[str, ...] else _convert(name, kind, item.value)
    _check_limits(name, value, declared[item.key].metadata)
    values[item.section][item.key] = value


def _property(item: Given) -> str:
    if isinstance(item.value, bool):
        return str(item.value).lower()
    if isinstance(item.value, str | int | float):
        return str(item.value)
    raise ConfigurationError(f"kafka.{item.key} must be text, a number or a boolean")


def _convert(name: str, kind: Any, value: Any) -> Any:
    """Turn what was given (a TOML value, or text from the environment) into the declared type."""
    choices = get_args(kind)
    if choices:
        if value not in choices:
            raise ConfigurationError(f"{name} must be one of {', '.join(filter(None, choices))}, not {value!r}")
        return value
    wanted = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}[kind]
    try:
        if kind is bool:
            return value if isinstance(value, bool) else {"true": True, "false": False}[value.lower()]
        if kind is Path and isinstance(value, str | Path):
            return Path(value).expanduser()
        if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, kind) and not isinstance(value, bool):
            return value
        if kind is int and isinstance(value, str):
            return int(value)
    except (ValueError, KeyError, AttributeError):
        pass
    raise ConfigurationError(f"{name} must be {wanted}, not {value!r}")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """Take a list of texts; from the environment and from flags it is one text with commas."""
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) and each.strip() for each in found or ()):
        raise ConfigurationError(f"{name} must be a list of texts, not {value!r}")
    return tuple(each.strip() for each in found)


def _check_limits(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    if "least" in limits and not value >= limits["least"]:
        raise ConfigurationError(f"{name} must be at least {limits['least']}, not {value}")
    if "above" in limits and not limits["above"] < value < float("inf"):
        raise ConfigurationError(f"{name} must be above {limits['above']}, not {value}")
    if "most" in limits and not value <= limits["most"]:
        raise ConfigurationError(f"{name} must be at most {limits['most']}, not {value}")


def _hint(word: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
