"""Measurement windows of bad input: a stated reason for each value that is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock.contract import Asset, SensorBlock
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.signals import Ended, FeatureVector, SpeedSource
from tests.core.builders import origin
from tests.core.window_builders import COUNT, PUMP, RATE, reasons, run, values, vectors, wave


class TestBadInput:
    """Each has its stated reason; nothing raises, and no number that is none goes on."""

    @staticmethod
    def ended_with(*more: SensorBlock, asset: Asset = PUMP, first: int = 2) -> FeatureVector:
        """The vector of a window of `first` blocks that the others broke."""
        (found, *_) = vectors(run([asset, *(wave(i) for i in range(first)), *more]))
        return found

    def test_a_gap_leaves_it_too_short(self) -> None:
        """A block that does not follow on within a sample ends the window; a block that does is part of it."""
        sample_ns = round(1e9 / RATE)
        near = vectors(run([PUMP, *(wave(i, shift_ns=(i > 1) * sample_ns // 2) for i in range(4))]))
        found = self.ended_with(*(wave(i, shift_ns=2 * sample_ns) for i in range(2, 6)))

        assert [vector.ended for vector in near] == [Ended.COMPLETE]
        assert (found.ended, found.samples) == (Ended.GAP, 2 * COUNT)
        assert reasons(found)["velocity_rms[x]"] == "window_too_short"
        assert values(found)["rms[x]"] == pytest.approx(0.71, abs=0.05)

    def test_a_rate_that_changes(self) -> None:
        """The window before it is read as far as it goes; while the new rate is not trusted a vector says so."""
        found = vectors(run([PUMP, wave(0), wave(1), *(wave(i, rate=2 * RATE) for i in range(6, 9))]))

        assert [vector.ended for vector in found] == [Ended.RATE_CHANGED] * 4
        assert reasons(found[0])["velocity_rms[x]"] == "rate_changed"
        assert values(found[0])["rms[x]"] is not None
        assert set(found[1].masks) == {"rate_changed"}
        assert set(found[1].values) == {None}

    def test_a_channel_that_goes_and_comes(self) -> None:
        """The window ends; the next ones say which channel is absent, and when it is back its values are."""
        both, one = ("x", "y"), ("x",)
        blocks = [wave(i, channels=both) for i in range(2)]
        blocks += [wave(i, channels=one) for i in range(2, 3 + LAYOUT_BLOCKS + 4)]
        after = blocks[-1].sequence or 0
        blocks += [wave(i, channels=both) for i in range(after + 1, after + 3 + LAYOUT_BLOCKS + 4)]
        found = vectors(run([PUMP, *blocks]))
        complete = [vector for vector in found if vector.ended is Ended.COMPLETE]

        assert found[0].ended is Ended.CHANNEL_ABSENT
        assert reasons(found[0])["velocity_rms[y]"] == "channel_absent"
        assert complete[0].channels == ("x", "y")
        assert {mask for name, mask in reasons(complete[0]).items() if name.endswith("[y]")} == {"channel_absent"}
        assert values(complete[-1])["velocity_rms[y]"] is not None

    def test_another_channel_under_the_same_number(self) -> None:
        """Two channels of which one has another name are another window."""
        found = self.ended_with(*(wave(i, channels=("z",)) for i in range(2, 6)))

        assert found.ended is Ended.CHANNEL_ABSENT

    def test_a_machine_that_stops(self) -> None:
        """The window ends where the shaft does; while it stands each window that is due says so."""
        found = vectors(run([PUMP, wave(0), wave(1), *(wave(i, speed_hz=0.0) for i in range(2, 5))]))

        assert [vector.ended for vector in found] == [Ended.NOT_RUNNING] * 4
        assert found[1].run_state != "running"
        assert set(found[1].masks) == {"not_running"}

    def test_a_signal_that_is_constant(self) -> None:
        """What asks for variation has none; a frozen sensor is no reading of the machine."""
        found = vectors(run([PUMP, *(wave(i, samples=np.full((1, COUNT), 3.0)) for i in range(5))]))

        assert found
        assert {mask for vector in found for mask in reasons(vector).values()} <= {"constant", "quality", "no_geometry"}
        assert all(value is None or np.isfinite(value) for vector in found for value in vector.values)

    def test_samples_that_are_no_numbers(self) -> None:
        """Infinite samples are refused at the door; the window before them ends there."""
        bad = wave(2, samples=np.full((1, COUNT), np.inf))
        found = self.ended_with(bad)

        assert found.ended is Ended.QUALITY
        assert reasons(found)["velocity_rms[x]"] == "quality"

    def test_a_speed_that_nobody_knows(self) -> None:
        """Orders are masked with `no_speed`, gear mesh without gears with `no_geometry`."""
        (found,) = vectors(run([PUMP, *(wave(i, speed_hz=None) for i in range(4))]))

        assert reasons(found)["order_1[x]"] == "no_speed"
        assert reasons(found)["mesh[x]"] == "no_geometry"
        assert (found.speed_hz, found.speed_source) == (None, SpeedSource.UNKNOWN)

    def test_a_rate_that_nobody_knows(self) -> None:
        """A block without a rate is a window without what is in Hz."""
        found = vectors(run([PUMP, *(wave(i, rate=None) for i in range(2))]))

        assert len(found) == 2
        assert reasons(found[0])["velocity_rms[x]"] == "no_rate"

    def test_a_block_that_came_late_changes_nothing(self) -> None:
        """A repeated block neither ends nor joins a window."""
        blocks = [
            wave(0),
            wave(1),
            replace(wave(0), origin=origin(2)),
            wave(2, origin=origin(3)),
            wave(3, origin=origin(4)),
        ]
        (found,) = vectors(run([PUMP, *blocks]))

        assert (found.ended, found.samples) == (Ended.COMPLETE, 4096)
