"""`foreshock tail` on a real topic."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from foreshock.cli.tail import run
from foreshock.errors import ConfigurationError
from foreshock.settings import Settings
from foreshock.streams.errands.show import spark, statistics
from foreshock.streams.topics import ensure
from foreshock.streams.wire import Encoder, headers
from tests.wire.samples import ANOMALY, BLOCK, LETTER, SCORE, TRACEPARENT

APP = typer.Typer()
APP.command()(run)


def produce(
    settings: Settings, topic: str, values: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]
) -> None:
    ensure(settings)
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap})
    for key, value, head in values:
        producer.produce(settings.topics.prefix + topic, value, key, partition=1, headers=head)
    assert producer.flush(30) == 0


def tail(settings: Settings, *arguments: str) -> Result:
    common = [
        "--bootstrap",
        settings.kafka.bootstrap,
        "--prefix",
        settings.topics.prefix,
        "--from",
        "beginning",
        "--no-follow",
    ]
    return CliRunner().invoke(APP, [*arguments, *common])


def test_outputs_are_printed_decoded_with_headers(settings: Settings) -> None:
    """Coordinates, key, schema, every header and every field."""
    head = headers(SCORE, traceparent=TRACEPARENT, scored_ns=1, worker="w")
    produce(settings, "scores.v1", [(b"pump-7", Encoder().encode(SCORE), head)])
    text = tail(settings, "scores.v1")
    found = json.loads(tail(settings, "scores.v1", "--json").output)

    assert text.exit_code == 0, text.output
    assert f"{settings.topics.prefix}scores.v1 [1] @0" in text.output
    assert f"traceparent = {TRACEPARENT}" in text.output
    assert "model: novelty-1" in text.output
    assert (found["schema"], found["partition"], found["offset"], found["key"]) == ("Score", 1, 0, "pump-7")
    assert found["headers"]["ce_type"] == "io.foreshock.score.v1"
    assert found["record"]["rows"][0]["features"] == pytest.approx([0.5, -1.25, 3e-5])


def test_waveforms_are_a_line_and_statistics(settings: Settings) -> None:
    """Nobody reads 4096 numbers."""
    block = replace(BLOCK, samples=np.sin(np.arange(2 * 4096, dtype=np.float32)).reshape(2, 4096), scale=1.0)
    produce(settings, "sensors.v1", [(b"pump-7", Encoder().encode(block), [])])
    text = tail(settings, "sensors.v1").output
    found = json.loads(tail(settings, "sensors.v1", "--json").output)

    assert "radial: " in text
    assert "4096 values" in text
    assert found["record"]["samples"]["axial"]["rms"] == pytest.approx(0.7071, abs=1e-3)


def test_what_cannot_be_decoded_says_why_and_the_rest_goes_on(settings: Settings) -> None:
    """Garbage, a null value, JSON and a dead letter with bytes on one topic."""
    values = [b"\x13garbage", None, Encoder("json").encode(ANOMALY), Encoder().encode(LETTER)]
    produce(settings, "dead-letters.v1", [(b"\xffkey", value, [("raw", b"\xfe")]) for value in values])
    result = tail(settings, "dead-letters.v1", "--json")
    garbage, null, as_json, letter = (json.loads(line) for line in result.output.splitlines())

    assert garbage["problem"].startswith("unknown_framing")
    assert base64.b64decode(garbage["value"]) == b"\x13garbage"
    assert null["record"] is None
    assert as_json["schema"] == "Anomaly"
    assert as_json["record"]["event_id"] == ANOMALY.event_id
    assert base64.b64decode(letter["record"]["value"]) == LETTER.value
    assert tail(settings, "dead-letters.v1").exit_code == 0


def test_key_and_max(settings: Settings) -> None:
    """Only what was asked for."""
    value = Encoder().encode(SCORE)
    produce(settings, "scores.v1", [(key, value, []) for key in (b"a", b"b", b"a", b"a")])

    assert len(tail(settings, "scores.v1", "--json", "--key", "a").output.splitlines()) == 3
    assert len(tail(settings, "scores.v1", "--json", "--key", "a", "--max", "2").output.splitlines()) == 2


def test_a_topic_that_is_not_there(settings: Settings) -> None:
    """One line that names those that are."""
    ensure(settings)
    result = tail(settings, "score.v1")

    assert isinstance(result.exception, ConfigurationError)
    assert f"{settings.topics.prefix}scores.v1" in str(result.exception)


def test_spark_line() -> None:
    """From 0 to the largest magnitude, whatever the length; nothing is no error."""
    assert spark(np.array([0.0, -8.0])) == "▁█"
    assert len(spark(np.arange(10_000.0))) == 32
    assert spark(np.zeros(3)) == "▁▁▁"
    assert spark(np.array([])) == ""
    assert spark(np.array([np.nan, 1.0])) == "▁█"
    assert statistics(np.array([np.nan])) == {"count": 1}
