"""From vital signs to a layer: each cause alone, causes that would explain others, and signs that mean nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foreshock.answers.diagnosis.diagnose import diagnose
from foreshock.answers.diagnosis.finding import Layer
from foreshock.answers.diagnosis.vitals import Letter, PartitionVitals, Pulse, Quality, Scored, Vitals

NOW_NS = 1_750_000_000_000_000_000
S = 1_000_000_000
URL = "http://127.0.0.1:9464/metrics"


def series(**values):
    """Series without labels, or with those that a key like `name__label__value` names."""
    found = {}
    for key, value in values.items():
        name, *labels = key.split("__")
        pairs = tuple(sorted(zip(labels[::2], labels[1::2], strict=True)))
        found.setdefault(name, {})[pairs] = float(value)
    return found


def pulse(kind="worker", *, before=None, span_s=5.0, error="", **after):
    """A process; what is not said about before was nought."""
    return Pulse(url=URL, kind=kind, error=error, before=series(**(before or {})), after=series(**after), span_s=span_s)


def scores(asset, values, *, model="m1", feature_set="f1", state="scored", since_s=60.0):
    """Scores of one point, `since_s` apart, the last one so long ago."""
    return tuple(
        Scored(
            asset=asset,
            point="bearing",
            at_ns=NOW_NS - int((len(values) - n) * since_s * S),
            state=state,
            value=value,
            model=model,
            feature_set=feature_set,
        )
        for n, value in enumerate(values)
    )


def quality(asset, kind, *, raised=True, ago_s=30):
    return Quality(
        asset=asset, point="bearing", kind=kind, raised=raised, at_ns=NOW_NS - ago_s * S, detail=f"it is {kind}"
    )


def letter(reason, asset="pump-1"):
    return Letter(reason=reason, asset=asset, sentence=f"the record is {reason}", at_ns=NOW_NS - 10 * S)


HEALTHY = Vitals(
    now_ns=NOW_NS,
    span_s=5.0,
    group="foreshock",
    answers_s=(0.002, 0.003, 0.004),
    members=2,
    partitions=tuple(PartitionVitals(number=n, owner="hall-0", arrived=500, done=500, lag=20) for n in range(4)),
    pulses=(pulse(process_cpu_seconds_total=2.0, foreshock_progress_age_seconds=0.1),),
    scores=tuple(each for n in range(10) for each in scores(f"pump-{n}", [0.3, 0.5, 0.2, 0.4])),
    cache="",
)


def partitions(**changes):
    """The healthy partitions, with the last one changed."""
    return (*HEALTHY.partitions[:3], replace(HEALTHY.partitions[3], **changes))


def with_scores(*more):
    return tuple(sorted((*HEALTHY.scores, *(each for part in more for each in part)), key=lambda each: each.at_ns))


def test_a_healthy_plant_has_no_findings():
    """What is under way is no lag, scores below 1 are no fault, and nothing was left unseen."""
    found = diagnose(HEALTHY)

    assert (found.findings, found.unseen, found.layer) == ((), (), None)


CASES = {
    "brokers that do not answer": (
        Layer.BROKER,
        "unreachable",
        {"broker_error": "no answer", "partitions": (), "members": 0, "cache": "cannot be reached"},
    ),
    "a deleted output topic": (Layer.BROKER, "topic_missing", {"missing": ("plant.alerts.v1",)}),
    "a partition without a leader": (
        Layer.BROKER,
        "no_leader",
        {"partitions": partitions(led=False, owner="", done=0)},
    ),
    "slow answers, and the lag they cause": (
        Layer.BROKER,
        "slow",
        {
            "answers_s": (0.1, 0.4, 0.9),
            "partitions": tuple(replace(each, lag=5000) for each in HEALTHY.partitions),
        },
    ),
    "slow confirmation of outputs": (
        Layer.BROKER,
        "slow",
        {
            "pulses": (
                pulse(
                    **{
                        "foreshock_stage_seconds_bucket__stage__deliver__le__0.1": 2,
                        "foreshock_stage_seconds_bucket__stage__deliver__le__3.0": 50,
                        "foreshock_stage_seconds_bucket__stage__deliver__le__+Inf": 50,
                    }
                ),
            )
        },
    ),
    "input that retention deleted": (Layer.BROKER, "retention", {"quality": (quality("", "lost"),)}),
    "a partition that gets most of the load": (
        Layer.PARTITION,
        "hot",
        {"partitions": partitions(arrived=9000, done=3000, lag=40_000)},
    ),
    "a partition that stands": (Layer.PARTITION, "stuck", {"partitions": partitions(done=0, lag=2000)}),
    "a partition that nobody has": (Layer.PARTITION, "no_owner", {"partitions": partitions(owner="", done=0, lag=900)}),
    "no worker at all": (
        Layer.WORKER,
        "none",
        {
            "members": 0,
            "group_state": "empty",
            "partitions": tuple(replace(each, owner="", done=0, lag=900) for each in HEALTHY.partitions),
            "pulses": (pulse(error="[Errno 111] Connection refused"),),
        },
    ),
    "a worker that hangs": (
        Layer.WORKER,
        "hangs",
        {
            "partitions": tuple(replace(each, done=0, lag=900) for each in HEALTHY.partitions),
            "pulses": (pulse(error="timed out"),),
        },
    ),
    "a worker that hangs, whose partitions others have": (
        Layer.WORKER,
        "hangs",
        {
            "partitions": tuple(replace(each, lag=0) for each in HEALTHY.partitions),
            "pulses": (*HEALTHY.pulses, pulse(error="timed out")),
        },
    ),
    "a worker of two that is gone, and its partition": (
        Layer.WORKER,
        "gone",
        {
            "partitions": partitions(done=0, lag=2000),
            "pulses": (*HEALTHY.pulses, pulse(error="[Errno 111] Connection refused")),
        },
    ),
    "a partition that gets most, though nothing waits yet": (
        Layer.PARTITION,
        "hot",
        {"partitions": partitions(arrived=9000, done=9000, lag=20)},
    ),
    "a worker that was restarted between the looks": (
        Layer.WORKER,
        "restarting",
        {
            "pulses": (
                pulse(before={"process_start_time_seconds": 1_749_999_000}, process_start_time_seconds=1_749_999_998),
            )
        },
    ),
    "a worker at the end of its CPU": (
        Layer.WORKER,
        "saturated",
        {
            "partitions": tuple(replace(each, lag=9000) for each in HEALTHY.partitions),
            "pulses": (pulse(process_cpu_seconds_total=4.9, foreshock_stage_seconds_sum__stage__features=3.0),),
        },
    ),
    "a frozen sensor": (Layer.SENSOR, "frozen", {"quality": (quality("pump-1", "frozen"),)}),
    "a frozen sensor whose score is high": (
        Layer.SENSOR,
        "frozen",
        {
            "quality": (quality("pump-1", "frozen"),),
            "scores": with_scores(scores("pump-1", [3.0] * 6)),
        },
    ),
    "many silent sensors": (
        Layer.GATEWAY,
        "silent",
        {"quality": tuple(quality(f"pump-{n}", "silent") for n in range(5))},
    ),
    "records that cannot be decoded": (Layer.GATEWAY, "truncated", {"letters": (letter("truncated"),)}),
    "records that are refused, and the silence that follows": (
        Layer.GATEWAY,
        "unit_mismatch",
        {
            "letters": (letter("unit_mismatch"),),
            "quality": tuple(quality(f"pump-{n}", "silent") for n in range(5)),
        },
    ),
    "an error of our own": (Layer.FEATURES, "internal_error", {"letters": (letter("internal_error"),)}),
    "another feature set": (
        Layer.FEATURES,
        "changed",
        {"scores": with_scores(scores("pump-1", [2.0] * 3, feature_set="f2", since_s=1.0))},
    ),
    "records that are of no use although the sensors are sound": (
        Layer.FEATURES,
        "not_usable",
        {"scores": with_scores(*(scores(f"pump-{n}", [None] * 4, state="not_usable", since_s=1.0) for n in range(5)))},
    ),
    "models that started cold": (
        Layer.MODEL,
        "cold_start",
        {"quality": tuple(quality(f"pump-{n}", "cold_start") for n in range(5))},
    ),
    "another model": (
        Layer.MODEL,
        "changed",
        {"scores": with_scores(scores("pump-1", [2.0] * 3, model="m2", since_s=1.0))},
    ),
    "new models in the shadow": (Layer.MODEL, "changed", {"pulses": (pulse(foreshock_models_shadow=7),)}),
    "models that are warming up": (
        Layer.MODEL,
        "warming",
        {"scores": tuple(each for n in range(9) for each in scores(f"new-{n}", [None] * 3, state="warming"))},
    ),
    "one machine that left normal": (
        Layer.MACHINE,
        "anomalous",
        {"scores": with_scores(scores("pump-1", [1.4, 1.6, 2.0, 2.4], since_s=1.0))},
    ),
    "machines that left normal together": (
        Layer.GATEWAY,
        "common_cause",
        {"scores": with_scores(*(scores(f"pump-{n}", [1.4, 1.6, 2.0, 2.4], since_s=1.0) for n in range(6)))},
    ),
    "a sink that is down": (
        Layer.SINK,
        "down",
        {"sinks": ("cmms",), "pulses": (pulse("deliver", foreshock_sink_down__sink__cmms=1),)},
    ),
    "a sink that refuses": (
        Layer.SINK,
        "refuses",
        {
            "pulses": (
                pulse(
                    "deliver",
                    foreshock_sink_lag_records__sink__cmms=0,
                    foreshock_sink_deliveries_total__sink__cmms__result__dead=3,
                ),
            )
        },
    ),
    "delivery that nobody started": (
        Layer.SINK,
        "not_delivering",
        {"sinks": ("cmms",), "pulses": (pulse("deliver", error="[Errno 111] Connection refused"),)},
    ),
    "a cache that is gone": (Layer.CACHE, "down", {"cache": "cannot be reached"}),
    "traces that do not arrive": (
        Layer.TRACING,
        "spans_lost",
        {"pulses": (pulse(foreshock_spans_total__result__failed=20),)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cause(name):
    """Each cause is named with its layer, a code, evidence and what to do."""
    layer, cause, changes = CASES[name]
    found = diagnose(replace(HEALTHY, **changes))

    assert (found.layer, found.findings[0].cause) == (layer, cause), found
    assert all(found.findings[0].evidence)
    assert found.findings[0].fix


def test_what_explains_more_comes_first():
    """Brokers that do not answer explain a silent cache of metrics and a lag; a bad sensor is still told, further down."""
    found = diagnose(
        replace(HEALTHY, broker_error="no answer", quality=(quality("pump-1", "frozen"),), cache="cannot be reached")
    )

    assert [each.layer for each in found.findings] == [Layer.BROKER, Layer.SENSOR, Layer.CACHE]


def test_a_condition_that_ended_explains_little():
    """Quality that was raised and cleared again is told, after whatever is wrong now."""
    cleared = (quality("pump-1", "frozen", ago_s=60), quality("pump-1", "frozen", raised=False, ago_s=5))
    found = diagnose(replace(HEALTHY, quality=(*cleared, quality("pump-2", "clipped")))).findings

    assert [each.cause for each in found] == ["clipped", "frozen_passed"]


def test_what_could_not_be_looked_at_is_told():
    """No metrics and no scores: nothing is found, and the diagnosis says what it has not seen."""
    found = diagnose(
        replace(HEALTHY, pulses=(pulse(error="[Errno 111] Connection refused"),), scores=(), partitions=())
    )

    assert [each.layer for each in found.findings] == []
    assert len(found.unseen) == 2


class TestPulse:
    """Reading two scrapes as one movement."""

    def test_a_counter_that_began_anew_counts_from_zero(self):
        """A restarted process shows less than before: what it shows is what it did."""
        seen = pulse(before={"c_total": 100.0}, c_total=7.0)

        assert seen.grown("c_total") == 7.0

    def test_sums_over_labels_that_are_not_named(self):
        """Labels that are asked for choose; all others are summed."""
        seen = pulse(a__x__1__y__1=2.0, a__x__1__y__2=3.0, a__x__2__y__1=5.0)

        assert (seen.value("a"), seen.value("a", x="1"), seen.by("a", "y")) == (10.0, 5.0, {"1": 7.0, "2": 3.0})

    def test_quantile_is_of_what_came_between_the_looks(self):
        """What a histogram held before does not count."""
        seen = pulse(
            before={"h_bucket__le__1.0": 100, "h_bucket__le__5.0": 100, "h_bucket__le__+Inf": 100},
            **{"h_bucket__le__1.0": 101, "h_bucket__le__5.0": 104, "h_bucket__le__+Inf": 104},
        )

        assert (seen.quantile("h", 0.25), seen.quantile("h", 0.9)) == (1.0, 5.0)
        assert pulse().quantile("h", 0.5) is None


def test_scores_without_a_worker_point_to_another_group():
    """Where nobody is in the group that was asked about and scores come all the same, the fix names the option."""
    fresh = tuple(replace(each, at_ns=HEALTHY.now_ns - S) for each in HEALTHY.scores)
    nobody = replace(HEALTHY, members=0, group_state="dead", scores=fresh)

    told = [each.fix for each in diagnose(nobody).findings if each.cause == "none"]
    later = replace(nobody, now_ns=nobody.now_ns + 120 * S)
    quiet = [each.fix for each in diagnose(later).findings if each.cause == "none"]

    assert ["--group" in each for each in told] == [True]
    assert quiet == ["start one: foreshock worker"]
