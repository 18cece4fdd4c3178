"""Every metric of Foreshock, as data. Nothing else is exposed, and each of these is (tests/metrics/).

Rules, dashboards and the documentation are checked against this list: a metric that is renamed here fails their tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from foreshock.alerts.vocabulary import Change, Severity, SuppressedBy
from foreshock.contract import Phase, QualityKind, Reason, ScoreState
from foreshock.signals import Ended
from foreshock.streams.metrics.catalog_service import SERVICE
from foreshock.streams.metrics.model import (
    QUICK_S,
    SLUGGISH_S,
    Label,
    Metric,
    Owner,
    Process,
    counter,
    gauge,
    histogram,
    values,
)
from foreshock.vocabulary import MaskReason

__all__ = ["BY_NAME", "CLASSES", "FAULTS", "METRICS", "OTHER", "STAGES", "TOPIC_PARTITIONS", "of_process"]

OTHER = "other"  # the label of whatever is beyond a bound
FAULTS = ("outer_race", "inner_race", "rolling_element", "cage", "gear")
CLASSES = 32  # asset classes with a label of their own
TOPIC_PARTITIONS = 1024  # partitions with a label of their own
STAGES = ("wait", "decode", "quality", "features", "score", "policy", "encode", "deliver")

_PLATFORM, _INTEGRATION, _DETECTING, _ALERTS = Owner.PLATFORM, Owner.INTEGRATION, Owner.DETECTION, Owner.ALERTING


_PARTITION = Label(
    "partition", (), TOPIC_PARTITIONS, "partitions of the topic that this process has; those it gave away are gone"
)
_CLASS = Label(
    "asset_class", (), CLASSES + 1, f'classes of the master data, the first {CLASSES}; the rest is "{OTHER}"'
)
_ASSET = Label("asset", (), 10_001, f'the first `metrics.max_assets` assets; the rest is "{OTHER}"')

_INTAKE = (
    counter(
        "foreshock_records_received_total",
        _PLATFORM,
        "Records of sensors.v1 whose batch is done: each is in foreshock_records_total, or in foreshock_records_repeated_total.",
        _PARTITION,
    ),
    counter(
        "foreshock_records_total",
        _DETECTING,
        "Records by what became of them, by the newest row of each: exactly one outcome for each record.",
        values("outcome", *(state.value for state in ScoreState), "rejected"),
    ),
    counter(
        "foreshock_records_repeated_total",
        _PLATFORM,
        "Records that came again after a restart and whose outputs were out already.",
    ),
    counter(
        "foreshock_received_bytes_total",
        _INTEGRATION,
        "Bytes of the values of the records that became a score, by the class of their asset.",
        _CLASS,
    ),
    counter(
        "foreshock_dead_letters_total",
        _INTEGRATION,
        "Records set aside on dead-letters.v1, by reason; deliver sets aside what a sink refuses (undeliverable).",
        values("reason", *(reason.value for reason in Reason)),
        processes=(Process.WORKER, Process.DELIVER),
    ),
    gauge("foreshock_lag_records", _PLATFORM, "Records of a partition that are not done yet.", _PARTITION),
    gauge(
        "foreshock_lag_seconds",
        _PLATFORM,
        "For how long the oldest record of a partition that is not done has waited, at most; 0 where none waits.",
        _PARTITION,
    ),
    gauge("foreshock_partitions", _PLATFORM, "Partitions of sensors.v1 that this process has."),
    counter(
        "foreshock_assignments_total",
        _PLATFORM,
        "Rebalances: how often partitions were given to this process, taken back in order, or lost.",
        values("event", "assigned", "revoked", "lost"),
    ),
    gauge("foreshock_outputs_in_flight_bytes", _PLATFORM, "Outputs that the brokers have not confirmed yet."),
)

_LATENCY = (
    histogram(
        "foreshock_end_to_end_seconds",
        _PLATFORM,
        "From the broker's log-append time of a record to its score or dead letter on the broker.",
        SLUGGISH_S,
        exemplars=True,
    ),
    histogram(
        "foreshock_queue_seconds",
        _PLATFORM,
        "From the log-append time of a record to the start of its batch: it waited in the topic and in the client.",
        SLUGGISH_S,
        exemplars=True,
    ),
    histogram(
        "foreshock_stage_seconds",
        _PLATFORM,
        "Time of a batch in each stage; wait is from the poll to the start, deliver until the brokers have its outputs.",
        QUICK_S,
        values("stage", *STAGES),
        exemplars=True,
    ),
    histogram(
        "foreshock_batch_records",
        _PLATFORM,
        "Records in a batch; full batches are a backlog.",
        (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0),
    ),
    histogram(
        "foreshock_source_delay_seconds",
        _INTEGRATION,
        "From the source time of a record to its log-append time: the way from the sensor to the broker.",
        (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0),
    ),
)

_STATE = (
    gauge(
        "foreshock_checkpoint_age_seconds",
        _PLATFORM,
        "Since the last checkpoint, where something is done that none has committed; else 0.",
    ),
    histogram(
        "foreshock_checkpoint_seconds",
        _PLATFORM,
        "Duration of a checkpoint, from its capture to its commit.",
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    ),
    histogram(
        "foreshock_checkpoint_bytes",
        _PLATFORM,
        "Sealed snapshots in a checkpoint.",
        (1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8),
    ),
    counter(
        "foreshock_checkpoints_total",
        _PLATFORM,
        "Checkpoints that had something to write: committed, or put off (outputs under way, a rebalance, no broker).",
        values("result", "committed", "put_off"),
    ),
    gauge(
        "foreshock_checkpoint_assets_left",
        _PLATFORM,
        "Assets that changed and are in no checkpoint yet: what a crash has to compute again.",
    ),
    histogram(
        "foreshock_restore_seconds",
        _PLATFORM,
        "Time to take partitions up: their state read from state.v1, verified and restored.",
        (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0),
    ),
    counter("foreshock_assets_restored_total", _PLATFORM, "Assets that were there when their partition was taken up."),
    counter(
        "foreshock_cold_starts_total",
        _DETECTING,
        "Assets that said that their state was of no use and that they start cold.",
    ),
    gauge(
        "foreshock_ready",
        _PLATFORM,
        "1 where /readyz says yes: partitions are restored, a sink's consumer follows; else 0.",
        processes=tuple(Process),
    ),
)

_DETECTION = (
    gauge("foreshock_assets", _DETECTING, "Assets on the partitions of this process, by class.", _CLASS),
    gauge(
        "foreshock_models",
        _DETECTING,
        "Measuring points by the state of their newest score.",
        values("state", *(state.value for state in ScoreState)),
    ),
    gauge(
        "foreshock_models_held",
        _DETECTING,
        "Measuring points that score and do not learn: suspicious, in alarm, frozen.",
    ),
    gauge(
        "foreshock_models_shadow",
        _DETECTING,
        "Measuring points with a new model that warms up beside the one that scores.",
    ),
    gauge("foreshock_episodes_open", _DETECTING, "Measuring points with an open anomaly episode."),
    histogram(
        "foreshock_score",
        _DETECTING,
        "Scores; 1 is the boundary of normal at the alarm budget.",
        (0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.3, 1.6, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0),
        exemplars=True,
    ),
    histogram(
        "foreshock_p_value",
        _DETECTING,
        "Rank of each score in the healthy scores of its asset; uniform while nothing changes.",
        (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    ),
    gauge(
        "foreshock_drift_psi",
        _DETECTING,
        "Population stability index of the p-values of the last hour against uniform ones: 0.1 warns, 0.25 alarms; 0 below 1000 scores.",
    ),
    counter(
        "foreshock_anomalies_total",
        _DETECTING,
        "Events on anomalies.v1: episodes opened, updated, closed.",
        values("phase", *(phase.value for phase in Phase)),
        values("severity", *(each.value for each in Severity), OTHER),
    ),
    counter(
        "foreshock_quality_total",
        _INTEGRATION,
        "Changes on quality.v1.",
        values("kind", *(kind.value for kind in QualityKind)),
        values("change", "raised", "cleared"),
    ),
    gauge(
        "foreshock_quality_standing",
        _INTEGRATION,
        "Measuring points on which a quality condition stands now.",
        values("kind", *(kind.value for kind in QualityKind)),
    ),
)

_SIGNALS = (
    counter(
        "foreshock_vectors_total",
        _DETECTING,
        "Records of features.v1, by why no more was added to their measurement window.",
        values("ended", *(each.value for each in Ended)),
    ),
    counter(
        "foreshock_masked_values_total",
        _INTEGRATION,
        "Values of feature vectors that could not be had, by the reason.",
        values("reason", *(each.value for each in MaskReason if each)),
    ),
    counter(
        "foreshock_diagnoses_total",
        _DETECTING,
        'Records of diagnoses.v1, by the fault that is named; "none" withdraws the one before.',
        values("fault", *FAULTS, "none", OTHER),
    ),
)

_ALERTING = (
    counter(
        "foreshock_alert_transitions_total",
        _ALERTS,
        "Records of alerts.v1, by what changed; `refused` is a command that had no effect.",
        values("change", *(change.value for change in Change)),
    ),
    counter(
        "foreshock_alerts_raised_total",
        _ALERTS,
        "Alerts raised, by severity.",
        values("severity", *(each.value for each in Severity)),
    ),
    counter(
        "foreshock_alerts_suppressed_total",
        _ALERTS,
        "Alerts that were not raised or escalated, by the reason.",
        values("by", *(each.value for each in SuppressedBy)),
    ),
    gauge("foreshock_alarm_budget", _ALERTS, "Setting: false alarms per asset and month that are tolerated (30 days)."),
    gauge(
        "foreshock_alarm_budget_used_ratio",
        _ALERTS,
        "Alerts raised within the last 30 days, or since the start, over what the budget allows all assets for 30 days.",
    ),
    counter(
        "foreshock_commands_refused_total",
        _ALERTS,
        "Commands and work orders that were answered with `refused` on alerts.v1.",
    ),
)

_COST = (
    counter(
        "foreshock_class_cpu_seconds_total",
        _PLATFORM,
        "CPU of this process, shared out by the bytes of each class.",
        _CLASS,
    ),
    gauge(
        "foreshock_cost_per_asset_month",
        _PLATFORM,
        "Cost of an asset of the class for 30 days at the rates of the last hour and the prices of `metrics.prices`; none without that file.",
        _CLASS,
        Label("currency", (), 1, "`currency` of the price file"),
    ),
    counter("foreshock_asset_records_total", _INTEGRATION, "Records that became a score, by asset.", _ASSET),
    counter("foreshock_asset_received_bytes_total", _INTEGRATION, "Bytes of their values, by asset.", _ASSET),
    counter("foreshock_asset_anomalies_total", _DETECTING, "Anomaly episodes opened, by asset.", _ASSET),
    counter("foreshock_asset_alerts_total", _ALERTS, "Alerts raised, by asset.", _ASSET),
)

METRICS: tuple[Metric, ...] = (
    *_INTAKE,
    *_LATENCY,
    *_STATE,
    *_DETECTION,
    *_SIGNALS,
    *_ALERTING,
    *_COST,
    *SERVICE,
)
BY_NAME: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in METRICS})


def of_process(process: Process) -> tuple[Metric, ...]:
    """Give the metrics that a kind of process exposes."""
    return tuple(metric for metric in METRICS if process in metric.processes)
