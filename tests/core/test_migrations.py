"""State that an older release wrote: gone on with where a step is registered, refused by name where none is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from foreshock.contract import ScoreState
from foreshock.core import migrations, spec
from foreshock.core.migrations import Migration, path
from foreshock.core.spec import computation
from foreshock.errors import StateRejected
from foreshock.fleet import AssetState, Fleet, Recipe
from tests.core.builders import block
from tests.core.make_golden_states import FOLDER, KEYS
from tests.crash.plant import SPEC

GOLDEN = sorted(Path(FOLDER).glob("state.1.failing.sealed"))
FORMER = "largest_healthy"  # what the imagined older release called the field `largest`


@pytest.fixture
def golden() -> AssetState:
    """A golden snapshot as that release would have written it: a field has another name, and its recipe is named."""
    (file,) = GOLDEN
    state = AssetState.unseal(file.read_bytes(), KEYS)
    points = [_renamed({**point, "recipe": Recipe(SPEC).key}, "largest", FORMER) for point in state.tree["points"]]
    return dataclasses.replace(state, tree={**state.tree, "points": points})


def _renamed(tree: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    model = {new if name == old else name: array for name, array in tree["arrays"]["model"].items()}
    return {**tree, "arrays": {**tree["arrays"], "model": model}}


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The recipe as the older release put it on record; from here on this is a newer one."""
    tree = Recipe(SPEC).to_tree()
    monkeypatch.setattr(spec, "MODEL_VERSION", spec.MODEL_VERSION + 1)
    return tree


def fresh() -> Fleet:
    """A Fleet of the newer release; its settings work out their names anew."""
    return Fleet(dataclasses.replace(SPEC))


def test_without_a_step_it_starts_cold_by_name(golden: AssetState, older: dict[str, Any]) -> None:
    """Both models are named: the one that made the state and the one that cannot go on with it."""
    with pytest.raises(StateRejected, match=r"half-space-trees-v2@.*of another release.*half-space-trees-v3@"):
        Recipe.from_tree(older)
    with pytest.raises(StateRejected, match="shape"):
        fresh().restore(golden)


def test_a_registered_step_goes_on_with_it(
    golden: AssetState, older: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is warm; its next state is one of this release, which needs no step any more."""
    step = Migration(computation(), lambda tree: _renamed(tree, FORMER, "largest"))
    monkeypatch.setitem(migrations.MIGRATIONS, older["computation"], step)
    recipe, fleet = Recipe.from_tree(older), fresh()
    fleet.know(older["key"], recipe)
    fleet.restore(golden)
    (outcome,) = fleet.receive([block(golden.offset, asset="failing", index=100)])
    state = fleet.capture(0, "failing")
    fleet.restore(state)

    assert outcome.score.rows[0].state is ScoreState.SCORED
    assert outcome.score.model == dataclasses.replace(SPEC).model_name != older["model"]
    assert {point["recipe"] for point in state.tree["points"]} == {fleet.recipe.key} != {older["key"]}


def test_steps_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """From release to release; a gap or a circle leads nowhere."""
    order: list[str] = []
    for start, end in (("a", "b"), ("b", "c"), ("x", "y"), ("y", "x")):
        step = Migration(end, lambda tree, name=start: order.append(name) or tree)  # type: ignore[misc,func-returns-value]
        monkeypatch.setitem(migrations.MIGRATIONS, start, step)
    for move in path("a", "c") or ():
        move({})

    assert order == ["a", "b"]
    assert path("c", "c") == ()
    assert path("a", "d") is None
    assert path("x", "c") is None
