"""The decision record: from its operands alone anybody can tell why the event was sent."""

from __future__ import annotations

from foreshock.contract import Asset, Limit, MeasuringPoint, Mode, Phase
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import block, machine

SPEC = FleetSpec(warmup_blocks=30)


def operands(event) -> dict[str, float]:
    return {o.name: o.value for o in event.decision.operands}


def test_an_update_can_be_recomputed() -> None:
    """Told again after ten minutes, or at twice what was told last: the operands say which, and of what."""
    fleet = Fleet(SPEC, assets=[Asset(asset="pump-1")])
    faults = [0.0] * 40 + [1.0] * 630 + [8.0] * 20
    blocks = [block(i, fault=fault) for i, fault in enumerate(faults)]
    opened, *updated = [a for o in fleet.receive(blocks) for a in o.anomalies]

    last, reasons = opened, []
    for event in updated:
        found = operands(event)
        assert event.phase is Phase.UPDATED
        assert found["value"] == event.score
        assert found["last_told"] == last.score
        assert found["since_told_s"] == (event.source_ns - last.source_ns) / 1e9
        reasons.append((found["value"] >= 2 * found["last_told"], found["since_told_s"] >= 600))
        last = event
    assert all(escalated or due for escalated, due in reasons)
    assert {(False, True), (True, False)} <= set(reasons)


def test_a_limit_says_what_it_was_held_against() -> None:
    """A stated limit rests on no calibration: its operands are the measured value and the limit, and no margin."""
    limits = (Limit(feature="rms", above=2.0),)
    points = (MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2", limits=limits),)
    loud = [block(i, samples=5 * machine(i)) for i in range(5)]
    outcomes = Fleet(SPEC, assets=[Asset(asset="pump-1", points=points)]).receive(loud)
    (event,) = [a for o in outcomes for a in o.anomalies]
    found = operands(event)

    assert event.mode is Mode.STATIC_LIMIT
    assert found["above"] == 2.0
    assert found["value"] == found["measured"] / found["above"] == event.score
    assert "margin" not in found
    assert event.lineage.calibration == "none: a stated limit"
