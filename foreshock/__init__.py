"""Foreshock: streaming anomaly detection for industrial machines on Apache Kafka."""

from foreshock import numeric

numeric.pin()

__version__ = "0.1.0"
