"""What the processes count and measure, and how it is read: Prometheus, OpenMetrics, OTLP."""
