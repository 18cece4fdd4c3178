"""Machines that do not exist, for tests and demonstrations: a physical model of vibration, faults and sensors.

    plant = Plant(7, machines(7), faults=[Fault(asset="pump-01", kind=Kind.OUTER_RACE, start_s=120, strength_db=-12)])
    for block in plant.blocks(0.0, 300.0):
        ...

machine, catalogue   what a machine is made of           operation   how it is run
lines, bearing       what turning parts do               structure   how it gets to the sensor
faults               what goes wrong, the ground truth   sensor      what the sensor makes of it
measurement          one long waveform of one machine
"""

from __future__ import annotations

from foreshock.simulate.catalogue import machines
from foreshock.simulate.faults import Fault, Kind
from foreshock.simulate.machine import Machine
from foreshock.simulate.plant import Plant

__all__ = ["Fault", "Kind", "Machine", "Plant", "machines"]
