"""The undisturbed run beside the disturbed one: a pure Fleet, fed with the same input topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka.admin import AdminClient

from foreshock.alerts.items import Assigned, Given
from foreshock.contract import Asset, Block, Tick
from foreshock.detection import spec_of
from foreshock.detectors.snapshot import unseal
from foreshock.fleet import AssetState, Fleet, Recipe
from foreshock.streams import wire
from foreshock.streams.border import Border
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.cases.naming import Naming
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.reader import read_state
from foreshock.streams.state.records import Place, RecipeChange, StateKey, TickRequest
from tests.broker.conftest import Topics
from tests.chaos.reading import read_topic


def run(
    topics: Topics,
    *,
    places: tuple[Place, ...] = (),
    without: Callable[[Block], bool] = lambda _: False,
    settings: Sequence[Recipe] = (),
) -> tuple[dict[tuple[int, int], bytes], dict[tuple[int, str], str]]:
    """Bytes of each score by the place of its input, and the digest of each asset at the end.

    `settings` are those that places change to, and before these the ones that it begins with.
    """
    info = topics.found["sensors.v1"]
    border = Border(info, partitioner="murmur2_random", largest=1_000_000, decoder=wire.Decoder())
    encode = wire.Encoder(topic=topics.name("scores.v1")).encode
    fleet = Fleet(spec_of(topics.settings))
    for recipe in settings:
        fleet.know(recipe.key, recipe)
    for number in range(topics.settings.topics.partitions if settings else 0):
        fleet.begin(number, settings[0].key)
    scores: dict[tuple[int, int], bytes] = {}
    name = Naming(fleet, Casebook())
    assets = set()
    waiting = sorted(places, key=lambda each: (each.partition, each.offset, each.number), reverse=True)
    for message in topics.raw("sensors.v1"):
        origin = border.origin(message)
        while waiting and (waiting[-1].partition, waiting[-1].offset) <= (origin.partition, origin.offset):
            apply(fleet, waiting.pop())
        block = border.block(message, origin)
        if not without(block):
            (outcome,) = name(fleet.receive([block]), [message])
            scores[origin.partition, origin.offset] = encode(outcome.score)
            assets.add((origin.partition, block.asset))
    for place in reversed(waiting):
        apply(fleet, place)
    return scores, {(p, a): fleet.capture(p, a).digest() for p, a in assets}


def apply(fleet: Fleet, place: Place) -> None:
    """Apply what came from outside the order."""
    for item in place.items:
        if isinstance(item, TickRequest):
            fleet.tick(Tick(place.partition, place.offset, item.at_ns, item.since_ns))
        elif isinstance(item, RecipeChange):
            fleet.change(item.key, place.partition, place.offset)
        elif isinstance(item, Asset | Assigned | Given):
            fleet.take_up(item, place.partition, place.offset)


def published(topics: Topics) -> dict[tuple[int, int], set[bytes]]:
    """All bytes that stand on scores.v1 for each input."""
    found: dict[tuple[int, int], set[bytes]] = {}
    for score in topics.read("scores.v1"):
        found.setdefault(score.place, set()).add(score.value)
    return found


def stored(topics: Topics) -> dict[tuple[int, str], str]:
    """Digest of each snapshot on state.v1."""
    found = {}
    for partition in range(topics.settings.topics.partitions):
        for _, sealed in read_state(topics.settings, partition):
            if sealed.kind == "snapshot":
                state: AssetState = AssetState._of(sealed.tree)
                found[state.partition, state.asset] = state.digest()
    return found


def places(topics: Topics) -> tuple[Place, ...]:
    """All places that ever were on record: those that were taken back are on the topic until it is compacted."""
    admin = AdminClient({"bootstrap.servers": topics.settings.kafka.bootstrap})
    keys = keys_of(topics.settings, admin.list_topics(timeout=10).cluster_id or "")
    found = []
    for message in read_topic(topics.settings, "state.v1"):
        key, value = StateKey.of(message.key()), message.value()
        if key is not None and key.kind == "place" and value is not None:
            found.append(Place.of(unseal(value, keys)))
    return tuple(found)


def same(topics: Topics, **more: Any) -> None:
    """Assert that nothing shows that anything happened: scores and final state are those of the undisturbed run."""
    scores, _ = run(topics, **more)
    assert published(topics) == {place: {value} for place, value in scores.items()}
    same_state(topics, **more)


def same_state(topics: Topics, **more: Any) -> None:
    """Assert that the snapshots are those of the undisturbed run."""
    _, digests = run(topics, **more)
    found = stored(topics)
    assert {each: found.get(each) for each in digests} == digests
