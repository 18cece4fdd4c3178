"""What the border takes from a Kafka record itself: coordinates, the schema it names, the producer's trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from confluent_kafka import Message

from foreshock.errors import InputRejected
from foreshock.streams.border import Border
from foreshock.streams.codec import schemas
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder, Encoder
from tests.wire.samples import BLOCK, FRAME, TRACEPARENT

KEY = b"pump-7"
TOPIC = TopicInfo("sensors.v1", "q83v", 4, 1, {})


@dataclass
class Record:
    """A Kafka record, as far as the border looks at it."""

    data: bytes | None
    given: list[tuple[str, Any]] | None = field(default=None)

    def partition(self) -> int:
        return partition_for(KEY, 4)

    def offset(self) -> int:
        return 41_234

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_780_000_000_123

    def key(self) -> bytes:
        return KEY

    def value(self) -> bytes | None:
        return self.data

    def headers(self) -> list[tuple[str, Any]] | None:
        return self.given


def record(data: bytes | None, *given: tuple[str, Any]) -> Message:
    return cast(Message, Record(data, list(given) or None))


@pytest.fixture
def border() -> Border:
    """Of a topic with four partitions."""
    return Border(TOPIC, partitioner="murmur2_random", largest=1_000_000, decoder=Decoder())


class TestOrigin:
    """Made once for each record."""

    def test_names_the_place(self, border: Border) -> None:
        """Topic, partition, offset and log-append time."""
        origin = border.origin(record(None))

        assert (origin.topic, origin.topic_id, origin.offset) == ("sensors.v1", "q83v", 41_234)
        assert origin.ingest_ns == 1_780_000_000_123_000_000
        assert origin.schema == ""

    @pytest.mark.parametrize("sent", [BLOCK, FRAME], ids=["block", "frame"])
    def test_is_the_one_that_the_block_carries(self, border: Border, sent: Any) -> None:
        """The head of single-object encoding names the schema, so that the decoder has nothing to add."""
        given = record(Encoder().encode(sent))
        origin = border.origin(given)

        assert origin.schema == schemas.current()[type(sent).__name__].hex
        assert border.block(given, origin).origin is origin

    def test_of_another_framing_is_completed(self, border: Border) -> None:
        """JSON has no head: only decoding tells."""
        given = record(Encoder("json").encode(BLOCK))

        assert border.block(given, border.origin(given)).origin.schema == "json"

    def test_of_a_refused_record_names_what_it_claims(self, border: Border) -> None:
        """The dead letter says which schema the sender meant."""
        given = record(b"\xc3\x01\1\2\3\4\5\6\7\10rest")
        origin = border.origin(given)
        with pytest.raises(InputRejected):
            border.block(given, origin)

        assert origin.schema == "0102030405060708"


class TestTrace:
    """The producer's trace context, as W3C wants it passed on."""

    def test_is_taken_from_the_headers(self, border: Border) -> None:
        """Bytes or text, among others."""
        assert (
            border.origin(record(b"", ("other", b"x"), ("traceparent", TRACEPARENT.encode()))).traceparent
            == TRACEPARENT
        )
        assert border.origin(record(b"", ("traceparent", TRACEPARENT))).traceparent == TRACEPARENT
        assert border.origin(record(b"", ("traceparent", None))).traceparent is None

    def test_without_end_is_cut(self, border: Border) -> None:
        """It is kept to be shown, so its length is bounded, and nothing in it harms a terminal."""
        found = border.origin(record(b"", ("traceparent", b"00-\x1b[2J\xff" + b"0" * 1_000_000))).traceparent

        assert found == "00-?[2J?" + "0" * 120

    def test_its_state_comes_with_it(self, border: Border) -> None:
        """In any order of the headers, and on to the block."""
        state = ("tracestate", b"gw=00f067aa0ba902b7,line=4")
        for given in ([state, ("traceparent", TRACEPARENT)], [("traceparent", TRACEPARENT), state]):
            sent = record(Encoder("json").encode(BLOCK), *given)
            origin = border.origin(sent)

            assert origin.tracestate == "gw=00f067aa0ba902b7,line=4"
            assert border.block(sent, origin).origin.tracestate == origin.tracestate

    @pytest.mark.parametrize(
        "given",
        [
            [("tracestate", b"gw=1")],
            [("traceparent", b"nonsense"), ("tracestate", b"gw=1")],
            [("traceparent", TRACEPARENT), ("tracestate", b"gw=\xff\n")],
            [("traceparent", TRACEPARENT), ("tracestate", b"gw=" + b"1" * 600)],
        ],
        ids=["alone", "beside nonsense", "no text", "too long"],
    )
    def test_a_state_that_means_nothing_is_left_out(self, border: Border, given: list[tuple[str, Any]]) -> None:
        """W3C: no state without a valid trace; 512 characters at most."""
        assert border.origin(record(b"", *given)).tracestate is None
