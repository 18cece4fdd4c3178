"""What the case writer remembers while it waits, without a broker."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from foreshock.settings import KafkaSettings, Settings
from foreshock.streams.cases.windows import Reach
from foreshock.streams.cases.writer import CaseWriter
from foreshock.streams.topics import TopicInfo

NAMES = ("sensors.v1", "anomalies.v1", "maintenance.v1", "evidence.v1")
SOURCE = ("maintenance.v1", 0)


def writer():
    """One that never reaches a broker."""
    topics = {
        name: TopicInfo(name=name, topic_id=name, partitions=1, replication=1, config={"max.message.bytes": "1000000"})
        for name in NAMES
    }
    return CaseWriter(Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1")), topics, Reach())


@pytest.mark.slow
def test_what_waits_behind_an_open_window_is_remembered_as_one(monkeypatch):
    """However much comes that wants no window: committed is up to the open one, and then all of it."""
    made = writer()
    wanted = {3, 50_001}
    subject = SimpleNamespace(topic="sensors.v1", topic_id="of another topic")
    monkeypatch.setattr(made, "_subject", lambda offset: subject if offset in wanted else None)
    monkeypatch.setattr(made, "_finish", lambda _: None)  # their parts are not out
    for offset in range(100_000):
        made._take(offset, SOURCE, offset)

    assert len(made._places[SOURCE]) == 5
    assert list(made._out()) == [(SOURCE, 2)]
    made._places[SOURCE][3] = True
    assert list(made._out()) == [(SOURCE, 50_000)]
    made._places[SOURCE][50_001] = True
    assert list(made._out()) == [(SOURCE, 99_999)]
