"""Issue 3, "Bad input": each item becomes one dead letter with its reason, its bytes and its headers; the stream goes on."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import replace

import pytest

from bench.bad import kinds
from foreshock.streams.partitioner import partition_for

PARTITIONS = 4
LARGEST = 64 * 1024
HEADERS = [("gateway", b"g-17"), ("empty", None)]


def items(block, good):
    """(reason, value) of everything that the issue names; key and partition are right in all of them."""
    return [*kinds(block, good), ("too_large", good + os.urandom(LARGEST))]


@pytest.fixture
def small(settings):
    """Settings that take records of at most 64 KiB."""
    return replace(settings, topics=replace(settings.topics, max_message_bytes=LARGEST))


def test_every_bad_record_becomes_its_dead_letter(small, open_topics, start_worker, make_block):
    """One dead letter each, with reason, sentence, original bytes, key, headers and coordinates."""
    topics = open_topics(replace(small, topics=replace(small.topics, max_message_bytes=1024 * 1024)))
    block = make_block("pump-0", 0)
    good, key = topics.encode(block), b"pump-0"
    home = partition_for(key, PARTITIONS)
    sent = []
    for reason, value in items(block, good):
        sent.append((reason, key, value))
        topics.send(value, key, home, HEADERS)
    sent += [("null_key", None, good), ("key_mismatch", b"pump-9", good), ("wrong_partition", key, good)]
    topics.send(good, None, home, HEADERS)
    topics.send(good, b"pump-9", partition_for(b"pump-9", PARTITIONS), HEADERS)
    topics.send(good, key, (home + 1) % PARTITIONS, HEADERS)
    topics.send_block(make_block("pump-0", 1))
    topics.flush()
    worker = start_worker(small, "--slot", "0")
    topics.wait_for_outcomes(len(sent) + 1, worker=worker)

    letters = topics.read("dead-letters.v1")
    inputs = {(m.partition(), m.offset()): m for m in topics.raw("sensors.v1")}

    assert Counter(letter.record["reason"] for letter in letters) == Counter(reason for reason, _, _ in sent)
    for letter in letters:
        original = inputs[letter.place]
        value = original.value()
        assert letter.record["value"] == value
        assert letter.record["key"] == original.key() == letter.key
        assert letter.record["value_size"] == len(value or b"")
        assert letter.record["value_sha256"] == hashlib.sha256(value or b"").hexdigest()
        assert [(h["name"], h["value"]) for h in letter.record["headers"]] == HEADERS
        assert letter.partition == original.partition()
        assert len(letter.record["sentence"]) > 10
    assert len(topics.read("scores.v1")) == 1


@pytest.mark.slow
def test_a_thousand_bad_records_in_twenty_thousand(settings, open_topics, start_worker, make_block):
    """1,000 bad records give 1,000 dead letters, and none of the 19,000 others is lost, repeated or out of order."""
    topics = open_topics(settings)
    good = {asset: make_block(asset, 0) for asset in (f"fan-{n}" for n in range(20))}
    kinds = items(make_block("fan-0", 0), topics.encode(good["fan-0"]))[:17]
    step_ns = 160_000_000
    for n in range(20_000):
        asset = f"fan-{n % 20}"
        if n % 20 == n // 20 % 20:
            topics.send(kinds[n // 20 % len(kinds)][1], asset.encode())
        else:
            topics.send_block(replace(good[asset], source_ns=good[asset].source_ns + n // 20 * step_ns))
    topics.flush()
    worker = start_worker(settings)
    topics.wait_for_outcomes(20_000, worker=worker)

    scores, letters = topics.read("scores.v1"), topics.read("dead-letters.v1")

    assert len(letters) == 1000
    assert len(scores) == 19_000
    inputs = [(m.partition(), m.offset()) for m in topics.raw("sensors.v1")]
    assert sorted([score.place for score in scores] + [letter.place for letter in letters]) == inputs
    assert [score.place for score in scores] == sorted(score.place for score in scores)
