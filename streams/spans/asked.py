"""Which exporters the environment asks for, told without loading any of them."""

from __future__ import annotations

import os

OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
ZIPKIN_ENDPOINT = "OTEL_EXPORTER_ZIPKIN_ENDPOINT"


def otlp_endpoint() -> str:
    """Give the address of an OTLP receiver; "" where none is wanted."""
    return next((os.environ[name] for name in OTLP_ENDPOINTS if os.environ.get(name)), "") if _takes("otlp") else ""


def zipkin_endpoint() -> str:
    """Give the address of a Zipkin; "" where none is wanted."""
    return os.environ.get(ZIPKIN_ENDPOINT, "").strip() if _takes("zipkin") else ""


def disabled() -> bool:
    """Whether the SDK is switched off as a whole."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def wanted(store: str) -> bool:
    """Whether there is anywhere for a span to go."""
    return not disabled() and bool(store or otlp_endpoint() or zipkin_endpoint())


def _takes(exporter: str) -> bool:
    """Whether `OTEL_TRACES_EXPORTER` lets an exporter be; where it says nothing, an endpoint is wish enough."""
    names = {name.strip().lower() for name in os.environ.get("OTEL_TRACES_EXPORTER", "").split(",")} - {""}
    return not names or exporter in names
