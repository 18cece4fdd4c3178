"""What decoding and encoding cost: `python -m bench.kernels_wire`.

Prints microseconds of one core, best of many short rounds, beside what fastavro takes for the bytes alone (no checks, no
record of the contract, a dict).
"""

from __future__ import annotations

import copy
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace

import fastavro
import numpy as np

from foreshock.contract import Context, Origin, Score, SensorBlock, Tag, TelemetryFrame
from foreshock.streams.codec import schemas
from foreshock.streams.wire import Decoder, Encoder, headers
from tests.wire import samples

CALLS, ROUNDS = 100, 200
KEY = b"pump-7"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORIGIN = Origin(
    topic="sensors.v1", topic_id="q83vEjRWeJCrze8SNFZ4kA", partition=3, offset=41_234, ingest_ns=1_780_000_000 * 10**9
)
GOALS = {"decode block 16 KiB": 6.0, "encode score 30 features": 8.0}


def best_us(call: Callable[[], object]) -> float:
    """Best of some rounds, wall microseconds a call."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        times.append((time.perf_counter() - began) / CALLS * 1e6)
    return min(times)


def block() -> SensorBlock:
    """Make an ordinary block of 16 KiB."""
    samples = np.random.default_rng(1).standard_normal((1, 4096)).astype(np.float32)
    return SensorBlock(
        origin=ORIGIN,
        asset="pump-7",
        point="DE bearing",
        channels=("radial",),
        source_ns=1_780_000_000_123_456_789,
        sampling_rate_hz=25_600.0,
        quantity="acceleration",
        unit="[g]",
        samples=samples,
        sequence=41_234,
        site="Nord",
        gateway="gw-1",
        context=Context(speed_hz=24.8, load=0.75),
    )


def score() -> Score:
    """Make a score of 30 features."""
    values = np.random.default_rng(2).standard_normal(30).astype(np.float32)
    return replace(samples.ORDINARY, rows=(replace(samples.ORDINARY_ROW, features=tuple(values.tolist())),))


def frame() -> TelemetryFrame:
    """Make one row of 20 tags."""
    tags = tuple(Tag(name=f"t{n}", quantity="temperature", unit="Cel", gain=1.0, shift=273.15) for n in range(20))
    times = np.array([1_780_000_000_123_456_789], np.int64)
    return TelemetryFrame(
        origin=ORIGIN, asset="pump-7", point="process", tags=tags, times_ns=times, values=np.ones((1, 20))
    )


def main() -> None:
    """Print the table and one line of JSON."""
    encoder, decoder = Encoder(), Decoder()
    value, row, sent = encoder.encode(block()), encoder.encode(frame()), score()
    scored = encoder.encode(sent)
    block_schema = fastavro.parse_schema(copy.deepcopy(schemas.current()["SensorBlock"].schema))
    score_schema = fastavro.parse_schema(copy.deepcopy(schemas.current()["Score"].schema))
    as_dict = fastavro.schemaless_reader(io.BytesIO(scored[10:]), score_schema, None)
    figures = {
        "decode block 16 KiB": best_us(lambda: decoder.decode(value, origin=ORIGIN, key=KEY)),
        "  its first of a point": best_us(lambda: Decoder.decode(fresh(decoder), value, origin=ORIGIN, key=KEY)),
        "  fastavro, bytes to dict": best_us(
            lambda: fastavro.schemaless_reader(io.BytesIO(value[10:]), block_schema, None)
        ),
        "decode frame 1 x 20": best_us(lambda: decoder.decode(row, origin=ORIGIN, key=KEY)),
        "encode score 30 features": best_us(lambda: encoder.encode(sent)),
        "  fastavro, dict to bytes": best_us(lambda: fastavro.schemaless_writer(io.BytesIO(), score_schema, as_dict)),
        "headers of a score": best_us(lambda: headers(sent, traceparent=TRACEPARENT, scored_ns=1, worker="w-1")),
    }
    for name, figure in figures.items():
        goal = f"  (goal {GOALS[name]:.0f})" if name in GOALS else ""
        print(f"{name:28} {figure:7.2f} us{goal}")
    print(json.dumps({"wire": {name.strip(): round(figure, 3) for name, figure in figures.items()}}))


def fresh(decoder: Decoder) -> Decoder:
    """Forget the heads of blocks."""
    decoder._heads.clear()  # noqa: SLF001  # what is measured
    return decoder


if __name__ == "__main__":
    main()
