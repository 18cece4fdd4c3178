"""Contract of streams/errors.py: three answers to an exception, and a clear last line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from confluent_kafka import KafkaError, KafkaException

from foreshock.contract import Reason
from foreshock.errors import ConfigurationError, InputRejected, OutputRefused
from foreshock.streams.errors import Verdict, attempt, decide


@pytest.mark.parametrize(
    ("exc", "verdict"),
    [
        (InputRejected(Reason.EMPTY, "no bytes"), Verdict.DEAD_LETTER),
        (ValueError("a defect"), Verdict.DEAD_LETTER),
        (ZeroDivisionError(), Verdict.DEAD_LETTER),
        (KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN)), Verdict.STOP),
        (KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION, "moved", False, True)), Verdict.RETRY),
        (KafkaException(KafkaError(KafkaError._FENCED, "fenced", True, True)), Verdict.STOP),
        (OutputRefused("no"), Verdict.STOP),
        (ConfigurationError("no"), Verdict.STOP),
        (MemoryError(), Verdict.STOP),
        (KeyboardInterrupt(), Verdict.STOP),
    ],
)
def test_decision(exc, verdict):
    """A record can be at fault, Kafka never is; what threatens the whole process ends it."""
    assert decide(exc) is verdict


def test_defect_becomes_an_internal_error_that_names_it():
    """An exception that nobody foresaw costs one record, and its dead letter says what it was."""

    def fails(value):
        raise ZeroDivisionError(f"cannot do {value}")

    rejected = attempt(fails, 3)

    assert isinstance(rejected, InputRejected)
    assert rejected.reason is Reason.INTERNAL_ERROR
    assert "ZeroDivisionError: cannot do 3" in rejected.sentence


def test_last_line_says_why():
    """A process that stops itself ends with one line and the exit code of its error."""
    script = (
        "from foreshock.errors import OutputRefused; from foreshock.streams.errors import stop; "
        "print('working'); stop(OutputRefused('output refused: topic scores.v1'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 70
    assert done.stderr.splitlines()[-1] == "foreshock worker: output refused: topic scores.v1"
