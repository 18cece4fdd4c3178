"""Replay: the same bits from the case alone, or what differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock import lineage
from foreshock.contract import Phase
from foreshock.core import spec as core_spec
from foreshock.features import catalog
from foreshock.fleet import FleetSpec
from foreshock.replay import FEATURE_ULPS, differences, replay
from foreshock.streams.cases.reading import recorded
from foreshock.vocabulary import SHADOW
from tests.cases.making import SPEC, cases, run


def again(case):
    return replay(recorded(case.anomaly, case.body, case.fingerprint))


def test_every_case_replays_bit_for_bit(life, found):
    """Score and event come out of the case alone, for an episode of the model and for one of a stated limit."""
    events = {each.event_id for outcome, _ in life for each in outcome.anomalies}

    assert {case.anomaly.mode for case in found} == {"model", "static_limit"}
    assert {case.anomaly.phase for case in found} >= {Phase.OPENED, Phase.CLOSED}
    assert {case.anomaly.event_id for case in found} == events
    assert [again(case).differences for case in found] == [()] * len(found)
    assert all(again(case).equal for case in found)


@pytest.mark.parametrize("batch", [1, 7, 460])
def test_a_case_has_the_same_bytes_in_any_batching(found, batch):
    """Evidence is a function of the input and the state, not of what else was in the batch."""
    assert [case.body for case in cases(run(batch=batch))] == [case.body for case in found]


def test_a_lean_profile_replays_too():
    """The state of every profile is restored from its case."""
    spec = replace(SPEC, profile="lean")
    found = cases(run(spec))

    assert found
    assert all(again(case).equal for case in found)


def test_an_event_under_changed_settings_replays_by_those_that_scored_it():
    """While another model warms up in the shadow the case names the settings before; after it took over, its own."""
    found = cases(run(changed=replace(SPEC, profile="lean")))
    names = {recorded(case.anomaly, case.body).spec.profile for case in found}

    assert any(SHADOW in recorded(case.anomaly, case.body).score.learning for case in found)
    assert names == {"full"}
    assert [again(case).differences for case in found] == [()] * len(found)


def test_a_field_that_is_not_as_recorded_is_named(case):
    """A score that was changed by hand shows with its path, as it is on record and as it came out."""
    honest = recorded(case.anomaly, case.body)
    row = replace(honest.score.rows[0], value=0.5)
    forged = replace(
        honest,
        score=replace(honest.score, rows=(row,)),
        anomaly=replace(
            honest.anomaly, severity="watch", confidence=np.nextafter(honest.anomaly.confidence, 2.0).item()
        ),
    )

    verdict = replay(forged)

    assert not verdict.equal
    assert {each.field for each in verdict.differences} == {
        "score.rows[0].value",
        "anomaly.severity",
        "anomaly.confidence",
    }
    assert next(each for each in verdict.differences if each.field == "score.rows[0].value").recorded == 0.5


def test_numbers_are_compared_by_their_bits():
    """Zero and minus zero differ, NaN and itself do not."""
    nan = float("nan")

    assert list(differences("x", {"a": nan, "b": [1.0]}, {"a": nan, "b": [1.0]})) == []
    assert [each.field for each in differences("x", {"a": 0.0, "b": [1]}, {"a": -0.0, "b": [1, 2]})] == [
        "x.a",
        "x.b[1]",
    ]


def test_a_later_model_says_so(case, monkeypatch):
    """With another model version nothing is called equal: both names are told, and the state is not taken."""
    honest = recorded(case.anomaly, case.body)
    monkeypatch.setattr(core_spec, "MODEL_VERSION", core_spec.MODEL_VERSION + 1)

    verdict = replay(replace(honest, spec=FleetSpec(**_fields(honest.spec))))

    assert not verdict.equal
    found = {each.field: each for each in verdict.differences}
    assert found["model"].recorded == honest.score.model != found["model"].replayed
    assert "shape" in found["state"].replayed


def test_another_feature_set_says_so(case):
    """The profile decides about the features; a case of another one is not compared field by field."""
    honest = recorded(case.anomaly, case.body)

    verdict = replay(replace(honest, spec=replace(honest.spec, profile="lean")))

    assert {"feature_set", "model", "state"} <= {each.field for each in verdict.differences}


class TestAnotherPlatform:
    @pytest.fixture(autouse=True)
    def elsewhere(self, case, monkeypatch):
        self.honest = recorded(case.anomaly, case.body)
        monkeypatch.setattr(lineage, "numeric_platform", lambda: "sparc/numpy/VIS3")
        self.extract = catalog.extract
        self.monkeypatch = monkeypatch

    def move(self, factor: int) -> None:
        def moved(x, rate_hz, feature_set):
            features = self.extract(x, rate_hz, feature_set)
            for _ in range(factor):
                features = np.nextafter(features, np.float32(np.inf))
            return features

        self.monkeypatch.setattr(catalog, "extract", moved)

    def test_the_platform_is_the_only_difference(self):
        """Features agree within the stated units, the score follows exactly from those on record."""
        self.move(FEATURE_ULPS)

        verdict = replay(self.honest)

        assert not verdict.equal
        assert [each.field for each in verdict.differences] == ["numeric_platform"]
        assert "bit for bit the same" in verdict.notes[0]

    def test_features_that_are_far_off_are_named(self):
        """More than rounding is a difference."""
        self.move(10 * FEATURE_ULPS)

        fields = [each.field for each in replay(self.honest).differences]

        assert fields[0] == "numeric_platform"
        assert any(field.startswith("score.rows[0].features[") for field in fields)


def test_another_release_is_a_note(case, monkeypatch):
    """The same numbers from a later release are equal; the verdict says which release computed what."""
    monkeypatch.setattr(lineage, "code_version", lambda: "foreshock 99")

    verdict = again(case)

    assert verdict.equal
    assert verdict.notes == (f"recorded by {case.anomaly.lineage.code}, replayed by foreshock 99",)


def _fields(spec: FleetSpec) -> dict[str, object]:
    return {name: getattr(spec, name) for name in FleetSpec.__dataclass_fields__}
