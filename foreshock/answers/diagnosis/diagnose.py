"""The diagnosis: every rule is asked, and the finding that would explain most comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from foreshock.answers.diagnosis import service, signal
from foreshock.answers.diagnosis.finding import Diagnosis, Finding
from foreshock.answers.diagnosis.vitals import Vitals

_RULES: tuple[Callable[[Vitals], Iterator[Finding]], ...] = (
    service.broker,
    service.partition,
    service.worker,
    service.sink,
    service.around,
    signal.sensors,
    signal.passed,
    signal.letters,
    signal.state,
    signal.models,
    signal.features,
    signal.machines,
)


def diagnose(vitals: Vitals) -> Diagnosis:
    """Say what is wrong, in which layer, and what says so; findings of the same weight in the order of the rules."""
    found = [finding for rule in _RULES for finding in rule(vitals)]
    return Diagnosis(tuple(sorted(found, key=lambda each: -each.weight)), tuple(_unseen(vitals)))


def _unseen(vitals: Vitals) -> Iterator[str]:
    """What could not be looked at."""
    if vitals.broker_error:
        yield "topics and the group: the brokers do not answer"
    for each in vitals.pulses:
        if each.error:
            yield f"metrics of {each.kind} at {each.url}: {each.error}"
    if not vitals.broker_error and not vitals.scores:
        yield "scores: none was published of late"
