"""Answers about the whole: session, fleet, events as they come, pipeline, dead letters."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from foreshock.answers.diagnosis.diagnose import diagnose
from foreshock.answers.diagnosis.vitals import Vitals
from foreshock.settings import Settings
from foreshock.streams.console import asked
from foreshock.streams.console.app import BEAT_S, Console
from foreshock.streams.console.feed import framed
from foreshock.streams.console.fleet import MOST, Asked, fleet
from foreshock.streams.console.guard import COOKIE, answer
from foreshock.streams.console.letters import letter, letters
from foreshock.streams.console.pipeline import pipeline
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.rings import ROW
from foreshock.streams.console.tokens import SESSION_S
from foreshock.streams.console.traces import stages
from foreshock.streams.errands.vitals import gather

RETRY_MS = 2000
UNREAD_S = 30.0  # for so long what is told may lie unread
LOOK_S, SINCE_S = 5.0, 900.0  # of a diagnosis: between its two looks, and how far back events are read
STAGES_S = 10.0  # for so long the stages hold that were read once


class Overview:
    """The handlers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._diagnosing = asyncio.Lock()
        self._stages: tuple[float, list[dict[str, object]]] = (-STAGES_S, [])

    def routes(self) -> list[web.RouteDef]:
        """Give the routes."""
        return [
            web.get("/api/session", self.session),
            web.post("/api/login", self.login),
            web.post("/api/logout", self.logout),
            web.get("/api/fleet", self.fleet),
            web.get("/api/events", self.events),
            web.get("/api/pipeline", self.pipeline),
            web.get("/api/diagnose", self.diagnose),
            web.get("/api/dead-letters", self.letters),
            web.get(r"/api/dead-letters/{partition:\d{1,9}}/{offset:\d{1,18}}", self.letter),
        ]

    async def session(self, request: web.Request) -> web.Response:
        """Say who we are, and what the asker may do."""
        console = self._console
        plant, guard = console.plant, console.guard
        signed_in = guard.signed_in(request)
        about: dict[str, object] = {"write": guard.tokens.configured, "private": guard.private, "signed_in": signed_in}
        about |= {"now_ms": console.now_ms, "ready": console.ready}
        if guard.private and not signed_in:
            return answer(about)  # where brokers are and what is wrong with them is for those who may read
        return answer(
            about
            | {
                "version": console.version,
                "prefix": console.settings.topics.prefix,
                "bootstrap": console.settings.kafka.bootstrap,
                "started_ms": console.started_ms,
                "look_back_s": console.settings.console.look_back_s,
                "held": {
                    "assets": len(plant.machines),
                    "assets_most": plant.assets_most,
                    "assets_left_out": plant.left_out,
                    "rows": plant.room.taken,
                    "rows_most": plant.room.most,
                    "bytes": plant.room.taken * ROW.itemsize,
                    "unread": plant.unread + (console.follower.unread.total() if console.follower else 0),
                },
                "kafka": {"reachable": not console.problem, "problem": console.problem},
                "links": {"trace": console.settings.console.trace_link},
                "cache": {"configured": bool(console.settings.redis.url)},
            }
        )

    async def login(self, request: web.Request) -> web.Response:
        """Take the token and give a session's cookie."""
        token = asked.said(await asked.body(request), "token")
        session = self._console.guard.tokens.login(token, request.remote or "")
        found = answer({"signed_in": True})
        # Behind something that speaks TLS the request comes plain; the page's own origin says how the browser sees it.
        secure = request.secure or request.headers.get("Origin", "").startswith("https://")
        found.set_cookie(
            COOKIE, session, max_age=int(SESSION_S), path="/", httponly=True, samesite="Strict", secure=secure
        )
        return found

    async def logout(self, request: web.Request) -> web.Response:
        """End the session."""
        self._console.guard.tokens.logout(request.cookies.get(COOKIE, ""))
        found = answer({"signed_in": False})
        found.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return found

    async def fleet(self, request: web.Request) -> web.Response:
        """Give every asset with its lane."""
        now_ms = self._console.now_ms
        since, until = asked.interval(request, now_ms, 60.0)
        wanted = Asked(
            from_ms=since,
            to_ms=until,
            now_ms=now_ms,
            text=asked.text(request, "q"),
            severities=asked.words(request, "severity"),
            classes=asked.words(request, "class"),
            problems=asked.text(request, "problems") in {"1", "true"},
            limit=asked.whole(request, "limit", 2_000, 1, MOST),
            offset=asked.whole(request, "offset", 0, 0, 1_000_000),
        )
        return answer(fleet(self._console.plant, wanted))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send events as they come, until the asker leaves."""
        after = request.headers.get("Last-Event-ID") or request.query.get("after")
        if after is not None and not (after.isdecimal() and len(after) < 19):
            raise Problem("bad_request", "Last-Event-ID must be the number of an event")
        feed = self._console.feed
        listener = feed.join(None if after is None else int(after))
        if listener is None:
            raise Problem("busy", "too many pages listen")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        try:
            await response.prepare(request)
            hello = {"now_ms": self._console.now_ms, "ready": self._console.ready}
            await response.write(f"retry: {RETRY_MS}\n\n".encode() + framed(0, "hello", hello))
            while not listener.ended and self._console.guard.may_listen(request):
                data = await listener.take(3 * BEAT_S)
                async with asyncio.timeout(UNREAD_S):
                    await response.write(data or b": still here\n\n")
        except TimeoutError:  # it is there and reads nothing: others want its place
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # the page was closed
        finally:
            feed.leave(listener)
        return response

    async def pipeline(self, request: web.Request) -> web.Response:
        """Give topics, lag, workers, checkpoints and sinks."""
        del request
        console = self._console
        read_at, found = self._stages
        if time.monotonic() - read_at > STAGES_S:
            found = await asyncio.get_running_loop().run_in_executor(None, stages, console.store)
            self._stages = time.monotonic(), found
        return answer(pipeline(console.machinery, console.plant, found, console.now_ms, console.problem))

    async def diagnose(self, request: web.Request) -> web.Response:
        """Name the layer that is in trouble, with its evidence: two looks at everything, a few seconds apart."""
        del request
        if self._diagnosing.locked():
            raise Problem("busy", "another diagnosis runs", "try again in a moment")
        async with self._diagnosing:
            seen = await self._console.readers.run(_vitals, self._console.settings)
        found = diagnose(seen)
        findings = [
            {"layer": each.layer, "cause": each.cause, "weight": each.weight, "sentence": each.sentence}
            | {"evidence": list(each.evidence), "fix": each.fix}
            for each in found.findings
        ]
        return answer({"layer": found.layer, "findings": findings, "unseen": list(found.unseen)})

    async def letters(self, request: web.Request) -> web.Response:
        """Give the newest dead letters."""
        limit = asked.whole(request, "limit", 100, 1, 1000)
        return answer(letters(self._console.plant, asked.text(request, "reason"), limit))

    async def letter(self, request: web.Request) -> web.Response:
        """Give one dead letter with its bytes."""
        console = self._console
        place = int(request.match_info["partition"]), int(request.match_info["offset"])
        topic = console.topics["dead-letters.v1"]
        if place[0] >= topic.partitions:
            raise Problem("not_found", f"{topic.name} has no partition {place[0]}")
        return answer(await console.readers.ask(letter, topic, console.registry, place))


def _vitals(settings: Settings) -> Vitals:
    return gather(settings, urls=(), span_s=LOOK_S, since_s=SINCE_S)
