"""Hostile records through the border into a Fleet: `python -m tests.fuzz.messages SEED COUNT`. Prints what happened as JSON.

Half of the records are valid bytes with a few bits, lengths or pieces changed (`tests.wire.fuzz`). The other half are
well-formed Avro or JSON with wild values: these are the ones that are decoded, and whatever is decoded the Fleet must be
able to receive. Runs in a process of its own with bounded memory; a decoder that dies takes its process with it.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import math
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foreshock.contract import Reason, ScoreRow
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import wire
from foreshock.streams.border import Border
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import TopicInfo
from tests.chaos.reading import Record
from tests.fuzz import wild
from tests.wire import fuzz

PARTITIONS = 4
LARGEST = 1024 * 1024
TOPIC = TopicInfo("sensors.v1", "q83vEjRWeJCrze8SNFZ4kA", PARTITIONS, 1, {})
ADDRESS_SPACE = 3 * 1024**3
"""Bytes: the interpreter, numpy, the compiled kernels, and room for one record of any kind."""
RELEASE_EVERY = 2_000
"""Records after which the Fleet starts anew: otherwise the names that a fuzzer invents are what fills the memory."""


@dataclass
class Hunt:
    """What happened.

    Attributes
    ----------
    found
        How often each outcome came.
    slowest_ms, slowest
        CPU time of the slowest record, and its first bytes.
    """

    found: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0
    slowest: str = ""
    offset: int = 0

    def __post_init__(self) -> None:
        """Make what a worker has."""
        self.decoder = wire.Decoder()
        self.border = Border(TOPIC, partitioner="murmur2_random", largest=LARGEST, decoder=self.decoder)
        self.encode = wire.Encoder().encode
        self.fleet = Fleet(FleetSpec(warmup_blocks=12))

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Have one record walk as far as it comes."""
        self.offset += 1
        partition = partition_for(key, PARTITIONS) if key else 0
        record: Any = Record("sensors.v1", (partition, self.offset), key, value, 1_795_000_000_000 + self.offset)
        began = time.thread_time()
        origin = self.border.origin(record)
        try:
            block = self.border.block(record, origin)
        except InputRejected as exc:
            letter = wire.dead_letter(exc, origin, key, value, [])
            self.encode(letter)
            told = exc.reason is not Reason.INTERNAL_ERROR and letter.sentence and letter.fix
            self.found[exc.reason if told else f"no words for {value!r:.200}"] += 1
        else:
            (outcome,) = self.fleet.receive([block])
            for output in (outcome.score, *outcome.anomalies, *outcome.quality):
                self.encode(output)
            self.found[f"score:{outcome.score.rows[-1].state}"] += 1
            if not all(map(_sound, outcome.score.rows)):
                self.found[f"no words for {outcome.score.rows!r:.400} of {value!r:.200}"] += 1
        took = (time.thread_time() - began) * 1000
        if took > self.slowest_ms:
            self.slowest_ms, self.slowest = took, f"{(value or b'')[:120]!r} of {len(value or b'')} bytes"

    def take_asset(self, key: bytes, value: bytes) -> None:
        """Decode a record of assets.v1, and have the Fleet take it up."""
        began = time.thread_time()
        try:
            asset = self.decoder.decode_asset(value, origin=fuzz.RAW, key=key)
        except InputRejected as exc:
            self.found[f"asset:{exc.reason}"] += 1
        else:
            self.fleet.receive([asset])
            self.found["asset:decoded"] += 1
        self.slowest_ms = max(self.slowest_ms, (time.thread_time() - began) * 1000)


def hunt(seed: int, count: int) -> Mapping[str, Any]:
    """Send so many records; half of them mutated bytes, half of them wild values."""
    rng, values = random.Random(seed), fuzz.corpus()
    state = Hunt()
    for key, value in wild.records(random.Random(0), 300):
        state.take(key, value)  # compiles what it takes
    gc.collect()
    gc.freeze()  # as the worker does: a collection through all compiled modules takes longer than any record
    state.found.clear()
    state.slowest_ms = 0.0
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    sizes = [resident()]
    for number, (key, value) in enumerate(wild.records(rng, count)):
        if number % 2:
            data = fuzz.mutate(rng, values)
            state.take(b"pump-7", data)
            state.take_asset(b"pump-7", data)
        else:
            state.take(key, value)
        if number % RELEASE_EVERY == RELEASE_EVERY - 1:
            state.fleet.release(range(PARTITIONS))
            sizes.append(resident())
    grown = max(sizes) - sizes[min(2, len(sizes) - 1)]
    return {"found": state.found, "slowest_ms": state.slowest_ms, "slowest": state.slowest, "grown_mb": grown / 2**20}


def _sound(row: ScoreRow) -> bool:
    """Whether the numbers of a score are numbers."""
    values = (row.value, row.p_value, row.trend)
    return all(value is None or math.isfinite(value) for value in values) and 0 <= (row.p_value or 0.0) <= 1


def resident() -> int:
    """Bytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    faulthandler.enable()
    print(json.dumps(hunt(int(sys.argv[1]), int(sys.argv[2]))))
