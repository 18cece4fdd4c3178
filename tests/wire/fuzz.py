"""Mutates the golden inputs and decodes them: `python -m tests.wire.fuzz SEED COUNT`. Prints what happened as JSON.

Runs in a process of its own: a decoder that dies takes its process with it, and the test sees that.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from foreshock.errors import InputRejected
from foreshock.streams.codec import schemas
from foreshock.streams.wire import Decoder, Encoder, dead_letter
from tests.wire.samples import BLOCK, FRAME, RAW, RECORDS

GOLDEN = Path(__file__).parent.parent / "golden"
NUMBERS = [
    b"\x00",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff" * 9 + b"\x01",
    b"\x80" * 12,
    b"\xfe\xff\xff\xff\x0f",
    b"\x01\x80",
]
TEXTS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"NaN",
    b"1e999",
    b'"',
    b",",
    b":",
    b"-1",
    b"\xff",
    b"true",
    b'"\\ud800"',
    b"99999999999999999999",
]


def corpus() -> list[bytes]:
    """Golden values, and the inputs in JSON and in other shapes."""
    blocks = [BLOCK, replace(BLOCK, samples=np.ones((2, 64), np.float32), flags=())]
    golden = {path: path.read_bytes() for path in sorted(GOLDEN.glob("*.bin"))}
    inputs = [data for path, data in golden.items() if path.name.startswith(schemas.INPUTS)]
    inputs += [Encoder(framing).encode(each) for framing in ("single-object", "json") for each in [*blocks, FRAME]]
    return [*golden.values(), *inputs * 4, *[Encoder("json").encode(RECORDS["Asset"])] * 4]


def mutate(rng: random.Random, values: list[bytes]) -> bytes:
    """One to three changes: bits, cuts, insertions, numbers that mean a length, pieces of other values."""
    data = bytearray(rng.choice(values))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randint(10 if rng.random() < 0.9 and len(data) > 10 else 0, len(data))
        kind = rng.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at:at] = rng.choice(NUMBERS)
        elif kind == 3:
            data[at : at + rng.randint(1, 12)] = rng.choice(NUMBERS)
        elif kind == 4:
            other = rng.choice(values)
            start = rng.randrange(len(other))
            data[at : at + rng.randint(0, 30)] = other[start : start + rng.randint(1, 60)]
        elif kind == 5:
            data[at : at + rng.randint(0, 4)] = rng.choice(TEXTS)
        else:
            data += rng.randbytes(rng.randint(1, 20))
    return bytes(data)


def main(seed: int, count: int) -> None:
    """Decode `count` mutations as a block and as an asset."""
    rng, values = random.Random(seed), corpus()
    decoder, encoder = Decoder(), Encoder()
    found: Counter[str] = Counter()
    slowest = 0.0
    for _ in range(count):
        data = mutate(rng, values)
        for decode in (decoder.decode, decoder.decode_asset):
            began = time.thread_time()
            try:
                decode(data, origin=RAW, key=b"pump-7")
            except InputRejected as exc:
                letter = dead_letter(exc, RAW, b"pump-7", data)
                encoder.encode(letter)
                found[exc.reason if letter.sentence and letter.fix else f"no words for {data!r}"] += 1
            except Exception as exc:
                raise AssertionError(f"{exc!r} on {data!r}") from exc
            else:
                found["decoded"] += 1
            slowest = max(slowest, time.thread_time() - began)
    print(json.dumps({"found": found, "slowest_ms": slowest * 1000}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
