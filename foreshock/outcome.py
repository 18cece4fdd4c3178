"""All that one input record leads to, in the words of `foreshock/contract.py` and `foreshock/alerts/records.py`."""

from __future__ import annotations

from dataclasses import dataclass

from foreshock.alerts.records import AlertTransition
from foreshock.contract import Anomaly, DataQuality, Score
from foreshock.signals import Diagnosis, FeatureVector


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an anomaly event can be computed from again, together with its input record."""

    event_id: str
    state: bytes  # canonical bytes of the measuring point's `AssetState` as it was before the record
    detection: str  # JSON of the settings by which the point was scored
    reference: str  # canonical text of the reference of its class; "" for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one input record led to: its score, and the events that came with it."""

    score: Score
    anomalies: tuple[Anomaly, ...] = ()
    quality: tuple[DataQuality, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    alerts: tuple[AlertTransition, ...] = ()  # what the asset's policy made of it
    vectors: tuple[FeatureVector, ...] = ()  # of measurement windows that ended with it
    diagnoses: tuple[Diagnosis, ...] = ()
    health: float = 1.0  # of its sensor after it
