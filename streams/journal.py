"""One line of the log for each event of interest: an anomaly, a change of an alert, a dead letter, a cold start."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from foreshock.alerts.records import AlertTransition
from foreshock.contract import Anomaly, DataQuality, DeadLetter, Origin
from foreshock.outcome import Outcome
from foreshock.signals import Diagnosis
from foreshock.streams.logs import Repeats, of_record
from foreshock.vocabulary import Phase, QualityKind

log = logging.getLogger("foreshock.events")


class Journal:
    """Writes the lines, when what they tell of is on the broker. Of a flood of one kind it writes some and a count."""

    def __init__(self) -> None:
        self._repeats = Repeats()

    def tell(self, items: Sequence[Outcome | DeadLetter]) -> None:
        """Tell what became of a batch: of an ordinary block nothing."""
        for item in items:
            if isinstance(item, DeadLetter):
                self._letter(item)
            elif item.anomalies or item.alerts or item.quality or item.diagnoses:
                for anomaly in item.anomalies:
                    self._anomaly(anomaly, item.score.origin)
                self.told((*item.alerts, *item.quality))
                for diagnosis in item.diagnoses:
                    self._diagnosis(diagnosis, item.score.origin)

    def told(self, found: Sequence[AlertTransition | DataQuality]) -> None:
        """Tell changes of alerts, and assets that start cold."""
        for each in found:
            if isinstance(each, AlertTransition):
                text = "alert %s: %s: %s"
                given = {"alert_id": each.alert_id, "severity": str(each.severity)}
                self._line(
                    logging.INFO, text, each.change, each.asset, each.reason, of=each, origin=each.origin, **given
                )
            elif each.kind is QualityKind.COLD_START:
                text = "cold start: %s %s: %s"
                self._line(logging.WARNING, text, each.asset, each.point, each.detail, of=each, origin=each.origin)

    def _anomaly(self, told: Anomaly, origin: Origin) -> None:
        if told.phase is Phase.UPDATED:
            return
        text = "anomaly %s: %s %s, %s, score %.2f%s"
        why = f": {told.hypothesis}" if told.hypothesis else ""
        given = (told.phase, told.asset, told.point, told.severity, told.score, why)
        self._line(logging.INFO, text, *given, of=told, origin=origin, severity=str(told.severity))

    def _diagnosis(self, told: Diagnosis, origin: Origin) -> None:
        text = "diagnosis: %s %s: %s"
        given = (told.asset, told.point, told.sentence)
        self._line(logging.INFO, text, *given, of=told, event_id=told.diagnosis_id, origin=origin)

    def _letter(self, letter: DeadLetter) -> None:
        origin = letter.origin
        text = "dead letter: %s: %s (%s partition %d offset %d)"
        given = (letter.reason, letter.sentence, origin.topic, origin.partition, origin.offset)
        self._line(logging.WARNING, text, *given, of=letter, origin=origin, kind=letter.reason)

    def _line(
        self,
        level: int,
        text: str,
        *given: Any,
        of: Any,
        origin: Origin,
        kind: str = "",
        event_id: str = "",
        **more: Any,
    ) -> None:
        held = self._repeats.passes((text, kind))
        if held is None:
            return
        asset = getattr(of, "asset", None)
        extra = of_record(origin, event_id=event_id or of.event_id, asset=asset, reason=kind, **more)
        log.log(level, text, *given, extra={**extra, "repeated": held})
