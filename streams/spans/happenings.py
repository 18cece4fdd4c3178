"""Events of spans: what is worth a mark on the line of time."""

from __future__ import annotations

from collections.abc import Iterator

from foreshock.contract import DeadLetter
from foreshock.lineage import given_trace
from foreshock.outcome import Outcome
from foreshock.streams.spans.attributes import GIVEN, origin_of
from foreshock.streams.spans.shape import Happening
from foreshock.vocabulary import QualityKind, ScoreState

_LEARNT = "learning"  # what `Score.learning` says where nothing holds it
_WARMING = "warming up"


def of_record(item: Outcome | DeadLetter, at_ns: int) -> Iterator[Happening]:
    """Tell what the root marks: a trace context that is none, a dead letter, an asset that lost its state."""
    given = origin_of(item).traceparent
    if given and given_trace(given) is None:
        yield Happening("foreshock.traceparent_rejected", at_ns, {GIVEN: given})
    if isinstance(item, DeadLetter):
        about = {"foreshock.reason": str(item.reason), "foreshock.event_id": item.event_id}
        yield Happening("foreshock.dead_letter", at_ns, {**about, "foreshock.fix": item.fix or ""})
        return
    for told in item.quality:
        if told.kind is QualityKind.COLD_START:
            yield Happening("foreshock.cold_start", at_ns, {"foreshock.reason": told.detail})


def of_score(item: Outcome, at_ns: int) -> Iterator[Happening]:
    """Tell what the scoring marks: warm-up, and learning that is held."""
    score = item.score
    row = score.rows[-1] if score.rows else None
    if row is not None and row.state is ScoreState.WARMING:
        yield Happening("foreshock.warming_up", at_ns, {"foreshock.warmup": score.warmup})
    if not score.learning.startswith((_LEARNT, _WARMING)):
        yield Happening("foreshock.learning_held", at_ns, {"foreshock.learning": score.learning})
