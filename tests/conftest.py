"""Fixtures that many tests share: the one real broker of the session, and settings for it."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import settings as hypothesis_settings

from foreshock.errors import ForeshockError
from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, RedisSettings, Settings, TopicSettings, WorkerSettings

# An example may compile a kernel or share its core with a broker: how long it takes says nothing about the code.
hypothesis_settings.register_profile("foreshock", deadline=None)
hypothesis_settings.load_profile("foreshock")

# A shell that runs the tests in the background has it ignored, and what ignores it hands that on to its children: no test
# of Ctrl-C could pass.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Many workers run side by side here, and each would take the same port; what tests metrics asks for an address of its own.
for _name in ("LISTEN", "DELIVER_LISTEN", "CASES_LISTEN"):
    os.environ[f"FORESHOCK_METRICS__{_name}"] = ""
# Tests read what workers say as people do; what tests JSON lines asks for them.
os.environ["FORESHOCK_TELEMETRY__LOG_FORMAT"] = "human"


# Begun first, so that none of them is what is left at the end while the other processes have nothing to do.
LONGEST = (
    "chaos/test_topics", "chaos/test_kill", "broker/test_alerts", "demo/test_rehearsal", "console/test_page",
    "broker/test_cases", "broker/test_export", "broker/test_features", "demo/test_demo", "chaos/test_month", "chaos/test_calm", "broker/test_lines",
    "chaos/test_broker", "broker/test_whole_trace", "broker/test_stop", "broker/test_state", "broker/test_deliver",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs the local stack, and put the longest files first."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.broker)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Where the file of a test comes; all others keep their order."""
    name = "/".join(item.path.with_suffix("").parts[-2:])
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def start_or_skip(stack: LocalStack) -> None:
    """Start a stack; where a part of it is missing skip with the reason, in CI fail."""
    try:
        stack.start()
    except ForeshockError as exc:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no local stack: {exc}")


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Kafka and Valkey, started once, when the first test needs them. Never stop or flush it: others use it too."""
    local = LocalStack()
    start_or_skip(local)
    yield local
    local.stop()


@pytest.fixture
def bootstrap(stack: LocalStack) -> str:
    """Kafka's address."""
    return stack.bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of its own for the topics and groups of one test."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def settings(stack: LocalStack, topic_prefix: str, tmp_path: Path) -> Settings:
    """Settings for the local stack with topics, group and data folder of this test; vary them with dataclasses.replace."""
    return Settings(
        kafka=KafkaSettings(bootstrap=stack.bootstrap, properties=MappingProxyType({})),
        redis=RedisSettings(url=stack.redis_url),
        topics=TopicSettings(prefix=topic_prefix),
        worker=WorkerSettings(group=f"{topic_prefix}workers", data_dir=tmp_path / "worker"),
    )
