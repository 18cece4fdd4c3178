"""A plant: machines, how they are run, what goes wrong, and the blocks that its sensors send.

Every block is a function of (seed, asset, number of the block) and of the faults; it can be made alone, in any order,
on any machine of the same numeric platform, and has the same bytes each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Context, Origin, SensorBlock
from foreshock.simulate.faults import Fault
from foreshock.simulate.machine import Machine
from foreshock.simulate.operation import Operating, Operation, Stage
from foreshock.simulate.seeding import Purpose, generator
from foreshock.simulate.sensor import NS, clock_ns, copies, lacking, lost, send
from foreshock.simulate.structure import structure
from foreshock.simulate.vibration import Damage, Motion, waveform

TACHOMETER = 0.001
"""Relative error of a measured speed."""
ARRIVAL_NS = 20_000_000
"""Time from the last sample of a block to the broker, where a core-only run needs one."""


class Plant:
    """Machines and their faults, from plant time 0 to a horizon.

    Parameters
    ----------
    seed : int
    machines : sequence of Machine
    faults : sequence of Fault
        At most one of an asset's sensor.
    horizon_s : float
        Plant time up to which the histories of the machines are drawn.
    epoch_ns : int
        Source time of plant time 0.
    """

    def __init__(
        self,
        seed: int,
        machines: Sequence[Machine],
        *,
        faults: Sequence[Fault] = (),
        horizon_s: float = 600.0,
        epoch_ns: int = 0,
    ) -> None:
        self.seed = seed
        self.machines = tuple(machines)
        self.faults = tuple(faults)
        self.epoch_ns = epoch_ns
        self.operations = tuple(
            Operation(machine, horizon_s, generator(seed, i, Purpose.OPERATION)) for i, machine in enumerate(machines)
        )
        self._paths = tuple(structure(machine) for machine in machines)
        self._of_machine = tuple(self._faults(machine, of_sensor=False) for machine in machines)
        self._of_sensor = tuple(next(iter(self._faults(machine, of_sensor=True)), None) for machine in machines)

    def _faults(self, machine: Machine, *, of_sensor: bool) -> tuple[Fault, ...]:
        return tuple(f for f in self.faults if f.asset == machine.asset and f.kind.of_sensor is of_sensor)

    def time_of(self, asset: int, number: int) -> float:
        """Plant time of the first sample of a block; the assets take turns within an interval."""
        machine = self.machines[asset]
        return (number + asset / len(self.machines)) * machine.interval_s

    def number_at(self, asset: int, t_s: float) -> int:
        """Number of the first block that starts at or after a plant time."""
        share = asset / len(self.machines)
        return max(0, int(np.ceil(t_s / self.machines[asset].interval_s - share - 1e-9)))

    def blocks(self, start_s: float, end_s: float) -> Iterator[SensorBlock]:
        """Blocks of all assets between two plant times, in order of time; what a link lost is missing."""
        for _, asset, number in self.schedule(start_s, end_s):
            block = self.block(asset, number)
            if block is not None:
                yield block

    def schedule(self, start_s: float, end_s: float) -> list[tuple[float, int, int]]:
        """(time, asset, number) of the blocks between two plant times, in the order in which they are sent."""
        places = [
            (self.time_of(asset, number) + after * self.machines[asset].interval_s, asset, number)
            for asset in range(len(self.machines))
            for number in range(self.number_at(asset, start_s), self.number_at(asset, end_s))
            for after in self._copies(asset, number)
        ]
        return sorted(places)

    def _copies(self, asset: int, number: int) -> tuple[float, ...]:
        """When a block is sent, in intervals after its time: twice, or late, where its link has such a fault."""
        fault = self._sensor(asset, self.time_of(asset, number))
        return (0.0,) if fault is None else copies(fault, generator(self.seed, asset, Purpose.DELIVERY, number))

    def _sensor(self, asset: int, t: float) -> Fault | None:
        """Fault that a sensor has at a time."""
        fault = self._of_sensor[asset]
        return fault if fault is not None and t >= fault.start_s else None

    def block(self, asset: int, number: int) -> SensorBlock | None:
        """One block; None if the link loses it.

        Parameters
        ----------
        asset : int
            Number of the asset in the plant.
        number : int
            Number of the block, from 0.
        """
        machine, t = self.machines[asset], self.time_of(asset, number)
        sensor = self._sensor(asset, t)
        hardware = generator(self.seed, asset, Purpose.SENSOR, number)
        tachometer = 1.0 + TACHOMETER * float(hardware.standard_normal())
        if lost(sensor, hardware):
            return None
        operation = self.operations[asset]
        start, end = operation.at(t), operation.at(t + machine.block_s)
        motion = Motion(start.speed_hz, end.speed_hz, start.load)
        damages = self._damages(asset, t, start)
        rng = generator(self.seed, asset, Purpose.BLOCK, number)
        true = waveform(machine, self._paths[asset], motion, damages, rng)
        sent = send(true, machine.sampling_rate_hz, _quiet(machine), sensor, hardware)
        also = machine.also[:-1] if lacking(sensor, hardware) else machine.also
        rows = [sent.samples, *self._axes(asset, number, len(also), motion, damages)]
        speed = motion.mean_hz * tachometer
        source_ns = self.epoch_ns + round(t * NS)
        arrival_ns = source_ns + round(machine.block_s * NS) + ARRIVAL_NS
        return SensorBlock(
            origin=Origin(topic="simulated", topic_id="", partition=0, offset=number, ingest_ns=arrival_ns),
            asset=machine.asset,
            point=machine.point,
            channels=(machine.channel, *also),
            source_ns=source_ns + clock_ns(sensor, t, machine.interval_s, hardware),
            sampling_rate_hz=sent.rate_hz,
            quantity="acceleration",
            unit=machine.unit,
            samples=np.stack(rows) / np.float32(machine.gain),
            gain=machine.gain,
            sequence=number,
            site=machine.path[1] if len(machine.path) > 1 else "",
            gateway=machine.gateway,
            device=f"{machine.asset}-{machine.point}",
            acquisition=machine.acquisition,
            interval_s=machine.interval_s,
            context=_context(machine, start, speed),
        )

    def _axes(
        self, asset: int, number: int, count: int, motion: Motion, damages: Sequence[Damage]
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Waveforms of further channels: the same machine, heard from another side."""
        if count:
            rng = generator(self.seed, asset, Purpose.AXIS, number)
            yield from (waveform(self.machines[asset], self._paths[asset], motion, damages, rng) for _ in range(count))

    def _damages(self, asset: int, t: float, now: Operating) -> list[Damage]:
        """Faults of the machine at their present size: they grow with the time it runs."""
        found = []
        for fault in self._of_machine[asset]:
            if t >= fault.start_s:
                running = now.running_s - self.operations[asset].at(fault.start_s).running_s
                found.append(Damage(fault, fault.amplitude(running)))
        return found

    def runs(self, asset: int, number: int) -> bool:
        """Whether the machine is at a set-point when a block starts."""
        return self.operations[asset].at(self.time_of(asset, number)).stage is Stage.RUNNING

    def truth(self) -> list[dict[str, Any]]:
        """Ground truth, one record a fault, in order of their beginning."""
        index = {machine.asset: i for i, machine in enumerate(self.machines)}
        return [
            fault.truth(epoch_ns=self.epoch_ns, block=self.number_at(index[fault.asset], fault.start_s))
            for fault in sorted(self.faults, key=lambda f: (f.start_s, f.asset))
        ]


def _quiet(machine: Machine) -> float:
    return machine.noise * min(point.speed * (0.6 + 0.4 * point.load) for point in machine.set_points)


def _context(machine: Machine, now: Operating, speed_hz: float) -> Context:
    """What the gateway knows of the operating point: the tachometer's speed and the drive's load."""
    if not machine.tachometer:
        return Context()
    return Context(speed_hz=speed_hz, load=now.load if now.stage is not Stage.STANDING else 0.0)
