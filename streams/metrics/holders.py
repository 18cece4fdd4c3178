"""Records and bytes by asset and by asset class, with as many labels as are allowed and in memory that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from foreshock.contract import Score
from foreshock.streams.metrics.catalog import CLASSES, OTHER
from foreshock.streams.metrics.names import Names

UNCLASSIFIED = "unclassified"
REMEMBERED = 50_000  # assets whose place is remembered; the places of others are found each time


class Holders:
    """Counts what is whose.

    Each asset has a cell: one of its own among the first `max_assets`, else one that it shares with others of its class.

    Parameters
    ----------
    max_assets
        How many assets have a label of their own.
    class_of
        From a partition and an asset to its class in the master data; "" for none.
    """

    def __init__(self, max_assets: int, class_of: Callable[[int, str], str]) -> None:
        self._assets = Names(max_assets)
        self._classes = Names(CLASSES)
        self._class_of = class_of
        self._known: dict[str, int] = {}
        cells = max_assets + CLASSES + 1
        self._class_of_cell = np.maximum(np.arange(cells) - max_assets, 0)
        self._records = np.zeros(cells, np.int64)
        self._bytes = np.zeros(cells, np.int64)
        self._anomalies = np.zeros(cells, np.int64)
        self._alerts = np.zeros(cells, np.int64)
        self._by_class = np.zeros(CLASSES + 1, np.int64)

    def cells(self, scores: Sequence[Score]) -> list[int]:
        """Give the cell of each score's asset."""
        known = self._known
        found = [known.get(score.asset, -1) for score in scores]
        if -1 in found:
            found = [self.cell(each.origin.partition, each.asset) for each in scores]
        return found

    def cell(self, partition: int, asset: str) -> int:
        """Give the cell of an asset."""
        cell = self._known.get(asset)
        if cell is None:
            kind = self.class_number(self._class_of(partition, asset))
            own = self._assets.number(asset)
            cell = own if own < self._assets.other else self._assets.other + kind
            self._class_of_cell[cell] = kind
            if len(self._known) < REMEMBERED:
                self._known[asset] = cell
        return cell

    def class_number(self, name: str) -> int:
        """Give the number of a class."""
        return self._classes.number(name or UNCLASSIFIED)

    def class_label(self, name: str) -> str:
        """Give the label that a class is shown under."""
        number = self.class_number(name)  # which may be a new one
        return self._class_labels()[number]

    def take(self, cells: Sequence[int], sizes: Sequence[int]) -> None:
        """Count records.

        Parameters
        ----------
        cells
            [n] as `cells` gave them.
        sizes
            [n] bytes of each.
        """
        index = np.array(cells, np.int64)
        weights = np.bincount(index, np.array(sizes, np.float64), self._bytes.size).astype(np.int64)
        self._records += np.bincount(index, minlength=self._records.size)
        self._bytes += weights
        self._by_class += np.bincount(self._class_of_cell, weights, CLASSES + 1).astype(np.int64)

    def anomaly(self, partition: int, asset: str) -> None:
        """Count an episode that opened."""
        self._anomalies[self.cell(partition, asset)] += 1

    def alert(self, partition: int, asset: str) -> None:
        """Count an alert that was raised."""
        self._alerts[self.cell(partition, asset)] += 1

    def refresh(self) -> None:
        """Have classes looked up anew: master data may have changed. What was counted stays where it is."""
        self._known.clear()

    def by_asset(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Give the series of the metrics by asset, by the metric's name."""
        found = {
            "foreshock_asset_records_total": self._records,
            "foreshock_asset_received_bytes_total": self._bytes,
            "foreshock_asset_anomalies_total": self._anomalies,
            "foreshock_asset_alerts_total": self._alerts,
        }
        return {name: self._series(counts) for name, counts in found.items()}

    def bytes_by_class(self) -> dict[str, int]:
        """Give the bytes of each class."""
        return dict(zip(self._class_labels(), self._by_class.tolist(), strict=False))

    def _series(self, counts: npt.NDArray[np.int64]) -> dict[tuple[str, ...], float]:
        own = self._assets.labels()
        series: dict[tuple[str, ...], float] = {
            (label,): float(count) for label, count in zip(own, counts.tolist(), strict=False)
        }
        shared = float(counts[self._assets.other :].sum())
        return series | {(OTHER,): shared} if shared else series

    def _class_labels(self) -> list[str]:
        own = self._classes.labels()
        return [*own, *(OTHER for _ in range(CLASSES + 1 - len(own)))]
