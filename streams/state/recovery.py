"""Taking partitions over: what `state.v1` knows of them goes into the Fleet, and says from where to read on."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message
from confluent_kafka.admin import AdminClient

from foreshock.alerts.items import Carried
from foreshock.detectors.snapshot import Keys, unseal
from foreshock.errors import ConfigurationError, SnapshotRejected, StateRejected, Unavailable
from foreshock.fleet import AssetState, Fleet
from foreshock.streams.codec.registry import Registry
from foreshock.streams.state import tails
from foreshock.streams.state.carried import carried
from foreshock.streams.state.claims import Claims
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.ledger import Partition
from foreshock.streams.state.reader import newest, reading
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Marker, Place, StateKey
from foreshock.streams.state.retention import remade, topic_ids
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.worker")

READ_S = 120.0
FEW = 5  # assets of a partition that may start cold whatever its size
SHARE = 0.01  # of them, of large ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a partition is taken up.

    Attributes
    ----------
    position
        Reading starts here.
    committed
        The group's offset: everything below is done.
    published
        Outputs of inputs below are out already: they are computed and not sent.
    end
        End of the input partition at assignment. A worker that had it before, and does not know yet that it is over,
        cannot have processed anything beyond.
    places
        What took effect from outside the order, from `position` on.
    stale
        Keys of `state.v1` to be taken back: they are of another topic of the same name.
    lost
        First offset that retention deleted unread, and the first one that is there again.
    gone
        Output topics that were made again since the state was stored.
    fresh
        Nothing at all is known: no record of this partition was ever handled.
    taken
        How far commands are on record, as the marker has it; None: as it is known already.
    claim
        No marker names our group yet: one is due, so that another group learns whose state this is.
    carried
        Alerts that stand on `alarms.v1`, of assets that start cold.
    """

    position: int
    committed: int
    published: int
    end: int
    places: tuple[Place, ...] = ()
    stale: tuple[str, ...] = ()
    lost: tuple[int, int] | None = None
    gone: tuple[str, ...] = ()
    fresh: bool = False
    claim: bool = False
    taken: tuple[str, ...] | None = ()
    carried: tuple[Carried, ...] = ()


@dataclass(slots=True)
class _Found:
    """What is on the topics about one partition."""

    begin: int
    end: int
    committed: int | None
    tail: int = 0
    marker: Marker | None = None
    snapshots: dict[str, Message] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    recipes: dict[str, bytes] = field(default_factory=dict)
    foreign: str = ""  # why no state of it can be used
    remade: bool = False  # because it is of another topic of that name


class Recovery:
    """Restores partitions; its methods block and run outside the event loop, while nothing else uses the Fleet.

    Parameters
    ----------
    fleet, custody
        What is filled, and what it holds already.
    topics
        As they were found at start: `sensors.v1`, `scores.v1`, `state.v1`.
    reader, admin
        Properties of librdkafka clients.
    keys
        From the cluster's id.
    registry
        Reads scores that are framed with schema ids.
    recipes
        By which settings the partitions are computed.
    claims
        Refuses the state of another group.
    accept_cold
        Whether any number of assets may start cold.
    """

    def __init__(
        self,
        fleet: Fleet,
        custody: Custody,
        topics: Mapping[str, TopicInfo],
        *,
        reader: Mapping[str, Any],
        admin: Mapping[str, Any],
        keys: Callable[[str], Keys],
        registry: Registry | None,
        recipes: Recipes,
        claims: Claims,
        accept_cold: bool,
    ) -> None:
        self._fleet = fleet
        self._custody = custody
        self._input, self._scores, self._state = (topics[name] for name in ("sensors.v1", "scores.v1", "state.v1"))
        self._alarms, self._outputs = topics["alarms.v1"], topic_ids(topics)
        self._admin = AdminClient({**admin, "log_level": 0})
        self._make_keys = keys
        self._keys: Keys | None = None
        self._registry = registry
        self._recipes = recipes
        self._claims = claims
        self._accept_cold = accept_cold
        self._consumer = reading(reader)  # connected by the time it is needed
        self.stopping = threading.Event()

    @property
    def keys(self) -> Keys:
        """The keys of the state."""
        if self._keys is None:
            self._keys = self._make_keys(self._admin.list_topics(timeout=tails.REQUEST_S).cluster_id or "")
        return self._keys

    def take_up(self, committed: Mapping[Partition, int | None]) -> dict[Partition, Start]:
        """Restore partitions.

        Parameters
        ----------
        committed
            The group's offsets, asked for after all transactions that hold any were decided; None: there is none.

        Raises
        ------
        ConfigurationError
            Too many assets would start cold, or the state is that of another group.
        Unavailable
            Kafka does not answer, or an end was not reached in time.
        """
        if not committed:
            self._custody.drop(list(self._custody.partitions()))
            return {}
        try:
            return self._take_up(committed, time.monotonic() + READ_S)
        except KafkaException as exc:
            raise Unavailable(f"state cannot be restored: {exc.args[0].str()}") from exc

    def _take_up(self, committed: Mapping[Partition, int | None], deadline: float) -> dict[Partition, Start]:
        gc.disable()  # nothing of what is restored is garbage: to look for some takes a tenth of the time
        try:
            return self._restored_all(committed, deadline)
        finally:
            gc.enable()
            gc.freeze()  # what was restored stays: the collector need not look at it again

    def _restored_all(self, committed: Mapping[Partition, int | None], deadline: float) -> dict[Partition, Start]:
        _ = self.keys
        numbers = {partition: partition[1] for partition in committed}
        begin = tails.beginnings(self._admin, committed, deadline)
        states = tails.ends(self._admin, [(self._state.name, number) for number in numbers.values()], deadline)
        kept = {p for p, number in numbers.items() if self._custody.fits(p, states[self._state.name, number])}
        self._custody.drop([p for p in self._custody.partitions() if p not in kept])
        scores = tails.ends(self._admin, [(self._scores.name, number) for number in numbers.values()], deadline)
        records = self._read(kept, numbers, states, scores, deadline)
        # The end of the input comes last: what a worker before this one may still have read is below it.
        end = tails.ends(self._admin, committed, deadline)
        starts = {}
        for partition, number in numbers.items():
            found = _Found(begin[partition], end[partition], committed[partition])
            tail = records.get((self._scores.name, number), {})
            found.tail = tails.published(next(iter(tail.values()), None), self._input.topic_id, self._registry)
            if partition in kept:
                starts[partition] = self._kept(partition, found)
            else:
                self._sort(found, records.pop((self._state.name, number)))
                self._place(number, found)
                starts[partition] = self._restore(number, found)
                self._custody.stored(partition, states[self._state.name, number])
            self._custody.fold(partition, starts[partition].position)
        return starts

    def _read(
        self,
        kept: Collection[Partition],
        numbers: Mapping[Partition, int],
        states: Mapping[tuple[str, int], int],
        scores: Mapping[tuple[str, int], int],
        deadline: float,
    ) -> dict[tuple[str, int], dict[bytes, Message]]:
        """Read the state of partitions that are not held, and the last score of all."""
        wanted = {(self._state.name, number) for partition, number in numbers.items() if partition not in kept}
        starts = dict.fromkeys(wanted, OFFSET_BEGINNING)
        targets = {place: states[place] for place in wanted}
        for place, end in scores.items():
            starts[place], targets[place] = max(end - 1, 0), end
        return newest(self._consumer, starts, targets, deadline, stopped=self.stopping.is_set)

    def _sort(self, found: _Found, records: Mapping[bytes, Message]) -> None:
        """Tell markers, snapshots and places apart; what cannot be read is told, and is not there.

        Of the copies of the marker the newer one counts: all but the last checkpoint's were replaced.
        """
        markers: dict[int, Marker] = {}  # by offset
        for name, message in records.items():
            key, value = StateKey.of(name), message.value()
            if key is None or value is None:
                continue
            found.keys.append(str(key))
            if key.kind == "snapshot":
                found.snapshots[key.asset] = message
                continue
            if key.kind == "recipe":
                found.recipes[key.recipe] = value
                continue
            try:
                sealed = unseal(value, self.keys)
                if key.kind == "marker":
                    markers[message.offset() or 0] = Marker.of(sealed)
                else:
                    found.places.append(Place.of(sealed))
            except SnapshotRejected as exc:
                what = f"{key.kind} {key}{' (it is written twice)' if key.kind == 'marker' else ''}"
                log.warning("%s partition %d: %s is not used: %s", self._state.name, key.partition, what, exc)
        found.marker = markers[max(markers)] if markers else None
        found.places.sort(key=lambda place: (place.offset, place.number))

    def _place(self, number: int, found: _Found) -> None:
        """Find out whether the state is ours, and of this topic."""
        marker = found.marker
        if marker is not None:
            self._claims.check(number, marker.group, self._admin)
        if marker is not None and marker.topic_id != self._input.topic_id:
            found.remade = True
            found.foreign = f"{self._input.name} was made again since its state was stored (topic id {marker.topic_id})"
        elif marker is not None and max(marker.resume, marker.published) > found.end:
            found.foreign = f"its state is of offset {marker.published}, the log ends at {found.end}"
        elif marker is None and found.snapshots:
            found.foreign = "the marker that says how far its state goes is missing or damaged"

    def _kept(self, partition: Partition, found: _Found) -> Start:
        """Go on with the state in memory."""
        position = self._custody.folded(partition) or 0
        return _within(
            Start(
                position=position, committed=position, published=max(position, found.tail), end=found.end, taken=None
            ),
            found,
        )

    def _restore(self, number: int, found: _Found) -> Start:
        """Go on with the state on the topic."""
        begun, of = time.monotonic(), len(found.snapshots)
        start = replace(_start(found), claim=found.marker is None or found.marker.group != self._claims.group)
        if found.marker is not None and not found.remade:
            start = replace(start, gone=tuple(remade(found.marker.outputs, self._outputs)))
        if found.marker is not None:
            start = replace(start, taken=found.marker.taken)
        usable = found.marker is not None and not found.foreign
        base = found.marker.recipe if found.marker is not None and usable else ""
        self._recipes.begin(number, base, found.recipes if usable else {}, self.keys)
        cold = self._fill(number, found)
        again, until = (self._input.topic_id, start.position), time.monotonic() + READ_S
        read = partial(carried, consumer=self._consumer, admin=self._admin, registry=self._registry, deadline=until)
        whose = None if found.marker is None and not of and not start.fresh else cold
        start = replace(start, carried=read(number, whose, alarms=self._alarms, again=again))
        stale, places = self._recipes.used(number, start.places)
        start = replace(start, stale=(*start.stale, *stale), places=tuple(places))
        if cold:
            self._judge(number, cold, of, forced=bool(found.foreign))
        if of:
            log.info(
                "partition %d: %d assets restored, %d cold, in %.1f s; reading on from %d, published up to %d",
                number,
                of - len(cold),
                len(cold),
                time.monotonic() - begun,
                start.position,
                start.published,
            )
        return start

    def _fill(self, number: int, found: _Found) -> dict[str, str]:
        """Put the snapshots into the Fleet; give the assets that start cold, with the reason."""
        cold: dict[str, str] = {}
        while found.snapshots:
            if self.stopping.is_set():
                raise Unavailable("stopped while state was being restored")
            name, message = found.snapshots.popitem()  # its memory is needed for the next ones
            reason = found.foreign or self._restored(number, name, message.value() or b"", found.end)
            if reason:
                cold[name] = reason
                self._fleet.adopt_cold(number, name, reason)
        return cold

    def _restored(self, number: int, name: str, value: bytes, end: int) -> str:
        """Restore one asset; say why not."""
        try:
            state = AssetState.unseal(value, self.keys)
            if (state.partition, state.asset) != (number, name):
                return f"malformed: it is the state of {state.asset} on partition {state.partition}"
            if state.offset > end:
                return f"its state is of offset {state.offset}, the log ends at {end}"
            self._fleet.restore(state)
        except (SnapshotRejected, StateRejected) as exc:
            return str(exc)
        return ""

    def _judge(self, number: int, cold: Mapping[str, str], of: int, *, forced: bool) -> None:
        """Tell of assets that start cold; refuse where they are too many to be the fault of single records."""
        asset, reason = next(iter(cold.items()))
        text = (
            f"{self._state.name} partition {number}: {len(cold)} of {of} assets cannot go on with their state "
            f"(the first: {asset}: {reason})"
        )
        if not forced and not self._accept_cold and len(cold) > max(FEW, SHARE * of):
            raise ConfigurationError(
                f"{text}; nothing is started. Mend what is wrong (state.key_file? another release?), or let them "
                "start cold: foreshock worker --accept-cold"
            )
        log.warning("%s; they start cold, the others go on", text)


def _start(found: _Found) -> Start:
    """Say from where to read on, by what is on the topics."""
    tail = found.tail if found.tail <= found.end else 0  # beyond the end: of records that are gone
    marker = found.marker
    if marker is not None and not found.foreign:
        start = Start(
            position=marker.resume,
            committed=marker.published,
            published=max(marker.published, tail),
            end=found.end,
            places=tuple(found.places),
        )
        return _within(start, found)
    if marker is not None:
        # Which records were handled nobody can tell any more: all are, again. Their ids are the same.
        position, tail = found.begin, tail if found.remade else 0
    else:
        position = min(found.begin if found.committed is None else found.committed, found.end)
    start = Start(
        position=position,
        committed=position,
        published=max(position, tail),
        end=found.end,
        stale=tuple(key for key in found.keys if "/" in key or "#" in key),
        fresh=not found.keys and found.committed is None and not tail,
    )
    return _within(start, found)


def _within(start: Start, found: _Found) -> Start:
    """Begin where the log begins, and note what of it nobody has read."""
    if found.begin <= start.position:
        return start
    unread = max(start.position, start.committed)
    lost = (unread, found.begin) if found.begin > unread else None
    return replace(start, position=found.begin, committed=max(start.committed, found.begin), lost=lost)
