"""The process of `foreshock lines`, from start to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading

from foreshock.settings import Settings
from foreshock.streams.lines.grouping import NEEDED, Grouping
from foreshock.streams.logs import to_stderr
from foreshock.streams.sinks.process import topics_of
from foreshock.streams.spans.sending import service_name


def run(settings: Settings) -> None:
    """Make the incidents of lines until SIGTERM or SIGINT.

    Raises
    ------
    ConfigurationError
        A topic is missing, or is not as it must be.
    Unavailable
        Kafka cannot be reached at the start.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    to_stderr(settings, service_name(settings, "lines"))
    found = topics_of(settings, NEEDED)
    Grouping(settings, found, worker=f"lines-{socket.gethostname()}-{os.getpid()}").run(stopping.is_set)
    logging.shutdown()
    sys.stdout.flush()
