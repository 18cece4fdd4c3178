"""The files of the page: sent as they are; every other path is the page itself, which reads the path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

from foreshock.streams.console.problems import Problem

FOLDER = Path(__file__).parent / "page"
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".txt": "text/plain",
        ".woff2": "font/woff2",
    }
)


async def page(request: web.Request) -> web.Response:
    """Send the page, whatever the path: it knows what to show."""
    if request.path.startswith(("/api/", "/static/")):
        raise Problem("not_found", "there is nothing here")
    return _file(request, "index.html")


async def static(request: web.Request) -> web.Response:
    """Send a file of the page."""
    return _file(request, request.match_info["name"])


def _file(request: web.Request, name: str) -> web.Response:
    parts = name.split("/")
    path = FOLDER.joinpath(*parts)
    if not all(_PART.fullmatch(part) for part in parts) or path.suffix not in _TYPES:
        raise Problem("not_found", "there is no such file")
    try:
        data, changed = path.read_bytes(), path.stat().st_mtime_ns
    except OSError:
        raise Problem("not_found", "there is no such file") from None
    tag = f'"{changed:x}-{len(data):x}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    found = web.Response(body=data, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)
    if len(data) > 1024:
        found.enable_compression()
    return found
