"""The keys that state is sealed with: from files, or derived from the cluster where nobody set one."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path

from foreshock.detectors.snapshot import Key, Keys
from foreshock.errors import ConfigurationError
from foreshock.settings import Settings, read_secret

log = logging.getLogger("foreshock.worker")

SHORTEST = 16  # characters of a secret


def keys_of(settings: Settings, cluster_id: str) -> Keys:
    """Give the keys of the state.

    A secret's own digest is its name, so that nobody has to invent one and a rotated key is told from the new one.

    Parameters
    ----------
    cluster_id
        Kafka's id of the cluster. It is no secret: a key derived from it finds damage, and no forgery.

    Raises
    ------
    ConfigurationError
        A key's file cannot be read, or the secret in it is too short.
    """
    state = settings.state
    previous = _key(state.previous_key_file, "state.previous_key_file") if state.previous_key_file else None
    if state.key_file:
        return Keys(_key(state.key_file, "state.key_file"), previous)
    log.info("state is sealed with a key derived from the cluster's id, which is no secret: set state.key_file")
    return Keys(_named(f"foreshock/{cluster_id}".encode()), previous)


def _key(path: str, name: str) -> Key:
    secret = read_secret(Path(path), name).encode()
    if len(secret) < SHORTEST:
        raise ConfigurationError(
            f"{name}: the secret in {path} has {len(secret)} characters, at least {SHORTEST} wanted"
        )
    return _named(secret)


def _named(secret: bytes) -> Key:
    return Key(hmac.new(secret, b"foreshock.key-id", hashlib.sha256).hexdigest()[:12], secret)
