"""Mutated snapshots and evidence into a Fleet: `python -m tests.fuzz.snapshots SEED COUNT`. Prints what happened as JSON.

A quarter are sealed bytes with a few bits, lengths or pieces changed. Another is changed before it is sealed, another never
sealed at all, as the evidence of a stranger's case file: these reach the decoder. The last quarter are well-formed states
with wild values: these reach the restoring and the kernels, which must stay within their arrays whatever a state says.
Runs in a process of its own with bounded memory.
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
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from foreshock.contract import Block
from foreshock.detectors import snapshot
from foreshock.errors import SnapshotRejected, StateRejected
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.streams.warm import warm
from tests.core.builders import block, frame
from tests.wire.fuzz import mutate

KEYS = snapshot.Keys(snapshot.Key("fuzz", b"of a test"))
SPEC = FleetSpec(warmup_blocks=12)
WILD_INTS = [0, 1, 2, 127, 255, 512, 2**31, 2**53, 2**62, 2**63 - 1]
WILD_FLOATS = [0.0, -0.0, 1e-320, 1.0, -1e9, 1e300, -1e300, math.inf, -math.inf, math.nan]
ADDRESS_SPACE = 3 * 1024**3
"""Bytes: the interpreter, numpy, the compiled kernels, and room for one state of any kind."""
RELEASE_EVERY = 500
"""States after which the Fleet starts anew: the layouts that a fuzzer invents are what fills the memory."""


def corpus() -> tuple[list[bytes], dict[str, Block]]:
    """Canonical bytes of states warming, ready and in alarm, of waveforms and frames; and a next record for each asset."""
    fleet, states = Fleet(SPEC), []
    for count in (3, 16, 26):
        for i in range(count - 10 if count == 26 else 0, count):
            shift = 9.0 if i > 20 else 0.0
            offset = 2 * (100 * count + i)
            fleet.receive([block(offset, asset="wave", index=100 * count + i, fault=shift)])
            values = np.random.default_rng(i).normal(300, 1, (2, 3)) + shift
            fleet.receive([frame(offset + 1, values, asset="rows", index=2 * (100 * count + i))])
        states += [fleet.capture(0, name).to_bytes() for name in ("wave", "rows")]
    last = 2**40
    records = {
        "wave": block(last, asset="wave", index=9_000),
        "rows": frame(last, np.full((2, 3), 300.0), asset="rows", index=9_000),
    }
    return states, records


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all values of a tree that are no container."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if inside is None:
        yield path
    else:
        for name, each in inside:
            yield from leaves(each, (*path, name))


def wild(rng: random.Random, data: bytes) -> bytes:
    """One to three values of a state replaced by others of their type, some of any type."""
    tree: Any = snapshot.from_canonical(data)
    paths = list(leaves(tree))
    for _ in range(rng.choice((1, 1, 2, 3))):
        *path, last = rng.choice(paths)
        parent = tree
        for step in path:
            parent = parent[step]
        old = parent[last]
        if isinstance(old, np.ndarray) and old.size:
            new = old.copy()
            values = (
                WILD_FLOATS
                if new.dtype.kind == "f"
                else [v % 2 ** (8 * new.itemsize - 1) * s for v in WILD_INTS for s in (1, -1)]
            )
            with np.errstate(over="ignore"):
                new.flat[rng.randrange(new.size)] = np.array(rng.choice(values)).astype(new.dtype)
            parent[last] = new
        else:
            same = WILD_INTS if type(old) is int else WILD_FLOATS if type(old) is float else ["", "waveform", "x" * 300]
            parent[last] = rng.choice(same if rng.random() < 0.8 else [None, True, 1, 1.5, "x", b"", [], {}])
    return snapshot.canonical(tree)


def sealed(data: bytes) -> bytes:
    """Seal bytes that are no tree any more, as one of us who has gone wrong would."""
    begin = snapshot.canonical({"header": {}, "kind": "snapshot", "tree": None})[:-1]
    return snapshot._sealed(snapshot.VERSION, zlib.compress(begin + data, 1), KEYS.current)


def take(fleet: Fleet, way: int, data: bytes, records: dict[str, Block]) -> str:
    """Have one state come as far as it can."""
    try:
        state = AssetState.unseal(data, KEYS) if way < 2 else AssetState.from_bytes(data)
        fleet.restore(state)
    except SnapshotRejected as exc:
        return exc.code
    except StateRejected as exc:
        return f"restore:{exc.code}"
    record = records.get(state.asset)
    if record is None or state.partition or state.offset > record.origin.offset:
        return "restored"
    try:
        fleet.receive([record])
    except (ArithmeticError, ValueError) as exc:  # no number comes out of it; the worker and the replay can say so
        fleet.forget(0, state.asset)
        return f"receive:{exc!r}"
    fleet.capture(0, state.asset).digest()
    return "scored"


def main(seed: int, count: int) -> None:
    """Try `count` mutations."""
    rng = random.Random(seed)
    warm(SPEC)  # a kernel that is loaded at its first use would count as slow
    states, records = corpus()
    whole = [sealed(each) for each in states]
    fleet, found, slowest = Fleet(SPEC), Counter[str](), 0.0
    worst = ""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for i in range(count):
        if i % RELEASE_EVERY == 0:
            fleet = Fleet(SPEC)
            gc.collect()
        way = i % 4
        data = wild(rng, rng.choice(states)) if way == 3 else mutate(rng, whole if way == 0 else states)
        data = sealed(data) if way == 1 else data
        began = time.thread_time()
        try:
            told = take(fleet, way, data, records)
            found[told] += 1
        except Exception as exc:
            Path("/tmp/foreshock-fuzz-snapshot.bin").write_bytes(data)
            raise AssertionError(f"{exc!r} at {i}, way {way}") from exc
        took = (time.thread_time() - began) * 1000
        if took > slowest:
            slowest, worst = took, f"{i}: {told}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    result: dict[str, Any] = {
        "what": "snapshots",
        "found": found,
        "slowest_ms": slowest,
        "slowest": worst,
        "grown_mb": grown,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    faulthandler.enable()
    main(int(sys.argv[1]), int(sys.argv[2]))
