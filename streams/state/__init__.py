"""What keeps the state of the assets on Kafka and restores it, and decides which records it still takes in."""
