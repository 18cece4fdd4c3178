"""The console: a page and a JSON API that show what stands on Kafka. It holds no truth: a restart shows the same."""
