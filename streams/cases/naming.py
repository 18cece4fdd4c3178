"""The names of cases, for what is told later: a transition may rest on an anomaly that came with an earlier record.

The sha256 of a case is a function of the record's bytes and of the state before it. Whoever has both tells the Fleet, before
anything else is given to the asset; so it is state like all the rest, and comes back with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from confluent_kafka import Message

from foreshock.fleet import Fleet
from foreshock.outcome import Outcome
from foreshock.streams.cases.casebook import Casebook

Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class Naming:
    """Names the cases of what a Fleet gave."""

    fleet: Fleet
    casebook: Casebook

    def __call__(self, outcomes: Sequence[Outcome | Other], records: Sequence[Message]) -> list[Outcome | Other]:
        """Tell the Fleet the cases of these outcomes; give them with the transitions among them that rest on one another.

        What is no outcome stays as it is.
        """
        known: dict[str, str] = {}
        found: list[Outcome | Other] = []
        for outcome, record in zip(outcomes, records, strict=True):
            if not isinstance(outcome, Outcome):
                found.append(outcome)
                continue
            if outcome.evidence:
                cases = self.casebook.name(outcome, record)
                known |= cases
                self.fleet.name(outcome, cases)
            if outcome.alerts and known:
                alerts = tuple(replace(a, evidence=known.get(a.anomaly_id, a.evidence)) for a in outcome.alerts)
                found.append(replace(outcome, alerts=alerts))
            else:
                found.append(outcome)
        return found
