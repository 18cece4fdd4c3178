"""Dead letters: the original, where it stands, and what to mend."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from foreshock.contract import DeadLetter, Origin
from foreshock.errors import InputRejected
from foreshock.lineage import event_id

KEPT_BYTES = 512 * 1024
_KEPT_HEADERS = 64 * 1024
_KEPT_WORDS = 1000
_KEPT_KEY = 64 * 1024


def dead_letter(
    exc: InputRejected,
    origin: Origin,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]] = (),
) -> DeadLetter:
    """Make the dead letter of a record that was refused.

    The value is kept up to `KEPT_BYTES`; size and sha256 are those of the whole. Key and headers are kept up to 64 KiB each.
    """
    data = value or b""
    return DeadLetter(
        event_id=event_id("dead-letter", origin),
        reason=exc.reason,
        sentence=_words(exc.sentence),
        field=_words(exc.field),
        fix=_words(exc.fix),
        origin=origin,
        key=key if key is None else key[:_KEPT_KEY],
        value=value if value is None else value[:KEPT_BYTES],
        value_size=len(data),
        value_sha256=hashlib.sha256(data).hexdigest(),
        headers=_kept(headers),
    )


def _words(text: str) -> str:
    """Make a text fit for the letter: it may quote what the sender wrote, half characters and all."""
    return text[:_KEPT_WORDS].encode("utf-8", "replace").decode()


def _kept(headers: Sequence[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes | None], ...]:
    kept = []
    left = _KEPT_HEADERS
    for name, value in headers:
        left -= len(name) + len(value or b"")
        if left < 0:
            break
        kept.append((name, value))
    return tuple(kept)
