"""The metrics of a worker: what hears of batches, checkpoints and assignments, and what looks at the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foreshock.alerts.records import AlertTransition
from foreshock.contract import DataQuality, DeadLetter
from foreshock.fleet import Fleet
from foreshock.outcome import Outcome
from foreshock.settings import Settings
from foreshock.streams.errors import aside
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.metrics.economy import Economy
from foreshock.streams.metrics.holders import Holders
from foreshock.streams.metrics.surface import Surface
from foreshock.streams.metrics.tally import Kept, Tally
from foreshock.streams.metrics.watch import Broker, Subjects, Watch


class Meters:
    """Everything that a worker counts; a failure in here is told and costs nothing but its figure.

    Parameters
    ----------
    settings
        `metrics`, `detection.budget`.
    surface
        Shows it.
    fleet
        Knows the classes of assets, and how its models are.
    """

    def __init__(self, settings: Settings, surface: Surface, fleet: Fleet) -> None:
        self._settings = settings
        self._surface = surface
        self._values = surface.values
        self._fleet = fleet
        self._holders = Holders(settings.metrics.max_assets, self._class_of)
        self._tally = Tally(surface.values, self._holders)
        self._economy = Economy(surface.values, self._holders, surface.prices)
        self._watch: Watch | None = None

    def watch(self, subjects: Subjects, properties: Mapping[str, Any]) -> Watch:
        """Make what looks at the other parts; `properties` are those of a librdkafka client."""
        broker = Broker(properties, subjects.ledger)
        self._surface.watch([broker.look])
        self._watch = Watch(
            self._settings,
            self._values,
            self._surface.health,
            tally=self._tally,
            holders=self._holders,
            economy=self._economy,
            subjects=subjects,
            broker=broker,
        )
        return self._watch

    def batch(self, batch: Batch, items: Sequence[Outcome | DeadLetter], kept: Kept) -> None:
        """Hear of a batch that is on the broker; see `Tally.batch`."""
        aside(self._tally.batch, batch, items, kept)

    def told(self, found: Sequence[DataQuality | AlertTransition]) -> None:
        """Hear of what came without a record."""
        aside(self._tally.told, found)

    def checkpoint(self, seconds: float, size: int, left: int, *, committed: bool) -> None:
        """Hear of a checkpoint: how long it took, the bytes of its snapshots, the assets that are in none yet."""
        self._values.add("foreshock_checkpoints_total", ("committed" if committed else "put_off",))
        self._values.put("foreshock_checkpoint_assets_left", float(left))
        if committed:
            self._values.histogram("foreshock_checkpoint_seconds").observe(seconds)
            self._values.histogram("foreshock_checkpoint_bytes").observe(size)
            if self._watch is not None:
                self._watch.committed()

    def assignment(self, event: str, seconds: float = 0.0) -> None:
        """Hear that partitions were `assigned` (and how long it took to restore them), `revoked` or `lost`."""
        self._values.add("foreshock_assignments_total", (event,))
        if event != "assigned":
            return
        self._values.histogram("foreshock_restore_seconds").observe(seconds)
        self._values.add("foreshock_assets_restored_total", (), sum(self._fleet.census().assets.values()))
        if self._watch is not None:
            self._watch.assigned()

    def _class_of(self, partition: int, asset: str) -> str:
        record = self._fleet.master_data(partition, asset)
        return record.asset_class if record else ""
