"""The plant: the same bytes for the same seed, in any order; histories, faults and truth as they are meant."""

import dataclasses
import time

import numpy as np
import pytest

from foreshock.contract import Acquisition
from foreshock.features.run_state import SPEED_CHANGE
from foreshock.simulate import Fault, Kind, Plant, machines
from foreshock.simulate.operation import WANDER, Stage


def plant(seed=7, faults=(), horizon_s=300.0, count=12):
    """A plant of the catalogue."""
    return Plant(seed, machines(seed, count), faults=faults, horizon_s=horizon_s, epoch_ns=10**18)


def test_same_seed_gives_same_bytes_in_any_order():
    """A block is a function of seed, asset and number: made alone or in a row, its samples and context are the same."""
    first, second = plant(), plant()
    in_order = {(b.asset, b.sequence): b for b in first.blocks(0.0, 20.0)}
    places = second.schedule(0.0, 20.0)[::-1]

    for _, asset, number in places:
        again = second.block(asset, number)
        known = in_order[again.asset, number]
        assert again.samples.tobytes() == known.samples.tobytes()
        assert (again.source_ns, again.context) == (known.source_ns, known.context)


def test_another_seed_is_another_plant():
    """Machines, their histories and their noise all differ."""
    a, b = plant(1), plant(2)

    assert a.machines[0].noise != b.machines[0].noise
    assert a.operations[0].segments != b.operations[0].segments
    assert a.block(0, 3).samples.tobytes() != b.block(0, 3).samples.tobytes()


def test_a_fault_elsewhere_changes_nothing():
    """A fault of one machine leaves the bytes of the others, and its own before it begins."""
    sound = plant()
    worn = plant(faults=[Fault(asset="pump-01", kind=Kind.OUTER_RACE, start_s=10.0, strength_db=-11.0, slip=0.01)])
    blocks = list(zip(sound.blocks(0.0, 40.0), worn.blocks(0.0, 40.0), strict=True))

    changed = {a.asset for a, b in blocks if a.samples.tobytes() != b.samples.tobytes()}
    early = [(a, b) for a, b in blocks if a.source_ns < 10**18 + 10 * 10**9]
    assert changed == {"pump-01"}
    assert all(a.samples.tobytes() == b.samples.tobytes() for a, b in early)


def test_machines_stand_still_for_about_a_third_of_the_time():
    """Starting, coasting, idling and standing take 30 % of a plant's time."""
    found = plant(horizon_s=3000.0)
    share = np.mean([operation.running_s(0.0, 3000.0) / 3000.0 for operation in found.operations])

    assert 0.65 < share < 0.78
    stages = {segment.stage for operation in found.operations for segment in operation.segments}
    assert stages == set(Stage)


def test_speed_wanders_by_five_percent_about_its_set_points():
    """At a set-point the speed stays within 5 %, uses most of that, and is no change of speed from block to block."""
    found = plant(horizon_s=3000.0)
    machine, operation = found.machines[0], found.operations[0]
    ratios = []
    for segment in operation.segments:
        if segment.stage is Stage.RUNNING:
            times = segment.start_s + np.arange(0.0, segment.length_s, 0.5)
            speeds = np.array([operation.at(t).speed_hz for t in times if t >= 0])
            if len(speeds) > 1:
                ratios.extend(speeds / (segment.before * machine.rated_speed_hz) - 1.0)
                assert np.abs(np.diff(speeds)).max() < SPEED_CHANGE / 2 * machine.rated_speed_hz
    assert 0.04 < np.abs(ratios).max() <= WANDER


def test_every_set_point_is_visited():
    """Within ten minutes each machine has run at each of its set-points for a while."""
    found = plant(horizon_s=600.0)
    for machine, operation in zip(found.machines, found.operations, strict=True):
        time_at = {
            point: sum(
                segment.length_s
                for segment in operation.segments
                if segment.stage is Stage.RUNNING and (segment.before, segment.load) == (point.speed, point.load)
            )
            for point in machine.set_points
        }
        assert min(time_at.values()) > 50.0, machine.asset


def test_one_asset_takes_snapshots():
    """The last asset has a wireless sensor: rare blocks, no tachometer."""
    found = plant()
    kinds = [machine.acquisition for machine in found.machines]

    assert kinds.count(Acquisition.SNAPSHOT) == 1
    block = found.block(11, 0)
    assert block.acquisition is Acquisition.SNAPSHOT
    assert block.context.speed_hz is None
    assert block.interval_s == 4.0


def test_standing_machine_shows_sensor_noise_only():
    """At standstill the level is far below that of running."""
    found = plant()
    running, standing = [], []
    for number in range(found.number_at(0, 300.0)):
        stage = found.operations[0].at(found.time_of(0, number)).stage
        rms = float(found.block(0, number).samples.std())
        if stage is Stage.RUNNING:
            running.append(rms)
        elif stage is Stage.STANDING:
            standing.append(rms)
    assert max(standing) < 0.05 * min(running)


@pytest.mark.parametrize(
    ("kind", "amount", "shows"),
    [
        (Kind.FROZEN, 0.3, lambda now, then: np.ptp(now.samples) == 0.0),
        (Kind.CLIPPED, 1.5, lambda now, then: (now.samples == now.samples.max()).sum() > 6),
        (Kind.SPIKE, 20.0, lambda now, then: np.abs(now.samples).max() > 10 * np.abs(now.samples).mean()),
        (Kind.WRONG_RATE, 0.5, lambda now, then: now.sampling_rate_hz == then.sampling_rate_hz / 2),
        (Kind.CLOCK, 3600.0, lambda now, then: now.source_ns - then.source_ns == 3600 * 10**9),
    ],
)
def test_sensor_faults_show_as_they_are_named(kind, amount, shows):
    """Each fault of a sensor changes what it says and nothing else."""
    sound = plant()
    number = next(n for n in range(200) if sound.runs(0, n))
    ill = plant(faults=[Fault(asset="pump-01", kind=kind, start_s=0.0, amount=amount)])

    now, then = ill.block(0, number), sound.block(0, number)
    assert shows(now, then)
    assert (now.context, now.sequence) == (then.context, then.sequence)


@pytest.mark.slow
def test_a_lossy_link_leaves_holes_in_the_sequence():
    """About the stated share of blocks is lost, and the numbers of the others tell."""
    found = plant(faults=[Fault(asset="pump-01", kind=Kind.GAP, start_s=0.0, amount=0.3)])
    numbers = [b.sequence for b in found.blocks(0.0, 300.0) if b.asset == "pump-01"]

    assert 0.2 < 1 - len(numbers) / 600 < 0.4
    assert numbers == sorted(numbers)


def test_truth_says_where_and_how_strong():
    """A record of the ground truth has asset, kind, part, start as block and time, strength and parameters."""
    fault = Fault(asset="fan-01", kind=Kind.BALL, start_s=61.3, strength_db=-11.0, growth_s=9.0, slip=0.015)
    (record,) = plant(faults=[fault]).truth()

    assert record["start_ns"] == 10**18 + round(61.3e9)
    assert record["start_block"] == 123
    assert (record["asset"], record["kind"], record["part"]) == ("fan-01", "ball", "machine")
    assert record["strength_db"] == -11.0
    assert record["parameters"] == {"growth_s": 9.0, "slip": 0.015}


def test_faults_grow_with_running_time():
    """A fault starts 20 dB below its final strength, reaches it after its growth, and is nothing before."""
    fault = Fault(asset="x", kind=Kind.BALL, start_s=0.0, strength_db=-11.0, growth_s=10.0)

    assert fault.amplitude(-1.0) == 0.0
    assert fault.amplitude(0.0) == pytest.approx(0.1)
    assert fault.amplitude(5.0) == pytest.approx(10**-0.5)
    assert fault.amplitude(60.0) == 1.0


def test_a_block_is_made_in_well_under_a_millisecond():
    """Thousands of blocks a second, or the demonstration would measure its simulator."""
    found = plant()
    found.block(0, 0)
    began = time.process_time()
    for number in range(200):
        found.block(2, number)
    assert (time.process_time() - began) / 200 < 1.5e-3


def test_bytes_do_not_depend_on_the_number_of_machines():
    """A larger plant has the same first machines, but for the times at which they take turns."""
    few = machines(5, 3)[0]
    many = machines(5, 12)[0]

    assert dataclasses.asdict(few) == dataclasses.asdict(many)
