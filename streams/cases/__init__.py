"""Cases of anomalies: how they are made, stored, found, read and replayed."""
