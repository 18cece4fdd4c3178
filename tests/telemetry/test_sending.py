"""The gateway's part of a trace, where the gateway is a program of ours."""

from __future__ import annotations

import pytest

from foreshock.lineage import given_trace
from foreshock.settings import Settings, TelemetrySettings
from foreshock.streams.spans.sending import PER_S, Sending
from foreshock.streams.spans.store import SpanStore
from tests.telemetry.receivers import attributes

TOPIC = "t.sensors.v1"


@pytest.fixture
def sending(receiver):
    """Make what programs use, by share and whether it holds spans back."""

    def make(ratio=0.0, *, held=False, store=""):
        return Sending(
            Settings(telemetry=TelemetrySettings(sample_ratio=ratio)),
            program="feed",
            held=held,
            store=store,
            patience_s=30,
        )

    return make


def send(sending: Sending, count: int, **more) -> list:
    """Send so many records, each acknowledged."""
    found = []
    for offset in range(count):
        sent = sending.begin(TOPIC, "pump-7", 100, **more)
        sending.done(sent, 2, offset)
        found.append(sent)
    return found


def test_span_is_that_of_the_header(sending, receiver):
    """A span by the conventions, of the ids that went along, from the call to the broker's answer."""
    subject = sending(ratio=1)
    (sent,) = send(subject, 1)
    subject.close()
    (span,) = receiver.spans()

    assert sent.traceparent.decode() == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert given_trace(sent.traceparent.decode())
    assert span.name == f"send {TOPIC}"
    about = attributes(span)
    assert about["messaging.operation.type"] == about["messaging.operation.name"] == "send"
    assert (about["messaging.destination.partition.id"], about["messaging.kafka.offset"]) == ("2", 0)
    assert about["messaging.kafka.message.key"] == "pump-7"
    assert receiver.resource()["service.name"] == "foreshock-feed"
    assert not span.parent_span_id


def test_share_is_sampled_and_a_persons_word_always(sending):
    """The flag follows the share; every context is another one."""
    subject = sending(ratio=0.25)
    sent = send(subject, 2000)
    word = subject.begin("t.control.v1", "pump-7", 1, always=True)
    subject.close()

    assert 380 < sum(each.sampled for each in sent) < 620
    assert len({each.trace_id for each in sent}) == len({each.span_id for each in sent}) == 2000
    assert word.sampled


def test_held_span_goes_out_when_somebody_asks(sending, receiver):
    """Of a record that led to an event the span goes out; asked for before the broker's answer it is not forgotten."""
    subject = sending(held=True)
    first, second, third = send(subject, 3)
    early = subject.begin(TOPIC, "pump-7", 100)
    subject.keep(f"{second.trace_id:032x}")
    subject.keep(f"{early.trace_id:032x}")
    subject.keep("ab" * 16)  # of somebody else
    subject.done(early, 0, 9)
    subject.close()

    assert {int.from_bytes(span.trace_id) for span in receiver.spans()} == {second.trace_id, early.trace_id}
    assert not first.sampled
    assert not third.sampled


def test_others_go_out_at_a_bounded_rate(sending, receiver):
    """Without anybody who asks every span goes out, as far as the rate allows; what is refused always does."""
    subject = sending()
    for sent in send(subject, 4 * PER_S)[:1]:
        subject.done(sent, 0, 0, "message timed out")
    subject.close()

    assert PER_S <= len(receiver.spans()) < 4 * PER_S
    assert [span.status.message for span in receiver.spans() if span.status.message] == ["message timed out"]


def test_nowhere_to_send_loads_nothing(monkeypatch, tmp_path):
    """Without a receiver a context is made all the same; of a store beside a worker it is told by its file."""
    monkeypatch.chdir(tmp_path)
    subject = Sending(Settings(), program="feed")
    (sent,) = send(subject, 1)
    subject.keep(f"{sent.trace_id:032x}")
    subject.close()

    assert given_trace(sent.traceparent.decode())


def test_store_has_it(sending, tmp_path):
    """In the local store it is the root of its trace, and ordinary until there is more in it."""
    subject = sending(ratio=1, store=str(tmp_path))
    (sent,) = send(subject, 1)
    subject.close()
    (row,) = SpanStore(tmp_path).trace(f"{sent.trace_id:032x}")

    assert (row.kind, row.asset, row.ordinary) == ("producer", "pump-7", 1)
