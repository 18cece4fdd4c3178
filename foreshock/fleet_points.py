"""What the Fleet keeps per measuring point beside the arrays of the models: its place in them, its episodes, its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from foreshock.contract import Asset, Block, Context, DataQuality, Outcome, Score, ScoreState, SensorBlock
from foreshock.policy import Alarm

Key = tuple[int, str, str]  # input partition, asset, measuring point


class Layout(NamedTuple):
    """Shape of a record: blocks of one layout are stacked and share the arrays of a lane."""

    kind: str  # "waveform" | "telemetry"
    columns: int  # channels, or tags
    samples: int  # per channel; 0 for telemetry
    rate_hz: float | None

    @staticmethod
    def of(block: Block) -> Layout:
        """Layout of a record."""
        if isinstance(block, SensorBlock):
            return Layout("waveform", block.samples.shape[0], block.samples.shape[1], block.sampling_rate_hz)
        return Layout("telemetry", len(block.tags), 0, None)

    def __str__(self) -> str:
        """Say it to a person."""
        if self.kind == "telemetry":
            return f"{self.columns} tags"
        rate = "unstated rate" if self.rate_hz is None else f"{self.rate_hz:g} Hz"
        return f"{self.columns} x {self.samples} samples at {rate}"


@dataclass(slots=True)
class Episode:
    """An anomaly episode that is open."""

    id: str
    started_ns: int
    first_offset: int
    initial: float


@dataclass(slots=True)
class Watch:
    """State of the static limits of a measuring point."""

    alarm: Alarm = field(default_factory=Alarm)
    episode: Episode | None = None


@dataclass(slots=True)
class Model:
    """A measuring point's place in the arrays of a lane, and the alarms that rest on it. Another layout, another model."""

    layout: Layout
    lane: Any  # the lane that holds it
    slot: int
    episode: Episode | None = None
    limits: Watch = field(default_factory=Watch)


@dataclass(slots=True)
class Point:
    """One measuring point on one input partition."""

    key: Key
    model: Model
    strange: Layout | None = None  # another layout that came instead of the known one ...
    strange_blocks: int = 0  # ... so many times in a row
    last_ns: int = -1  # source time of the newest folded row
    sequence: Any = None  # state of the sequence and time rules (features.quality)
    conditions: Any = None  # state of the sample rules
    run_state: Any = None  # state of features.run_state
    latest: Score | None = None


@dataclass(frozen=True, slots=True)
class PointStatus:
    """What can be said about a measuring point without asking Kafka."""

    point: str
    state: ScoreState
    reason: str  # why there is no score, "" where there is one
    value: float | None
    alarm: bool
    warmup: float
    learning: str
    episode_id: str
    last_ns: int


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """Why an asset has a score, or why not."""

    asset: str
    registered: bool
    points: tuple[PointStatus, ...]


@dataclass(slots=True)
class Entry:
    """A record on its way through the Fleet."""

    block: Block
    asset: Asset
    point: Point
    model: Model  # the point's model when the record came
    at_ns: int  # time that rules work with
    refused: tuple[ScoreState, str] | None = None  # state and reason where it is not scored
    kinds: tuple[str, ...] = ()  # quality kinds that hold
    quality: tuple[DataQuality, ...] = ()
    outcome: Outcome | None = None

    @property
    def context(self) -> Context:
        """Operating point."""
        return self.block.context


def status(point: Point) -> PointStatus:
    """Status of a point from its latest score."""
    latest = point.latest
    if latest is None:
        raise AssertionError("a point exists from its first record on")
    row = latest.rows[-1]
    return PointStatus(
        point=point.key[2],
        state=row.state,
        reason=row.reason,
        value=row.value,
        alarm=row.alarm,
        warmup=latest.warmup,
        learning=latest.learning,
        episode_id=point.model.episode.id if point.model.episode else "",
        last_ns=row.source_ns,
    )
