"""Answers about one asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from aiohttp import web
from confluent_kafka import Consumer

from foreshock.answers.answer import answer as explained
from foreshock.answers.dossier import dossier
from foreshock.contract import SensorBlock
from foreshock.streams.coders import decoder_for
from foreshock.streams.console import asked, block, features, waterfall
from foreshock.streams.console.app import Console
from foreshock.streams.console.asset import asset, known, point_of, series, unknown
from foreshock.streams.console.guard import answer
from foreshock.streams.console.machine import Point
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.reading import one
from foreshock.streams.console.rings import STATES
from foreshock.streams.errands.dossiers import gather
from foreshock.streams.errands.inquiry import inquire
from foreshock.streams.wire import decode_output

NS_MS = 1e6
MINUTES = 60.0
_FARTHEST = 2**62


class Machines:
    """The handlers."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/api/asset", self.asset),
            web.get("/api/asset/why", self.why),
            web.get("/api/asset/dossier", self.dossier),
            web.get("/api/asset/series", self.series),
            web.get("/api/asset/features", self.features),
            web.get("/api/asset/block", self.block),
            web.get("/api/asset/spectrogram", self.spectrogram),
        ]

    async def asset(self, request: web.Request) -> web.Response:
        """Give what is known of it, from memory."""
        return answer(asset(self._console.plant, asked.asset_id(request), self._console.now_ms))

    async def why(self, request: web.Request) -> web.Response:
        """Say in one sentence why it has a score or an alert, or why not."""
        name = asked.asset_id(request)
        found = explained(await self._console.readers.run(inquire, self._console.settings, name))
        if not found.known and not self._console.plant.known(name):
            raise Problem("unknown_asset", found.sentence, found.fix)
        told = [
            {"what": each.what, "value": each.value, "source": each.source, "at_ms": _ms(each.at_ns)}
            for each in found.lines
        ]
        return answer({"code": found.code, "sentence": found.sentence, "fix": found.fix, "lines": told})

    async def dossier(self, request: web.Request) -> web.Response:
        """Say where it is heading, what it looks like, what to do, and what was before."""
        console = self._console
        name, hours = asked.asset_id(request), asked.whole(request, "hours", 0, 0, 24 * 365)
        self._known(name)
        if hours:
            found = dossier(await console.readers.search(gather, console.settings, name, hours * 3600.0))
        else:
            event = await self._newest(name)
            found = dossier(known(console.plant, console.policies, console.settings.detection.budget, name, event))
        return answer(
            {
                "asset": found.asset,
                "headings": [
                    {
                        "point": each.point,
                        "sentence": each.sentence,
                        "word": each.progress.word,
                        "level": each.progress.level,
                        "severity": each.severity,
                        "reach_h": None if each.reach is None else asdict(each.reach),
                    }
                    for each in found.headings
                ],
                "repaired": found.repaired,
                "failure_mode": found.failure_mode,
                "todo": list(found.todo),
                "history": [{"at_ms": _ms(each.at_ns), "what": each.what} for each in found.history],
            }
        )

    async def series(self, request: web.Request) -> web.Response:
        """Give its scores, and what happened beside them."""
        console = self._console
        over = asked.interval(request, console.now_ms, MINUTES)
        width = asked.whole(request, "width", 600, 10, 4000)
        name, point = asked.asset_id(request), asked.text(request, "point")
        budget = console.settings.detection.budget
        return answer(series(console.plant, console.policies, budget, name=name, point=point, over=over, width=width))

    async def features(self, request: web.Request) -> web.Response:
        """Give its features against what is expected of them."""
        console = self._console
        name, point = self._point(request)
        over = asked.interval(request, console.now_ms, MINUTES)
        width = asked.whole(request, "width", 300, 10, 2000)
        wanted = asked.words(request, "names")
        event = await self._newest(name, point.name)
        rows = point.ring.between(*over)

        def read(client: Consumer) -> dict[str, Any]:
            origin = point.newest["origin"]
            found = features.read(
                client, console.topics["scores.v1"], console.registry, rows, name.encode(), origin["partition"]
            )
            if not len(found.values):
                return {"id": name, "point": point.name, "t_ms": [], "names": [], "features": [], "read": 0}
            channels = _channels(client, console, (origin["partition"], origin["offset"]))
            names = features.names_of(found.feature_set, found.values.shape[1], channels)
            about = (name, point.name, over, width)
            master = console.plant.registered.get(name)
            return features.tree(found, names, wanted, event, master, about)

        return answer(await console.readers.ask(read))

    async def block(self, request: web.Request) -> web.Response:
        """Give one raw block with its pictures: the newest, or one by its coordinates."""
        console = self._console
        partition, offset = (asked.whole(request, name, -1, 0, _FARTHEST) for name in ("partition", "offset"))
        width = asked.whole(request, "width", 1200, 50, 8192)
        topic = console.topics["sensors.v1"]
        if partition < 0 or offset < 0:
            _, point = self._point(request)
            origin = point.newest["origin"]
            place = (int(origin["partition"]), int(origin["offset"]))
        else:
            place = (partition, offset)
        if place[0] >= topic.partitions:
            raise Problem("not_found", f"{topic.name} has no partition {place[0]}")
        plant = console.plant

        def read(client: Consumer) -> dict[str, Any]:
            found, message = block.read(client, topic, decoder_for(console.settings), place)
            return block.tree(found, message, plant.registered.get(found.asset), width)

        told = await console.readers.ask(read)
        machine = plant.machine(told["id"])
        near = machine.points.get(told["point"]) if machine else None
        return answer({**told, **_beside(near, place)})

    async def spectrogram(self, request: web.Request) -> web.Response:
        """Give the spectra of its newest blocks."""
        console = self._console
        name, point = self._point(request)
        blocks = asked.whole(request, "blocks", 120, 2, waterfall.BLOCKS)
        bins = asked.whole(request, "bins", 256, 16, waterfall.BINS)
        rows = point.ring.newest(blocks)
        partition = int(point.newest["origin"]["partition"])
        about = (name, point.name, asked.text(request, "channel"), partition, bins)
        topic = console.topics["sensors.v1"]
        return answer(
            await console.readers.ask(waterfall.spectrogram, topic, decoder_for(console.settings), rows, about)
        )

    async def _newest(self, name: str, point: str = "") -> Mapping[str, Any] | None:
        """Read the newest anomaly event of an asset, or of one of its points; None where there is none."""
        console = self._console
        every = reversed(console.plant.anomalies.values())
        line = next((e for e in every if e["asset"] == name and point in {"", e["point"]}), None)
        if line is None:
            return None
        topic = console.topics["anomalies.v1"].name
        try:
            message = await console.readers.ask(one, topic, line["partition"], line["offset"])
        except Problem:  # retention has deleted it meanwhile
            return None
        event: Mapping[str, Any] = decode_output(message.value() or b"", console.registry)["record"]
        return event

    def _known(self, name: str) -> None:
        if not self._console.plant.known(name):
            raise unknown(self._console.plant, name)

    def _point(self, request: web.Request) -> tuple[str, Point]:
        name = asked.asset_id(request)
        return name, point_of(self._console.plant, name, asked.text(request, "point"))


def _channels(client: Consumer, console: Console, place: tuple[int, int]) -> tuple[str, ...]:
    """Give the names of a block's channels; () where it is not kept any more."""
    try:
        found, _ = block.read(client, console.topics["sensors.v1"], decoder_for(console.settings), place)
    except Problem:
        return ()
    return found.channels if isinstance(found, SensorBlock) else ()


def _beside(point: Point | None, place: tuple[int, int]) -> dict[str, Any]:
    """The score of a block, and the blocks of its point before and after it, as far as they are held."""
    nothing: dict[str, Any] = {"score": None, "previous": None, "next": None}
    if point is None or point.newest["origin"]["partition"] != place[0]:
        return nothing
    rows = point.ring.rows()
    found = np.flatnonzero(rows["input"] == place[1])
    before = rows["input"][rows["input"] < place[1]]
    after = rows["input"][rows["input"] > place[1]]
    told = {
        "previous": {"partition": place[0], "offset": int(before[-1])} if len(before) else None,
        "next": {"partition": place[0], "offset": int(after[0])} if len(after) else None,
    }
    if not len(found):
        return {**nothing, **told}
    row = rows[found[-1]]
    value, p = float(row["value"]), float(row["p"])
    score = {
        "value": value if np.isfinite(value) else None,
        "p": p if np.isfinite(p) else None,
        "state": STATES[int(row["state"])],
        "alarm": bool(row["alarm"]),
        "running": bool(row["running"]),
    }
    return {**told, "score": score}


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_MS
