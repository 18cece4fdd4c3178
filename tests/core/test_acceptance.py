"""A false verdict that was accepted lets its state into the baseline, and gives it back when it is revised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from foreshock.alerts import feedback
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change, CommandKind, Verdict, WorkKind
from foreshock.contract import Asset, Limit, MeasuringPoint, Phase
from foreshock.fleet import Fleet, FleetSpec, Recipe
from foreshock.outcome import Outcome
from tests.core.alerting import at, control, feed, told, work
from tests.core.builders import frame

SPEC = FleetSpec(warmup_blocks=24, budget=10.0)
NEW = 1.5  # what the machine is like from `MOVED` on
MOVED, LABELLED = 40, 60


class Plant:
    """A pump that runs on a new level from `MOVED` on, and people who label its alert."""

    def __init__(self, spec: FleetSpec = SPEC, level: float = NEW) -> None:
        self.fleet = Fleet(spec)
        self.next = 0
        self.asked = 0
        self.run(MOVED)
        self.run(LABELLED, level)

    def run(self, end: int, fault: float = 0.0, **fields: Any) -> list[Outcome]:
        """Blocks up to before `end`."""
        outcomes = feed(self.fleet, self.next, end, fault=fault, **fields)
        self.next = end
        return outcomes

    def ask(self, **fields: Any) -> AlertTransition:
        """Give a command about a label; its answer."""
        given = control(self.asked, CommandKind.LABEL, self.next, **fields)
        self.asked += 1
        return self.fleet.take_up(given, 0, self.next)[0]

    def label(self, verdict: Verdict = Verdict.FALSE, **fields: Any) -> AlertTransition:
        """Propose a label and have it accepted; the answer to that."""
        name = fields.get("label_id") or f"c{self.asked}"
        self.ask(verdict=verdict, **{"from_ns": at(MOVED + 2), "until_ns": at(self.next - 1), **fields})
        return self.ask(label_id=name, accept=True, actor="Grace")

    def change(self, spec: FleetSpec) -> None:
        """Put other settings in force."""
        recipe = Recipe(spec)
        self.fleet.know(recipe.key, recipe)
        self.fleet.change(recipe.key, 0, self.next)

    @property
    def point(self) -> Any:
        """What the Fleet has of the measuring point."""
        return self.fleet._admission.partitions[0].owners["pump-1"].points["DE"]


def scores(outcomes: list[Outcome]) -> list[float]:
    """Values of the newest rows."""
    return [value for each in outcomes if (value := each.score.rows[-1].value) is not None]


class TestAccepted:
    def test_the_state_becomes_part_of_the_baseline(self) -> None:
        """In the shadow until half of a warm-up has seen it; then its episode ends with the reason, and so does the alert."""
        plant = Plant()
        answer = plant.label()
        before = plant.run(LABELLED + 11, NEW)
        after = plant.run(LABELLED + 120, NEW)
        events = [event for outcome in (*before, *after) for event in outcome.anomalies]

        assert "DE takes in its present state, up to a score of" in answer.effect
        assert "; the new model takes in what label c0 accepted, " in before[5].score.learning
        assert min(scores(before)) > 1.0
        assert max(scores(after[2:])) < 1.0
        assert [e.decision.rule for e in events if e.phase is Phase.CLOSED] == [
            "label c0 accepted this state as normal: it is part of the baseline from here on"
        ]
        assert Change.RETURNED_TO_NORMAL in {each.change for each in told(after)}

    def test_what_was_normal_before_still_is(self) -> None:
        """The baseline holds both states, and neither hides a fault that is larger."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)

        assert max(scores(plant.run(LABELLED + 70))) < 1.0
        assert min(scores(plant.run(LABELLED + 80, 9.0))[4:]) > 1.0

    def test_nothing_happens_before_somebody_else_has_accepted_it(self) -> None:
        """A proposal, and one that its own author accepts, leave the baseline as it is."""
        plant = Plant()
        plant.ask(verdict=Verdict.FALSE, from_ns=at(MOVED), until_ns=at(LABELLED - 1))
        plant.ask(label_id="c0", accept=True, actor="Ada")

        assert plant.point.heir is None

    def test_what_grows_on_is_not_learnt(self) -> None:
        """A fault that goes on growing is above what was accepted: nothing of it gets in, the old model judges on."""
        plant = Plant()
        plant.label()
        outcomes = plant.run(LABELLED + 60, 9.0)

        assert plant.point.heir.share == 0.0
        assert min(scores(outcomes)) > 1.0
        assert outcomes[-1].score.rows[0].alarm

    def test_nothing_is_learnt_near_what_was_a_fault_once(self) -> None:
        """A score close to one that was labelled true is never accepted as normal."""
        plant = Plant()
        opened = plant.fleet._admission.partitions[0].owners["pump-1"].alerts.alarm.incident
        assert opened is not None
        plant.label(Verdict.TRUE, alert_id=opened.alert_id, until_ns=at(LABELLED - 10))
        plant.label(from_ns=at(LABELLED - 9))
        plant.run(LABELLED + 30, NEW)

        assert plant.point.heir is not None
        assert plant.point.heir.ceiling <= opened.initial_score

    def test_a_state_that_is_over_changes_no_baseline(self) -> None:
        """A label of an alert that has ended moves the margin alone."""
        plant = Plant()
        plant.run(LABELLED + 400)
        answer = plant.label(until_ns=at(LABELLED - 1))

        assert "takes in" not in answer.effect
        assert plant.point.heir is None

    def test_never_while_a_static_limit_is_exceeded(self) -> None:
        """Neither begun nor gone on with."""
        point = MeasuringPoint(
            point="DE", quantity="acceleration", unit="m/s2", limits=(Limit(feature="rms", above=0.1),)
        )
        plant = Plant()
        plant.fleet.receive([Asset(asset="pump-1", points=(point,))])
        plant.run(LABELLED + 3, NEW)
        assert "the baseline of DE stays: a static limit is exceeded" in plant.label().effect

        other = Plant()
        other.label()
        other.fleet.receive([Asset(asset="pump-1", points=(point,))])
        other.run(LABELLED + 60, NEW)
        assert other.point.heir.share == 0.0

    def test_a_hold_on_learning_holds_it_too(self) -> None:
        """Freeze, and nothing is taken in until it is let go."""
        plant = Plant()
        plant.label()
        plant.fleet.take_up(control(50, CommandKind.FREEZE, LABELLED), 0, LABELLED)
        plant.run(LABELLED + 30, NEW)

        assert plant.point.heir.share == 0.0

    def test_rows_of_tags_as_well(self) -> None:
        """Telemetry points have baselines too."""
        fleet, rng = Fleet(SPEC), np.random.default_rng(3)
        rows = lambda i, hot: frame(i, rng.normal(300, 1, (4, 2)) + hot, index=4 * i)
        fleet.receive([rows(i, 0.0) for i in range(30)])
        fleet.receive([rows(i, 8.0) for i in range(30, 50)])
        fleet.take_up(
            control(0, CommandKind.LABEL, 200, verdict=Verdict.FALSE, from_ns=at(140), until_ns=at(199)), 0, 50
        )
        (answer,) = fleet.take_up(control(1, CommandKind.LABEL, 200, label_id="c0", accept=True, actor="Grace"), 0, 50)
        warm = fleet.receive([rows(i, 8.0) for i in range(50, 80)])

        assert "process takes in its present state" in answer.effect
        assert max(scores(warm[15:])) < 1.0
        assert max(scores(fleet.receive([rows(i, 0.0) for i in range(80, 90)]))) < 1.0


class TestRevised:
    def test_it_ends_in_the_shadow(self) -> None:
        """Revised before the shadow was ready, nothing is left of it."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 5, NEW)
        answer = plant.label(Verdict.NEUTRAL, label_id="c0", until_ns=at(LABELLED - 1))

        assert "DE does not take in what label c0 accepted" in answer.effect
        assert plant.point.heir is None
        assert min(scores(plant.run(LABELLED + 40, NEW))) > 1.0

    def test_the_baseline_before_comes_back(self) -> None:
        """And the state that was accepted is alarmed again."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)
        answer = plant.label(Verdict.TRUE, label_id="c0", until_ns=at(LABELLED - 1))
        outcomes = plant.run(LABELLED + 60, NEW)

        assert "the baseline of DE is again that before label c0" in answer.effect
        assert min(scores(outcomes)) > 1.0
        assert Phase.OPENED in {event.phase for outcome in outcomes for event in outcome.anomalies}
        assert plant.point.former is None

    def test_a_fault_of_the_time_in_which_it_was_learnt_takes_it_back(self) -> None:
        """Another label, of a later time, says that it was a fault after all."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)
        answer = plant.label(Verdict.TRUE, from_ns=at(LABELLED), until_ns=at(LABELLED + 39))

        assert "the baseline of DE is again that before label c0" in answer.effect

    def test_a_label_that_is_too_old_to_be_kept_revises_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of an asset with many labels the oldest are forgotten: what was normal by one of them is normal still."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)
        monkeypatch.setattr(feedback, "KEPT", 1)
        answer = plant.label(Verdict.NEUTRAL, from_ns=at(LABELLED + 20), until_ns=at(LABELLED + 39))

        assert "the baseline of DE" not in answer.effect
        assert plant.point.former is not None
        assert max(scores(plant.run(LABELLED + 60, NEW))) < 1.0

    def test_a_repair_ends_all_of_it(self) -> None:
        """It is another machine: there is nothing to go back to."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)
        plant.fleet.take_up(work(0, WorkKind.REPAIR, plant.next), 0, plant.next)
        plant.run(plant.next + 1)

        assert plant.point.former is None
        assert plant.point.heir is None


class TestOtherSettings:
    @pytest.mark.parametrize(("profile", "level"), [("full", NEW), ("lean", 6.0)])
    def test_a_budget_that_changes_leaves_it_as_it_is(self, profile: str, level: float) -> None:
        """What is in the shadow and what is behind go on by the new rule, and can still be taken back."""
        spec = replace(SPEC, profile=profile)
        plant = Plant(spec, level)
        plant.label()
        plant.run(LABELLED + 5, level)
        plant.change(replace(spec, budget=1.0))
        plant.run(LABELLED + 40, level)
        assert plant.point.heir is None
        assert plant.point.former.labels == ("c0",)
        plant.change(replace(spec, budget=0.1))
        plant.label(Verdict.NEUTRAL, label_id="c0", until_ns=at(LABELLED - 1))

        assert plant.point.former is None
        assert plant.point.model.recipe.spec.budget == 0.1
        assert min(scores(plant.run(LABELLED + 60, level))) > 0.9

    def test_a_model_of_another_kind_begins_without_it(self) -> None:
        """Nobody can go back to settings that are gone; the restored state has neither."""
        plant = Plant()
        plant.label()
        plant.run(LABELLED + 40, NEW)
        plant.change(replace(SPEC, profile="lean"))
        state = plant.fleet.capture(0, "pump-1")

        assert plant.point.former is None
        assert plant.point.heir.label == ""
        other = Fleet(replace(SPEC, profile="lean"))
        other.know(Recipe(SPEC).key, Recipe(SPEC))
        other.restore(state)
        assert other.capture(0, "pump-1").digest() == state.digest()
