"""Lines of the log: JSON, or for people; with the trace that they belong to, without secrets, and no flood of one kind.

The standard library's logging does the work. A line that belongs to a record gives its trace along:
``log.warning("...", extra=about(trace_id=...))``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from foreshock.contract import Origin
from foreshock.lineage import trace_id
from foreshock.settings import SECRET_PROPERTIES, Settings

BURST = 20  # lines of one kind that go out in a row
WINDOW_S = 10.0  # in so many seconds
KINDS = 1000  # kinds of lines that are told apart
SHORTEST_SECRET = 5  # characters: what is shorter is too likely to be a word
HIDDEN = "***"
_QUIET = ("faust", "mode", "asyncio", "foreshock.streams")  # the last: Faust logs under the modules of its classes
_USER_INFO = re.compile(r"(?<=://)[^/?#\s\"'<>]+(?=@)")  # to the last @ that can belong to the URL
_FIELD = "about"


def about(**fields_: Any) -> dict[str, dict[str, Any]]:
    """Give what a line carries beside its text: `trace_id`, `event_id`, `asset` and the like; None is left out."""
    return {_FIELD: {name: value for name, value in fields_.items() if value is not None and value != ""}}


def of_record(origin: Origin, **fields_: Any) -> dict[str, dict[str, Any]]:
    """Give what a line about a record carries: its trace and its place."""
    place = f"{origin.topic}/{origin.partition}/{origin.offset}"
    return about(trace_id=trace_id(origin), record=place, **fields_)


def to_stderr(settings: Settings, service: str) -> None:
    """Log warnings of libraries and everything of ours to standard error, as `telemetry.log_format` says.

    Parameters
    ----------
    service
        Who speaks: ``foreshock-worker``.
    """
    style = settings.telemetry.log_format or ("human" if sys.stderr.isatty() else "json")
    hide = hider(settings)
    handler = Lines(sys.stderr, JsonLines(service, hide) if style == "json" else HumanLines(hide))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("foreshock").setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def last_line(reason: str, exc: BaseException | None = None) -> None:
    """Say why the process ends, in the form that its other lines have."""
    handler = next((each for each in logging.getLogger().handlers if isinstance(each, Lines)), None)
    if handler is not None and isinstance(handler.formatter, JsonLines):
        found = (type(exc), exc, exc.__traceback__) if exc is not None else None
        record = logging.LogRecord("foreshock", logging.CRITICAL, "", 0, reason, None, found)
        handler.stream.write(handler.format(record) + handler.terminator)
        handler.flush()
        return
    if exc is not None:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    print(reason, file=sys.stderr, flush=True)


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, service, process, and what `about` gave."""

    def __init__(self, service: str, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._service = service
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "service": self._service,
            "process": record.process,
            **getattr(record, _FIELD, {}),
        }
        if repeated := getattr(record, "repeated", 0):
            found["repeated"] = repeated
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        try:
            text = orjson.dumps(found, default=str).decode()
        except (orjson.JSONEncodeError, UnicodeEncodeError):  # half of a surrogate pair in what somebody sent
            text = json.dumps(found, default=str)
        return self._hide(text)


class HumanLines(logging.Formatter):
    """A line as people read it; what could steer a terminal is shown as an escape."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Write a line, or several where it has a traceback."""
        given: Mapping[str, Any] = getattr(record, _FIELD, {})
        text = plain(record.getMessage())
        if repeated := getattr(record, "repeated", 0):
            text += f" (and {repeated} like it)"
        if "trace_id" in given:
            text += f" [trace {given['trace_id']}]"
        shown = logging.makeLogRecord({**record.__dict__, "msg": text, "args": None})
        return self._hide(super().format(shown))


class Repeats:
    """Lets `BURST` lines of a kind pass in `WINDOW_S` seconds and counts the rest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds: dict[object, list[float]] = {}  # begin of the window, lines in it, lines held back

    def passes(self, kind: object) -> int | None:
        """Give how many of its kind were held back before this one; None: hold this one back too."""
        now = self._clock()
        found = self._kinds.get(kind)
        if found is None:
            if len(self._kinds) >= KINDS:
                del self._kinds[next(iter(self._kinds))]
            found = self._kinds[kind] = [now, 0, 0]
        if now - found[0] >= WINDOW_S:
            found[0], found[1] = now, 0
        if found[1] >= BURST:
            found[2] += 1
            return None
        found[1] += 1
        held, found[2] = int(found[2]), 0
        return held

    def held(self) -> Iterator[tuple[object, int]]:
        """Give what is held back and was never told, once."""
        for kind, found in self._kinds.items():
            if found[2]:
                yield kind, int(found[2])
                found[2] = 0


class Lines(logging.StreamHandler[TextIO]):
    """Writes lines, of each kind so many and then their count. A kind is a logger, a level and a text with its gaps."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        self._repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, unless too many of its kind were just written; who counts its own gives `repeated` along."""
        if not hasattr(record, "repeated"):
            held = self._repeats.passes((record.name, record.levelno, str(record.msg)))
            if held is None:
                return
            record.repeated = held
        super().emit(record)

    def close(self) -> None:
        """Tell what was held back to the end."""
        for kind, count in self._repeats.held():
            name, level, text = kind if isinstance(kind, tuple) else ("", logging.INFO, "")
            record = logging.LogRecord(name, level, "", 0, f"{count} more lines like: {text}", None, None)
            super().emit(record)
        super().close()


def plain(text: str) -> str:
    """Give the text without what could steer a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def hider(settings: Settings) -> Callable[[str], str]:
    """Make what takes the secrets of the settings out of a text, and the passwords of URLs."""
    secrets = {each for each in _secrets(settings) if len(each) >= SHORTEST_SECRET}
    found = {text for each in secrets for text in _spelled(each)}
    pattern = re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True)))) if found else None

    def hide(text: str) -> str:
        text = pattern.sub(HIDDEN, text) if pattern else text
        return _USER_INFO.sub(HIDDEN, text) if "@" in text else text

    return hide


def _spelled(secret: str) -> set[str]:
    """Give a text in every way in which a line may have it: `repr`, escapes for terminals, and JSON of all of these."""
    plainly = {secret, repr(secret)[1:-1], plain(secret)}
    return plainly | {json.dumps(each, ensure_ascii=flag)[1:-1] for each in plainly for flag in (True, False)}


def _secrets(part: Any) -> Iterator[str]:
    """Walk through settings and give what is declared secret; of a URL the password alone is one, and that is seen to apart."""
    for each in fields(part):
        value = getattr(part, each.name)
        if is_dataclass(value):
            yield from _secrets(value)
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                if is_dataclass(inner):
                    yield from _secrets(inner)
                elif name in SECRET_PROPERTIES and isinstance(inner, str):
                    yield inner
        elif each.metadata.get("secret") and isinstance(value, str) and not _is_plain_url(each.metadata, value):
            yield value


def _is_plain_url(metadata: Mapping[str, Any], value: str) -> bool:
    return "://" in value and (bool(metadata.get("plain")) or value.startswith(("redis", "unix", "valkey")))
