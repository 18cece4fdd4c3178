"""Numbered inputs: the n-th record of a plan is the same bytes in every run, and tells its number.

The number is `turn * assets + asset`; the asset's name holds one half of it and `sequence` the other, so that the sequence
of a measuring point has no gaps of its own. Some machines break and are mended again, so that anomaly episodes open, are
updated and close; some sensors clip; one machine in five sends telemetry frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foreshock.contract import Acquisition, Asset, Limit, MeasuringPoint, Origin, SensorBlock, Tag, TelemetryFrame
from foreshock.streams import wire

NOWHERE = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)
START_NS = 1_760_000_000_000_000_000
SAMPLES = 256
RATE_HZ = 1600.0
STEP_NS = 10 * 10**9  # a wireless sensor that wakes up every ten seconds: episodes last minutes
ROWS = 2  # of a frame
TAGS = (
    Tag(name="oil", quantity="temperature", unit="Cel", gain=1.0, shift=273.15),
    Tag(name="suction", quantity="pressure", unit="bar", gain=1.0e5),
)


@dataclass(frozen=True)
class Numbered:
    """One record of a plan: its number, its key and the bytes of its value; None stands for a null."""

    number: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Plan:
    """What is sent.

    Attributes
    ----------
    blocks, assets
        How many; block `n` is of asset `n % assets`.
    poison
        Every so many records one is poison that takes the place of the block; 0: none is.
    jumps
        Whether the clocks of some sources jump: ahead, back, and to a time that cannot be.
    """

    blocks: int = 5_000
    assets: int = 20
    poison: int = 0
    jumps: bool = False

    def __post_init__(self) -> None:
        """Make the encoder, which keeps the parts that are the same from block to block."""
        object.__setattr__(self, "_encoder", wire.Encoder("single-object", topic="sensors.v1"))

    @property
    def turns(self) -> int:
        """Blocks of an asset."""
        return -(-self.blocks // self.assets)

    def asset(self, number: int) -> str:
        """Name of the asset of a number."""
        return f"m{number % self.assets:05d}"

    def number(self, asset: str, sequence: int) -> int:
        """The number of a block, from what it says of itself."""
        return sequence * self.assets + int(asset[1:])

    def master_data(self) -> Iterator[Asset]:
        """Records of assets.v1: one machine in four is registered, every other one of these with a limit."""
        for index in range(0, self.assets, 4):
            limits = (Limit(feature="rms", above=6.0, severity="critical"),) if index % 8 else ()
            point = MeasuringPoint(point="de", quantity="acceleration", unit="m/s2", limits=limits)
            yield Asset(asset=self.asset(index), asset_class="fan", points=(point,))

    def block(self, number: int) -> SensorBlock | TelemetryFrame:
        """The block of a number, as an integrator would have it."""
        index, turn = number % self.assets, number // self.assets
        return self._frame(index, turn) if index % 5 == 4 else self._waveform(index, turn)

    def record(self, number: int) -> Numbered:
        """The record of a number, as it is sent."""
        key = self.asset(number).encode()
        value = self._encoder.encode(self.block(number))
        if self.poison and number % self.poison == self.poison // 2:
            return Numbered(number, key, _poisoned(value, number // self.poison))
        return Numbered(number, key, value)

    def _waveform(self, index: int, turn: int) -> SensorBlock:
        noise = np.random.default_rng([index, turn]).standard_normal(SAMPLES, dtype=np.float32)
        at = np.arange(turn * SAMPLES, (turn + 1) * SAMPLES, dtype=np.float64) / RATE_HZ
        samples = noise + np.sin(2 * np.pi * (24.0 + index % 7) * at).astype(np.float32)
        if self.broken(index, turn):
            samples[index % 16 :: 16] += np.float32(9.0)
            samples *= np.float32(1.8)
        if index % 7 == 3 and turn % 61 in range(20, 24):
            samples = np.clip(samples, -0.8, 0.8)
        return SensorBlock(
            origin=NOWHERE,
            asset=self.asset(index),
            point="de",
            channels=("x",),
            source_ns=self._source_ns(index, turn),
            sampling_rate_hz=RATE_HZ,
            quantity="acceleration",
            unit="m/s2",
            samples=samples[None],
            sequence=turn,
            acquisition=Acquisition.SNAPSHOT,
            interval_s=STEP_NS / 1e9,
        )

    def _frame(self, index: int, turn: int) -> TelemetryFrame:
        noise = np.random.default_rng([index, turn]).standard_normal((ROWS, len(TAGS)))
        values = np.array([61.5, 2.0]) + noise * np.array([0.2, 0.05])
        if self.broken(index, turn):
            values += np.array([9.0, -0.8])
        start = self._source_ns(index, turn)
        return TelemetryFrame(
            origin=NOWHERE,
            asset=self.asset(index),
            point="process",
            tags=TAGS,
            times_ns=start + np.arange(ROWS, dtype=np.int64) * (STEP_NS // ROWS),
            values=values,
            sequence=turn,
            interval_s=STEP_NS / ROWS / 1e9,
        )

    def broken(self, index: int, turn: int) -> bool:
        """Whether the machine is broken: two machines in three, a part of the time, each at its own."""
        return index % 3 != 0 and (turn + 11 * index) % 64 in range(40, 56) and turn > 36

    def _source_ns(self, index: int, turn: int) -> int:
        """Time of the first sample, by the clock of the source."""
        at = START_NS + turn * STEP_NS
        if self.jumps and index % 2:
            kind, phase = index // 2 % 3, turn % 90
            if kind == 0 and phase in range(40, 46):
                return at + 365 * 86_400 * 10**9 * 2  # ahead of everybody
            if kind == 1 and turn >= 70:
                return at - 3 * 3_600 * 10**9  # set back for good
            if kind == 2 and phase == 55:
                return 900_000_000_000_000_000  # 1998: a clock that lost its battery
        return at


def _poisoned(value: bytes, kind: int) -> bytes | None:
    """A record that cannot be used, in ten ways."""
    long = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"
    kinds: list[bytes | None] = [
        b"\xde\xad\xbe\xef garbage",
        b"",
        None,
        b"\xc3\x01" + b"\x11" * 8 + value[10:],
        value[: len(value) // 2],
        value + b"\x00",
        value[:10] + long + value[11:],
        b"{" * 500,
        value[:10],
        b"\x00\x00\x00\x00\x07" + value[10:],
    ]
    return kinds[kind % len(kinds)]
