"""All routes of the API."""

from __future__ import annotations

from aiohttp import web

from foreshock.streams.console.alerting import Alerting
from foreshock.streams.console.app import Console
from foreshock.streams.console.changing import Changing
from foreshock.streams.console.machines import Machines
from foreshock.streams.console.overview import Overview


def routes(console: Console) -> list[web.RouteDef]:
    """Give them."""
    return [each for part in (Overview, Machines, Alerting, Changing) for each in part(console).routes()]
