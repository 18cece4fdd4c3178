"""Counts of the block path: a few lists grow with each batch, and are counted once a second.

What a block costs here is some list comprehensions over its batch; arrays and histograms are paid for once in thousands of
blocks. All of it runs on the event loop, after the outputs of the batch are on the broker.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change, Severity
from foreshock.contract import DataQuality, DeadLetter, Origin, Phase, QualityKind, ScoreState
from foreshock.outcome import Outcome
from foreshock.signals import FeatureVector
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.metrics.catalog import FAULTS, OTHER
from foreshock.streams.metrics.holders import Holders
from foreshock.streams.metrics.values import Values
from foreshock.streams.spans.attributes import id_of, origin_of
from foreshock.streams.spans.shape import span_id

PENDING = 8192  # records that are counted at once, at most
_STAGES = ("decoded", "quality", "features", "score", "policy", "encoded", "delivered")
_NAMES = dict(zip(_STAGES, ("decode", "quality", "features", "score", "policy", "encode", "deliver"), strict=True))
_SEVERITIES = frozenset(each.value for each in Severity)
_NAMED = frozenset({*FAULTS, "none"})
Kept = Sequence[tuple[Origin, str]]


class Tally:
    """Takes note of what became of records.

    Parameters
    ----------
    values
        Where it is counted.
    holders
        Assets and classes.
    """

    def __init__(self, values: Values, holders: Holders) -> None:
        self._values = values
        self._holders = holders
        self.newest_ns: dict[int, int] = {}  # by partition: log-append time of the newest record that is done
        self.raised = 0  # alerts
        self._end_to_end = values.histogram("foreshock_end_to_end_seconds")
        self._queue = values.histogram("foreshock_queue_seconds")
        self._delay = values.histogram("foreshock_source_delay_seconds")
        self._scores = values.histogram("foreshock_score")
        self._ranks = values.histogram("foreshock_p_value")
        self._batches = values.histogram("foreshock_batch_records")
        self._stages = {
            name: values.histogram("foreshock_stage_seconds", (name,)) for name in ("wait", *_NAMES.values())
        }
        self._begin()

    def batch(self, batch: Batch, items: Sequence[Outcome | DeadLetter], kept: Kept = ()) -> None:
        """Take note of a batch whose outputs are on the broker.

        Parameters
        ----------
        batch
            Its times, the sizes of the records that got a score, and the partitions of those that came again.
        items
            What became of the others.
        kept
            Records whose trace is kept, with its id.
        """
        outcomes = [item for item in items if type(item) is Outcome]
        scores = [outcome.score for outcome in outcomes]
        origins = [score.origin for score in scores]
        rows = [score.rows[-1] for score in scores]
        if len(outcomes) < len(items):
            origins += self._letters(items)
        self._ingest += [origin.ingest_ns for origin in origins]
        self._partitions += [origin.partition for origin in origins]
        self._states += [row.state for row in rows]
        self._found += [row.value for row in rows]
        self._p += [row.p_value for row in rows]
        self._late += [score.delayed_s for score in scores]
        self._cells += self._holders.cells(scores)
        self._sizes += batch.sizes
        stages = batch.stages_ns
        self._times.append((len(items), stages.get("delivered", 0), batch.started_ns))
        self._steps.append((batch.received_ns, batch.started_ns, *map(stages.get, _STAGES)))
        self._repeated += batch.repeated
        for outcome in outcomes:
            if outcome.anomalies or outcome.quality or outcome.alerts or outcome.vectors or outcome.diagnoses:
                self._news(outcome)
        if kept:
            self._remember(batch, items, kept)
        if len(self._ingest) >= PENDING:
            self.count()

    def told(self, found: Sequence[DataQuality | AlertTransition]) -> None:
        """Take note of what came without a record."""
        for each in found:
            if isinstance(each, DataQuality):
                self._quality(each)
            else:
                self._alert(each)

    def count(self) -> None:
        """Count what was noted since this was called last."""
        if self._times:
            try:
                self._count()
            finally:
                self._begin()  # what does not fit together would not the next time either

    def _count(self) -> None:
        sizes, delivered, started = (np.array(each, np.int64) for each in zip(*self._times, strict=True))
        ingest = np.array(self._ingest, np.int64)
        self._end_to_end.observe(np.maximum(np.repeat(delivered, sizes) - ingest, 0) / 1e9)
        self._queue.observe(np.maximum(np.repeat(started, sizes) - ingest, 0) / 1e9)
        self._batches.observe(sizes[sizes > 0])
        self._delay.observe(np.maximum(np.array(self._late), 0.0))
        self._scores.observe([value for value in self._found if value is not None])
        self._ranks.observe([value for value in self._p if value is not None])
        self._count_stages()
        self._count_partitions(ingest)
        for state, number in Counter(self._states).items():
            self._values.add("foreshock_records_total", (state.value,), number)
        self._holders.take(self._cells, self._sizes)

    def _begin(self) -> None:
        self._ingest: list[int] = []
        self._partitions: list[int] = []
        self._states: list[ScoreState] = []
        self._found: list[float | None] = []
        self._p: list[float | None] = []
        self._late: list[float] = []
        self._cells: list[int] = []
        self._sizes: list[int] = []
        self._repeated: list[int] = []
        self._times: list[tuple[int, int, int]] = []
        self._steps: list[tuple[int | None, ...]] = []

    def _count_stages(self) -> None:
        """Count the steps of each batch; where one is missing the next has its time."""
        steps = np.array([[at or 0 for at in each] for each in self._steps], np.int64)
        lasted = np.diff(np.maximum.accumulate(steps, axis=1), axis=1) / 1e9
        for column, histogram in enumerate(self._stages.values()):
            histogram.observe(lasted[steps[:, column + 1] > 0, column])

    def _count_partitions(self, ingest: npt.NDArray[np.int64]) -> None:
        partitions = np.array(self._partitions, np.int64)
        for number in np.unique(partitions).tolist():
            mine = partitions == number
            newest = int(ingest[mine].max())
            self.newest_ns[number] = max(self.newest_ns.get(number, 0), newest)
            self._values.add("foreshock_records_received_total", (str(number),), int(mine.sum()))
        for number, times in Counter(self._repeated).items():
            self._values.add("foreshock_records_received_total", (str(number),), times)
            self._values.add("foreshock_records_repeated_total", (), times)

    def _letters(self, items: Sequence[Outcome | DeadLetter]) -> list[Origin]:
        letters = [item for item in items if type(item) is DeadLetter]
        for reason, number in Counter(letter.reason for letter in letters).items():
            self._values.add("foreshock_dead_letters_total", (reason.value,), number)
        self._values.add("foreshock_records_total", ("rejected",), len(letters))
        return [letter.origin for letter in letters]

    def _news(self, outcome: Outcome) -> None:
        score = outcome.score
        for anomaly in outcome.anomalies:
            severity = anomaly.severity if anomaly.severity in _SEVERITIES else OTHER
            self._values.add("foreshock_anomalies_total", (anomaly.phase.value, severity))
            if anomaly.phase is Phase.OPENED:
                self._holders.anomaly(score.origin.partition, anomaly.asset)
        for change in outcome.quality:
            self._quality(change)
        for told in outcome.alerts:
            self._alert(told)
        for vector in outcome.vectors:
            self._vector(vector)
        for diagnosis in outcome.diagnoses:
            fault = diagnosis.fault or "none"
            self._values.add("foreshock_diagnoses_total", (fault if fault in _NAMED else OTHER,))

    def _vector(self, vector: FeatureVector) -> None:
        self._values.add("foreshock_vectors_total", (vector.ended.value,))
        for reason, number in Counter(filter(None, vector.masks)).items():
            self._values.add("foreshock_masked_values_total", (str(reason),), number)

    def _quality(self, told: DataQuality) -> None:
        self._values.add("foreshock_quality_total", (told.kind.value, "raised" if told.raised else "cleared"))
        if told.kind is QualityKind.COLD_START and told.raised:
            self._values.add("foreshock_cold_starts_total")

    def _alert(self, told: AlertTransition) -> None:
        self._values.add("foreshock_alert_transitions_total", (told.change.value,))
        if told.change is Change.RAISED:
            self.raised += 1
            self._values.add("foreshock_alerts_raised_total", (told.severity.value,))
            self._holders.alert(told.origin.partition, told.asset)
        elif told.change is Change.REFUSED:
            self._values.add("foreshock_commands_refused_total")
        elif told.change is Change.SUPPRESSED and told.suppressed_by is not None:
            self._values.add("foreshock_alerts_suppressed_total", (told.suppressed_by.value,))

    def _remember(self, batch: Batch, items: Sequence[Outcome | DeadLetter], kept: Kept) -> None:
        """Keep the trace ids of observations: of the first record whose trace is kept for the batch, of each for its own."""
        now_s, delivered = time.time(), batch.stages_ns.get("delivered", 0)
        by_origin = {id(origin_of(item)): item for item in items}
        traced = [(origin, trace_id, by_origin[id(origin)]) for origin, trace_id in kept if id(origin) in by_origin]
        for origin, trace_id, item in traced:
            span = span_id(id_of(item), "process")
            self._end_to_end.remember(max(delivered - origin.ingest_ns, 0) / 1e9, trace_id, span, now_s)
            self._queue.remember(max(batch.started_ns - origin.ingest_ns, 0) / 1e9, trace_id, span, now_s)
            value = item.score.rows[-1].value if isinstance(item, Outcome) else None
            if value is not None:
                self._scores.remember(value, trace_id, span, now_s)
        before = batch.started_ns
        for mark, name in _NAMES.items() if traced else ():
            ended, (_, trace_id, item) = batch.stages_ns.get(mark, 0), traced[0]
            if ended >= before:
                self._stages[name].remember((ended - before) / 1e9, trace_id, span_id(id_of(item), "process"), now_s)
                before = ended
