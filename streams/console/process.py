"""The process of `foreshock console`, from start to end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import sys
import webbrowser

from aiohttp import web

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.settings import Settings
from foreshock.streams import logs
from foreshock.streams.console.app import Console
from foreshock.streams.console.build import build
from foreshock.streams.console.listening import Address, address
from foreshock.streams.topics import inspect

_CLOSE_S = 2.0  # for answers that are under way


def run(settings: Settings, *, open_page: bool = False) -> None:
    """Serve the page until SIGTERM or SIGINT.

    Raises
    ------
    ConfigurationError
        The address or the token is not as it must be, or there are no such topics.
    Unavailable
        Kafka cannot be reached, or the port is taken.
    """
    place = checked(settings)
    logs.to_stderr(settings, "foreshock-console")
    topics = inspect(settings)
    asyncio.run(_live(build(settings, topics, private=not place.local), place, open_page=open_page))
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # a thread that waits for Kafka's answer must not keep us


def checked(settings: Settings) -> Address:
    """Give the address to listen at.

    Raises
    ------
    ConfigurationError
        It is none, others could reach us there and there is no token, or the link to traces is none.
    """
    place, link = address(settings.console.listen), settings.console.trace_link
    if link and not (link.startswith(("http://", "https://")) and "{trace_id}" in link):
        raise ConfigurationError("console.trace_link must be an address (http://...) with {trace_id} in it")
    if not place.local and not settings.console.token.strip():
        raise ConfigurationError(
            f"console.listen is {settings.console.listen}: others could reach it there, and there is no token: set "
            "console.token_file, or listen on 127.0.0.1"
        )
    return place


async def _live(console: Console, place: Address, *, open_page: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    runner = await serve(console, place)
    try:
        url = address_of(runner, place)
        print(f"the console is at {url}", flush=True)
        if open_page:
            await loop.run_in_executor(None, webbrowser.open, url)
        await stopping.wait()
    finally:
        await runner.cleanup()


async def serve(console: Console, place: Address) -> web.AppRunner:
    """Listen; the parts of the console start with it and end with its clean-up.

    Raises
    ------
    Unavailable
        The port is taken, or the address is none of this machine.
    """
    runner = web.AppRunner(console.app, access_log=None, shutdown_timeout=_CLOSE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, place.host, place.port, reuse_address=True).start()
    except OSError as exc:
        await runner.cleanup()
        if exc.errno == errno.EADDRINUSE:
            why = f"port {place.port} is taken: another console may run; --listen 127.0.0.1:0 takes any that is free"
        else:
            why = f"cannot listen at {place.host}:{place.port}: {os.strerror(exc.errno or 0)}"
        raise Unavailable(why) from exc
    return runner


def address_of(runner: web.AppRunner, place: Address) -> str:
    """Give the URL of the page."""
    port = runner.addresses[0][1]
    return f"http://{f'[{place.host}]' if ':' in place.host else place.host}:{port}/"
