"""Reading back what was sent."""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from foreshock.contract import Origin
from foreshock.streams.kafka import reader_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.wire import Decoder


def blocks_of(settings, topic, count, deadline_s=20.0):
    """Decode the first `count` blocks of a topic; give them and their trace contexts."""
    consumer = Consumer({**reader_config(settings), "enable.partition.eof": False})
    consumer.assign([TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)])
    decoder, blocks, traces = Decoder(), [], []
    until = time.monotonic() + deadline_s
    while len(blocks) < count and time.monotonic() < until:
        for message in consumer.consume(500, 0.2):
            assert message.error() is None
            assert message.partition() == partition_for(message.key(), topic.partitions)
            origin = Origin(
                topic=topic.name, topic_id=topic.topic_id, partition=message.partition(), offset=message.offset(),
                ingest_ns=message.timestamp()[1] * 10**6,
            )  # fmt: skip
            blocks.append(decoder.decode(message.value(), origin=origin, key=message.key()))
            traces.append(dict(message.headers())["traceparent"])
    consumer.close()
    return blocks, traces
