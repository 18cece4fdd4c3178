"""From Kafka to batches: librdkafka under Faust's agents."""
