"""What the durable state says after a run: places that were put on record, and the final digest of every asset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from confluent_kafka.admin import AdminClient

from foreshock.core.state import AssetState
from foreshock.detectors.snapshot import Keys, Sealed, unseal
from foreshock.errors import SnapshotRejected
from foreshock.settings import Settings
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.records import Marker, StateKey
from foreshock.streams.state.records import Place as PlaceRecord
from tests.chaos.reading import Record, read_topic
from tests.chaos.undisturbed import Culprit, Places, Undisturbed


class Durable:
    """`state.v1` as it stands: committed records only, and nothing that a later one took back but the places.

    A place is applied by whoever replays the order, also after a checkpoint has made it needless and taken it back.
    """

    def __init__(self, settings: Settings) -> None:
        cluster = AdminClient({"bootstrap.servers": settings.kafka.bootstrap}).list_topics(timeout=15).cluster_id
        self._keys = keys_of(settings, cluster or "")
        self.markers: dict[int, Marker] = {}
        self.snapshots: dict[StateKey, AssetState] = {}
        self._places: list[PlaceRecord] = []  # as they came: the key of one that was taken back may be used again
        self.raw: dict[StateKey, bytes] = {}  # the newest record of each key
        for record in read_topic(settings, "state.v1"):
            self._take(record, self._keys)

    def _take(self, record: Record, keys: Keys) -> None:
        key = StateKey.of(record.key_bytes)
        assert key is not None, record
        if record.value_bytes is None:
            self.snapshots.pop(key, None)
            return
        self.raw[key] = record.value_bytes
        try:
            sealed: Sealed = unseal(record.value_bytes, keys)
            if key.kind == "marker":
                self.markers[key.partition] = Marker.of(sealed)
            elif key.kind == "place":
                place = PlaceRecord.of(sealed)
                if place not in self._places:
                    self._places.append(place)
            else:
                self.snapshots[key] = AssetState.unseal(sealed, keys)
        except SnapshotRejected:
            self.snapshots.pop(key, None)

    @property
    def places(self) -> Places:
        """What took effect from outside the order, by partition."""
        found: dict[int, list[PlaceRecord]] = defaultdict(list)
        for place in self._places:
            found[place.partition].append(place)
        return {
            partition: [(each.offset, each.items) for each in sorted(given, key=lambda p: p.offset)]
            for partition, given in found.items()
        }

    def digests(
        self, run: Undisturbed, records: Sequence[Record], culprits: Collection[Culprit] = ()
    ) -> Mapping[tuple[int, str], str]:
        """Restore every snapshot, go on from the markers as a worker would, and give the digest of each asset at the end.

        Parameters
        ----------
        run
            With a Fleet that has received nothing.
        records
            Of the input topic.
        culprits
            Blocks on which the workers failed.
        """
        for state in self.snapshots.values():
            run.fleet.restore(state)
        resume = {partition: marker.resume for partition, marker in self.markers.items()}
        left = [record for record in records if record.offset() >= resume.get(record.partition(), 0)]
        after = run.run(left, places=self.places, culprits=culprits).digests
        pairs = {(key.partition, key.asset) for key in self.snapshots}
        return {**after, **{pair: run.fleet.capture(*pair).digest() for pair in pairs}}
