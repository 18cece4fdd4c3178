"""From the settings of detection to what the core takes: the only door, for the worker and for every command.

What a score is must not depend on which command computed it. So nothing else makes a `FleetSpec` out of settings or
flags, and every key of `[detection]` and `[features]` passes through here (tests/settings/test_detection.py holds both).
"""

from __future__ import annotations

from pathlib import Path

from foreshock.core.spec import FleetSpec
from foreshock.detectors.reference import Reference
from foreshock.settings import Settings


def spec_of(settings: Settings) -> FleetSpec:
    """Give the settings of detection as the core takes them.

    Raises
    ------
    ConfigurationError
        They cannot be run.
    """
    wanted, features = settings.detection, settings.features
    return FleetSpec(
        profile=wanted.profile,
        budget=wanted.budget,
        warmup_blocks=wanted.warmup_blocks,
        warmup_s=wanted.warmup_s,
        hold_s=wanted.hold_s,
        horizon_s=wanted.horizon_s,
        river=wanted.river,
        silent_intervals=wanted.silent_intervals,
        silent_s=wanted.silent_s,
        features=features.enabled,
        features_every_s=features.every_s,
        features_window_s=features.window_s,
    )


def reference_of(settings: Settings) -> Reference | None:
    """Read the reference record of the asset class; None where no file is set.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or is no reference record.
    """
    return Reference.load(Path(settings.detection.reference)) if settings.detection.reference else None
