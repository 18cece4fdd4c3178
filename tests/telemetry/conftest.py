"""Outcomes as the core gives them, for tests of what is told about them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from foreshock import lineage
from foreshock.contract import DeadLetter, Mode, Origin, Reason
from foreshock.outcome import Outcome
from foreshock.settings import Settings, TelemetrySettings, TopicSettings, WorkerSettings
from foreshock.streams.telemetry import BatchTimes, Telemetry
from tests.telemetry.receivers import Receiver
from tests.wire import samples

MS = 1_000_000


class Records:
    """Makes records; `offset` tells them apart."""

    def __init__(self) -> None:
        self.now_ns = time.time_ns()

    def origin(self, offset: int = 7, *, partition: int = 2, traceparent: str | None = None) -> Origin:
        return Origin(
            topic="t.sensors.v1",
            topic_id="4q1ZbSmTQ2mGxQ",
            partition=partition,
            offset=offset,
            ingest_ns=self.now_ns - 30 * MS,
            schema="9f0c",
            traceparent=traceparent,
        )

    def outcome(
        self, offset: int = 7, *, asset: str = "pump-3", point: str = "de", value: float = 0.4, **origin: Any
    ) -> Outcome:
        """An ordinary outcome: scored, no event."""
        where = self.origin(offset, **origin)
        row = replace(samples.ORDINARY_ROW, source_ns=self.now_ns - 60 * MS, value=value, alarm=value > 1)
        score = replace(
            samples.ORDINARY,
            score_id=lineage.event_id("score", where, 0, "m1"),
            asset=asset,
            point=point,
            origin=where,
            rows=(row,),
            model="bank@1",
        )
        return Outcome(score=score)

    def anomaly(self, offset: int = 7, *, asset: str = "pump-3", value: float = 2.5, **origin: Any) -> Outcome:
        """An outcome that opened an episode."""
        ordinary = self.outcome(offset, asset=asset, value=value, **origin)
        score = ordinary.score
        where = score.origin
        event = replace(
            samples.ANOMALY,
            event_id=lineage.event_id("anomaly.opened", where, 0, "p@1"),
            episode_id=lineage.event_id("episode", where, 0, "p@1"),
            asset=asset,
            point=score.point,
            mode=Mode.MODEL,
            source_ns=score.rows[0].source_ns,
            ingest_ns=where.ingest_ns,
            started_ns=score.rows[0].source_ns,
            score=value,
            initial_score=value,
            contributions=(),
            lineage=replace(
                samples.ANOMALY.lineage, inputs=(lineage.input_range(where, where.offset - 1),), model="bank@1"
            ),
            trace_id=lineage.trace_id(where),
        )
        return Outcome(score=score, anomalies=(event,))

    def frozen(self, offset: int = 7, **origin: Any) -> Outcome:
        """An outcome with a quality transition."""
        score = self.outcome(offset, **origin).score
        event = replace(
            samples.QUALITY,
            event_id=lineage.event_id("quality.frozen", score.origin),
            asset=score.asset,
            point=score.point,
            channel="x",
            source_ns=score.rows[0].source_ns,
            ingest_ns=score.origin.ingest_ns,
            origin=score.origin,
            trace_id=lineage.trace_id(score.origin),
        )
        return Outcome(score=score, quality=(event,))

    def dead_letter(self, offset: int = 7, **origin: Any) -> DeadLetter:
        """A record that could not be used."""
        where = self.origin(offset, **origin)
        return replace(
            samples.LETTER,
            event_id=lineage.event_id("dead-letter", where),
            reason=Reason.BAD_RATE,
            sentence="the sampling rate is -5",
            field="sampling_rate_hz",
            fix="send a rate above 0, or null",
            origin=where,
            key=b"pump-3",
        )

    def times(self) -> BatchTimes:
        """A batch that took a millisecond for each stage."""
        return BatchTimes(*(self.now_ns + stage * MS for stage in range(9)))


@pytest.fixture
def records() -> Records:
    """A maker of records."""
    return Records()


@pytest.fixture
def until() -> Callable[..., None]:
    """Poll a condition until it holds."""

    def wait(condition: Callable[[], Any], timeout_s: float = 90.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the standard variable names."""
    found = Receiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    yield found
    found.close()


def make_telemetry(*, ratio: float = 0.01, store: str = "") -> Telemetry:
    settings = Settings(
        topics=TopicSettings(prefix="t."),
        worker=WorkerSettings(group="t.workers"),
        telemetry=TelemetrySettings(sample_ratio=ratio, store=store),
    )
    return Telemetry(settings, worker="worker-0")


@pytest.fixture(scope="session")
def make() -> Callable[..., Telemetry]:
    """Make a telemetry by share and store directory."""
    return make_telemetry


@pytest.fixture(autouse=True)
def no_telemetry_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test without variables of OpenTelemetry."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def foreshock(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; gives exit code, output and errors."""
    from foreshock.cli import main

    monkeypatch.chdir(tmp_path)  # no settings file of somebody else

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["foreshock", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return run
