"""The embedded stack: Kafka and Valkey as child processes of one command."""
