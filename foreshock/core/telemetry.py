"""A lane of the Fleet: telemetry points with the same tags; every row of a frame is scored on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Anomaly, Asset, Mode, RunState, ScoreRow, ScoreState, TelemetryFrame
from foreshock.core.events import Finding, anomaly, contributions
from foreshock.core.evidence import Before, Witness
from foreshock.core.limits import limits_of
from foreshock.core.points import Entry, Layout, Look, Model, model_of
from foreshock.core.recipe import Recipe
from foreshock.core.scores import Names, WarmUp, learning, score, unscored
from foreshock.core.tagging import Sheet
from foreshock.core.watch import found, judge, look
from foreshock.detectors import episodes, halfway, vector_undo
from foreshock.detectors import waveform_state as ws
from foreshock.detectors.alarm_state import load_alarm
from foreshock.detectors.episodes import EpisodeState
from foreshock.detectors.vector_bank import VectorBank, VectorInputs
from foreshock.detectors.vector_undo import Journal, journal
from foreshock.lineage import fingerprint
from foreshock.outcome import Outcome


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
    kept: Journal
    looks: dict[int, Look]  # at the static limits, by row
    witness: Witness
    anomalies: dict[int, Anomaly] = field(default_factory=dict)  # by row
    limited: dict[int, Anomaly] = field(default_factory=dict)  # those of the limits
    sheets: list[Sheet] = field(default_factory=list)  # of registered assets


class TelemetryLane:
    """Models of the measuring points that send the same tags."""

    def __init__(self, recipe: Recipe, layout: Layout) -> None:
        spec, self._recipe = recipe.spec, recipe  # rows are scored without its reference
        self.layout = layout
        self._spec = spec
        self.bank = VectorBank(layout.columns, spec.policy, limit_ns=spec.limit_ns)
        self.slot_bytes = self.bank.slots.slot_bytes()
        self._names = Names(f"tags@{fingerprint(layout.tags)}", spec.telemetry_name, spec.policy_name)

    @property
    def used(self) -> int:
        """Slots in use."""
        return self.bank.slots.used

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

    def inherit(self, slot: int, of: int, warmup: int, lived_ns: int) -> None:
        """Begin the warm-up of a slot with half of the baseline of another one."""
        slots = self.bank.slots
        slots.restore(slot, halfway.vector(slots.capture(of), slots.blank(), warmup, lived_ns))

    def alarm(self, slot: int) -> EpisodeState:
        """The alarm of a measuring point's model."""
        found: EpisodeState = load_alarm(self.bank.slots.arrays, slot)
        return found

    def prepare(self, entries: Sequence[Entry]) -> PreparedRows:
        """Lay the rows of all frames below each other, in SI; a row that is late or empty is not usable."""
        values: list[npt.NDArray[np.float64]] = []
        times: list[int] = []
        owner: list[int] = []
        index: list[int] = []
        late: list[bool] = []
        before: list[Before] = []
        for k, entry in enumerate(entries):
            before.append((model_of(entry).run, model_of(entry).newest_ns))
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
            hold=np.array([entries[k].held != "" for k in owner], np.uint8),
        )
        looks, alarms = self._looks(entries, x, times, usable)
        return PreparedRows(
            entries=entries,
            owner=owner,
            row=index,
            source_ns=times,
            late=late,
            states=running,
            warmups=warmups,
            inputs=inputs,
            out=ws.outputs(len(owner)),
            kept=journal(len(owner) if len(owner) > len(entries) else 0, x.shape[1]),
            looks=looks,
            witness=Witness(self._recipe, entries, before, alarms),
        )

    def _looks(
        self, entries: Sequence[Entry], x: npt.NDArray[np.float64], times: Sequence[int], usable: npt.NDArray[np.bool_]
    ) -> tuple[dict[int, Look], list[EpisodeState]]:
        """Step the alarms of the static limits, row by row; and what they were before each frame."""
        looks: dict[int, Look] = {}
        alarms, at = [], 0
        for entry in entries:
            alarms.append(model_of(entry).limits.alarm)
            limits = limits_of(entry.asset, entry.block.point) if entry.asset.points else ()
            end = at + len(_frame(entry).times_ns)
            for i in range(at, end if limits else at):
                if usable[i]:
                    values = dict(zip(self.layout.tags, x[i].tolist(), strict=True))
                    looks[i] = look(model_of(entry).limits, limits, values, self._spec.policy, times[i])
                    entry.exceeded |= looks[i].ratio >= 1.0
            at = end
        return looks, alarms

    def score(self, batch: PreparedRows) -> None:
        """Score the rows in order and collect the events of alarms that change.

        The bank stops before a row whose alarm changes; it is stopped before a frame in which the alarm of the static
        limits did.
        """
        first, count = 0, len(batch.owner)
        changed: dict[int, list[int]] = {}  # rows by the first row of their frame
        for i, seen in batch.looks.items():
            if seen.event != episodes.NOTHING:
                changed.setdefault(i - batch.row[i], []).append(i)
        for stop in (*changed, count):
            for i in self.bank.run(batch.inputs, batch.out, batch.kept, first, stop):
                self._model_event(batch, i)
            for i in changed.get(stop, ()):
                self._limit_event(batch, i, stop)
            first = stop

    def _model_event(self, batch: PreparedRows, i: int) -> None:
        self._keep(batch, i, i)
        model = model_of(batch.entries[batch.owner[i]])
        batch.anomalies[i], model.episode = anomaly(self._finding(batch, i), model.episode)

    def _limit_event(self, batch: PreparedRows, i: int, stop: int) -> None:
        self._keep(batch, i, stop)
        k, seen, rule = batch.owner[i], batch.looks[i], self._spec.policy
        entry = batch.entries[k]
        state = model_of(entry).limits
        change = found(
            entry,
            seen,
            state.episode,
            rule=rule,
            feature_set=self._names.feature_set,
            run_state=batch.states[k],
            index=batch.row[i],
        )
        batch.limited[i], state.episode = anomaly(change, state.episode)

    def _keep(self, batch: PreparedRows, i: int, stop: int) -> None:
        """Keep the state before the frame of row `i`, of which all usable rows before `stop` are folded in."""
        if not batch.witness.knows(batch.owner[i]):
            rows = [r for r in range(i - batch.row[i], stop) if batch.inputs.usable[r]]
            state = vector_undo.before(self.bank.slots, batch.kept, int(batch.inputs.slot[i]), rows)
            batch.witness.keep(batch.owner[i], {"model": state})

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
            if self._spec.features and entry.asset.registered:
                batch.sheets.append(self._sheet(batch, entry, slice(at, at + count)))
            at += count

    def _sheet(self, batch: PreparedRows, entry: Entry, places: slice) -> Sheet:
        x, at_ns, late = batch.inputs.x[places], batch.inputs.at_ns[places], batch.late[places]
        return Sheet(entry, _frame(entry), x, at_ns, late, self._spec.features_every_s)

    def _outcome(self, batch: PreparedRows, k: int, places: range) -> None:
        entry, out = batch.entries[k], batch.out
        verdicts = [judge(self._row(batch, i), batch.looks.get(i)) for i in places]
        last = places[-1]
        record = score(
            entry,
            self._names,
            tuple(v.row for v in verdicts),
            mode=verdicts[-1].mode,
            warmup=batch.warmups[k].share(int(out.seen[last]), int(out.lived_ns[last])),
            learning=learning(entry, int(out.state[last]), int(out.held[last])),
        )
        events = tuple(_events(batch, places))
        entry.outcome = Outcome(
            score=record,
            anomalies=events,
            quality=entry.quality,
            evidence=batch.witness.of(k, events),
        )

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


def _events(batch: PreparedRows, places: range) -> Iterator[Anomaly]:
    for i in places:
        for events in (batch.anomalies, batch.limited):
            if i in events:
                yield events[i]
