"""What `foreshock doctor` finds behind the settings: Kafka, its topics and how they are written, the cache, the registry."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

from foreshock.errors import ForeshockError
from foreshock.local.checks import Check, State
from foreshock.settings import Settings
from foreshock.streams.errands.samples import newest_keys
from foreshock.streams.kafka import administration
from foreshock.streams.partitioner import fitting, partition_for
from foreshock.streams.topics import TOPICS, TopicInfo, check, inspect, production_warnings, tell, used

WAIT_S = 3.0
NAMES = {"murmur2": "murmur2_random", "consistent": "consistent_random", "fnv1a": "fnv1a_random"}


def kafka(settings: Settings) -> Check:
    """Reach the broker."""
    try:
        with administration(settings, wait_s=WAIT_S) as admin:
            brokers = admin.list_topics(timeout=WAIT_S).brokers
    except ForeshockError as exc:
        fix = "" if exc.exit_code == 2 else "start one with `foreshock up`, or set kafka.bootstrap"
        return Check("kafka", State.MISSING, str(exc), fix)
    return Check("kafka", State.OK, f"{settings.kafka.bootstrap}, {len(brokers)} broker{'s' * (len(brokers) > 1)}")


def topics(settings: Settings) -> Iterator[Check]:
    """Look at every topic, and at how the inputs are written."""
    try:
        found = inspect(settings, wait_s=WAIT_S)
        yield _topics(found, settings)
        for warning in production_warnings(found.values(), settings):
            yield Check("durability", State.WARNING, warning)
        if "sensors.v1" in found:
            yield _partitioner(found["sensors.v1"], settings)
    except ForeshockError as exc:
        yield Check("topics", State.MISSING, str(exc))


def redis(settings: Settings) -> Check:
    """Reach the cache, where one is set."""
    if not settings.redis.url:
        return Check(
            "redis", State.UNUSED, "none set: `foreshock status` has nothing to read", "set redis.url for a cache"
        )
    from foreshock.streams.cache import CacheReader, hidden

    try:
        assets = CacheReader(settings.redis.url, prefix=settings.topics.prefix).assets()
    except ForeshockError as exc:
        return Check("redis", State.WARNING, str(exc), "start it, or take redis.url out: the worker runs without one")
    return Check("redis", State.OK, f"{hidden(settings.redis.url)}, the state of {len(assets)} assets")


def registry(settings: Settings) -> Check:
    """Reach the schema registry, where one is set."""
    url = settings.topics.registry_url
    if not url:
        return Check("registry", State.UNUSED, "none set: schemas are found by fingerprint")
    if url.startswith("mock://"):
        return Check("registry", State.OK, "the client's own mock")
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/subjects", headers={"Accept": "application/json"})  # noqa: S310  # the user's own setting
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310  # as above
            return Check("registry", State.OK, f"answers ({answer.status})")
    except urllib.error.HTTPError as exc:
        if exc.code in (401, 403):
            return Check(
                "registry", State.MISSING, f"refuses us ({exc.code})", "check the account in topics.registry_url"
            )
        return Check("registry", State.MISSING, f"answers {exc.code}", "check topics.registry_url")
    except (urllib.error.URLError, OSError, ValueError) as exc:
        return Check("registry", State.MISSING, f"cannot be reached: {exc}", "check topics.registry_url")


def _topics(found: Mapping[str, TopicInfo], settings: Settings) -> Check:
    absent = [each.full_name(settings) for each in used() if each.name not in found]
    wrong = [(info.name, text) for name, info in found.items() for text in check(TOPICS[name], info, settings)]
    if wrong:
        return Check(
            "topics", State.MISSING, tell(wrong).replace("\n", "; "), "the commands are in `foreshock topics --print`"
        )
    if absent and settings.topics.create:
        return Check(
            "topics",
            State.WARNING,
            f"not there yet: {', '.join(absent)}",
            "the worker creates them, or `foreshock topics --create`",
        )
    if absent:
        return Check(
            "topics",
            State.MISSING,
            f"not there: {', '.join(absent)}",
            "`foreshock topics --print` for an administrator",
        )
    return Check("topics", State.OK, f"all {len(found)} with {settings.topics.partitions} partitions")


def _partitioner(topic: TopicInfo, settings: Settings) -> Check:
    """Compare where keys are with where each partitioner would have put them."""
    placed = newest_keys(settings, topic, wait_s=WAIT_S)
    keys = len({key for key, _ in placed})
    if not placed:
        return Check("partitioner", State.OK, f"{topic.name} has no records with a key yet")
    configured = settings.topics.partitioner
    shares = fitting(placed, topic.partitions)
    ours = configured.removesuffix("_random")
    if shares[ours] == 1.0:
        return Check("partitioner", State.OK, f"{topic.name} is written with {configured} ({keys} keys)")
    other = next((NAMES[name] for name, share in shares.items() if share == 1.0), "")
    if other:
        return Check(
            "partitioner",
            State.MISSING,
            f"{topic.name} is written with {other} ({keys} keys), we expect {configured}",
            f"set partitioner={configured} in the producers (librdkafka's default is consistent_random), or topics.partitioner = "
            f'"{other}" if all of them use it',
        )
    wrong = {key: at for key, at in placed if partition_for(key, topic.partitions, configured) != at}
    key, at = next(iter(wrong.items()))
    return Check(
        "partitioner",
        State.MISSING,
        f"{topic.name} is written with several partitioners: {len(wrong)} of {keys} keys are not where {configured} puts them, "
        f"such as {key.decode('utf-8', 'replace')!r} on {at} instead of {partition_for(key, topic.partitions, configured)}",
        f"set partitioner={configured} in every producer",
    )
