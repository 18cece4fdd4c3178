"""A lane of the Fleet: waveform measuring points of one layout, their features and models in shared arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Anomaly, Asset, Mode, RunState, ScoreRow, ScoreState, SensorBlock
from foreshock.core.events import Finding, anomaly, contributions
from foreshock.core.evidence import Before, Witness
from foreshock.core.limits import limits_of
from foreshock.core.points import Entry, Episode, Layout, Look, model_of
from foreshock.core.quality import gather, promised_ns, ran
from foreshock.core.recipe import Recipe
from foreshock.core.scores import Names, WarmUp, learning, score
from foreshock.core.trend import LevelTrend, Pending, apart_ns, broadband
from foreshock.core.watch import found, judge, look, speaker
from foreshock.core.zoning import zones_of
from foreshock.detectors import episodes
from foreshock.detectors import waveform_state as ws
from foreshock.detectors.alarm_state import load_alarm
from foreshock.detectors.diagnosis import hypothesis
from foreshock.detectors.episodes import EpisodeState
from foreshock.detectors.explain import explain
from foreshock.detectors.waveform import WaveformBank
from foreshock.features import catalog, run_state
from foreshock.features.signal import SIGNAL
from foreshock.outcome import Outcome

F32 = npt.NDArray[np.float32]
Extract = Callable[[F32, float | None, catalog.FeatureSet], F32]
_MOST_NAMES = 1024  # sets of names of channels whose feature names are kept


@dataclass(slots=True)
class Prepared:
    """A batch of one lane between its two stages."""

    entries: Sequence[Entry]
    raw: F32  # features as they are published
    inputs: ws.Inputs
    regimes: list[int]  # index in the reference, -1: the asset's own scale
    run_states: list[RunState]
    trend: Pending  # growth of the level per hour
    warmups: list[WarmUp]
    out: ws.Outputs
    looks: dict[int, Look]  # at the static limits, where there are any
    witness: Witness
    anomalies: dict[int, Anomaly] = field(default_factory=dict)
    limited: dict[int, Anomaly] = field(default_factory=dict)  # those of the limits
    zoned: dict[int, Anomaly] = field(default_factory=dict)  # and of the zones
    # how the newest window stands to the zones, where there are any
    windows: dict[int, Look] = field(default_factory=dict)


class WaveformLane:
    """Models of the measuring points of one layout."""

    def __init__(self, recipe: Recipe, layout: Layout, extract: Extract = catalog.extract) -> None:
        spec, self._recipe = recipe.spec, recipe
        self.layout = layout
        self._extract = extract
        self._spec = spec
        self._set = spec.feature_set
        self._reference = recipe.reference
        self._named: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._scales: dict[tuple[str, ...], tuple[F32, F32] | None] = {}
        columns = self._set.columns(layout.columns).tolist()
        self.bank = WaveformBank(
            columns, spec.waveform_policy, online_only=spec.profile == "lean", river=spec.river, limit_ns=spec.limit_ns
        )
        self._trend = LevelTrend()
        self.slot_bytes = self.bank.slot_bytes() + self._trend.slots.slot_bytes()
        self._levels = self._set.columns(layout.columns, "rms")
        self._names = Names(self._set.id, spec.model_name, spec.waveform_policy_name)

    @property
    def used(self) -> int:
        """Slots in use."""
        return self.bank.slots.used

    def take(self, asset: Asset) -> int:
        """Start a measuring point of an asset."""
        del asset  # its warm-up comes with each block
        slot = self.bank.take()
        if self._trend.slots.take() != slot:
            raise AssertionError("the two tables hand out the same slots")
        return slot

    def give_back(self, slot: int) -> None:
        """Forget a measuring point."""
        self.bank.give_back(slot)
        self._trend.slots.give_back(slot)

    def capture(self, slot: int) -> dict[str, Any]:
        """Copy all that a measuring point's model remembers."""
        return {**self.bank.capture(slot), "level": self._trend.slots.capture(slot)}

    def restore(self, slot: int, tree: Mapping[str, Any]) -> None:
        """Put a captured tree into a slot."""
        self._trend.slots.restore(slot, tree["level"])
        self.bank.restore(slot, tree)

    def inherit(self, slot: int, of: int, warmup: int, lived_ns: int) -> None:
        """Begin the warm-up of a slot with half of the baseline of another one; its level goes on."""
        self.bank.inherit(slot, of, warmup, lived_ns)
        self._trend.slots.restore(slot, self._trend.slots.capture(of))

    def alarm(self, slot: int) -> EpisodeState:
        """The alarm of a measuring point's model."""
        found: EpisodeState = load_alarm(self.bank.slots.arrays, slot)
        return found

    # stage 1: samples -> quality, features, run state

    def prepare(self, entries: Sequence[Entry]) -> Prepared:
        """Stack the samples, judge their quality, compute the features and the run state."""
        raw = self._extract(gather(entries), self.layout.rate_hz, self._set)
        regimes = [self._regime(entry) for entry in entries]
        levels = broadband(raw, self._levels)
        states, before = self._run_states(entries, levels.tolist())
        running = np.array([s is RunState.RUNNING for s in states])
        usable = np.isfinite(raw).all(axis=1) & running
        warmups = [WarmUp.of(entry.asset, self._spec) for entry in entries]
        inputs = ws.Inputs(
            slot=np.array([model_of(e).slot for e in entries], np.int64),
            x=self._comparable(raw, entries, regimes),
            usable=usable.astype(np.uint8),
            warmup=np.array([each.blocks for each in warmups], np.int64),
            warmup_ns=np.array([each.ns for each in warmups], np.int64),
            apart_ns=np.array([apart_ns(e) for e in entries], np.int64),
            promised_ns=np.array([promised_ns(e) for e in entries], np.int64),
            shared=np.array([r >= 0 for r in regimes], np.uint8),
            at_ns=np.array([e.at_ns for e in entries], np.int64),
            offset=np.array([e.block.origin.offset for e in entries], np.int64),
            external=np.full(len(entries), np.nan),
            hold=np.array([e.held != "" for e in entries], np.uint8),
        )
        looks, alarms = self._looks(entries, raw, usable)
        return Prepared(
            entries=entries,
            raw=raw,
            inputs=inputs,
            regimes=regimes,
            run_states=states,
            trend=self._trend.pending(entries, inputs.slot, inputs.at_ns, levels, usable),
            warmups=warmups,
            out=ws.outputs(len(entries)),
            looks=looks,
            witness=Witness(self._recipe, entries, before, alarms),
        )

    def _looks(
        self, entries: Sequence[Entry], raw: F32, usable: npt.NDArray[np.bool_]
    ) -> tuple[dict[int, Look], list[EpisodeState]]:
        """Step the alarms of the static limits, in order; and what they were before each block."""
        looks, alarms = {}, []
        for i, entry in enumerate(entries):
            alarms.append(model_of(entry).limits.alarm)
            limits = limits_of(entry.asset, entry.block.point) if entry.asset.points else ()
            if limits and usable[i]:
                values = dict(zip(self._columns(entry), raw[i].tolist(), strict=True))
                looks[i] = look(model_of(entry).limits, limits, values, self._spec.policy, entry.at_ns)
                entry.exceeded = looks[i].ratio >= 1.0
        return looks, alarms

    def _run_states(self, entries: Sequence[Entry], levels: Sequence[float]) -> tuple[list[RunState], list[Before]]:
        """Whether the machine ran, in order: by its speed, else by the level over all channels; and what was before."""
        states: list[RunState] = []
        before: list[Before] = []
        for entry, level in zip(entries, levels, strict=True):
            model = model_of(entry)
            before.append((model.run, model.newest_ns))
            run, newest_ns = ran(entry, model)
            model.run = run_state.step(
                run,
                speed_hz=entry.context.speed_hz,
                level=level,
                rated_speed_hz=entry.asset.rated_speed_hz,
                elapsed_s=None if newest_ns < 0 else (entry.at_ns - newest_ns) / 1e9,
            )
            model.newest_ns = entry.at_ns
            states.append(model.run.state)
            if entry.asset.registered:
                entry.run_state = model.run.state
        return states, before

    def _regime(self, entry: Entry) -> int:
        reference = self._reference
        if reference is None or not reference.serves(entry.asset):
            return -1
        return -1 if self._shared(entry) is None else reference.regime(entry.context)

    def _columns(self, entry: Entry) -> tuple[str, ...]:
        """Feature names of a block's channels."""
        channels = entry.block.channels if isinstance(entry.block, SensorBlock) else ()
        if channels not in self._named:
            if len(self._named) >= _MOST_NAMES:  # names of channels are the producers' to choose
                self._named.clear()
                self._scales.clear()
            self._named[channels] = self._set.names(channels)
        return self._named[channels]

    def _shared(self, entry: Entry) -> tuple[F32, F32] | None:
        """Centre and scale [regimes, features] that the reference has for a block's channels; None where it lacks one."""
        columns, reference = self._columns(entry), self._reference
        if columns not in self._scales:
            self._scales[columns] = None
            if reference is not None and reference.feature_set == self._set.id:
                places, (centre, scale) = reference.places(columns), reference.tables
                if places is not None:
                    self._scales[columns] = (centre[:, places], scale[:, places])
        return self._scales[columns]

    def _comparable(self, raw: F32, entries: Sequence[Entry], regimes: Sequence[int]) -> F32:
        """Put features on the scale of the class where a regime of the reference holds."""
        if max(regimes) < 0:
            return raw
        out = raw.copy()
        for i, (entry, regime) in enumerate(zip(entries, regimes, strict=True)):
            if regime >= 0:
                centre, scale = self._units(entry, regime)
                out[i] = (raw[i] - centre) / scale
        return out

    def _units(self, entry: Entry, regime: int) -> tuple[F32, F32]:
        """Centre and scale that lead from published features to comparable ones."""
        tables = self._shared(entry) if regime >= 0 else None
        if tables is None:
            return np.zeros(1, np.float32), np.ones(1, np.float32)
        return tables[0][regime], tables[1][regime]

    # stage 2: score, rank, alarm, gate, learn, in order

    def score(self, batch: Prepared) -> None:
        """Score the batch in input order and collect the events of alarms that change.

        Between two stops the bank runs on its own: it stops before a block whose alarm changes, and is stopped before
        one at which the alarm of the static limits did, or that of the zones.
        """
        first, count = 0, len(batch.entries)
        batch.windows = {i: entry.zoned for i, entry in enumerate(batch.entries) if entry.zoned is not None}
        limited = {i for i, seen in batch.looks.items() if seen.event != episodes.NOTHING}
        zoned = {i for i, seen in batch.windows.items() if seen.event != episodes.NOTHING}
        for stop in (*sorted(limited | zoned), count):
            for i in self.bank.run(batch.inputs, batch.out, first, stop):
                self._model_event(batch, i)
            if stop in limited:
                self._limit_event(batch, stop)
            if stop in zoned:
                self._zone_event(batch, stop)
            first = stop
        batch.trend.upto(count)

    def _model_event(self, batch: Prepared, i: int) -> None:
        self._stop(batch, i)
        model = model_of(batch.entries[i])
        batch.anomalies[i], model.episode = anomaly(self._finding(batch, i), model.episode)

    def _limit_event(self, batch: Prepared, i: int) -> None:
        self._stop(batch, i)
        state = model_of(batch.entries[i]).limits
        batch.limited[i], state.episode = self._changed(batch, i, batch.looks[i], state.episode)

    def _zone_event(self, batch: Prepared, i: int) -> None:
        self._stop(batch, i)
        zones = zones_of(batch.entries[i])
        batch.zoned[i], zones.episode = self._changed(batch, i, batch.windows[i], zones.episode)

    def _changed(self, batch: Prepared, i: int, seen: Look, episode: Episode | None) -> tuple[Anomaly, Episode | None]:
        change = found(
            batch.entries[i],
            seen,
            episode,
            rule=self._spec.policy,
            feature_set=SIGNAL.id if seen.reason else self._names.feature_set,
            run_state=batch.run_states[i],
            trend=batch.trend.slopes[i],
        )
        return anomaly(change, episode)

    def _stop(self, batch: Prepared, i: int) -> None:
        """Keep the state before block `i`, which nothing has folded in yet, then let the trend have it."""
        if not batch.witness.knows(i):
            batch.trend.upto(i)
            batch.witness.keep(i, self.capture(int(batch.inputs.slot[i])))
            batch.trend.upto(i + 1)

    def _finding(self, batch: Prepared, i: int) -> Finding:
        entry, out, slot = batch.entries[i], batch.out, int(batch.inputs.slot[i])
        why = explain(
            self.bank,
            slot,
            batch.inputs.x[i],
            entry.at_ns,
            external=float(batch.inputs.external[i]),
            promised_ns=int(batch.inputs.promised_ns[i]),
        )
        raw, regime = batch.raw[i].astype(np.float64), batch.regimes[i]
        centre, scale = (u.astype(np.float64) for u in self._units(entry, regime))
        state = self.bank.slots.arrays
        return Finding(
            entry=entry,
            mode=Mode.MODEL,
            transition=int(out.event[i]),
            alarm=self.bank.alarm_after(batch.inputs, i, float(out.value[i])),
            rule=self._spec.waveform_policy,
            value=float(out.value[i]),
            p_value=float(out.p_value[i]),
            healthy=min(int(state.ranked[slot]), state.healthy.shape[1]),
            first_offset=self.bank.first_offset(slot, entry.block.origin.offset),
            contributions=contributions(
                self._columns(entry),
                why.amount.tolist(),
                raw.tolist(),
                (centre + scale * why.expected).tolist(),
                (centre + scale * why.lower).tolist(),
                (centre + scale * why.upper).tolist(),
            ),
            feature_set=self._names.feature_set,
            model=self._names.model,
            model_state=self.bank.digest(slot),
            reference=self._reference_id(regime),
            policy_name=self._names.policy,
            run_state=batch.run_states[i],
            regime=self._regime_name(entry, regime),
            source_ns=entry.at_ns,
            hypothesis=self._hypothesis(entry),
            trend=batch.trend.slopes[i],
        )

    def _hypothesis(self, entry: Entry) -> str:
        asset, speed_hz = entry.asset, entry.context.speed_hz
        if entry.stacked is None:
            return ""
        return hypothesis(entry.stacked[entry.index], self.layout.rate_hz, speed_hz, asset)

    def _reference_id(self, regime: int) -> str:
        return self._reference.id if self._reference is not None and regime >= 0 else ""

    def _regime_name(self, entry: Entry, regime: int) -> str:
        if self._reference is not None and regime >= 0:
            return self._reference.regimes[regime].name
        return entry.context.regime or ""

    # stage 3: records

    def outcomes(self, batch: Prepared) -> None:
        """Give every entry its outcome."""
        out = batch.out
        columns = (out.state, out.seen, out.lived_ns, out.value, out.p_value, out.firing, out.held)
        results = zip(*(column.tolist() for column in columns), strict=True)
        for i, (entry, features, result) in enumerate(zip(batch.entries, batch.raw.tolist(), results, strict=True)):
            state, seen, lived_ns, _, _, _, held = result
            row = self._row(batch, i, features, result)
            seen_by = batch.looks.get(i)
            if i in batch.windows and batch.inputs.usable[i]:
                seen_by = speaker(seen_by, batch.windows[i])
            verdict = judge(row, seen_by) if seen_by else None
            record = score(
                entry,
                self._names,
                (verdict.row if verdict else row,),
                mode=verdict.mode if verdict else Mode.MODEL,
                reference=self._reference_id(batch.regimes[i]),
                regime=self._regime_name(entry, batch.regimes[i]),
                warmup=batch.warmups[i].share(seen, lived_ns),
                learning=learning(entry, state, held, row.reason),
            )
            events = tuple(each[i] for each in (batch.anomalies, batch.limited, batch.zoned) if i in each)
            entry.outcome = Outcome(
                score=record, anomalies=events, quality=entry.quality, evidence=batch.witness.of(i, events)
            )

    def _row(self, batch: Prepared, i: int, features: list[float], result: tuple[Any, ...]) -> ScoreRow:
        state, seen, lived_ns, value, p_value, firing, _ = result
        scored, run = state == ws.SCORED, batch.run_states[i]
        kind, reason = ScoreState.SCORED, ""
        if state == ws.WARMING:
            kind, reason = ScoreState.WARMING, batch.warmups[i].told(seen, lived_ns, "blocks")
        elif run is not RunState.RUNNING:
            kind, reason = ScoreState.NOT_RUNNING, f"machine is {run}"
        elif not scored:
            kind, reason = ScoreState.NOT_USABLE, "a feature is not finite"
        block = batch.entries[i].block
        return ScoreRow(
            source_ns=block.source_ns if isinstance(block, SensorBlock) else 0,
            state=kind,
            reason=reason,
            value=value if scored else None,
            p_value=p_value if scored else None,
            alarm=bool(firing),
            run_state=run,
            features=tuple(features),
            trend=batch.trend.slopes[i],
        )
