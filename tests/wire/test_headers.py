"""Headers of outputs and what a dead letter keeps."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from foreshock.contract import DeadLetter, Reason, Score
from foreshock.errors import InputRejected
from foreshock.streams.wire import Decoder, Encoder, dead_letter, decode_output, headers
from tests.wire.samples import (
    ALERT,
    ANOMALY,
    AT_NS,
    BLOCK,
    DIAGNOSIS,
    LETTER,
    ORIGIN,
    QUALITY,
    RAW,
    RECORDS,
    SCORE,
    TRACEPARENT,
    VECTOR,
)


def of(record: object, **changes: object) -> dict[str, str]:
    given = {"traceparent": TRACEPARENT, "scored_ns": AT_NS + 5, "worker": "w-1"} | changes
    return {name: value.decode() for name, value in headers(record, **given)}  # type: ignore[arg-type]


class TestHeaders:
    @pytest.mark.parametrize(
        "name",
        [
            *("Score", "Anomaly", "DataQuality", "DeadLetter", "AlertTransition", "AlarmRecord"),
            *("FeatureVector", "Diagnosis"),
        ],
    )
    def test_every_output_has_trace_context_and_cloudevents_attributes(self, name: str) -> None:
        """The required attributes of CloudEvents 1.0 in binary mode, and W3C trace context."""
        found = of(RECORDS[name])

        assert found["ce_specversion"] == "1.0"
        assert re.fullmatch(r"io\.foreshock\.[a-z._-]+\.v1", found["ce_type"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", found["ce_time"])
        assert found["ce_id"]
        assert found["ce_source"]
        assert found["traceparent"] == TRACEPARENT
        assert found["foreshock-scored-ns"] == str(AT_NS + 5)
        assert found["foreshock-worker"] == "w-1"

    def test_the_trace_state_is_passed_on_where_there_is_one(self) -> None:
        """As W3C wants it; without one there is no empty header."""
        assert of(SCORE, tracestate="gw=1")["tracestate"] == "gw=1"
        assert "tracestate" not in of(SCORE)

    def test_types_and_sources(self) -> None:
        """The type says what happened, the source to which machine."""
        assert of(SCORE)["ce_type"] == "io.foreshock.score.v1"
        assert of(ANOMALY)["ce_type"] == "io.foreshock.anomaly.opened.v1"
        assert of(ANOMALY)["ce_source"] == "//Nord/pump-7"
        assert of(SCORE)["ce_source"] == "/pump-7"
        assert of(QUALITY)["ce_type"] == "io.foreshock.quality.raised.v1"
        assert of(QUALITY)["ce_subject"] == "DE bearing/axial"
        assert of(LETTER)["ce_source"] == "/sensors.v1/3"
        assert of(VECTOR)["ce_type"] == "io.foreshock.features.v1"
        assert of(VECTOR)["ce_source"] == "//Nord/pump-7"
        assert of(VECTOR)["ce_subject"] == "DE bearing"
        assert of(DIAGNOSIS)["ce_type"] == "io.foreshock.diagnosis.named.v1"
        assert of(replace(DIAGNOSIS, fault=""))["ce_type"] == "io.foreshock.diagnosis.withdrawn.v1"
        assert of(replace(ALERT, members=()))["ce_type"] == "io.foreshock.alert.escalated.v1"
        assert of(ALERT)["ce_type"] == "io.foreshock.incident.escalated.v1"
        assert of(ALERT)["ce_subject"] == ALERT.alert_id
        assert of(replace(ANOMALY, asset="a b/ü", site="x y"))["ce_source"] == "//x%20y/a%20b/%C3%BC"

    def test_the_time_is_the_records_own(self) -> None:
        """To the nanosecond, and not the clock of the worker."""
        assert of(SCORE)["ce_time"] == "2026-05-28T20:26:40.123456789Z"

    def test_the_media_type_follows_the_framing(self) -> None:
        """A consumer of JSON can tell."""
        assert of(SCORE)["content-type"] == "application/avro"
        assert of(SCORE, framing="json")["content-type"] == "application/json"

    def test_worker_and_clock_stand_in_headers_alone(self) -> None:
        """The same input scored again elsewhere gives the same bytes."""
        encoder = Encoder()
        of(SCORE, worker="w-2", scored_ns=1)

        assert encoder.encode(SCORE) == Encoder().encode(replace(SCORE))
        assert isinstance(SCORE, Score)


class TestDeadLetters:
    exc = InputRejected(Reason.MALFORMED, "it is wrong", field="unit", fix="mend it")

    def letter(self, value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> DeadLetter:
        return dead_letter(self.exc, ORIGIN, b"\xffkey", value, headers or [])

    def test_original_bytes_and_headers_are_kept(self) -> None:
        """Whoever mends it can send it again."""
        given = [("traceparent", TRACEPARENT.encode()), ("empty", None), ("twice", b"1"), ("twice", b"2")]
        letter = self.letter(b"\0garbage\xff", given)

        assert letter.value == b"\0garbage\xff"
        assert letter.key == b"\xffkey"
        assert list(letter.headers) == given
        record = decode_output(Encoder().encode(letter))["record"]
        assert record["value"] == b"\0garbage\xff"
        assert record["headers"] == [{"name": name, "value": value} for name, value in given]
        assert record["origin"]["offset"] == ORIGIN.offset

    def test_a_large_original_is_cut_but_known_by_its_hash(self) -> None:
        """512 KiB are kept, size and sha256 are those of the whole."""
        value = bytes(range(256)) * 3000
        letter = self.letter(value)

        assert letter.value == value[: 512 * 1024]
        assert letter.value_size == len(value)
        assert letter.value_sha256 == hashlib.sha256(value).hexdigest()
        assert len(Encoder().encode(letter)) < 4 * 1024 * 1024

    def test_null_stays_null(self) -> None:
        """A null value is not an empty one."""
        assert self.letter(None).value is None
        assert self.letter(b"").value == b""

    def test_its_id_is_that_of_the_place(self) -> None:
        """The same record gives the same letter again; another one another."""
        assert self.letter(b"x") == self.letter(b"x")
        other = dead_letter(self.exc, replace(ORIGIN, offset=ORIGIN.offset + 1), None, b"x")
        assert other.event_id != self.letter(b"x").event_id

    def test_headers_without_end_are_cut(self) -> None:
        """A letter always fits its topic."""
        letter = self.letter(b"x", [(str(n), b"y" * 1000) for n in range(5000)])

        assert 0 < len(letter.headers) < 100


def test_a_refused_block_becomes_a_letter_that_says_why() -> None:
    """From bytes to the letter, as the worker does it."""
    bad = Encoder().encode(replace(BLOCK, sampling_rate_hz=-1.0))
    with pytest.raises(InputRejected) as caught:
        Decoder().decode(bad, origin=RAW, key=b"pump-7")
    letter = dead_letter(caught.value, RAW, b"pump-7", bad)

    assert (letter.reason, letter.field) == (Reason.BAD_RATE, "sampling_rate_hz")
