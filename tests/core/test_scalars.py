"""Tags of registered machines through the Fleet: a vector each minute, the same in any batching and over a restart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import Asset, Context, MeasuringPoint, QualityKind, RunState, Tag, TelemetryFrame
from foreshock.core.scalars import Scalars
from foreshock.core.state import AssetState
from foreshock.features.conditions import Condition, Finding
from foreshock.features.scalar import fold
from foreshock.features.scalar.declared import SCALAR
from foreshock.fleet import Fleet, FleetSpec
from foreshock.records import to_tree
from foreshock.signals import Ended, SpeedSource
from tests.core.builders import START_NS, frame, origin

SPEC = FleetSpec(warmup_blocks=12)
PUMP = Asset(asset="pump-1", rated_speed_hz=25.0)
FAN = Asset(asset="fan-1")
TAGS = (
    Tag(name="speed", quantity="speed", unit="1/min", gain=1 / 60),
    Tag(name="oil", quantity="temperature", unit="Cel", shift=273.15),
    Tag(name="motor", quantity="current", unit="A"),
)


def process(offset, *, asset="pump-1", tags=TAGS, rows=10, columns=None, step_s=1.0, **fields):
    """Frame number `offset` of a machine that runs steadily; ten rows, one a second."""
    rng = np.random.default_rng([offset, len(asset)])
    noise = rng.normal(0, 1, (rows, len(tags)))
    level = {"speed": 1500.0, "oil": 60.0, "motor": 30.0}
    values = np.array([level.get(tag.name, 5.0) for tag in tags]) + noise if columns is None else columns
    begins_ns = fields.pop("begins_ns", START_NS + round(offset * rows * step_s * 1e9))
    times = begins_ns + np.round(np.arange(rows) * step_s * 1e9).astype(np.int64)
    return TelemetryFrame(
        origin=origin(offset, ingest_ns=int(times[-1]) + 50_000_000),
        asset=asset,
        point="process",
        tags=tags,
        times_ns=times,
        values=values,
        **fields,
    )


def plant(count=60):
    """Frames of two machines that take turns; a tag of one comes and goes, and there is one gap."""
    frames = []
    for k in range(count):
        asset = ("pump-1", "fan-1")[k % 2]
        begins_ns = START_NS + k * 10_500_000_000 + (k > 40) * 500_000_000_000
        each = process(k, asset=asset, rows=7, step_s=1.5, begins_ns=begins_ns)
        if k % 10 in {4, 5, 6}:
            each.values[2:, 1] = np.nan
        frames.append(each)
    return frames


def run(fleet, frames, cuts=()):
    """Vectors of some frames, cut into batches."""
    edges = [0, *sorted(cuts), len(frames)]
    outcomes = [o for a, b in zip(edges, edges[1:], strict=False) for o in fleet.receive(frames[a:b])]
    return [vector for outcome in outcomes for vector in outcome.vectors]


def values(vector):
    """Value, or the reason why there is none, by name."""
    pairs = zip(vector.values, vector.masks, strict=True)
    return dict(zip(vector.names, (word or value for value, word in pairs), strict=True))


PLANT = plant()


@pytest.fixture(scope="module")
def expected():
    """Vectors of the plant, frame by frame."""
    return run(Fleet(SPEC, assets=[PUMP, FAN]), PLANT, range(1, len(PLANT)))


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, len(PLANT) - 1)))
def test_vectors_are_the_same_in_any_batching(expected, cuts):
    """Ids, values and masks, of both machines."""
    assert run(Fleet(SPEC, assets=[PUMP, FAN]), PLANT, cuts) == expected
    assert {vector.ended for vector in expected} == {Ended.COMPLETE, Ended.GAP}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, len(PLANT) - 1), st.integers(0, 1))
def test_a_restart_changes_no_vector(expected, place, other):
    """State of both machines to bytes and into another Fleet, anywhere between two frames."""
    first, second = Fleet(SPEC, assets=[PUMP, FAN]), Fleet(SPEC)
    before = run(first, PLANT[:place])
    for name in ("pump-1", "fan-1")[: min(2, place)]:
        second.restore(AssetState.from_bytes(first.capture(0, name).to_bytes()))
    if place < 2:
        second.receive([FAN])
    after = run(second, PLANT[place:], [other] if other else ())

    assert before + after == expected
    assert second.capture(0, "pump-1").digest() == first_digest()


def first_digest():
    """Digest of a machine that never stopped."""
    fleet = Fleet(SPEC, assets=[PUMP, FAN])
    run(fleet, PLANT)
    return fleet.capture(0, "pump-1").digest()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 10_000))
def test_values_do_not_depend_on_how_rows_are_framed(sizes, seed):
    """The same rows in frames of any size: the same state, bit for bit."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    at_ns = START_NS + np.cumsum(rng.integers(1, 40, n)) * 1_000_000_000
    x = np.where(rng.random((n, 3)) < 0.2, np.nan, rng.normal(0, 1, (n, 3)))
    rows = fold.Rows(
        np.zeros(n, np.int64),
        at_ns,
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        x,
        rng.integers(1, 3, n),
        rng.normal(25, 5, n),
        rng.random(n),
        np.ones(n, np.uint8),
    )
    states, place = [], origin(0)
    for edges in ([0, n], [0, *np.cumsum(sizes).tolist()]):
        scalars, made = Scalars(("a", "b", "c")), []
        for a, b in zip(edges, edges[1:], strict=False):
            part = fold.Rows(*(np.ascontiguousarray(column[a:b]) for column in rows))
            made += [each.described for each in scalars.take(part, place, 60_000_000_000)]
        states.append((scalars, made))

    (one, its), (many, others) = states
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one.state, many.state, strict=True))
    assert len(its) == len(others)
    assert all(np.array_equal(a, b) for x, y in zip(its, others, strict=True) for a, b in zip(x, y, strict=True))


def test_a_vector_says_what_it_is_of():
    """Coordinates, units in SI, speed and run state, and an id that is a function of them."""
    frames = [process(k) for k in range(14)]
    first, second = run(Fleet(SPEC, assets=[PUMP]), frames)
    found, units = values(second), dict(zip(second.names, second.units, strict=True))

    assert (second.asset, second.point, second.channels) == ("pump-1", "process", ("speed", "oil", "motor"))
    assert second.feature_set == SCALAR.id
    assert (second.until_ns - first.until_ns) == 60_000_000_000
    assert second.until_ns - second.from_ns == 59_000_000_000
    assert (second.samples, second.ended, second.run_state) == (60, Ended.COMPLETE, RunState.RUNNING)
    assert (second.speed_source, second.load, second.regime) == (SpeedSource.TACHOMETER, None, "")
    assert second.speed_hz == pytest.approx(25.0, abs=0.02)
    assert second.first_offset <= second.origin.offset < 14
    assert first.origin.offset <= second.first_offset
    assert first.vector_id != second.vector_id
    assert found["window_mean[oil]"] == pytest.approx(333.15, abs=0.5)
    assert (units["value[oil]"], units["rate[oil]"], units["value[speed]"], units["slope_8h[motor]"]) == (
        "K",
        "K/s",
        "Hz",
        "A/s",
    )


def test_machines_of_a_plant_take_turns():
    """The vectors of twenty machines do not all come with one row; a machine keeps its second of the minute."""
    names = [f"pump-{i}" for i in range(20)]
    fleet = Fleet(SPEC, assets=[Asset(asset=name) for name in names])
    frames = [process(i, asset=name, rows=300, begins_ns=START_NS) for i, name in enumerate(names)]
    seconds = {v.asset: set() for v in run(fleet, frames)}
    for vector in run(Fleet(SPEC, assets=[Asset(asset=name) for name in names]), frames):
        seconds[vector.asset].add(vector.until_ns // 10**9 % 60)

    assert all(len(each) == 1 for each in seconds.values())
    assert len(set.union(*seconds.values())) >= 10


def test_a_point_may_ask_for_some_features_alone():
    """Names without their tags: what is not wanted is not in the vector."""
    known = MeasuringPoint(point="process", quantity="", unit="", features=("mean", "slope_8h", "correlation", "speed"))
    asset = replace(PUMP, points=(known,))
    vector = run(Fleet(SPEC, assets=[asset]), [process(k) for k in range(10)])[0]
    whole = run(Fleet(SPEC, assets=[PUMP]), [process(k) for k in range(10)])[0]

    assert vector.names == (
        *("mean[speed]", "slope_8h[speed]", "mean[oil]", "slope_8h[oil]", "mean[motor]", "slope_8h[motor]"),
        *("correlation[speed,oil]", "correlation[speed,motor]", "correlation[oil,motor]"),
        "speed",
    )
    assert {name: values(whole)[name] for name in vector.names} == values(vector)
    assert vector.units[:2] == ("Hz", "Hz/s")


def test_an_asset_that_nobody_registered_has_none_and_pays_nothing():
    """No vector and no state; from the record on with which it is registered it has both."""
    fleet = Fleet(SPEC)
    assert run(fleet, [process(k) for k in range(20)]) == []
    assert "scalars" not in fleet.capture(0, "pump-1").tree["points"][0]

    fleet.receive([PUMP])
    assert len(run(fleet, [process(k) for k in range(20, 40)])) == 3
    assert "scalars" in fleet.capture(0, "pump-1").tree["points"][0]


def test_without_features_there_are_none():
    """`[features] enabled = false`."""
    fleet = Fleet(replace(SPEC, features=False), assets=[PUMP])

    assert run(fleet, [process(k) for k in range(20)]) == []


def test_scores_are_what_they_are_without_the_set():
    """Nothing of it reaches the detection."""
    frames = [process(k) for k in range(30)]
    registered, not_so = Fleet(SPEC, assets=[PUMP]), Fleet(replace(SPEC, features=False), assets=[PUMP])

    assert [o.score for o in registered.receive(frames)] == [o.score for o in not_so.receive(frames)]


def test_a_machine_that_stops_is_seen_by_its_current():
    """No speed is sent: the motor draws nothing, so slopes and relations wait, and the vector says it."""
    tags = TAGS[1:]
    frames = [process(k, tags=tags) for k in range(40)]
    for k in range(20, 40):
        frames[k].values[:, 1] = 0.02
    vectors = run(Fleet(SPEC, assets=[PUMP]), frames)

    assert {each.run_state for each in vectors[:3]} == {RunState.RUNNING}
    assert vectors[-1].run_state is RunState.STOPPED
    assert values(vectors[-1])["slope_10min[oil]"] == "not_running"
    assert values(vectors[-1])["value[oil]"] == pytest.approx(333.15, abs=5)


def test_what_records_state_of_speed_and_load_comes_first():
    """Context of the frames: the speed source and the load in the vector, and the name that the plant gives the regime."""
    context = Context(speed_hz=24.0, load=0.7, regime="grade A")
    vectors = run(Fleet(SPEC, assets=[PUMP]), [process(k, tags=TAGS[1:], context=context) for k in range(60)])

    assert (vectors[-1].speed_hz, vectors[-1].speed_source) == (24.0, SpeedSource.CONTEXT)
    assert vectors[-1].load == values(vectors[-1])["load"] == pytest.approx(0.7)
    assert vectors[-1].regime == "grade A"


def test_power_is_load_where_the_rated_one_is_known():
    """Nobody states the load: 7.5 kW of 15 kW."""
    tags = (Tag(name="drive", quantity="power", unit="kW", gain=1e3), TAGS[1])
    frames = [process(k, tags=tags) for k in range(20)]
    for each in frames:
        each.values[:, 0] = 7.5
    known = run(Fleet(SPEC, assets=[replace(PUMP, rated_power_w=15e3)]), frames)[-1]
    unknown = run(Fleet(SPEC, assets=[PUMP]), frames)[-1]

    assert known.load == values(known)["load"] == pytest.approx(0.5)
    assert unknown.load is None
    assert values(unknown)["load"] == "channel_absent"


@pytest.mark.parametrize("tags", [1, 3, 32, 200])
def test_a_tag_has_at_most_44_kilobytes_of_state(tags):
    """Model and features together, however many tags a frame has."""
    names = tuple(Tag(name=f"t{i}", quantity="temperature", unit="K") for i in range(tags))
    fleet = Fleet(SPEC, assets=[PUMP])
    fleet.receive([process(0, tags=names)])
    (point,) = fleet._admission.partitions[0].owners["pump-1"].points.values()

    assert point.scalars.nbytes == sum(array.nbytes for array in point.scalars.state)
    assert point.model.lane.slot_bytes + point.scalars.nbytes <= 44 * 1024 * tags


def test_operating_conditions_have_names_where_the_plant_gives_none():
    """Half speed after half an hour."""
    frames = [process(k) for k in range(400)]
    for each in frames[200:]:
        each.values[:, 0] /= 2
    vectors = run(Fleet(SPEC, assets=[PUMP]), frames)

    assert {each.regime for each in vectors[5:30]} == {"c1"}
    assert {each.regime for each in vectors[-20:]} == {"c2"}


def test_a_tag_whose_sensor_is_frozen_is_neither_told_nor_learnt():
    """While the condition stands its features are masked for it, those of the other tags are not."""
    fleet = Fleet(replace(SPEC, features_every_s=10.0), assets=[PUMP])
    run(fleet, [process(k) for k in range(13)])
    state = fleet.capture(0, "pump-1")
    frozen = Condition(Finding(QualityKind.FROZEN, "oil", 1.0, 0.5, "the same value for an hour"), 0)
    point = state.tree["points"][0]
    quality = {**point["quality"], "standing": to_tree((frozen,))}
    fleet.restore(replace(state, tree={**state.tree, "points": [{**point, "quality": quality}]}))
    found = values(run(fleet, [process(k) for k in range(13, 16)])[0])

    assert found["value[oil]"] == found["window_mean[oil]"] == "quality"
    assert found["value[speed]"] == pytest.approx(25.0, abs=0.1)
    assert fleet.capture(0, "pump-1").tree["points"][0]["scalars"]["arrays"]["seen"].tolist() == [160, 140, 160]


def test_tags_keep_what_is_known_when_the_frames_change():
    """A gateway that sends one more tag from some day on: the model starts anew, the tags go on."""
    more = (Tag(name="flow", quantity="flow", unit="m3/h", gain=1 / 3600), *reversed(TAGS))
    frames = [process(k) for k in range(60)] + [process(k, tags=more) for k in range(60, 160)]
    vectors = run(Fleet(SPEC, assets=[PUMP]), frames)
    last = values(vectors[-1])
    same = values(run(Fleet(SPEC, assets=[PUMP]), [process(k) for k in range(160)])[-1])

    assert vectors[-1].channels == ("flow", "motor", "oil", "speed")
    assert np.isfinite(last["slope_10min[oil]"])
    assert last["correlation[motor,oil]"] == "too_few_rows"  # of 30 minutes
    assert same["rows[oil]"] == last["rows[oil]"]


def test_pairs_keep_their_sides_when_tags_change_places():
    """Means and variances of a pair belong to its tags, wherever they stand."""
    old = Scalars(("a", "b", "c"))
    old.state.pair[0, 0] = (40, 1, 2, 3, 4, 5)  # a, b
    old.state.pair[0, 2] = (41, 6, 7, 8, 9, 10)  # b, c
    new = old.of(("c", "x", "b", "a"))

    assert new.state.pair[0, 3 + 2].tolist() == [40, 2, 1, 4, 3, 5]  # b, a
    assert new.state.pair[0, 1].tolist() == [41, 7, 6, 9, 8, 10]  # c, b
    assert old.of(("a", "b", "c")) is old


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: {**tree, "tags": ["a"]},
        lambda tree: {**tree, "arrays": {k: v for k, v in tree["arrays"].items() if k != "hour"}},
        lambda tree: {**tree, "arrays": {**tree["arrays"], "seen": -1 - tree["arrays"]["seen"]}},
        lambda tree: {**tree, "arrays": {**tree["arrays"], "regime": np.array([99, -1, 0, 0])}},
        lambda tree: {**tree, "arrays": {**tree["arrays"], "last": np.array([0, 0, 7])}},
        lambda tree: {**tree, "arrays": {**tree["arrays"], "value": tree["arrays"]["value"].astype(np.float32)}},
        lambda tree: {**tree, "arrays": {**tree["arrays"], "open_hour": tree["arrays"]["open_hour"] - 9}},
    ],
    ids=[
        "other tags",
        "no hours",
        "negative count",
        "no such regime",
        "no such run state",
        "other type",
        "negative hour",
    ],
)
def test_a_tree_that_does_not_fit_is_refused(change):
    """A counter that a kernel could run out of its arrays with, above all."""
    tree = Scalars(("a", "b")).to_tree()
    found = Scalars.from_tree(tree)
    assert found is not None
    assert found.to_tree().keys() == tree.keys()
    assert Scalars.from_tree({**tree, "set": "scalar-v0@0"}) is None

    with pytest.raises((ValueError, KeyError)):
        Scalars.from_tree(change(tree))


def test_frames_of_the_former_kind_still_have_their_scores():
    """Rows of one tag: a registered machine's frames of one row each."""
    fleet = Fleet(SPEC, assets=[PUMP])
    vectors = run(fleet, [frame(k, np.array([[20.0 + k % 3]])) for k in range(130)])

    assert len(vectors) == 2
    assert values(vectors[-1])["explained[t0]"] == "too_few_rows"
    assert isinstance(vectors[-1].first_offset, int)
