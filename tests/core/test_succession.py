"""Changed settings: the old model scores on, the new one warms up in its shadow, and takes over when nothing stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest

from foreshock.alerts.vocabulary import WorkKind
from foreshock.contract import Asset, Limit, MeasuringPoint, Mode, Phase, ScoreState
from foreshock.core import succession
from foreshock.detectors.reference import Reference
from foreshock.errors import StateRejected
from foreshock.fleet import Fleet, FleetSpec, Recipe
from foreshock.outcome import Outcome
from foreshock.vocabulary import SHADOW
from tests.core.alerting import work
from tests.core.builders import STEP_NS, block, frame, machine

OLD = FleetSpec(warmup_blocks=12, budget=10.0)
NEW = replace(OLD, profile="lean")
AT = 20  # the settings change before this record


def run(
    last: int, *, spec: FleetSpec = NEW, first: int = 0, faults: Collection[int] = (), at: int = AT
) -> list[Outcome]:
    """Blocks of one pump, one a second; before the one at `at` its settings change from OLD to `spec`."""
    return list(runs(Fleet(OLD), last, spec=spec, first=first, faults=faults, at=at))


def runs(fleet: Fleet, last: int, *, spec: FleetSpec = NEW, first: int = 0, faults: Collection[int] = (), at: int = AT):
    """The same on a Fleet that the test looks at."""
    for i in range(first, last):
        if i == at:
            change(fleet, spec, i)
        yield from fleet.receive([block(i, fault=6.0 if i in faults else 0.0)])


def change(fleet: Fleet, spec: FleetSpec, offset: int, reference: Reference | None = None) -> Recipe:
    """Put other settings in force."""
    recipe = Recipe(spec, reference)
    fleet.know(recipe.key, recipe)
    fleet.change(recipe.key, 0, offset)
    return recipe


def bare(outcome: Outcome) -> Outcome:
    """An outcome without what it tells of the model in the shadow."""
    learning = outcome.score.learning.partition(SHADOW)[0]
    return replace(outcome, score=replace(outcome.score, learning=learning))


def models(outcomes: list[Outcome]) -> list[str]:
    """Which model scored, by the name that lineage gives it."""
    return [{OLD.model_name: "old", NEW.model_name: "new"}[each.score.model] for each in outcomes]


class TestShadow:
    def test_the_old_one_scores_to_the_bit_until_the_new_one_does(self) -> None:
        """No record warms up; up to the switch all is as without the change, from there on as with a Fleet that began at it."""
        outcomes = run(60)
        before = Fleet(OLD).receive([block(i) for i in range(60)])
        fresh = Fleet(NEW)
        after = [fresh.receive([block(i)])[0] for i in range(AT, 60)]
        switch = models(outcomes).index("new")

        assert [bare(each) for each in outcomes[:switch]] == before[:switch]
        assert outcomes[switch:] == after[switch - AT :]
        assert {each.score.rows[0].state for each in outcomes[12:]} == {ScoreState.SCORED}
        assert switch == AT + 13
        assert models(outcomes[switch:]) == ["new"] * (60 - switch)

    def test_each_score_says_how_far_the_new_one_is(self) -> None:
        """In words, beside what is said of learning; nothing before and nothing after."""
        told = [each.score.learning.partition(SHADOW)[2] for each in run(40)]

        assert told[AT - 1] == ""
        assert told[AT + 5] == "is warming up in the shadow, 50 %"
        assert told[-1] == ""

    def test_what_fits_goes_on_at_once(self) -> None:
        """Budget, warm-up, silence: the model is as warm as before, by the rule of the new budget."""
        outcomes = run(30, spec=replace(OLD, budget=0.1, warmup_blocks=30, silent_s=5.0))

        assert {each.score.rows[0].state for each in outcomes[12:]} == {ScoreState.SCORED}
        assert outcomes[AT].score.policy == replace(OLD, budget=0.1).policy_name
        assert outcomes[AT].score.model == OLD.model_name
        assert {SHADOW in each.score.learning for each in outcomes} == {False}
        value, strict = (each.score.rows[0].value for each in (run(30)[AT], outcomes[AT]))
        assert value is not None
        assert strict == pytest.approx(value * OLD.policy.margin / replace(OLD, budget=0.1).policy.margin, rel=1e-3)

    def test_frames_have_nothing_to_do_with_the_profile(self) -> None:
        """Their model goes on as it is, whatever becomes of the waveforms."""
        fleet, rng = Fleet(OLD), np.random.default_rng(2)
        for i in range(20):
            fleet.receive([frame(i, rng.normal(0, 1, (2, 2)), index=2 * i)])
        change(fleet, NEW, 20)
        (outcome,) = fleet.receive([frame(20, rng.normal(0, 1, (2, 2)), index=40)])

        assert {row.state for row in outcome.score.rows} == {ScoreState.SCORED}
        assert outcome.score.learning == "learning"

    def test_a_reference_concerns_its_class(self) -> None:
        """An asset of the class gets a new model in the shadow, all others go on."""
        fleet = Fleet(OLD)
        for name, kind in (("a", "pump"), ("b", "fan")):
            fleet.receive([Asset(asset=name, asset_class=kind)])
        for i in range(0, 40, 2):
            fleet.receive([block(i, asset="a", index=i // 2), block(i + 1, asset="b", index=i // 2)])
        change(fleet, OLD, 40, Reference("pump", 1, "none", (), (), (), "by hand"))
        of_a, of_b = fleet.receive([block(40, asset="a", index=20), block(41, asset="b", index=20)])

        assert SHADOW in of_a.score.learning
        assert SHADOW not in of_b.score.learning

    def test_who_comes_later_starts_by_the_new_ones(self) -> None:
        """A new asset and a new measuring point have no state to protect."""
        fleet = Fleet(OLD)
        list(runs(fleet, AT + 1))
        outcomes = fleet.receive([block(AT + 1, asset="other"), block(AT + 2, point="NDE")])

        assert models(outcomes) == ["new", "new"]
        assert {each.score.rows[0].state for each in outcomes} == {ScoreState.WARMING}

    def test_nothing_is_left_of_what_is_over(self) -> None:
        """Once the last point is over, the arrays of the old models are gone."""
        fleet = Fleet(OLD)
        fleet.begin(0, change(fleet, NEW, 0).key)
        fleet = Fleet(NEW)
        old = Recipe(OLD)
        fleet.know(old.key, old)
        fleet.begin(0, old.key)
        for i in range(50):
            if i == AT:
                fleet.change(fleet.recipe.key, 0, AT)
            fleet.receive([block(i)])

        assert {key for key, _ in fleet._admission.lanes} == {fleet.recipe.key}
        assert fleet.recipes(0) == {fleet.recipe.key}


class TestTwice:
    def test_a_change_that_is_taken_back_leaves_no_trace(self) -> None:
        """The old model never stopped; its scores are those without any change."""
        fleet = Fleet(OLD)
        outcomes = list(runs(fleet, AT + 6))
        change(fleet, OLD, AT + 6)
        outcomes += fleet.receive([block(i) for i in range(AT + 6, 50)])

        assert [bare(each) for each in outcomes] == Fleet(OLD).receive([block(i) for i in range(50)])
        assert not fleet._succession.busy

    def test_a_second_change_starts_the_shadow_anew_where_it_must(self) -> None:
        """A budget keeps what has warmed up; another horizon does not. The one that scores goes on in both."""
        for second, left in ((replace(NEW, budget=1.0), 7), (replace(NEW, horizon_s=100.0), 13)):
            fleet = Fleet(OLD)
            outcomes = list(runs(fleet, AT + 6))
            change(fleet, second, AT + 6)
            outcomes += fleet.receive([block(i) for i in range(AT + 6, 50)])
            scored = [each.score.model for each in outcomes]

            assert scored.index(second.model_name) == AT + 6 + left
            assert {each.score.rows[0].state for each in outcomes[12:]} == {ScoreState.SCORED}


class TestAlarm:
    def test_a_fault_is_not_learnt_as_normal(self) -> None:
        """While the old model is over the boundary the new one sees nothing, and it finds the same fault afterwards."""
        outcomes = run(140, faults=range(AT + 4, AT + 40))
        switch = models(outcomes).index("new")
        again = run(170, faults=range(150, 160))

        events = [(i, event.phase) for i, each in enumerate(outcomes) for event in each.anomalies]
        phases = [phase for _, phase in events]
        assert phases[0] is Phase.OPENED
        assert phases[-1] is Phase.CLOSED
        assert switch == events[-1][0] + 1, "it takes over with the end of the episode"
        assert [p for each in again[150:160] for p in (e.phase for e in each.anomalies)] == [Phase.OPENED]
        waits = outcomes[switch - 2].score.learning.partition(SHADOW)[2]
        assert waits == "waits in the shadow until no alarm stands"

    def test_after_a_day_the_old_episode_is_closed_with_the_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does not vanish: the event says that the settings changed, and the new model tells what it finds itself."""
        monkeypatch.setattr(succession, "PATIENCE_NS", 10 * STEP_NS)
        faults = [*range(AT + 2, AT + 6), *range(AT + 25, 90)]  # it clears, and comes again before the episode is over
        outcomes = run(90, faults=faults)
        switch = models(outcomes).index("new")
        closed = outcomes[switch - 1].anomalies[-1]
        opened = [event for each in outcomes[switch:] for event in each.anomalies]

        assert closed.phase is Phase.CLOSED
        assert "settings changed" in closed.decision.rule
        assert closed.episode_id == next(e for each in outcomes for e in each.anomalies).episode_id
        assert (opened[0].phase, opened[0].lineage.model) == (Phase.OPENED, NEW.model_name)

    def test_an_alarm_of_the_limits_goes_on(self) -> None:
        """Whoever scores: one episode, opened under the old settings and closed under the new."""
        point = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
        low, high = (
            Asset(asset="pump-1", points=(replace(point, limits=(Limit(feature="rms", above=above),)),))
            for above in (0.5, 5.0)
        )
        fleet, found = Fleet(OLD, assets=[low]), []
        for i in range(200):
            if i == AT:
                change(fleet, NEW, i)
            if i == 100:
                fleet.take_up(high, 0, i)
            found += fleet.receive([block(i)])
        events = [e for each in found for e in each.anomalies if e.mode is Mode.STATIC_LIMIT]

        assert {each.score.model for each in found if each.anomalies} >= {NEW.model_name}
        assert events[0].phase is Phase.OPENED
        assert len({event.episode_id for event in events}) == 1
        assert events[-1].phase is Phase.CLOSED


class TestState:
    def test_another_layout_starts_by_the_new_settings_alone(self) -> None:
        """The model that warms up in the shadow is of the old layout: both are given up."""
        fleet = Fleet(OLD)
        list(runs(fleet, AT + 5))
        outcomes = fleet.receive([block(i, samples=machine(i, count=512)) for i in range(AT + 5, AT + 25)])

        assert outcomes[-1].score.rows[0].state is not ScoreState.SCORED
        assert fleet.recipes(0) == {Recipe(NEW).key}
        assert not fleet._succession.busy
        assert sum(lane.bank.slots.used for lane in fleet._admission.lanes.values()) == 1

    def test_a_shadow_goes_on_with_the_state_or_is_refused_with_it(self) -> None:
        """Restored it takes over where it would have; one that does not fit makes the whole asset cold, not half of it."""
        fleet = Fleet(OLD)
        expected = list(runs(fleet, AT + 5))
        state = fleet.capture(0, "pump-1")
        expected = fleet.receive([block(i) for i in range(AT + 5, 50)])
        again = Fleet(NEW)
        again.know(Recipe(OLD).key, Recipe(OLD))
        again.restore(state)

        assert again.receive([block(i) for i in range(AT + 5, 50)]) == expected
        (point,) = state.tree["points"]
        heir = point["heir"]
        for wrong in (
            {**heir, "layout": {**heir["layout"], "samples": 512}},
            {**heir, "share": "much"},
            {**heir, "recipe": ["a"]},
            {**heir, "arrays": point["arrays"] | {"level": {}}},
            {"recipe": heir["recipe"]},
            "none",
        ):
            tree = {**state.tree, "points": [{**point, "heir": wrong}]}
            with pytest.raises(StateRejected, match="malformed"):
                again.restore(replace(state, tree=tree))
            (outcome,) = again.receive([block(60)])
            assert outcome.score.rows[0].reason == "warming up, 1 of 12 blocks"
            again.forget(0, "pump-1")
        assert not again._admission.lanes

    def test_a_repair_begins_by_the_new_settings_alone(self) -> None:
        """What was open under the old ones is closed with the repair as its reason, from the old model's last state."""
        old = replace(OLD, river="OneClassSVM")
        fleet = Fleet(old)
        outcomes = list(runs(fleet, AT + 8, faults=range(AT + 2, AT + 8)))
        fleet.take_up(work(0, WorkKind.REPAIR, AT + 8), 0, AT + 8)
        outcomes += fleet.receive([block(i) for i in range(AT + 8, AT + 22)])
        events = [(i, event) for i, each in enumerate(outcomes) for event in each.anomalies]

        assert events[0][1].phase is Phase.OPENED
        last, closed = events[-1]
        assert (last, closed.phase, closed.lineage.model) == (AT + 8, Phase.CLOSED, old.model_name)
        assert [each.event_id for each in outcomes[last].evidence] == [closed.event_id]
        assert outcomes[last].score.rows[0].state is ScoreState.WARMING
        assert (outcomes[-1].score.rows[0].state, outcomes[-1].score.model) == (ScoreState.SCORED, NEW.model_name)
        assert {key for key, _ in fleet._admission.lanes} == {Recipe(NEW).key}

    def test_a_recipe_comes_back_from_its_tree(self) -> None:
        """Settings and reference; one of which this release would make something else is refused, with both names."""
        recipe = Recipe(OLD, Reference("pump", 1, "none", (), (), (), "by hand"))
        tree = recipe.to_tree()
        again = Recipe.from_tree(tree)

        assert (again.key, again.spec) == (recipe.key, OLD)
        with pytest.raises(StateRejected, match="of another release") as caught:
            Recipe.from_tree({**tree, "shape": "0" * 16, "model": "novelty+half-space-trees-v1@0"})
        assert caught.value.code == "other_shape"
        for broken in ({}, {**tree, "spec": {"profile": "tiny"}}, {**tree, "spec": {**tree["spec"], "wings": 2}}):
            with pytest.raises(StateRejected) as caught:
                Recipe.from_tree(broken)
            assert caught.value.code == "malformed"

    def test_state_by_a_recipe_that_cannot_be_run_starts_cold_with_its_reason(self) -> None:
        """That is the limit: what an older release computed in another way cannot score any more."""
        old, new = Fleet(OLD), Fleet(NEW)
        old.receive([block(i) for i in range(15)])
        new.know(Recipe(OLD).key, "its model is of another release")
        with pytest.raises(StateRejected, match="of another release"):
            new.restore(old.capture(0, "pump-1"))
        (outcome,) = new.receive([block(15)])

        assert [each.detail for each in outcome.quality] == ["its model is of another release"]

    def test_the_shape_is_in_no_way_changed_by_what_models_do_not_hold(self) -> None:
        """Rule, warm-up and silence: the recipe is another one, the shape is not."""
        for other in ({"budget": 0.1}, {"hold_s": 5.0}, {"warmup_blocks": 30}, {"warmup_s": 9.0}, {"silent_s": 5.0}):
            changed = Recipe(replace(OLD, **other))
            assert changed.key != Recipe(OLD).key
            assert changed.shape(Asset(asset="a")) == Recipe(OLD).shape(Asset(asset="a"))
