"""Benchmarks on the embedded broker: `make bench`, or `python -m bench --help`."""
