"""`python -m bench.telemetry`: what tracing and metrics cost a block.

The walk of the worker, from the bytes of a record to the bytes of its outputs, runs in this process without a broker, on the
same blocks as the other benchmarks. After each batch comes what an arm has: nothing, traces (1 % of ordinary blocks, sent
by OTLP to a receiver in a process of its own), metrics, or both. The arms take turns in random order within each round,
so whatever the machine does meets all of them. What is counted is the CPU time of the whole process: exporters, which work in
threads of their own, are in it. The walk is that of the `lean` profile: what is looked for is the same, and is seen better
beside less. Beside the differences stands what the calls themselves took in the thread of the walk.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import feed
from foreshock.fleet import Fleet, FleetSpec
from foreshock.settings import MetricsSettings, Settings, TelemetrySettings
from foreshock.streams import outputs, wire
from foreshock.streams.border import Border
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.metrics.exposition import Exposition
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.surface import Surface
from foreshock.streams.metrics.worker import Meters
from foreshock.streams.partitioner import partition_for
from foreshock.streams.publish import Outbox
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.folding import Folding
from foreshock.streams.state.gate import Gate, Lapse
from foreshock.streams.state.places import Places
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.taken import Taken
from foreshock.streams.telemetry import BatchTimes, Telemetry
from foreshock.streams.topics import TOPICS, TopicInfo
from foreshock.streams.walk import Walk

RESULTS = Path(__file__).parent / "results"
LIMIT_US = 2.0
ARMS = ("off", "traces", "metrics", "both")
RECEIVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Record:
    """A record as the client gives it."""

    def __init__(self, offset: int, partition: int, key: bytes, value: bytes) -> None:
        self._fields = offset, partition, key, value

    def offset(self) -> int:
        return self._fields[0]

    def partition(self) -> int:
        return self._fields[1]

    def key(self) -> bytes:
        return self._fields[2]

    def value(self) -> bytes:
        return self._fields[3]

    def timestamp(self) -> tuple[int, int]:
        return 2, time.time_ns() // 1_000_000

    def headers(self) -> None:
        return None

    def topic(self) -> str:
        return "sensors.v1"


@dataclass(frozen=True)
class Cost:
    """CPU of a block in one arm over that without anything, microseconds, with a 95 % interval."""

    us: float
    low: float
    high: float


class Bench:
    """The walk, and what may follow it."""

    def __init__(self, blocks: int, batch: int) -> None:
        settings = Settings(
            telemetry=TelemetrySettings(sample_ratio=0.01), metrics=MetricsSettings(listen="127.0.0.1:0")
        )
        info = {name: TopicInfo(name, f"id-{name}", 4, 1, {"max.message.bytes": "4194304"}) for name in TOPICS}
        self.surface = Surface(settings, Process.WORKER, name="bench")
        self.telemetry = Telemetry(settings, worker="bench")
        fleet = Fleet(FleetSpec(profile="lean"))
        self.meters = Meters(settings, self.surface, fleet)
        custody = Custody(fleet.release)
        places = Places(
            fleet,
            custody,
            Gate(Lapse(10.0)),
            Recipes(fleet),
            partition_of=lambda _: 0,
            tell=lambda _: None,
            taken=Taken({}),
            covering=Covering(fleet, ()),
        )
        encoders = {name: wire.Encoder(topic=name) for name in outputs.TOPIC_OF.values()}
        made = outputs.Outputs(
            info, encoders=encoders, framing="single-object", telemetry=self.telemetry, worker="bench"
        )
        border = Border(info["sensors.v1"], partitioner="murmur2_random", largest=2**20, decoder=wire.Decoder())
        self._after: Callable[[Batch, Sequence[Any], Outbox], object] = _nothing
        self.walk = Walk(Folding(fleet, custody, places, lambda: None, Casebook()), border, made, self._delivered)
        fleet.on_stage = self.walk.stage
        self.records = _records(blocks)
        self.size = batch
        self.at = 0
        self.called_s = 0.0  # CPU of the calls in this thread, with both
        self.called = 0  # blocks of them

    def step(self, arm: str) -> float:
        """Walk one batch; give the CPU seconds."""
        self._after = {"off": _nothing, "traces": self._traces, "metrics": self._metrics, "both": self._both}[arm]
        records = self.records[self.at : self.at + self.size]
        self.at += self.size
        begun = time.process_time()
        now = time.time_ns()
        batch = Batch([], records, now, now)
        self.walk.decode(batch)
        self.walk.receive(batch)
        outbox = self.walk.encode(batch)
        outbox.delivered(outbox)
        return time.process_time() - begun

    def _delivered(self, batch: Batch, items: Sequence[Any], outbox: Outbox) -> None:
        self._after(batch, items, outbox)

    def _traces(self, batch: Batch, items: Sequence[Any], outbox: Outbox) -> list[Any]:
        stages = batch.stages_ns
        times = BatchTimes(
            received=batch.received_ns,
            started=batch.started_ns,
            decoded=stages["decoded"],
            quality=stages["quality"],
            features=stages["features"],
            scored=stages["score"],
            policy=stages["policy"],
            encoded=stages["encoded"],
            delivered=stages["delivered"],
        )
        return self.telemetry.record(times, items, offsets=outbox.offsets)

    def _metrics(self, batch: Batch, items: Sequence[Any], _: Outbox) -> None:
        self.meters.batch(batch, items, ())

    def _both(self, batch: Batch, items: Sequence[Any], outbox: Outbox) -> None:
        begun = time.thread_time()
        self.meters.batch(batch, items, self._traces(batch, items, outbox))
        self.called_s += time.thread_time() - begun
        self.called += len(items)


def _nothing(*_: object) -> None:
    """Have no telemetry."""


def _records(blocks: int) -> list[Record]:
    encoder, offsets = wire.Encoder(topic="sensors.v1"), [0] * 4
    found = []
    for asset, i, samples in feed.waveforms(blocks):
        key = f"pump-{asset:02d}"
        number = partition_for(key.encode(), 4)
        value = encoder.encode(feed.block(key, feed.START_NS + i * feed.STEP_NS, samples))
        found.append(Record(offsets[number], number, key.encode(), value))
        offsets[number] += 1
    return found


def measure(bench: Bench, warm: int, rounds: int, arms: tuple[str, ...] = ARMS) -> dict[str, list[float]]:
    """Walk rounds of all arms; give microseconds a block of each step."""
    for _ in range(warm):
        bench.step("both")
    bench.called_s, bench.called = 0.0, 0
    gc.collect()
    gc.freeze()  # as a worker does
    gc.set_threshold(50_000, 20, 100)
    order, found = random.Random(5), {arm: list[float]() for arm in arms}
    for _ in range(rounds):
        for arm in order.sample(arms, len(arms)):
            found[arm].append(bench.step(arm) / bench.size * 1e6)
    return found


def costs(found: dict[str, list[float]]) -> dict[str, Cost]:
    """Compare each arm with that without anything, round by round; a tenth of the rounds on either side is left out."""
    table = {}
    for arm in (each for each in found if each != "off"):
        over = sorted(a - b for a, b in zip(found[arm], found["off"], strict=True))
        cut = len(over) // 10
        kept = over[cut : len(over) - cut]
        # Tukey and McLaughlin: the error of a trimmed mean is that of the values with the ends pulled in
        pulled = [kept[0]] * cut + kept + [kept[-1]] * cut
        mean, error = statistics.fmean(kept), statistics.stdev(pulled) / (0.8 * len(over) ** 0.5)
        table[arm] = Cost(mean, mean - 1.96 * error, mean + 1.96 * error)
    return table


def main() -> int:
    """Measure, print a table, write JSON; 1 where both together cost more than they may."""
    parser = argparse.ArgumentParser(prog="python -m bench.telemetry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="of all four arms (default %(default)s)")
    parser.add_argument("--batch", type=int, default=128, help="blocks in a batch (default %(default)s)")
    arguments = parser.parse_args()
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{receiver.stdout.readline().strip()}"
        warm = 6_400 // arguments.batch
        bench = Bench((2 * warm + 6 * arguments.rounds) * arguments.batch, arguments.batch)
        found = measure(bench, warm, arguments.rounds)
        report = _report(bench, found)
        receiver.kill()
        receiver.wait()
        killed = measure(bench, warm, arguments.rounds, ("off", "both"))
        report["killed"] = _killed(found, killed)
    finally:
        receiver.kill()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"telemetry-{time.strftime('%Y%m%dT%H%M%S')}.json"
    path.write_text(json.dumps(report, indent=2))
    print(f"-> {path}")
    return 0 if report["cost"]["both"]["us"] <= LIMIT_US else 1


def _killed(before: dict[str, list[float]], after: dict[str, list[float]]) -> dict[str, float]:
    """Compare what the walk with all telemetry costs while nobody takes the spans with what it cost before."""
    cost = costs(after)["both"]
    share = statistics.median(before["off"]) / statistics.median(
        after["off"]
    )  # the machine is not the same all the time
    ratio = share * statistics.median(after["both"]) / statistics.median(before["both"])
    print(
        f"with the receiver killed: {cost.us:+5.2f} us a block; the walk with telemetry takes {ratio:.1%} of what it took"
    )
    return {"us": cost.us, "low": cost.low, "high": cost.high, "ratio": ratio}


def _report(bench: Bench, found: dict[str, list[float]]) -> dict[str, Any]:
    table = costs(found)
    alone = statistics.median(found["off"])
    print(f"a block without telemetry: {alone:.1f} us of CPU (load of the machine: {os.getloadavg()[0]:.1f})")
    for arm, cost in table.items():
        share = f"{cost.us / alone:.1%}"
        print(f"{arm:8} {cost.us:+5.2f} us a block (95 %: {cost.low:.2f} to {cost.high:.2f}), {share} of it")
    called_us = bench.called_s / bench.called * 1e6
    print(f"the calls themselves, of both: {called_us:.2f} us a block in the thread of the walk")
    exposition = Exposition(bench.surface.values)
    begun = time.process_time()
    size = max(len(exposition.write("")[0]) for _ in range(10))
    scrape_ms = (time.process_time() - begun) * 100
    print(f"a scrape: {scrape_ms:.1f} ms of CPU, {size / 1024:.0f} KiB; traces: {bench.telemetry.counters()}")
    return {
        "block_us": alone,
        "load": os.getloadavg()[0],
        "cost": {arm: asdict(cost) for arm, cost in table.items()},
        "called_us": called_us,
        "scrape_ms": scrape_ms,
        "traces": bench.telemetry.counters(),
        "rounds": len(found["off"]),
        "batch": bench.size,
    }


if __name__ == "__main__":
    sys.exit(main())
