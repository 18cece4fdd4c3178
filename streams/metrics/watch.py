"""What is looked at now and then in a worker: lag, models, state, cache, cost. On the event loop, some milliseconds a look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from foreshock.core.census import Census
from foreshock.settings import Settings
from foreshock.streams.errors import aside
from foreshock.streams.metrics.economy import Economy
from foreshock.streams.metrics.endpoint import Health
from foreshock.streams.metrics.holders import Holders
from foreshock.streams.metrics.lag import Lags
from foreshock.streams.metrics.tally import Tally
from foreshock.streams.metrics.values import Values
from foreshock.streams.metrics.windows import HOUR_S, MONTH_S, Window, psi
from foreshock.streams.state.ledger import Ledger, Partition

BEAT_S = 0.25
COUNT_BEATS, LOOK_BEATS, CENSUS_BEATS = 4, 12, 60
ASK_S = 3.0


class Told(Protocol):
    """What counts for itself."""

    def counters(self) -> Mapping[str, int]:
        """Give the counts by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What is looked at.

    Attributes
    ----------
    census
        Counts measuring points.
    ledger
        How far each partition is done.
    ends
        Where reading last came to the end of each partition.
    in_flight
        Bytes of outputs under way.
    is_open
        Whether partitions are restored.
    telemetry, cache
        What they count.
    """

    census: Callable[[], Census]
    ledger: Ledger
    ends: Callable[[], Mapping[Partition, int]]
    in_flight: Callable[[], int]
    is_open: Callable[[], bool]
    telemetry: Told
    cache: Told


class Broker:
    """Asks for the ends of partitions; in a thread that is not the loop's.

    Parameters
    ----------
    properties
        Of a librdkafka client.
    ledger
        Which partitions.
    """

    def __init__(self, properties: Mapping[str, Any], ledger: Ledger) -> None:
        self._admin = AdminClient({**properties, "log_level": 0})
        self._ledger = ledger
        self.ends: dict[Partition, int] = {}

    def look(self) -> None:
        """Ask; while the brokers do not answer the ends are what they were."""
        latest = OffsetSpec.latest()
        asked = {TopicPartition(*partition): latest for partition in list(self._ledger.partitions())}
        found: dict[Partition, int] = {}
        for place, answer in (self._admin.list_offsets(asked, request_timeout=ASK_S) if asked else {}).items():
            try:
                found[place.topic, place.partition] = answer.result(ASK_S).offset
            except (KafkaException, TimeoutError):
                found[place.topic, place.partition] = self.ends.get((place.topic, place.partition), 0)
        self.ends = found


class Watch:
    """Looks.

    Parameters
    ----------
    settings
        `detection.budget` and what `Economy` needs.
    values, health, tally, holders
        Where it is written.
    subjects, broker
        What is looked at.
    """

    def __init__(
        self,
        settings: Settings,
        values: Values,
        health: Health,
        *,
        tally: Tally,
        holders: Holders,
        economy: Economy,
        subjects: Subjects,
        broker: Broker,
    ) -> None:
        self._values = values
        self._health = health
        self._tally = tally
        self._holders = holders
        self._economy = economy
        self._subjects = subjects
        self._broker = broker
        self._lags = Lags()
        self._budget = settings.detection.budget
        self._raised: Window[int] = Window(MONTH_S, HOUR_S)
        self._ranks: Window[Any] = Window(HOUR_S, 60.0)
        self._progress = (0, 0.0)
        self._clean_s = time.monotonic()  # when all that was done was committed
        self._delay = values.histogram("foreshock_event_loop_delay_seconds")
        self._p = values.histogram("foreshock_p_value")
        values.put("foreshock_alarm_budget", self._budget)

    async def every(self) -> None:
        """Run for ever."""
        beats = 0
        while True:
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._delay.observe(max(time.monotonic() - due, 0.0))
            self._health.beat("" if self._subjects.is_open() else "partitions are being restored")
            if beats % COUNT_BEATS == 0:
                aside(self._tally.count)
            if beats % LOOK_BEATS == 0:
                aside(self._look)
            if beats % CENSUS_BEATS == 0:
                aside(self._take_census)
            beats += 1

    def committed(self) -> None:
        """Hear that a checkpoint was committed."""
        self._clean_s = time.monotonic()

    def assigned(self) -> None:
        """Look at once: partitions came or went."""
        aside(self._take_census)
        aside(self._look)

    def _look(self) -> None:
        self._look_at_lag()
        values = self._values
        if not self._subjects.ledger.uncommitted():
            self._clean_s = time.monotonic()
        values.put("foreshock_checkpoint_age_seconds", max(time.monotonic() - self._clean_s, 0.0))
        values.put("foreshock_outputs_in_flight_bytes", float(self._subjects.in_flight()))
        for name, series in self._holders.by_asset().items():
            values.replace(name, series)
        self._economy.look()
        _pass_on(values, self._subjects.telemetry.counters(), _TELEMETRY)
        _pass_on(values, self._subjects.cache.counters(), _CACHE)

    def _look_at_lag(self) -> None:
        ledger, now_ns = self._subjects.ledger, time.time_ns()
        mine = {
            partition: offset for partition, offset in ledger.positions().items() if partition in ledger.partitions()
        }
        ends, read = self._broker.ends, {} if ledger.outstanding() else self._subjects.ends()
        self._lags.keep({number for _, number in mine})
        for partition, position in mine.items():
            lag = self._lags.of[partition[1]]
            lag.done(self._tally.newest_ns.get(partition[1], 0))
            if partition in ends:  # markers of transactions take offsets too: an end that was read counts
                lag.look(ends[partition], max(position, read.get(partition, 0)), now_ns)
        self._values.put("foreshock_partitions", float(len(mine)))
        of = self._lags.of.items()
        self._values.replace("foreshock_lag_records", {(str(n),): float(lag.records) for n, lag in of})
        self._values.replace("foreshock_lag_seconds", {(str(n),): lag.seconds(now_ns) for n, lag in of})
        if ledger.progress != self._progress[0] or not any(lag.records for _, lag in of):
            self._progress = ledger.progress, time.monotonic()
        self._values.put("foreshock_progress_age_seconds", time.monotonic() - (self._progress[1] or time.monotonic()))

    def _take_census(self) -> None:
        self._holders.refresh()
        found, values = self._subjects.census(), self._values
        for (state,), _ in values.numbers("foreshock_models"):
            values.put("foreshock_models", float(found.states[state]), (state,))
        for (kind,), _ in values.numbers("foreshock_quality_standing"):
            values.put("foreshock_quality_standing", float(found.quality[kind]), (kind,))
        values.put("foreshock_models_held", float(found.held))
        values.put("foreshock_models_shadow", float(found.shadow))
        values.put("foreshock_episodes_open", float(found.episodes))
        assets = dict[tuple[str, ...], float]()
        for name, number in found.assets.items():
            label = (self._holders.class_label(name),)
            assets[label] = assets.get(label, 0.0) + number
        values.replace("foreshock_assets", assets)
        self._economy.assets = {label[0]: int(number) for label, number in assets.items()}
        self._rates(sum(found.assets.values()))

    def _rates(self, assets: int) -> None:
        now_s, raised = time.monotonic(), self._tally.raised
        _, before = self._raised.read(now_s, raised)
        used = (raised - before) / (self._budget * assets) if assets else 0.0
        self._values.put("foreshock_alarm_budget_used_ratio", used)
        counts = self._p.counts[:-1].copy()
        _, earlier = self._ranks.read(now_s, counts)
        self._values.put("foreshock_drift_psi", psi(counts - earlier, self._p.bounds))


_TELEMETRY = {
    "recorded": ("foreshock_traces_total", "recorded"),
    "limited": ("foreshock_traces_total", "limited"),
    "sent": ("foreshock_spans_total", "sent"),
    "dropped": ("foreshock_spans_total", "dropped"),
    "failed": ("foreshock_spans_total", "failed"),
}
_CACHE = {
    "written": ("foreshock_cache_states_total", "written"),
    "dropped": ("foreshock_cache_states_total", "dropped"),
    "hit": ("foreshock_cache_exchanges_total", "hit"),
    "miss": ("foreshock_cache_exchanges_total", "miss"),
    "failed": ("foreshock_cache_exchanges_total", "failed"),
    "waiting": ("foreshock_cache_waiting",),
    "up": ("foreshock_cache_up",),
}


def _pass_on(values: Values, counted: Mapping[str, int], names: Mapping[str, tuple[str, ...]]) -> None:
    for key, (name, *labels) in names.items():
        values.put(name, float(counted[key]), tuple(labels))
