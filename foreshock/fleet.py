"""The Fleet: sensor blocks of many assets in, what became of each of them out.

    fleet = Fleet(FleetSpec(), assets=[pump])
    for outcome in fleet.receive(batch):
        print(outcome.score.rows[-1].value, outcome.anomalies)

This is the whole product without its connections. It has no clock, no client and no log; the worker, `foreshock
evaluate` and the tests drive the same object. It does, for each block, in order:

    enter       master data, quality, lateness, layout   fleet_admission.py, fleet_quality.py
    prepare     features, run state                      features/, for all blocks of a layout at once
    score       score -> rank -> alarm -> gate -> learn  detectors/, compiled, block by block per measuring point
    outcomes    ids, decision, contributions, lineage    fleet_events.py, fleet_scores.py, lineage.py

Score first, learn then; never from a bad block, while the machine does not run, or in alarm. The outcome of a block is
bit for bit the same however the stream was cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from foreshock.contract import Asset, Block, Outcome
from foreshock.detectors.reference import Reference
from foreshock.fleet_admission import Admission
from foreshock.fleet_points import AssetStatus, status
from foreshock.fleet_spec import FleetSpec

__all__ = ["AssetStatus", "Fleet", "FleetSpec"]


class Fleet:
    """Models, alarms and master data of many assets.

    Parameters
    ----------
    spec
        Settings of detection.
    reference
        Reference of an asset class; None: every asset is measured on its own scale.
    assets
        Master data known from the start; more may come in any batch.
    on_stage
        Called with the name of each stage of `receive` when it is done: "features", "score", "policy". A shell that
        has a clock can take the time of it.
    """

    def __init__(
        self,
        spec: FleetSpec,
        *,
        reference: Reference | None = None,
        assets: Iterable[Asset] = (),
        on_stage: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.on_stage = on_stage or _ignore
        self._admission = Admission(spec, reference)
        self.receive(list(assets))

    def receive(self, batch: Sequence[Block | Asset]) -> list[Outcome]:
        """Fold a batch in: exactly one Outcome for each Block, in order; an Asset updates master data from there on."""
        entries = self._admission.enter(batch)
        work = [(lane, lane.prepare(members)) for lane, members in self._admission.by_lane(entries)]
        self.on_stage("features")
        for lane, prepared in work:
            lane.score(prepared)
        self.on_stage("score")
        for lane, prepared in work:
            lane.outcomes(prepared)
        outcomes = [self._admission.close(entry) for entry in entries]
        self._admission.settle()
        self.on_stage("policy")
        return outcomes

    def status(self, asset: str) -> AssetStatus | None:
        """Why an asset has a score or not; None for one that was never seen."""
        points = [point for key, point in self._admission.points.items() if key[1] == asset]
        if not points:
            return None
        known = self._admission.asset(asset)
        return AssetStatus(asset, known.registered, tuple(status(point) for point in points))

    def release(self, partitions: Collection[int]) -> None:
        """Drop all state of these input partitions: another worker has them now."""
        self._admission.release(partitions)

    def forget(self, partition: int, asset: str) -> None:
        """Drop all state of one asset, which cannot be trusted: it starts cold."""
        self._admission.forget(partition, asset)


def _ignore(_stage: str) -> None:
    """Take no notice."""
