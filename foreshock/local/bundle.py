"""Kafka's jars as one file, for sites without a network."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from pathlib import Path

from foreshock.errors import ConfigurationError
from foreshock.local.jars import (
    KAFKA_VERSION,
    Jar,
    Progress,
    jar_folder,
    kafka_jars,
    lock_text,
    make_folder,
    matches,
    parse_lock,
)

LOCK_NAME = "kafka.lock"


def prepare(out: Path, progress: Progress | None = None) -> int:
    """Write the verified jars and the lock to a tar file; give its size in bytes.

    The same jars give the same bytes: members are sorted and carry neither times nor owners.
    """
    paths = kafka_jars(progress)
    half = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with tarfile.open(half, "w") as tar:
            text = lock_text().encode()
            tar.addfile(_member(LOCK_NAME, len(text)), io.BytesIO(text))
            for path in sorted(paths):
                with path.open("rb") as file:
                    tar.addfile(_member(path.name, path.stat().st_size), file)
        half.replace(out)
    except OSError as exc:
        half.unlink(missing_ok=True)
        raise ConfigurationError(f"{out} cannot be written: {exc}") from exc
    return out.stat().st_size


def use(bundle: Path) -> int:
    """Put the jars of a bundle into the cache; give how many were not there yet.

    Only files that our own lock names are read from it, under the names of our own lock, and each is verified before it is moved into
    place: a bundle can bring nothing else.

    Raises
    ------
    ConfigurationError
        The file is no bundle, is of another version, lacks a jar, or a jar does not match its hash.
    """
    folder = jar_folder()
    make_folder(folder)
    try:
        with tarfile.open(bundle, "r:") as tar, tempfile.TemporaryDirectory(dir=folder, prefix=".bundle-") as staging:
            members = {member.name: member for member in tar.getmembers() if member.isreg()}
            _check_version(bundle, tar, members)
            jars = [jar for jar in parse_lock(lock_text()) if not (folder / jar.name).exists()]
            staged = [_stage(bundle, tar, members, jar, Path(staging)) for jar in jars]
            for path in staged:  # all or none
                path.replace(folder / path.name)
            return len(staged)
    except (OSError, tarfile.TarError) as exc:
        raise ConfigurationError(f"{bundle} cannot be read as a bundle: {exc}") from exc


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _check_version(bundle: Path, tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> None:
    file = tar.extractfile(members[LOCK_NAME]) if LOCK_NAME in members else None
    if file is None or file.read(1 << 20).decode("utf-8", "replace") != lock_text():
        raise ConfigurationError(
            f"{bundle} is not a bundle of this version (Apache Kafka {KAFKA_VERSION}): make it with the same foreshock"
        )


def _stage(bundle: Path, tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], jar: Jar, staging: Path) -> Path:
    member = members.get(jar.name)
    file = tar.extractfile(member) if member and member.size == jar.size else None
    path = staging / jar.name
    if file is not None:
        path.write_bytes(file.read(jar.size))
    if file is None or not matches(jar, path):
        raise ConfigurationError(f"{bundle}: {jar.name} is missing or is not what kafka.lock names; nothing was taken")
    return path
