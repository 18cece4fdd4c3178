"""Make foreshock/local/kafka.lock anew for another Kafka: `python tests/local/make_lock.py > foreshock/local/kafka.lock`.

Resolves the coordinates through jgo into an empty repository, compares each jar with the SHA-1 that the repository publishes, and
prints the lock. Change KAFKA_VERSION in foreshock/local/jars.py first, and read the difference before committing it.
"""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jgo
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext
from jgo.util import http

from foreshock.local.jars import KAFKA_VERSION, Jar

COORDINATES = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
HEAD = f"""\
# Apache Kafka {KAFKA_VERSION} as {COORDINATES[0]} resolves, and slf4j-simple so that the broker has a log.
# group:artifact:version sha256 bytes. Made by tests/local/make_lock.py; every jar is checked against it before it is used."""


def lock(context: MavenContext, coordinate: tuple[str, str, str]) -> Jar:
    """Fetch one jar and give its line."""
    group, artifact, version = coordinate
    content = context.project(group, artifact).at_version(version).artifact().resolve().read_bytes()
    jar = Jar(group, artifact, version, hashlib.sha256(content).hexdigest(), len(content))
    published = http.get(f"{MAVEN_CENTRAL_URL}/{jar.maven_path.as_posix()}.sha1", timeout=30).text.split()[0]
    if published != hashlib.sha1(content).hexdigest():
        raise SystemExit(f"{jar.coordinate} is not what the repository says it is")
    return jar


def main() -> None:
    """Print the lock."""
    found = {(each.groupId, each.artifactId, each.version) for each in (a for c in COORDINATES for a in jgo.resolve(c))}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(8) as pool:
        context = MavenContext(repo_cache=Path(folder), timeout=30)
        jars = sorted(pool.map(lambda each: lock(context, each), found))
    print(HEAD)
    for jar in jars:
        print(jar.coordinate, jar.sha256, jar.size)


if __name__ == "__main__":
    main()
