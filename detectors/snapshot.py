"""Sealed bytes: a tree that nobody has changed since one of us wrote it.

    magic "FSSS" | version u16 | length of key id u8 | key id | length of body u32 | HMAC-SHA256 | body

The signature covers everything but itself, and is checked before anything is decompressed or decoded; the layout up to
here is the same for all versions. The body is the compressed canonical tree {header, kind, tree}. The version counts
up when the meaning of the tree changes; older ones are migrated step by step (`MIGRATIONS`), newer ones refused.

The signature guards restoring: it tells our own state from what anybody else may have written to the topic. An outsider
cannot check it; what an anomaly rests on is named by the sha256 of its evidence instead.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from foreshock.detectors.snapshot_codec import Tree, canonical, from_canonical
from foreshock.errors import SnapshotRejected

__all__ = ["Key", "Keys", "Kind", "Sealed", "Tree", "canonical", "from_canonical", "seal", "unseal"]

Kind = Literal["snapshot", "marker", "place", "recipe", "line"]
VERSION = 1
MAGIC = b"FSSS"
LEVEL = 1  # of zlib: level 6 saves a tenth more and takes four times as long
LARGEST = 32 * 1024 * 1024  # bytes of a body once it is decompressed: a state of 64 channels has 3 MB
MIGRATIONS: dict[int, Callable[[Kind, dict[str, Tree]], dict[str, Tree]]] = {}  # by the version they start from
_HEAD, _SIGNATURE = struct.Struct("<4sHB"), 32


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and the name it goes by."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that seals, and the one before it, whose seals are still taken."""

    current: Key
    previous: Key | None = None

    def secret(self, key_id: str) -> bytes | None:
        """Secret of a key id; None where it is neither."""
        known = (self.current, self.previous)
        return next((key.secret for key in known if key is not None and key.id == key_id), None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed."""

    kind: Kind
    header: Mapping[str, Tree]
    tree: Tree


def seal(kind: Kind, tree: Tree, *, header: Mapping[str, Tree], keys: Keys) -> bytes:
    """Sign and compress a tree.

    Raises
    ------
    SnapshotRejected
        `too_large`: it could not be read again.
    """
    plain = canonical({"kind": kind, "header": dict(header), "tree": tree})
    if len(plain) > LARGEST:
        raise SnapshotRejected("too_large", f"{len(plain)} bytes, at most {LARGEST} can be read again")
    return _sealed(VERSION, zlib.compress(plain, LEVEL), keys.current)


def _sealed(version: int, body: bytes, key: Key) -> bytes:
    key_id = key.id.encode()
    head = _HEAD.pack(MAGIC, version, len(key_id)) + key_id + struct.pack("<I", len(body))
    return head + _sign(key.secret, head, body) + body


def _sign(secret: bytes, head: bytes, body: bytes) -> bytes:
    signer = hmac.new(secret, head, "sha256")
    signer.update(body)
    return signer.digest()


def unseal(data: bytes, keys: Keys) -> Sealed:
    """Check the signature, then read what was sealed.

    Raises
    ------
    SnapshotRejected
        `unsigned` (not sealed by any of us), `truncated`, `unknown_key`, `bad_signature`, `newer_version`,
        `too_large`, `malformed`.
    """
    version, body = _verified(data, keys)
    if version > VERSION:
        raise SnapshotRejected("newer_version", f"version {version}; this release reads versions up to {VERSION}")
    found = _content(body)
    kind: Kind = found["kind"]
    content = {"header": found["header"], "tree": found["tree"]}
    for step in range(version, VERSION):
        if step not in MIGRATIONS:
            raise SnapshotRejected("malformed", f"version {version} is older than any that this release reads")
        content = MIGRATIONS[step](kind, content)
    return Sealed(kind, cast("Mapping[str, Tree]", content["header"]), content["tree"])


def _verified(data: bytes, keys: Keys) -> tuple[int, bytes]:
    """Version and body, once the signature is known to be ours."""
    if data[:4] != MAGIC[: len(data)]:
        raise SnapshotRejected("unsigned", "the bytes do not start as sealed ones do")
    if len(data) < _HEAD.size:
        raise SnapshotRejected("truncated", f"{len(data)} bytes")
    _, version, length = _HEAD.unpack_from(data)
    end = _HEAD.size + length + 4
    if len(data) < end + _SIGNATURE:
        raise SnapshotRejected("truncated", f"{len(data)} bytes")
    if length == 0:
        raise SnapshotRejected("unsigned", "no key is named")
    key_id = data[_HEAD.size : end - 4].decode("utf-8", "replace")
    secret = keys.secret(key_id)
    if secret is None:
        raise SnapshotRejected(
            "unknown_key", f"sealed with key {key_id!r}, which is neither the current nor the previous"
        )
    (size,) = struct.unpack_from("<I", data, end - 4)
    body = data[end + _SIGNATURE :]
    if len(body) < size:
        raise SnapshotRejected("truncated", f"{len(body)} of {size} bytes")
    if not hmac.compare_digest(_sign(secret, data[:end], body), data[end : end + _SIGNATURE]):
        raise SnapshotRejected("bad_signature", f"the bytes are not those that key {key_id!r} has sealed")
    return version, body


def _content(body: bytes) -> dict[str, Any]:
    """Decompress within bounds and decode."""
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(body, LARGEST + 1)
    except zlib.error as exc:
        raise SnapshotRejected("malformed", f"the body cannot be decompressed ({exc})") from exc
    if len(plain) > LARGEST:
        raise SnapshotRejected("too_large", f"more than {LARGEST} bytes")
    if not inflate.eof or inflate.unused_data:
        raise SnapshotRejected("malformed", "the compressed body does not end where it should")
    found = from_canonical(plain)
    if not isinstance(found, dict) or set(found) != {"kind", "header", "tree"} or not isinstance(found["header"], dict):
        raise SnapshotRejected("malformed", "the body is not {header, kind, tree}")
    if found["kind"] not in get_args(Kind):
        raise SnapshotRejected("malformed", f"unknown kind {found['kind']!r}")
    return found
