"""What the Fleet keeps per measuring point beside the arrays of the models: its place in them, its episodes, its status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from foreshock.contract import (
    Asset,
    Block,
    Context,
    DataQuality,
    Limit,
    Origin,
    RunState,
    Score,
    ScoreState,
    SensorBlock,
)
from foreshock.core.gathering import BLANK, Gathering
from foreshock.core.recipe import Recipe
from foreshock.core.scalars import Scalars
from foreshock.core.standing import Alerts
from foreshock.detectors.episodes import EpisodeState
from foreshock.features.conditions import Conditions
from foreshock.features.health import health
from foreshock.features.quality import Inspection, PointState
from foreshock.features.run_state import RunMemory
from foreshock.outcome import Outcome
from foreshock.signals import Diagnosis, FeatureVector


class Layout(NamedTuple):
    """Shape of a record: blocks of one layout are stacked and share the arrays of a lane."""

    kind: str  # "waveform" | "telemetry"
    columns: int  # channels, or tags
    samples: int  # per channel; 0 for telemetry
    rate_hz: float | None
    tags: tuple[str, ...] = ()  # of telemetry: frames of other tags are of another layout

    @staticmethod
    def of(block: Block) -> Layout:
        """Layout of a record."""
        if isinstance(block, SensorBlock):
            return Layout("waveform", block.samples.shape[0], block.samples.shape[1], block.sampling_rate_hz)
        return Layout("telemetry", len(block.tags), 0, None, tuple(tag.name for tag in block.tags))

    def __str__(self) -> str:
        """Say it to a person."""
        if self.kind == "telemetry":
            return f"{self.columns} tags ({', '.join(self.tags)})"
        rate = "unstated rate" if self.rate_hz is None else f"{self.rate_hz:g} Hz"
        return f"{self.columns} x {self.samples} samples at {rate}"


@dataclass(frozen=True, slots=True)
class Episode:
    """An anomaly episode that is open. An event makes a new one: who keeps this one has it as it was."""

    id: str
    started_ns: int
    first_offset: int
    initial: float
    told: float  # score of its last event
    told_ns: int  # and its source time


@dataclass(slots=True)
class Watch:
    """State of the static limits of a measuring point, or of its zones: their alarm is what its windows remember."""

    alarm: EpisodeState = field(default_factory=EpisodeState)
    episode: Episode | None = None


class Lane(Protocol):
    """Measuring points of one layout, scored together in three stages; what goes between them is the lane's own."""

    slot_bytes: int  # of state, for each slot

    @property
    def used(self) -> int:
        """Slots in use."""
        ...

    def take(self, asset: Asset) -> int:
        """Start a measuring point of an asset; its slot is returned."""
        ...

    def give_back(self, slot: int) -> None:
        """Forget a measuring point."""
        ...

    def capture(self, slot: int) -> dict[str, Any]:
        """Copy all that a measuring point's model remembers, as a tree."""
        ...

    def restore(self, slot: int, tree: Mapping[str, Any]) -> None:
        """Put a captured tree into a slot; ValueError or KeyError where it does not fit."""
        ...

    def inherit(self, slot: int, of: int, warmup: int, lived_ns: int) -> None:
        """Begin the warm-up of a slot with half of the baseline of another one."""
        ...

    def alarm(self, slot: int) -> EpisodeState:
        """The alarm of a measuring point's model."""
        ...

    def prepare(self, entries: Sequence[Entry]) -> Any:
        """Compute features and run state."""
        ...

    def score(self, batch: Any) -> None:
        """Score, rank, step the alarms, learn, in input order."""
        ...

    def outcomes(self, batch: Any) -> None:
        """Give every entry its outcome."""
        ...


@dataclass(slots=True)
class Model:
    """A measuring point's place in the arrays of a lane, and the alarms that rest on it. Another layout, another model."""

    layout: Layout
    lane: Lane
    slot: int
    recipe: Recipe  # what it is computed by
    episode: Episode | None = None
    limits: Watch = field(default_factory=Watch)
    run: RunMemory = field(default_factory=RunMemory)
    newest_ns: int = -1  # time of the newest block or row folded in
    trend: float | None = None  # growth of its level per hour after the newest block


class Latest(NamedTuple):
    """What later records and questions need of the latest score of a measuring point."""

    state: ScoreState
    reason: str
    value: float | None
    alarm: bool
    run_state: RunState
    trend: float | None
    source_ns: int
    warmup: float
    learning: str
    feature_set: str
    model: str
    reference: str
    policy: str
    regime: str

    @staticmethod
    def of(score: Score) -> Latest:
        """Take it from a score, by its newest row."""
        row = score.rows[-1]
        return Latest(
            row.state,
            row.reason,
            row.value,
            row.alarm,
            row.run_state,
            row.trend,
            row.source_ns,
            score.warmup,
            score.learning,
            score.feature_set,
            score.model,
            score.reference,
            score.policy,
            score.regime,
        )


@dataclass(slots=True)
class Heir:
    """A model by changed settings, or of a state that a label accepted, which warms up in the shadow of the one that scores."""

    model: Model
    share: float = 0.0  # of its warm-up that is done
    ready_ns: int = -1  # ingest time of the record that it became ready with; -1 before
    label: str = ""  # whose state it takes in; "": it is of changed settings
    since_ns: int = 0  # source time from which on it does
    ceiling: float = 0.0  # of the scores that it may learn from


@dataclass(frozen=True, slots=True)
class Former:
    """The model before the first state that a label had it take in, kept for the case that the label is revised."""

    model: Model
    labels: tuple[str, ...]  # that were taken in since ...
    since_ns: int  # ... from this source time ...
    until_ns: int  # ... to this one


@dataclass(slots=True)
class Point:
    """One measuring point of an asset."""

    model: Model
    heir: Heir | None = None
    former: Former | None = None
    strange: Layout | None = None  # another layout that came instead of the known one ...
    strange_blocks: int = 0  # ... so many times in a row
    quality: PointState = field(default_factory=PointState)
    score: Score | None = None  # the latest one that was made here; as a whole, which costs nothing
    restored: Latest | None = None  # what a snapshot told of the one before
    anew: str = ""  # why its baseline starts anew with the next record
    scalars: Scalars | None = None  # what is kept of its tags, where its asset is registered
    gathering: Gathering = BLANK  # of measurement windows, where its asset is registered
    zones: Watch = field(default_factory=Watch)  # their episode; replaced where the baseline ends

    @property
    def latest(self) -> Latest | None:
        """The latest score; None before the first one."""
        return self.restored if self.score is None else Latest.of(self.score)


@dataclass(slots=True)
class Owner:
    """One asset on one input partition."""

    record: Asset  # master data
    points: dict[str, Point] = field(default_factory=dict)
    folded: int = 0  # next offset of its order
    captured: int = -1  # the same when it was last captured ...
    since: int | None = None  # ... and the first offset that changed it after that
    cold: str = ""  # why it starts cold; its next outcome says so
    alerts: Alerts = field(default_factory=Alerts)
    due_ns: int | None = None  # when time alone changes them next; by the broker's clock


@dataclass(slots=True)
class Partition:
    """The assets of one input partition."""

    owners: dict[str, Owner] = field(default_factory=dict)
    # asset -> first offset that changed it since it was last stored
    dirty: dict[str, int] = field(default_factory=dict)
    next: int = 0  # offset after the newest record of all
    heard_ns: int = 0  # ingest time of the first record since silent sensors were looked for; 1: a state was restored
    recipe: Recipe | None = None  # of models that start from here on; None: of what is configured
    succeeding: set[str] = field(default_factory=set)  # assets that may have models in the shadow
    # a heap of `Owner.due_ns`; what is not that any more is void
    due: list[tuple[int, str]] = field(default_factory=list)
    newcomers: list[str] = field(default_factory=list)  # assets that nobody has asked about yet

    def touch(self, name: str, owner: Owner, offset: int) -> None:
        """Note that the record, or what is on record, at `offset` changed the state of an asset."""
        if name not in self.dirty:
            self.dirty[name] = offset
        if owner.since is None:
            owner.since = offset


def models_of(point: Point) -> tuple[Model, ...]:
    """The model of a measuring point, the one in its shadow, and the one before."""
    return (point.model, *(each.model for each in (point.heir, point.former) if each is not None))


class PointView(NamedTuple):
    """What is known of a measuring point without its next record."""

    asset: str
    point: str
    latest: Latest
    last: Origin  # of the last record taken in
    interval_ns: int  # expected to the next one; 0: unknown
    registered: bool
    quality: tuple[str, ...]  # conditions that stand
    health: float = 1.0  # of the sensor


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


@dataclass(frozen=True, slots=True)
class Look:
    """What stated limits, or zones, say about a block or row."""

    ratio: float  # of the value to its limit, 1 at the limit
    limit: Limit | None
    name: str  # of the value
    value: float | None
    event: int
    alarm: EpisodeState  # after it
    at_ns: int
    reason: str = ""  # of zones
    usual: float | None = None  # value that the machine had at first


@dataclass(slots=True)
class Entry:
    """A record on its way through the Fleet."""

    block: Block
    asset: Asset
    owner: Owner
    point: Point
    folded: int  # next offset of the asset's order before the record
    was: tuple[PointState, Layout | None, int] | None = None  # quality and strange layout of its point before it
    model: Model | None = None  # the point's model when the record came
    at_ns: int = 0  # time that rules work with
    stacked: npt.NDArray[np.float32] | None = None  # samples of all blocks of its shape, in SI ...
    index: int = 0  # ... and which of them are its own
    inspection: Inspection | None = None
    suspicious: bool = False  # whether its samples want a closer look
    digests: tuple[int, ...] = ()  # of its channels' samples
    levels: tuple[float, ...] = ()  # of its channels
    left: Model | None = None  # the model that its point gave up with it
    anew: str = ""  # why, where that was not for its layout: then it gave up ...
    zones_left: Watch | None = None  # ... its zones ...
    gathered_left: Gathering | None = None  # ... and what it remembered of its windows
    refused: tuple[ScoreState, str] | None = None  # state and reason where it is not scored
    kinds: tuple[str, ...] = ()  # quality kinds that hold
    standing: Conditions = ()  # quality conditions of its point that stand after it
    quality: tuple[DataQuality, ...] = ()
    held: str = ""  # why nothing may be learnt from it, whatever its score: somebody holds learning
    exceeded: bool = False  # whether a static limit is
    run_state: RunState | None = None  # of a registered asset, where its waveform may be scored
    gathered: Gathering | None = None  # measurement windows of its point before it, where they were looked at
    zones: Watch | None = None  # those of its point, as it found them
    zoned: Look | None = None  # how the newest window stands to the zones of the point
    vectors: tuple[FeatureVector, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    outcome: Outcome | None = None

    @property
    def context(self) -> Context:
        """Operating point."""
        return self.block.context


def status(name: str, point: Point) -> PointStatus:
    """Status of a point from its latest score."""
    latest = point.latest
    if latest is None:
        raise AssertionError("a point exists from its first record on")
    return PointStatus(
        point=name,
        state=latest.state,
        reason=latest.reason,
        value=latest.value,
        alarm=latest.alarm,
        warmup=latest.warmup,
        learning=latest.learning,
        episode_id=point.model.episode.id if point.model.episode else "",
        last_ns=latest.source_ns,
    )


def views(partition: Partition) -> Iterator[PointView]:
    """Look at every measuring point of a partition that had a score."""
    for asset, owner in partition.owners.items():
        for name, point in owner.points.items():
            latest, quality = point.latest, point.quality
            if latest is not None and quality.pulse.last is not None:
                kinds = tuple(dict.fromkeys(each.finding.kind.value for each in quality.standing))
                interval = quality.pulse.interval_ns()
                well = health(each.finding.kind for each in quality.standing)
                last, registered = quality.pulse.last, owner.record.registered
                yield PointView(asset, name, latest, last, interval, registered, kinds, well)


def model_of(entry: Entry) -> Model:
    """The model that an admitted entry is scored by."""
    if entry.model is None:
        raise AssertionError("an entry has its model from admission on")
    return entry.model
