"""Measurement windows: now and then the blocks of a registered measuring point are joined to one window, and read at full depth.

A block is a fifth of a second; a velocity asks for a second, the lines of a slow bearing for several, and nobody needs
either five times a second (ADR 0019). So every `features_every_s` of source time a window begins with a block of the
running machine. Blocks are joined while each follows on within a sample, at the same rate, with the same channels; the
window ends when it is long enough. What breaks it ends it short, and the masks of its vector say why. A snapshot, a
triggered block, and a block without a rate are a window each.

Everything is a function of the asset's own records in order: when windows begin (spread over the interval by a hash of
asset and point), which begin at all (no more samples at a time than `MOST_SAMPLES` of an asset), what they say.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import fft

from foreshock.contract import Acquisition, RunState, ScoreState, SensorBlock
from foreshock.core import vectors, zoning
from foreshock.core.gathering import BLANK, Gathering, Head, Memory, Said, Window
from foreshock.core.points import Entry, Layout, Model, Owner, Watch
from foreshock.core.spec import LONGEST_WINDOW_S, FleetSpec
from foreshock.core.vectors import Reading, Subject
from foreshock.detectors import diagnosis, episodes
from foreshock.detectors.diagnosis import Found
from foreshock.features import signal
from foreshock.signals import Ended

MOST_SAMPLES = 2**18
"""Over all channels of a window, and over all windows under way of an asset: 1 MiB of its state."""
QUIET_WINDOWS = 3
"""Windows in a row that name nothing before a diagnosis is taken back: a weak fault is not found in each."""
SILENT_NS = 32_000_000_000
"""Twice the longest window: a point whose next block is so long overdue has nothing to keep others waiting for."""
CALM_WINDOWS = 10
"""Intervals from search to search on a machine that nothing was found on."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Looks at the records of registered assets, in input order, when it is known whether the machine ran."""

    def look(self, entries: Sequence[Entry]) -> None:
        """Fold the records of a batch into the windows of their measuring points; vectors and diagnoses go to the entries."""
        for entry in entries:
            if entry.anew:
                _leave(entry)
            if not entry.asset.registered:
                if entry.point.gathering is not BLANK:
                    _unregistered(entry)
                continue
            if not isinstance(entry.block, SensorBlock):
                continue
            memory, window = entry.gathered = entry.point.gathering
            entry.zones = entry.point.zones
            if window is None and memory.zoned is None and memory.began_ns <= entry.at_ns < memory.due_ns:
                continue
            step = _Step(entry, entry.block)
            if step.spec.features:
                step.take(memory, window)
            elif window is not None:
                step.stop(memory)


@dataclass(slots=True)
class _Step:
    """One record on its way into the windows of its measuring point."""

    entry: Entry
    block: SensorBlock

    @property
    def model(self) -> Model:
        """The model that the record meets, or would have met."""
        return self.entry.model or self.entry.point.model

    @property
    def spec(self) -> FleetSpec:
        """What holds for it."""
        return self.model.recipe.spec

    def stop(self, memory: Memory) -> None:
        """Leave a window that was under way when gathering was switched off."""
        self.entry.point.gathering = Gathering(memory)

    def take(self, memory: Memory, window: Window | None) -> None:
        """Take the record in: end a window that it breaks, begin one that is due, join it to the one under way."""
        entry, block = self.entry, self.block
        if entry.refused is not None and entry.refused[0] is ScoreState.LATE:
            return
        unfit, event = self._unfit(), episodes.NOTHING
        broken = None if window is None else unfit or _break(window.head, block)
        if window is not None and broken is not None:
            memory, _ = self._end(memory, window, broken)
            window = None
        if window is None and not memory.began_ns <= entry.at_ns < memory.due_ns:
            if unfit is not None:
                memory = self._nothing(self._begun(memory), unfit)
            elif (window := self._begin(entry.owner)) is not None:
                memory = self._begun(memory)
        elif window is not None:
            window = _joined(window, entry, block)
        if window is not None and (window.length >= window.head.wanted or not _goes_on(block)):
            memory, event = self._end(memory, window, Ended.COMPLETE)
            window = None
        self._keep(memory, window)
        if memory.zoned is not None and unfit is None:
            entry.zoned = zoning.look(memory.zoned, event, memory.alarm, entry.at_ns)
            entry.exceeded |= memory.zoned.ratio >= 1.0

    def _keep(self, memory: Memory, window: Window | None) -> None:
        """Let that be what the point remembers, unless it is what it did."""
        point = self.entry.point
        if memory is not point.gathering.memory or window is not point.gathering.window:
            point.gathering = Gathering(memory, window)

    def _unfit(self) -> Ended | None:
        """Why the record can be part of no window; None where it can."""
        entry = self.entry
        if entry.refused is not None:
            known, layout = (entry.left or self.model).layout, Layout.of(self.block)
            if layout.rate_hz != known.rate_hz:
                return Ended.RATE_CHANGED
            return Ended.CHANNEL_ABSENT if layout.columns != known.columns else Ended.QUALITY
        return None if entry.run_state is RunState.RUNNING else Ended.NOT_RUNNING

    def _begun(self, memory: Memory) -> Memory:
        """Note that a window began, and when the next one is due: on a grid that has another phase for each point."""
        every, at = int(self.spec.features_every_s * 1e9), self.entry.at_ns
        if every == 0:
            return memory._replace(began_ns=at, due_ns=at)
        phase = zlib.crc32(f"{self.block.asset}\x1f{self.block.point}".encode()) * every >> 32
        due = ((at + phase) // every + 1) * every - phase
        if not _goes_on(self.block):  # its own interval is the one that counts
            due = min(due, at + every // 2)
        return memory._replace(began_ns=at, due_ns=due)

    def _begin(self, owner: Owner) -> Window | None:
        """Begin a window with the record; None while other points of the asset gather as much as it may.

        Where they do, those that fell silent in mid-window lose it: it is dropped, and nothing is said of it.
        """
        block = self.block
        head = self._head(self._wanted())
        window = Window(head, (_samples(self.entry),))
        if not _goes_on(block):
            return window
        reserved = 0
        others = [each for each in owner.points.values() if each is not self.entry.point]
        for other in others:
            reserved += other.gathering.window.reserved if other.gathering.window is not None else 0
        if reserved and reserved + window.reserved > 4 * MOST_SAMPLES:
            for other in others:
                memory, theirs = other.gathering
                if theirs is not None and _silent(theirs.head, block):
                    other.gathering = Gathering(memory)
                    reserved -= theirs.reserved
        return window if not reserved or reserved + window.reserved <= 4 * MOST_SAMPLES else None

    def _wanted(self) -> int:
        """Samples of a channel that a window of the record's point is to have."""
        block, rate = self.block, self.block.sampling_rate_hz
        most = max(MOST_SAMPLES // len(block.channels), 1)
        if not _goes_on(block) or rate is None:
            return min(int(block.samples.shape[1]), most)
        subject = Subject.of(self.entry, block)
        asset = subject.asset
        speed_hz = block.context.speed_hz or asset.rated_speed_hz
        seconds: float = max(
            self.spec.features_window_s,
            signal.velocity_samples(rate, asset.rated_speed_hz, speed_hz) / rate,
            diagnosis.least_seconds(asset, speed_hz) if subject.turns else 0.0,
        )
        wanted: int = fft.next_fast_len(max(math.ceil(min(seconds, LONGEST_WINDOW_S) * rate), 1), real=True)
        return min(wanted, most)

    def _head(self, wanted: int) -> Head:
        block, offset = self.block, self.block.origin.offset
        return Head(
            first=offset,
            last=block.origin,
            from_ns=block.source_ns,
            next_ns=_after(block),
            rate_hz=block.sampling_rate_hz,
            quantity=block.quantity,
            unit=block.unit,
            channels=block.channels,
            wanted=wanted,
            speeds=(block.context.speed_hz,),
            load=block.context.load,
            regime=block.context.regime or "",
            kinds=self.entry.kinds,
        )

    def _nothing(self, memory: Memory, why: Ended) -> Memory:
        """Say of a window that was due that it could not begin."""
        entry = self.entry
        subject = Subject.of(entry, self.block)
        entry.vectors += (vectors.empty(subject, self._head(1), why, entry.run_state or RunState.RUNNING),)
        return memory

    def _end(self, memory: Memory, window: Window, ended: Ended) -> tuple[Memory, int]:
        """Read a window that ended; what is remembered from then on, and what became of the alarm of the zones."""
        entry, head = self.entry, window.head
        subject = Subject.of(entry, self.block)
        absent = tuple(name for name in memory.channels if name not in head.channels and name != subject.tachometer)
        joined = np.ascontiguousarray(window.joined()[:, : head.wanted])
        searched, complete = self._searched(memory), ended is Ended.COMPLETE
        reading = vectors.read(subject, head, joined, ended, absent, searched=searched)
        memory = memory._replace(channels=head.channels)
        memory, event, zone = zoning.judge(
            memory, subject, reading, spec=self.spec, complete=complete, at_ns=entry.at_ns
        )
        entry.vectors += (replace(reading.vector, zone=zone),)
        healthy = dict(reading.velocity)
        if reading.channels and subject.turns and searched:
            found = diagnosis.diagnose(
                reading.samples,
                head.rate_hz,
                reading.speed,
                subject.asset,
                memory.usual(),
                unit=reading.unit,
            )
            memory = self._diagnosed(memory._replace(diagnosed_ns=entry.at_ns), reading, found)
            healthy |= found.amplitudes
        if complete and not entry.held:
            memory = memory.learnt(healthy)
        return memory, event

    def _searched(self, memory: Memory) -> bool:
        """Whether faults, and the speed that they follow, are looked for in the samples: that is thirty times the features.

        Not in the first window of a continuous sensor: a worker that starts meets those of all its machines at once.
        Then where something is named or the zones are left, and else in one of `CALM_WINDOWS`.
        """
        said, every_ns, since = memory.said, self.spec.features_every_s * 1e9, self.entry.at_ns - memory.diagnosed_ns
        if every_ns == 0.0 or not _goes_on(self.block):
            return True
        if not memory.channels:
            return False
        stirred = said is None or said.fault != "" or memory.alarm.phase != episodes.NORMAL
        return stirred or not 0 <= since < CALM_WINDOWS * every_ns

    def _diagnosed(self, memory: Memory, reading: Reading, found: Found) -> Memory:
        """Publish a diagnosis where it says another thing than the one before."""
        said, now = memory.said, Said(found.fault, found.component, found.mask.value)
        if said is not None and now == said._replace(quiet=0):
            return memory if said.quiet == 0 else memory._replace(said=now)
        if said is not None and said.fault and not found.fault and said.quiet + 1 < QUIET_WINDOWS:
            return memory._replace(said=said._replace(quiet=said.quiet + 1))
        self.entry.diagnoses += (vectors.diagnosis_of(reading, found, said),)
        return memory._replace(said=now)


def _leave(entry: Entry) -> None:
    """Give up what a point remembers, with the record that its baseline ends with: not before, others gather beside it.

    What the records before it make of the zones is still told of those: events come later, when all lanes score.
    """
    point = entry.point
    entry.gathered_left, entry.zones_left = point.gathering, point.zones
    point.gathering, point.zones = BLANK, Watch()


def _unregistered(entry: Entry) -> None:
    """Give up what a point remembers of the time that its asset was registered in, with the first record that is scored."""
    point = entry.point
    if entry.refused is None and isinstance(entry.block, SensorBlock):
        entry.gathered, entry.zones, point.gathering = point.gathering, point.zones, BLANK
        entry.zoned = zoning.end(entry.gathered.memory, entry.at_ns)


def _goes_on(block: SensorBlock) -> bool:
    """Whether the next block of its point may follow on."""
    return block.acquisition is Acquisition.CONTINUOUS and block.sampling_rate_hz is not None


def _after(block: SensorBlock) -> int:
    """Time at which the next block of a continuous waveform begins."""
    return block.source_ns + vectors.lasts_ns(block.samples.shape[1], block.sampling_rate_hz)


def _break(head: Head, block: SensorBlock) -> Ended | None:
    """Why a block that may be used does not follow on; None where it does."""
    if block.sampling_rate_hz != head.rate_hz or head.rate_hz is None:
        return Ended.RATE_CHANGED
    if block.channels != head.channels or block.quantity != head.quantity:
        return Ended.CHANNEL_ABSENT
    return Ended.GAP if abs(block.source_ns - head.next_ns) * head.rate_hz >= 1e9 else None


def _silent(head: Head, block: SensorBlock) -> bool:
    """Whether a window of another point waits for a block in vain: by the time of both sensors, and by the broker's.

    The clocks of two sensors may differ for good, and what a gateway kept comes all at once.
    """
    apart_ns = abs(block.source_ns - head.next_ns)
    return min(apart_ns, abs(block.origin.ingest_ns - head.last.ingest_ns)) > SILENT_NS


def _samples(entry: Entry) -> vectors.F32:
    """Copy of a record's samples in SI: the stack they stand in is that of a whole batch."""
    if entry.stacked is None:
        raise AssertionError("a waveform is stacked at the door")
    return np.array(entry.stacked[entry.index])


def _joined(window: Window, entry: Entry, block: SensorBlock) -> Window:
    head = window.head
    context = block.context
    head = head._replace(
        last=block.origin,
        next_ns=_after(block),
        speeds=(*head.speeds, context.speed_hz),
        load=head.load if context.load is None else context.load,
        regime=context.regime or head.regime,
        kinds=tuple(dict.fromkeys((*head.kinds, *entry.kinds))),
    )
    return Window(head, (*window.blocks, _samples(entry)))
