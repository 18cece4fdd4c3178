"""Jars of what runs here: named and hashed in a lock (`kafka.lock`, `zipkin.lock`), fetched once through jgo, verified at
each start, offline afterwards.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from foreshock.errors import ConfigurationError, Unavailable

KAFKA_VERSION = "4.1.0"
DOWNLOADS = 8  # at once; more did not help on a fast line
ATTEMPTS = 3

Progress = Callable[[int, int], None]  # bytes done so far, bytes in all


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int
    classifier: str = ""

    @property
    def name(self) -> str:
        """The file name in a Maven repository."""
        return f"{self.artifact}-{self.version}{self.classifier and f'-{self.classifier}'}.jar"

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`, and the classifier where there is one."""
        return f"{self.group}:{self.artifact}:{self.version}{self.classifier and f':{self.classifier}'}"

    @property
    def maven_path(self) -> Path:
        """The place in a Maven repository."""
        return Path(*self.group.split("."), self.artifact, self.version, self.name)


def lock_text(name: str = "kafka.lock") -> str:
    """Give a lock that ships with this version."""
    return resources.files("foreshock.local").joinpath(name).read_text("utf-8")


def parse_lock(text: str) -> tuple[Jar, ...]:
    """Read a lock: `group:artifact:version[:classifier] sha256 bytes` a line, `#` starts a comment."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256, size = line.split()
            group, artifact, version, *classifier = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256, int(size), *classifier))
    return tuple(sorted(jars))


def cache_root(env: Mapping[str, str] = os.environ) -> Path:
    """Give the cache folder: `FORESHOCK_CACHE`, else `foreshock` in the user's XDG cache folder."""
    if own := env.get("FORESHOCK_CACHE"):
        return Path(own).expanduser()
    xdg = env.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "foreshock"


def jar_folder() -> Path:
    """Give the folder of the verified jars of this Kafka version."""
    return cache_root() / f"kafka-{KAFKA_VERSION}"


def matches(jar: Jar, path: Path) -> bool:
    """Say whether the file has the size and the sha256 of the lock."""
    if path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    """Give the jars that are not in the folder.

    Raises
    ------
    ConfigurationError
        A jar is there and is not what the lock says: it is never used and never replaced in silence.
    """
    absent = [jar for jar in jars if not (folder / jar.name).exists()]
    for jar in jars:
        path = folder / jar.name
        if path.exists() and not matches(jar, path):
            raise _mismatch(jar, path, "delete the file; the next start fetches it again")
    return absent


def kafka_jars(progress: Progress | None = None) -> list[Path]:
    """Give the paths of all jars of Kafka's class path; see `fetched`."""
    return fetched(parse_lock(lock_text()), jar_folder(), progress)


def fetched(jars: Sequence[Jar], folder: Path, progress: Progress | None = None) -> list[Path]:
    """Give the paths of all jars of a lock, verified; fetch those that are missing.

    Raises
    ------
    ConfigurationError
        A jar in the cache, or one just fetched, does not match the lock.
    Unavailable
        A jar is missing and cannot be fetched.
    """
    absent = missing(jars, folder)
    if absent:
        with _exclusive(folder):
            absent = missing(jars, folder)  # another process may have fetched them while this one waited
            if absent:
                _fetch(absent, folder, progress)
    return [folder / jar.name for jar in jars]


def make_folder(folder: Path) -> None:
    """Make the cache folder, or say in one line why it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".lock").touch()
    except OSError as exc:
        raise ConfigurationError(f"the cache {folder} cannot be written ({exc.strerror}): set FORESHOCK_CACHE") from exc


def class_path(paths: Sequence[Path]) -> str:
    """Join the jars in a fixed order, whatever the file system's order is."""
    return os.pathsep.join(str(path) for path in sorted(paths))


def _mismatch(jar: Jar, path: Path, fix: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is not the {jar.coordinate} that the lock names (sha256 {jar.sha256[:16]}...): {fix}"
    )


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    make_folder(folder)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(jars: Sequence[Jar], folder: Path, progress: Progress | None) -> None:
    total, done = sum(jar.size for jar in jars), 0
    # A private repository folder: a download that is cut short never stays in the user's own Maven repository.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as staging:
        context, own = _maven(Path(staging))
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            for jar, path in pool.map(lambda jar: (jar, _fetch_one(jar, context, own)), jars):
                if not matches(jar, path):
                    raise _mismatch(jar, path, "what was fetched is not what was released; nothing was kept")
                path.replace(folder / jar.name)
                done += jar.size
                if progress:
                    progress(done, total)


def _maven(staging: Path) -> tuple[Any, Path]:
    """Make jgo's context with the repositories of the user's own configuration; give the user's local repository too."""
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext
    except ImportError as exc:
        raise ConfigurationError("jgo is not installed: pip install 'foreshock[local]'") from exc
    settings = GlobalSettings.load()
    context = MavenContext(
        repo_cache=staging, remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories}, timeout=30
    )
    return context, Path(settings.repo_cache)


def _fetch_one(jar: Jar, context: Any, user_repository: Path) -> Path:
    own = user_repository / jar.maven_path
    staged = Path(context.repo_cache) / jar.maven_path
    if own.exists() and matches(jar, own):
        staged.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, staged)
        return staged
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier)
    for attempt in range(ATTEMPTS):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as exc:  # requests' errors are OSErrors; jgo's "not found" is a RuntimeError
            staged.unlink(missing_ok=True)  # jgo takes a half-written file for a whole one
            if attempt == ATTEMPTS - 1:
                raise Unavailable(
                    f"{jar.coordinate} cannot be fetched ({exc}); on a site without a network take "
                    "`foreshock cache prepare --out BUNDLE` elsewhere and `foreshock cache use BUNDLE` here"
                ) from exc
    raise AssertionError("unreachable")
