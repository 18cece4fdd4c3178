"""Feature vectors of recorded data: the same Fleet as the worker's, on files, in bounded memory.

Each record takes the worker's way in: recordings are encoded as a producer would send them and decoded as a worker would,
exported blocks are checked by the same rules. So a vector is the same bytes as the one that a worker publishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from foreshock.contract import Asset, Block
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.fleet import Fleet, FleetSpec
from foreshock.recordings import blocks, read_series
from foreshock.signals import FeatureVector
from foreshock.streams.errands import exported
from foreshock.streams.wire import Decoder, Encoder

_BATCH = 256


@dataclass(slots=True)
class Found:
    """What became of the records so far."""

    records: int = 0
    vectors: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # records that a worker would make dead letters, by reason


class Extraction:
    """Drives the Fleet on a folder.

    Parameters
    ----------
    folder
        Recordings in file protocol 1, or an export of sensors.v1 (its own folder, or the one that it was written to).
    spec
        As a worker has it.
    assets
        Master data by asset id. A recording whose asset is not among them is an asset of which only the warm-up is
        known; an exported block of such an asset is of a machine that nobody registered.

    Raises
    ------
    ConfigurationError
        The folder holds neither.
    """

    def __init__(self, folder: Path, spec: FleetSpec, assets: Mapping[str, Asset]) -> None:
        inner = folder / "sensors.v1"
        self._folder = inner if exported.is_export(inner) else folder
        self._exported = exported.is_export(self._folder)
        if not self._exported and not (folder / "manifest.json").exists():
            raise ConfigurationError(
                f"{folder} holds neither manifest.json (recordings) nor an export of sensors.v1 (`foreshock export`)"
            )
        self._spec = spec
        self._assets = assets
        self.found = Found()

    def run(self) -> Iterator[FeatureVector]:
        """Give the vectors, in the order in which a worker would publish them.

        Raises
        ------
        ConfigurationError
            A file is not what it should be.
        """
        sources = self._of_export() if self._exported else self._of_recordings()
        for known, records in sources:
            fleet = Fleet(self._spec, assets=known)  # one for each, so that memory does not grow with their number
            while batch := list(islice(records, _BATCH)):
                self.found.records += len(batch)
                for outcome in fleet.receive(batch):
                    self.found.vectors += len(outcome.vectors)
                    yield from outcome.vectors

    def _of_recordings(self) -> Iterator[tuple[Sequence[Asset], Iterator[Block]]]:
        for series in read_series(self._folder):
            yield [self._assets.get(series.id, series.asset)], self._received(blocks(series))

    def _of_export(self) -> Iterator[tuple[Sequence[Asset], Iterator[Block]]]:
        for records in exported.partitions(self._folder):
            yield list(self._assets.values()), records

    def _received(self, sent: Iterable[Block]) -> Iterator[Block]:
        """Give the records as a worker has them; what it would refuse is counted."""
        encoder, decoder = Encoder(), Decoder(check_key=False)
        for record in sent:
            try:
                yield decoder.decode(encoder.encode(record), origin=record.origin, key=record.asset.encode())
            except InputRejected as exc:
                self.found.refused[str(exc.reason)] += 1
