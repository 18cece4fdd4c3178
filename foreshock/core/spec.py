"""What a Fleet is configured with, and the names that lineage gives to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from foreshock.contract import Asset
from foreshock.detectors import constants, episodes
from foreshock.detectors.episodes import EpisodeRule
from foreshock.detectors.reference import Reference
from foreshock.detectors.river_adapter import check_capturable
from foreshock.errors import ConfigurationError
from foreshock.features import catalog
from foreshock.lineage import fingerprint

LONGEST_S = 3.2e8  # ten years: nanoseconds stay far below 2^63
LONGEST_WINDOW_S = 16.0
MODEL_VERSION = 2  # counts up with every change of what a score is


@dataclass(frozen=True)
class FleetSpec:
    """Settings of detection.

    Parameters
    ----------
    profile
        `full`: all features, novelty against the baseline with the trees as second part; `lean`: trees and rank alone.
    budget
        False alarms per asset and month that are tolerated; margin and hold follow from it.
    warmup_blocks
        Independent blocks (rows of a frame) before an asset is scored, where its master data does not say ...
    warmup_s
        ... and the seconds that they must have lived, gaps not counted; 0: blocks alone decide.
    hold_s
        Least seconds that values must stay over the boundary before an episode opens, beside what the budget asks for.
    horizon_s
        Averages over several blocks take in nothing older; 0: only the pace of the blocks decides (`detectors.pace`).
    river
        Name of a class of `river.anomaly` that takes the place of the trees, "" for the trees.
    silent_intervals
        A sensor is silent when nothing came for so many of its intervals ...
    silent_s
        ... and for so many seconds.
    features
        Whether measurement windows of registered assets are gathered (`core/windows.py`) ...
    features_every_s
        ... one in so many seconds of source time, 0: one after the other ...
    features_window_s
        ... of so many seconds at least; features and diagnosis may ask for more.
    """

    profile: str = "full"
    budget: float = 1.0
    warmup_blocks: int = 60
    warmup_s: float = 0.0
    hold_s: float = 0.0
    horizon_s: float = 0.0
    river: str = ""
    silent_intervals: float = 3.0
    silent_s: float = 30.0
    features: bool = True
    features_every_s: float = 60.0
    features_window_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises
        ------
        ConfigurationError
            Unknown profile, a River detector that there is not or whose state cannot be kept, a budget that is not
            positive, a warm-up that is too short to calibrate on, or a time that is negative or longer than ten years.
        """
        if self.profile not in catalog.PROFILES:
            raise ConfigurationError(f"detection.profile is {self.profile!r}; known: {', '.join(catalog.PROFILES)}")
        if self.river:
            check_capturable(self.river)
        if not self.budget > 0:
            raise ConfigurationError(f"detection.budget is {self.budget}; a number of false alarms above 0 is needed")
        if self.warmup_blocks < constants.LEAST_WARMUP:
            raise ConfigurationError(
                f"detection.warmup_blocks is {self.warmup_blocks}; at least {constants.LEAST_WARMUP} are needed"
            )
        if not 1.0 <= self.silent_intervals <= 1e6:
            raise ConfigurationError(f"detection.silent_intervals is {self.silent_intervals}; 1 to 1e6 are possible")
        if not 0.0 < self.features_window_s <= LONGEST_WINDOW_S:
            raise ConfigurationError(
                f"features.window_s is {self.features_window_s}; above 0 to {LONGEST_WINDOW_S:g} s are possible"
            )
        if not 0.0 <= self.features_every_s <= 86_400.0:
            raise ConfigurationError(f"features.every_s is {self.features_every_s}; 0 to 86400 s are possible")
        for name in ("warmup_s", "hold_s", "horizon_s", "silent_s"):
            if not 0.0 <= getattr(self, name) <= LONGEST_S:
                raise ConfigurationError(
                    f"detection.{name} is {getattr(self, name)}; 0 to {LONGEST_S:g} s are possible"
                )

    @cached_property
    def feature_set(self) -> catalog.FeatureSet:
        """Features of a waveform block."""
        return catalog.PROFILES[self.profile]

    @cached_property
    def policy(self) -> EpisodeRule:
        """Alarm rule of the budget."""
        return episodes.for_budget(self.budget, self.hold_s)

    @cached_property
    def policy_name(self) -> str:
        """Alarm rule as lineage names it."""
        return episodes.name(self.policy)

    @cached_property
    def waveform_policy(self) -> EpisodeRule:
        """Alarm rule of waveforms: where the trees decide alone it holds for as long as their average."""
        if self.profile != "lean":
            return self.policy
        return self.policy._replace(hold_blocks=max(self.policy.hold_blocks, constants.TREE_HOLD))

    @cached_property
    def waveform_policy_name(self) -> str:
        """Alarm rule of waveforms as lineage names it."""
        return episodes.name(self.waveform_policy)

    @cached_property
    def model_name(self) -> str:
        """Waveform model as lineage names it: its kind, version, and a hash of every constant."""
        kind = {"full": "novelty+", "lean": ""}[self.profile] + (self.river or "half-space-trees")
        return f"{kind}-v{MODEL_VERSION}@{fingerprint(_constants(), self.horizon_s)}"

    @cached_property
    def telemetry_name(self) -> str:
        """Model of telemetry frames as lineage names it."""
        return f"robust-vector-v{MODEL_VERSION}@{fingerprint(_constants(), self.horizon_s)}"

    @property
    def limit_ns(self) -> int:
        """`horizon_s` as the kernels take it."""
        return int(self.horizon_s * 1e9)

    @cached_property
    def shape(self) -> str:
        """What the state of an asset depends on: only a state of the same shape can be gone on with.

        Rule and budget are no part of it: they may change under a running model.
        """
        return fingerprint(self.profile, self.feature_set.id, self.model_name, self.telemetry_name, self.river)


def shape_of(spec: FleetSpec, reference: Reference | None, asset: Asset) -> str:
    """Shape of an asset's state; its baseline is in the units of the fleet reference that holds for its class."""
    if reference is None or not reference.serves(asset):
        return spec.shape
    return fingerprint(spec.shape, reference.hash)


def computation() -> str:
    """Name of what this release makes of any settings: its constants, its features, the version of its models."""
    return fingerprint(MODEL_VERSION, _constants(), [each.id for each in catalog.PROFILES.values()])


def _constants() -> dict[str, object]:
    return {name: value for name, value in vars(constants).items() if name.isupper()}
