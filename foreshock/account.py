"""An anomaly in plain words: which machine, what moved how far, which rule fired, from which records, by which state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from foreshock.contract import Anomaly, Asset, Contribution, Mode, Phase
from foreshock.core.state import AssetState, master_data
from foreshock.features import catalog
from foreshock.features.declared import Scale
from foreshock.lineage import asset_record

Paragraph = tuple[str, list[str]]  # heading, lines

_TOLD = 6  # contributions that are written out
_DOES = {
    Phase.OPENED: "An anomaly episode was opened",
    Phase.UPDATED: "An open anomaly episode was updated",
    Phase.CLOSED: "An anomaly episode was closed",
}


def account(anomaly: Anomaly, state: AssetState | None) -> Iterator[Paragraph]:
    """Give the account of an event, paragraph by paragraph.

    Parameters
    ----------
    anomaly
        The event.
    state
        State of its measuring point before the record; None: there is no case.
    """
    known = None if state is None else _known(state)
    yield "what", list(_what(anomaly))
    yield "machine", list(_machine(anomaly, known))
    yield "what moved", list(_moved(anomaly))
    yield "rule", list(_rule(anomaly))
    yield "records", list(_records(anomaly))
    yield "model", list(_model(anomaly, state))
    if anomaly.lowered_by:
        yield "lowered by", list(anomaly.lowered_by)


def _known(state: AssetState) -> Asset | None:
    try:
        return master_data(state.tree)
    except (ValueError, KeyError, TypeError):
        return None


def _what(event: Anomaly) -> Iterator[str]:
    yield f"{_DOES[event.phase]} on {event.asset}, sensor {event.point}, at {when(event.source_ns)}."
    lasted = (event.source_ns - event.started_ns) / 1e9
    if event.phase is not Phase.OPENED:
        yield f"It started {lasted:.0f} s earlier with a score of {event.initial_score:.3g}."
    if event.mode is Mode.STATIC_LIMIT:
        yield f"A limit that you stated spoke: {event.score:.3g} times the limit. Severity: {event.severity}."
    else:
        yield f"Score {event.score:.3g}, where 1 is the boundary of normal of this machine. Severity: {event.severity}."
    if event.p_value is not None:
        share = f"{100 * event.p_value:.2g} %"
        yield f"Of its own healthy scores {share} were as large (p {event.p_value:.3g}, confidence {event.confidence:.2f})."
    if event.hypothesis:
        yield f"What it looks like: {event.hypothesis}."
    if event.trend is not None:
        yield f"The level of the signal grew by {100 * event.trend:+.1f} % an hour by its last running blocks."


def _machine(event: Anomaly, asset: Asset | None) -> Iterator[str]:
    place = " / ".join(asset.path) if asset and asset.path else event.site or "place not stated"
    yield f"{event.asset}: {(asset and asset.asset_class) or 'class not stated'}, {place}"
    if asset is None:
        yield f"master data {event.lineage.asset_record} (not at hand: there is no case)"
    elif not asset.registered:
        yield "not registered: defaults hold"
    else:
        yield f"criticality {asset.criticality}, owner {asset.owner or 'not stated'}, master data {asset_record(asset)}"
    yield f"it was {event.run_state}" + (f", operating point {event.regime}" if event.regime else "")


def _moved(event: Anomaly) -> Iterator[str]:
    if not event.contributions:
        yield "nothing is told about single features by this event"
    for each in event.contributions[:_TOLD]:
        share = f"{100 * each.amount / event.score:.0f} % of the score" if event.score else ""
        yield f"{each.feature}{_meaning(each.feature)}: {_distance(each)}{f'; {share}' if share else ''}"
    rest = event.contributions[_TOLD:]
    if rest:
        yield f"{len(rest)} more features together: {sum(each.amount for each in rest):.3g} of {event.score:.3g}"


def _meaning(feature: str) -> str:
    """What a feature of the catalogue is, in brackets; "" for a tag of telemetry."""
    name = feature.partition("[")[0]
    for each in catalog.FULL.features:
        if each.name == name:
            scale = ", logarithmic" if each.scale is Scale.LOG else ""
            return f" ({each.meaning}{scale})"
    return ""


def _distance(each: Contribution) -> str:
    if each.value is None:
        return "not measured on its own"
    told = f"{each.value:.4g}"
    bounds = [
        f"{name} {bound:.4g}"
        for name, bound in (("at least", each.lower), ("at most", each.upper))
        if bound is not None
    ]
    if each.expected is None:
        return f"{told}; allowed is {' and '.join(bounds)}" if bounds else told
    told += f" where {each.expected:.4g} was expected"
    if each.lower is not None and each.upper is not None:
        told += f" ({each.lower:.4g} to {each.upper:.4g} is usual)"
        half = (each.upper - each.lower) / 2
        if half > 0:
            told += f": {abs(each.value - each.expected) / half:.1f} times the usual distance"
    return told


def _rule(event: Anomaly) -> Iterator[str]:
    yield f"{event.decision.rule}: {'yes' if event.decision.result else 'no'}, with"
    for operand in event.decision.operands:
        yield f"  {operand.name} = {operand.value:.6g}"
    yield f"policy {event.lineage.policy}"


def _records(event: Anomaly) -> Iterator[str]:
    for each in event.lineage.inputs:
        row = "" if each.row is None else f", row {each.row} of its frame"
        yield (
            f"{each.topic} partition {each.partition}, offsets {each.first} to {each.last} of key {event.asset}{row} "
            f"(topic id {each.topic_id})"
        )
    yield f"taken {when(event.source_ns)}, on Kafka {when(event.ingest_ns)}; schema {event.lineage.schema}"
    yield f"trace {event.trace_id}"


def _model(event: Anomaly, state: AssetState | None) -> Iterator[str]:
    told = event.lineage
    yield f"{told.model}, features {told.feature_set}, reference {told.reference or 'none'}"
    yield f"state before the record: {told.model_state or 'no model took part'}"
    if state is not None:
        yield f"  on record: everything below offset {state.offset} is in it, sha256 of the whole {state.digest()}"
    yield f"calibration: {told.calibration}"
    yield f"computed by {told.code} on {told.numeric_platform}"
    yield f"case: sha256 {told.evidence}" if told.evidence else "case: none"


def when(at_ns: int) -> str:
    """Write a time for people: UTC, to the millisecond."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}Z"


def text(paragraphs: Sequence[Paragraph]) -> str:
    """Write an account as text, headings before their lines."""
    found: list[str] = []
    for heading, lines in paragraphs:
        found += [f"{heading}:", *(f"  {line}" for line in lines)]
    return "\n".join(found)
