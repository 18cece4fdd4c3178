"""The console put together: what follows Kafka, what is held, what answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from foreshock.policies import read_policies
from foreshock.settings import Settings
from foreshock.streams.coders import registry_for
from foreshock.streams.console import pages
from foreshock.streams.console.app import BEAT_S, Console
from foreshock.streams.console.feed import Feed
from foreshock.streams.console.follower import Follower
from foreshock.streams.console.guard import LARGEST, Guard, labelled
from foreshock.streams.console.machinery import Machinery
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.reading import Readers
from foreshock.streams.console.routes import routes
from foreshock.streams.console.tokens import Tokens
from foreshock.streams.console.traces import store_of
from foreshock.streams.errors import fatal
from foreshock.streams.topics import TopicInfo

FLUSH_S = 0.25


def build(settings: Settings, topics: Mapping[str, TopicInfo], *, private: bool = False) -> Console:
    """Make a console; nothing is asked of Kafka before its application starts.

    Parameters
    ----------
    settings
    topics
        As they were found, by name without the prefix.
    private
        Whether reading too wants a token.

    Raises
    ------
    ConfigurationError
        The token is too short, a policy is not as it must be, or a topic is missing.
    """
    feed = Feed()
    guard = Guard(Tokens(settings.console.token), settings.console.hosts, private=private)
    console = Console(
        settings=settings,
        topics=topics,
        plant=Plant(feed, assets=settings.console.assets, rows=settings.console.rows),
        feed=feed,
        guard=guard,
        machinery=Machinery(settings, topics),
        policies=read_policies(settings.alerts.policies),
        registry=registry_for(settings),
        store=store_of(settings),
        app=web.Application(middlewares=[guard.middleware()], client_max_size=LARGEST),
        readers=Readers(settings),
    )
    Follower.check(settings, topics)
    console.app.on_response_prepare.append(labelled)
    console.app.on_shutdown.append(lambda _: _hang_up(console))
    console.app.add_routes(routes(console))
    console.app.router.add_get("/static/{name:.+}", pages.static)
    console.app.router.add_get("/{path:.*}", pages.page)
    console.app.cleanup_ctx.append(lambda _: _parts(console))
    return console


async def _parts(console: Console) -> AsyncIterator[None]:
    """Start what runs beside the answers, and stop it."""
    console.follower = Follower(console.settings, console.topics, console.take)
    console.follower.start()
    console.machinery.start()
    telling = asyncio.create_task(fatal(_tell(console)))
    yield
    telling.cancel()
    console.machinery.stop()
    console.readers.close()
    await asyncio.get_running_loop().run_in_executor(None, console.follower.stop)


async def _hang_up(console: Console) -> None:
    """End the answers that go on for ever, so that nobody waits for them."""
    console.feed.close()


async def _tell(console: Console) -> None:
    """Tell scores a few times a second, and that we are alive every few seconds."""
    beat = 0.0
    while True:
        await asyncio.sleep(FLUSH_S)
        console.feed.flush(console.now_ms)
        console.look()
        if time.monotonic() - beat >= BEAT_S:
            beat = time.monotonic()
            console.feed.whisper(
                "beat", {"now_ms": console.now_ms, "ready": console.ready, "kafka": not console.problem}
            )
