"""Reads the metrics of our own processes, as a scraper would."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from prometheus_client.parser import text_string_to_metric_families

from foreshock.answers.diagnosis.vitals import Labels, Series

ANSWER_S = 3.0
LARGEST = 32 * 2**20


class NoPulse(Exception):  # no error: it is what is missing
    """A process did not show its metrics; the text says why."""


def read(url: str) -> Series:
    """Read all series of one endpoint.

    Raises
    ------
    NoPulse
        Nothing listens there, it does not answer in time, or what it answers are no metrics.
    """
    try:
        # Of our own hosts: no proxy of the environment is asked.
        with build_opener(ProxyHandler({})).open(url, timeout=ANSWER_S) as answer:
            body: bytes = answer.read(LARGEST)
        return _series(body.decode())
    except URLError as exc:
        raise NoPulse(str(exc.reason)) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise NoPulse(str(exc) or type(exc).__name__) from exc
    except ValueError as exc:
        raise NoPulse(f"what it answers are no metrics ({exc})") from exc


def _series(text: str) -> Series:
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def endpoints(listen: str, processes: int = 1) -> tuple[str, ...]:
    """Give the address of each process of a supervisor: process n listens on the port plus n. "" or port 0: none is known."""
    if not listen:
        return ()
    parts = urlsplit(f"//{listen}")
    if not parts.port:
        return ()
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return tuple(f"http://{host}:{parts.port + number}/metrics" for number in range(processes))


def kind_of(series: Mapping[str, Mapping[Labels, float]]) -> str:
    """Say which kind of process it is: the build information has it."""
    labels = next(iter(series.get("foreshock_build_info", {})), ())
    return dict(labels).get("process", "")
