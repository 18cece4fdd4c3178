"""A broker with TLS and accounts, reached with nothing but the settings' `[kafka]` properties."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.local.stack import LocalStack
from foreshock.settings import Settings, load
from foreshock.streams.kafka import administration, consumer_config, producer_config
from foreshock.streams.topics import ensure
from tests.conftest import start_or_skip


@pytest.fixture(scope="module")
def secure(stack: LocalStack) -> Iterator[LocalStack]:
    local = LocalStack(sasl_ssl=True, redis=False)
    start_or_skip(local)
    yield local
    local.stop()


@pytest.fixture
def flags(secure: LocalStack, topic_prefix: str) -> dict[str, str]:
    return {**secure.settings_overrides(), "topics.prefix": topic_prefix, "worker.group": f"{topic_prefix}group"}


@pytest.fixture
def file(flags: dict[str, str], tmp_path: Path) -> Path:
    """Write the flags as a user would write them: a foreshock.toml with the secret in a file of its own."""
    path = tmp_path / "foreshock.toml"
    kafka = {key.removeprefix("kafka."): value for key, value in flags.items() if key.startswith("kafka.")}
    lines = ["[kafka]", *(f'"{key}" = "{value}"' for key, value in kafka.items())]
    lines += ["[topics]", f'prefix = "{flags["topics.prefix"]}"', "[worker]", f'group = "{flags["worker.group"]}"']
    path.write_text("\n".join(lines))
    return path


def test_produces_and_consumes_with_the_settings_alone(file: Path) -> None:
    """Topics made, a record produced and read again over SASL_SSL, all from foreshock.toml."""
    settings = load(file, env={})
    assert settings.kafka.properties["security.protocol"] == "SASL_SSL"
    name = ensure(settings)["scores.v1"].name
    errors: list[object] = []
    producer = Producer(producer_config(settings))
    producer.produce(name, b"value", b"pump-7", on_delivery=lambda error, _message: errors.append(error))
    assert producer.flush(20) == 0
    assert errors == [None]
    # A worker states its start itself: its configuration has none.
    consumer = Consumer({**consumer_config(settings), "auto.offset.reset": "earliest"})
    consumer.subscribe([name])
    message: Message | None = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert (message.error(), message.value()) == (None, b"value")


def test_the_password_is_nowhere_to_be_seen(file: Path, secure: LocalStack) -> None:
    """Not in the settings' repr, not in the environment or the arguments of the broker."""
    assert secure.broker.tls
    password = secure.broker.tls.password_file.read_text().strip()
    assert password not in repr(load(file, env={}))
    pid = secure.broker.process.pid
    for part in ("cmdline", "environ"):
        assert password.encode() not in Path(f"/proc/{pid}/{part}").read_bytes()
    for path in (secure.broker.tls.password_file, secure.broker.folder / "server.properties"):
        assert path.stat().st_mode & 0o077 == 0


def wrong(flags: dict[str, str], **other: str) -> Settings:
    """Give settings that differ in one property."""
    return load(
        None, env={}, flags={**flags, **{f"kafka.{key.replace('_', '.')}": value for key, value in other.items()}}
    )


def test_a_wrong_password_is_one_clear_error(flags: dict[str, str], tmp_path: Path) -> None:
    """At once, one line that names the two settings, exit code 2, and not the password."""
    (tmp_path / "password").write_text("not-the-password\n")
    started = time.monotonic()
    with pytest.raises(ConfigurationError, match=r"refuses the account: check kafka\.sasl\.username") as caught:
        ensure(wrong(flags, sasl_password_file=str(tmp_path / "password")))
    assert time.monotonic() - started < 8
    assert "\n" not in str(caught.value)
    assert "not-the-password" not in str(caught.value)


def test_an_unknown_authority_is_one_clear_error(flags: dict[str, str], tmp_path: Path) -> None:
    """A certificate that the CA file does not vouch for."""
    from foreshock.local import tls
    from foreshock.local.jvm import java

    other = tls.make(tmp_path, java().with_name("keytool"))
    with pytest.raises(ConfigurationError, match=r"TLS with Kafka .*ssl\.ca\.location"):
        ensure(wrong(flags, ssl_ca_location=str(other.ca)))


def test_a_plain_client_is_told_what_it_lacks(flags: dict[str, str]) -> None:
    """Without TLS a client of this listener gets no answer at all."""
    plain = load(None, env={}, flags={"kafka.bootstrap": flags["kafka.bootstrap"]})
    with pytest.raises(Unavailable, match=r"kafka\.security\.protocol"), administration(plain, wait_s=0.5):
        pass
