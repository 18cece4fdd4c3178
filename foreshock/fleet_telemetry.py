"""A lane of the Fleet: telemetry points with the same tags; every row of a frame is scored on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Anomaly, Asset, Mode, Outcome, RunState, ScoreRow, ScoreState, TelemetryFrame
from foreshock.detectors import waveform_state as ws
from foreshock.detectors.vector_bank import VectorBank, VectorInputs
from foreshock.fleet_events import Finding, anomaly, contributions
from foreshock.fleet_limits import limits_of
from foreshock.fleet_points import Entry, Layout, Model, model_of
from foreshock.fleet_scores import HELD, Names, WarmUp, score, unscored
from foreshock.fleet_spec import FleetSpec
from foreshock.fleet_watch import Verdict, watch
from foreshock.lineage import fingerprint


@dataclass(slots=True)
class PreparedRows:
    """Rows of a batch of frames between the stages."""

    entries: Sequence[Entry]
    owner: list[int]  # entry of each row
    row: list[int]  # its index in the frame
    source_ns: list[int]
    late: list[bool]
    states: list[RunState]  # per entry
    warmups: list[WarmUp]  # per entry
    inputs: VectorInputs
    out: ws.Outputs
    anomalies: dict[int, Anomaly] = field(default_factory=dict)


class TelemetryLane:
    """Models of the measuring points that send the same tags."""

    def __init__(self, spec: FleetSpec, layout: Layout) -> None:
        self.layout = layout
        self._spec = spec
        self.bank = VectorBank(layout.columns, spec.policy, limit_ns=spec.limit_ns)
        self._names = Names(f"tags@{fingerprint(layout.tags)}", spec.telemetry_name, spec.policy_name)

    def take(self, asset: Asset) -> int:
        """Start a measuring point of an asset."""
        del asset
        return self.bank.slots.take()

    def give_back(self, slot: int) -> None:
        """Forget a measuring point."""
        self.bank.slots.give_back(slot)

    def capture(self, slot: int) -> dict[str, Any]:
        """Copy all that a measuring point's model remembers."""
        return {"model": self.bank.slots.capture(slot)}

    def restore(self, slot: int, tree: Mapping[str, Any]) -> None:
        """Put a captured tree into a slot."""
        self.bank.slots.restore(slot, tree["model"])

    def prepare(self, entries: Sequence[Entry]) -> PreparedRows:
        """Lay the rows of all frames below each other, in SI; a row that is late or empty is not usable."""
        values: list[npt.NDArray[np.float64]] = []
        times: list[int] = []
        owner: list[int] = []
        index: list[int] = []
        late: list[bool] = []
        for k, entry in enumerate(entries):
            frame = _frame(entry)
            values.append(to_si(frame))
            times += frame.times_ns.tolist()
            owner += [k] * len(frame.times_ns)
            index += range(len(frame.times_ns))
            late += list(_late_rows(frame, model_of(entry)))
        x = np.ascontiguousarray(np.concatenate(values))
        running = [RunState.STOPPED if e.context.speed_hz == 0 else RunState.RUNNING for e in entries]
        usable = ~np.isnan(x).all(axis=1) & ~np.array(late) & np.array([running[k] is RunState.RUNNING for k in owner])
        warmups = [WarmUp.of(entry.asset, self._spec) for entry in entries]
        inputs = VectorInputs(
            slot=np.array([model_of(entries[k]).slot for k in owner], np.int64),
            x=x,
            usable=usable.astype(np.uint8),
            warmup=np.array([warmups[k].blocks for k in owner], np.int64),
            warmup_ns=np.array([warmups[k].ns for k in owner], np.int64),
            promised_ns=np.zeros(len(owner), np.int64),  # a frame promises the next frame, not the next row
            at_ns=np.minimum(np.array(times, np.int64), np.array([entries[k].at_ns for k in owner], np.int64)),
            offset=np.array([entries[k].block.origin.offset for k in owner], np.int64),
        )
        return PreparedRows(entries, owner, index, times, late, running, warmups, inputs, ws.outputs(len(owner)))

    def score(self, batch: PreparedRows) -> None:
        """Score the rows in order and collect the events of alarms that change."""
        for i in self.bank.run(batch.inputs, batch.out):
            model = model_of(batch.entries[batch.owner[i]])
            batch.anomalies[i], model.episode = anomaly(self._finding(batch, i), model.episode)

    def _finding(self, batch: PreparedRows, i: int) -> Finding:
        entry, out, slot = batch.entries[batch.owner[i]], batch.out, int(batch.inputs.slot[i])
        at_ns, value = int(batch.inputs.at_ns[i]), float(out.value[i])
        why = self.bank.explain(slot, batch.inputs.x[i], at_ns)
        state = self.bank.slots.arrays
        columns = (why.amount.tolist(), batch.inputs.x[i].tolist(), why.expected.tolist())
        return Finding(
            entry=entry,
            mode=Mode.MODEL,
            transition=int(out.event[i]),
            alarm=self.bank.alarm_after(slot, value, at_ns),
            rule=self._spec.policy,
            value=value,
            p_value=float(out.p_value[i]),
            healthy=min(int(state.ranked[slot]), state.healthy.shape[1]),
            first_offset=self.bank.first_offset(slot, entry.block.origin.offset),
            contributions=contributions(self.layout.tags, *columns, why.lower.tolist(), why.upper.tolist()),
            feature_set=self._names.feature_set,
            model=self._names.model,
            model_state=self.bank.slots.digest(slot),
            reference="",
            policy_name=self._names.policy,
            run_state=batch.states[batch.owner[i]],
            regime=entry.context.regime or "",
            source_ns=at_ns,
            row=batch.row[i],
        )

    def outcomes(self, batch: PreparedRows) -> None:
        """Give every entry its outcome: one Score with a row for each row of the frame."""
        at = 0
        for k, entry in enumerate(batch.entries):
            count = len(_frame(entry).times_ns)
            self._outcome(batch, k, range(at, at + count))
            at += count

    def _outcome(self, batch: PreparedRows, k: int, places: range) -> None:
        entry, out = batch.entries[k], batch.out
        verdicts = [self._watch(batch, i, self._row(batch, i)) for i in places]
        last = places[-1]
        held = int(out.held[last])
        learning = (
            HELD[held] if out.state[last] == ws.SCORED else "warming up" if out.state[last] == ws.WARMING else "held"
        )
        record = score(
            entry,
            self._names,
            tuple(v.row for v in verdicts),
            mode=verdicts[-1].mode,
            warmup=batch.warmups[k].share(int(out.seen[last]), int(out.lived_ns[last])),
            learning=learning,
        )
        entry.outcome = Outcome(score=record, anomalies=tuple(_events(batch, places, verdicts)), quality=entry.quality)

    def _row(self, batch: PreparedRows, i: int) -> ScoreRow:
        out, run_state = batch.out, batch.states[batch.owner[i]]
        ns, firing = batch.source_ns[i], bool(out.firing[i])
        if out.state[i] == ws.SCORED:
            return ScoreRow(
                source_ns=ns,
                state=ScoreState.SCORED,
                reason="",
                value=float(out.value[i]),
                p_value=float(out.p_value[i]),
                alarm=firing,
                run_state=run_state,
                features=(),
            )
        if out.state[i] == ws.WARMING:
            warmup = batch.warmups[batch.owner[i]]
            reason = warmup.told(int(out.seen[i]), int(out.lived_ns[i]), "rows")
            return unscored(ns, ScoreState.WARMING, reason, run_state=run_state, alarm=firing)
        if batch.late[i]:
            reason = "source time is not after the last row of this measuring point"
            return unscored(ns, ScoreState.LATE, reason, run_state=run_state, alarm=firing)
        if run_state is not RunState.RUNNING:
            return unscored(ns, ScoreState.NOT_RUNNING, f"machine is {run_state}", run_state=run_state, alarm=firing)
        return unscored(
            ns, ScoreState.NOT_USABLE, "every value of the row is missing", run_state=run_state, alarm=firing
        )

    def _watch(self, batch: PreparedRows, i: int, row: ScoreRow) -> Verdict:
        entry = batch.entries[batch.owner[i]]
        limits = limits_of(entry.asset, entry.block.point) if entry.asset.points else ()
        if not limits or not batch.inputs.usable[i]:
            return Verdict(row)
        values = dict(zip(self.layout.tags, batch.inputs.x[i].tolist(), strict=True))
        return watch(entry, row, limits, values, self._spec.policy, self._names.feature_set, batch.row[i])


def to_si(frame: TelemetryFrame) -> npt.NDArray[np.float64]:
    """Values of a frame in SI: value * gain + shift, float64 [rows, tags]."""
    gain = np.array([tag.gain for tag in frame.tags])
    shift = np.array([tag.shift for tag in frame.tags])
    return np.asarray(frame.values * gain + shift, np.float64)


def _frame(entry: Entry) -> TelemetryFrame:
    if not isinstance(entry.block, TelemetryFrame):
        raise TypeError("a telemetry lane holds frames")
    return entry.block


def _late_rows(frame: TelemetryFrame, model: Model) -> Iterator[bool]:
    """Rows not after the newest row folded so far."""
    for ns in frame.times_ns.tolist():
        late = ns <= model.newest_ns
        model.newest_ns = max(model.newest_ns, ns)
        yield late


def _events(batch: PreparedRows, places: range, verdicts: Sequence[Verdict]) -> Iterator[Anomaly]:
    for i, verdict in zip(places, verdicts, strict=True):
        if i in batch.anomalies:
            yield batch.anomalies[i]
        yield from verdict.anomalies
