"""Ids and fingerprints are functions of the input, and of all of it."""

from __future__ import annotations

import dataclasses

import pytest

from foreshock import lineage
from foreshock.contract import Asset, Bearing
from tests.core.builders import origin


def test_an_id_depends_on_every_coordinate() -> None:
    """Another topic, partition, offset, row, kind or version is another id; the same is the same."""
    base = origin(7)
    ids = {
        lineage.event_id("score", base),
        lineage.event_id("anomaly", base),
        lineage.event_id("score", dataclasses.replace(base, topic_id="t-2")),
        lineage.event_id("score", dataclasses.replace(base, partition=1)),
        lineage.event_id("score", dataclasses.replace(base, offset=8)),
        lineage.event_id("score", base, 1),
        lineage.event_id("score", base, 0, "model-2"),
        lineage.event_id("score", base, 0, "model", "2"),
    }

    assert len(ids) == 8
    assert all(len(i) == 32 for i in ids)
    assert lineage.event_id("score", base) == lineage.event_id("score", origin(7))


def test_an_id_is_the_same_on_every_machine() -> None:
    """A golden value: a change here changes the ids of every event and needs a version."""
    assert lineage.event_id("score", origin(7), 0, "m") == "c865b20090a8a94aa8ae338dd4051c81"


def test_the_name_and_time_of_a_topic_do_not_count() -> None:
    """Only Kafka's id names a topic; when a record came plays no part."""
    renamed = dataclasses.replace(origin(7), topic="other", ingest_ns=1)
    assert lineage.event_id("score", renamed) == lineage.event_id("score", origin(7))


@pytest.mark.parametrize("sent", [None, "", "00-xyz", f"00-{'0' * 32}-{'1' * 16}-01"])
def test_a_missing_trace_id_is_a_hash_of_the_coordinates(sent: str | None) -> None:
    """Without a valid traceparent the trace id follows from the record's place."""
    record = dataclasses.replace(origin(7), traceparent=sent)
    assert lineage.trace_id(record) == lineage.trace_id(origin(7))
    assert lineage.trace_id(record) != lineage.trace_id(origin(8))


def test_the_producers_trace_id_is_kept() -> None:
    """A valid W3C traceparent gives its trace id."""
    sent = dataclasses.replace(origin(7), traceparent=f"00-{'ab' * 16}-{'1' * 16}-01")
    assert lineage.trace_id(sent) == "ab" * 16


def test_the_asset_record_sees_every_field() -> None:
    """A change deep inside the master data is another hash."""
    bearing = Bearing(name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.039)
    asset = Asset(asset="a", bearings=(bearing,))
    other = Asset(asset="a", bearings=(dataclasses.replace(bearing, balls=8),))

    assert lineage.asset_record(asset) == lineage.asset_record(dataclasses.replace(asset))
    assert lineage.asset_record(asset) != lineage.asset_record(other)


def test_the_platform_and_the_code_are_named() -> None:
    """Lineage says what arithmetic and which code a score depends on."""
    assert "numpy" in lineage.numeric_platform()
    assert lineage.code_version().startswith("foreshock ")
