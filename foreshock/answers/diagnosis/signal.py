"""What can be wrong with what is measured and how it is judged: sensors, gateways, features, models, machines. Pure rules.

One sensor that is bad is a sensor; the same trouble on many assets at once is what they share: the gateway, the feature
pipeline, the model. A machine is blamed last: when its score is high, its sensor is sound, and it is nearly alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from foreshock.answers.diagnosis.finding import Finding, Layer
from foreshock.answers.diagnosis.vitals import Letter, Quality, Scored, Vitals
from foreshock.answers.facts import ago, clock, counted

MANY = 3  # assets: fewer are chance
SHARE = 0.3  # of all assets that were heard of late
LOUD = 1.0  # the boundary of normal
NEWEST = 4  # scores of a point that say what it is like now
TOGETHER_NS = 300 * 10**9  # what begins within five minutes began together
DRIFT_PSI = 0.25

# What a device or its mounting does, and not the machine behind it.
_WORDS = {
    "silent": "is silent",
    "late": "sends late",
    "gap": "has gaps",
    "duplicate": "sends twice",
    "out_of_range": "is out of range",
    "frozen": "is frozen",
    "clipped": "is clipped",
    "spike": "has spikes",
    "wrong_rate": "has the wrong rate",
    "clock": "has a wrong clock",
    "missing": "lacks a channel or values",
    "out_of_order": "sends out of order",
    "jitter": "has times that scatter",
    "clock_drift": "has a clock that drifts",
    "unit_changed": "has changed its unit",
    "noise_floor_gone": "hears nothing any more",
}
_OF_SENSORS = _WORDS.keys()
_SURELY = _OF_SENSORS - {"unit_changed"}  # a level that leaps upwards like a unit may be the machine


def standing(vitals: Vitals) -> dict[str, list[Quality]]:
    """Quality conditions that stand, by kind: those whose newest change raised them."""
    found: dict[str, list[Quality]] = {}
    for each in _latest(vitals).values():
        if each.raised:
            found.setdefault(each.kind, []).append(each)
    return found


def heard(vitals: Vitals) -> set[str]:
    """Assets that said anything of late."""
    return {each.asset for each in vitals.scores} | {each.asset for each in vitals.quality if each.asset}


def sensors(vitals: Vitals) -> Iterator[Finding]:
    """Bad sensors, or what many of them share."""
    everybody = heard(vitals)
    for kind, found in sorted(standing(vitals).items()):
        if kind not in _OF_SENSORS:
            continue
        assets = {each.asset for each in found}
        facts = tuple(
            f"{each.asset}/{each.point}: {each.detail or kind}, since {clock(each.at_ns)} ({ago(vitals.now_ns - each.at_ns)})"
            for each in found[:5]
        )
        if len(assets) >= MANY and len(assets) >= SHARE * len(everybody):
            yield Finding(
                Layer.GATEWAY,
                kind,
                0.76,
                f"{counted(len(assets), 'asset')} of {len(everybody)} at once: each {_WORDS[kind]}.",
                facts,
                "so many sensors do not break together: look at the gateway they share, its network and its clock",
            )
            continue
        for each, fact in zip(found, facts, strict=False):
            yield Finding(
                Layer.SENSOR,
                kind,
                0.72,
                f"The sensor {each.asset}/{each.point} {_WORDS[kind]}.",
                (fact,),
                "look at the sensor, its cable and its mounting; its scores are marked and are not learnt from",
            )


def passed(vitals: Vitals) -> Iterator[Finding]:
    """Sensors that were bad a moment ago: a rate that changed, a gap. Little of what stands now comes from it."""
    for (asset, point, kind), each in sorted(_latest(vitals).items()):
        if each.raised or kind not in _OF_SENSORS:
            continue
        yield Finding(
            Layer.SENSOR,
            f"{kind}_passed",
            0.35,
            f"The sensor {asset}/{point} was in trouble and is not any more: {kind}.",
            (f"{each.detail or kind}, over since {clock(each.at_ns)} ({ago(vitals.now_ns - each.at_ns)})",),
            "where it comes again and again, look at its cable, its settings and its gateway",
        )


def letters(vitals: Vitals) -> Iterator[Finding]:
    """Records that were set aside: our own fault, or the sender's. A sink's are told by the sink."""
    reasons: dict[str, list[Letter]] = {}
    for each in vitals.letters:
        reasons.setdefault(each.reason, []).append(each)
    for reason, found in sorted(reasons.items()):
        count, last = counted(len(found), "record"), found[-1]
        facts = (f"{last.asset or 'no asset'}: {last.sentence}", f"the last {ago(vitals.now_ns - last.at_ns)} ago")
        if reason == "internal_error":
            fix = "`foreshock dead-letters show` keeps the record: report it; `redrive` it after the update"
            sentence = f"{count} met an error of our own and was set aside."
            yield Finding(Layer.FEATURES, reason, 0.87, sentence, facts, fix)
        elif reason == "undeliverable":
            fix = "mend the sink's settings or its template, then `foreshock dead-letters redrive`"
            yield Finding(Layer.SINK, reason, 0.74, f"{count} of alerts.v1 was refused by a sink.", facts, fix)
        else:
            fix = "mend the sender (`foreshock validate` looks at a payload), then `foreshock dead-letters redrive`"
            yield Finding(Layer.GATEWAY, reason, 0.77, f"{count} could not be used: {reason}.", facts, fix)


def state(vitals: Vitals) -> Iterator[Finding]:
    """Models that lost what they knew, and input that was lost."""
    cold = [each for each in vitals.quality if each.kind == "cold_start" and each.raised]
    if cold:
        names = sorted({each.asset for each in cold})
        yield Finding(
            Layer.MODEL,
            "cold_start",
            0.81,
            f"{counted(len(names), 'model')} started cold: {_some(names)}.",
            tuple(f"{each.asset}: {each.detail}" for each in cold[:5]),
            "the state could not be used (the detail says why); it warms up again, static limits hold meanwhile",
        )
    lost = [each for each in vitals.quality if each.kind == "lost" and each.raised]
    if lost:
        yield Finding(
            Layer.BROKER,
            "retention",
            0.82,
            "Input was deleted before it was read.",
            tuple(each.detail for each in lost[:5]),
            "retention of sensors.v1 must be longer than the longest outage",
        )


def models(vitals: Vitals) -> Iterator[Finding]:
    """Models that are new, unsure, or all at once see something."""
    shadow = sum(each.value("foreshock_models_shadow") for each in vitals.workers)
    changed = _changed(vitals, "model")
    if shadow or changed:
        said = [f"{counted(round(shadow), 'point')} has a new model in the shadow"] if shadow else []
        said += [f"{name}: from {was} to {now}" for name, was, now in changed[:5]]
        yield Finding(
            Layer.MODEL,
            "changed",
            0.71,
            "Models are being changed, or were of late.",
            tuple(said),
            "settings of [detection] changed: scores of both models are not to be compared; the old one scores until the new is ready",
        )
    many_loud = len(_loud(vitals)) >= MANY
    for each in vitals.workers:
        psi = each.value("foreshock_drift_psi")
        if psi >= DRIFT_PSI and many_loud:
            yield Finding(
                Layer.MODEL,
                "drift",
                0.65,
                "Scores of many assets have left what their models were calibrated to.",
                (f"{each.url}: stability index of the p-values {psi:.2f}, alarming from {DRIFT_PSI}",),
                "`foreshock explain` of some events says whether the plant changed; a changed plant needs repair or label commands",
            )
    newest = _newest(vitals)
    warming = [key for key, scores in newest.items() if scores[-1].state == "warming"]
    if newest and len(warming) > len(newest) / 2:
        yield Finding(
            Layer.MODEL,
            "warming",
            0.45,
            f"{len(warming)} of {counted(len(newest), 'measuring point')} is still warming up.",
            (f"for example {_some(sorted({asset for asset, _ in warming}))}",),
            "it takes detection.warmup blocks of a running machine; `foreshock why` says how far each is",
        )


def features(vitals: Vitals) -> Iterator[Finding]:
    """What is computed from the samples: not usable on many assets with sound sensors, or another set than before."""
    bad = {each.asset for found in standing(vitals).values() for each in found}
    newest = _newest(vitals)
    unusable = {asset for (asset, _), scores in newest.items() if scores[-1].state == "not_usable" and asset not in bad}
    everybody = {asset for asset, _ in newest}
    if len(unusable) >= MANY and len(unusable) >= SHARE * len(everybody):
        yield Finding(
            Layer.FEATURES,
            "not_usable",
            0.73,
            f"The records of {len(unusable)} of {counted(len(everybody), 'asset')} cannot be used, and their sensors are sound.",
            (f"for example {_some(sorted(unusable))}",),
            "`foreshock why ASSET` names what is missing: window length, rate, features that need a speed",
        )
    changed = _changed(vitals, "feature_set")
    if changed:
        yield Finding(
            Layer.FEATURES,
            "changed",
            0.715,
            f"The features of {counted(len(changed), 'measuring point')} are not those of before.",
            tuple(f"{name}: from {was} to {now}" for name, was, now in changed[:5]),
            "another release or profile computes them: roll out one release to all workers of the group",
        )


def machines(vitals: Vitals) -> Iterator[Finding]:
    """Machines whose score is high while their sensors are sound."""
    bad = {each.asset for kind, found in standing(vitals).items() if kind in _SURELY for each in found}
    loud = {key: since for key, since in _loud(vitals).items() if key[0] not in bad}
    everybody = heard(vitals)
    assets = sorted({asset for asset, _ in loud})
    if len(assets) >= MANY and len(assets) > SHARE * len(everybody):
        since = sorted(loud.values())
        if since[-1] - since[0] <= TOGETHER_NS:
            yield Finding(
                Layer.GATEWAY,
                "common_cause",
                0.62,
                f"{len(assets)} of {counted(len(everybody), 'asset')} left normal within {ago(since[-1] - since[0])}.",
                (f"{_some(assets)}", "no sensor is bad, and neither features nor models changed"),
                "look for what they share: supply, load, a common line, the gain of their gateway",
            )
            return
    newest = _newest(vitals)
    for (asset, point), since_ns in sorted(loud.items()):
        value = newest[asset, point][-1].value
        yield Finding(
            Layer.MACHINE,
            "anomalous",
            0.6,
            f"{asset} is not as it was: the score of {point} is {value or 0:.1f}.",
            (f"above normal since {clock(since_ns)} ({ago(vitals.now_ns - since_ns)})", "its sensor is sound"),
            f"`foreshock asset {asset}` says what it may be and what to do",
        )


def _latest(vitals: Vitals) -> dict[tuple[str, str, str], Quality]:
    """The last change of each condition, by asset, point and kind."""
    return {(each.asset, each.point, each.kind): each for each in vitals.quality}


def _newest(vitals: Vitals) -> dict[tuple[str, str], list[Scored]]:
    """The newest scores of each point, the oldest of them first."""
    found: dict[tuple[str, str], list[Scored]] = {}
    for each in vitals.scores:
        found.setdefault((each.asset, each.point), []).append(each)
    return {key: scores[-NEWEST:] for key, scores in found.items()}


def _loud(vitals: Vitals) -> dict[tuple[str, str], int]:
    """Points whose newest scores are above normal for the most part, and since when their present run is."""
    since: dict[tuple[str, str], int] = {}
    for each in vitals.scores:
        key = each.asset, each.point
        if each.value is not None and each.value > LOUD:
            since.setdefault(key, each.at_ns)
        elif each.value is not None:
            since.pop(key, None)
    newest = _newest(vitals)
    return {
        key: at_ns
        for key, at_ns in since.items()
        if sum((each.value or 0.0) > LOUD for each in newest[key]) > len(newest[key]) / 2
    }


def _changed(vitals: Vitals, name: str) -> list[tuple[str, str, str]]:
    """Points whose scores name another model or feature set than before: point, before, now."""
    first: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], str] = {}
    for each in vitals.scores:
        if each.state != "scored":
            continue  # what was not judged names no model
        key = each.asset, each.point
        first.setdefault(key, getattr(each, name))
        last[key] = getattr(each, name)
    return [(f"{key[0]}/{key[1]}", first[key], now) for key, now in sorted(last.items()) if first[key] != now]


def _some(names: list[str]) -> str:
    """Name a few, and count the rest."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
