"""Kafka's jars: what the lock names, verified, fetched once, offline afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.local import jars
from foreshock.local.jars import Jar, cache_root, kafka_jars, lock_text, matches, parse_lock
from foreshock.local.zipkin import zipkin_jar

A_JAR = b"not really a jar"


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jar:
    """A lock of one jar, an empty cache, and a user's Maven repository that holds nothing; no network."""
    jar = Jar("org.example", "thing", "1.0", hashlib.sha256(A_JAR).hexdigest(), len(A_JAR))
    monkeypatch.setattr(jars, "lock_text", lambda: f"# one\n{jar.coordinate} {jar.sha256} {jar.size}\n")
    monkeypatch.setenv("FORESHOCK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return jar


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_the_lock_names_kafka_and_its_log() -> None:
    """46 jars, each with a sha256, no two of one name."""
    lock = parse_lock(lock_text())
    names = {jar.name for jar in lock}
    assert len(lock) == len(names) == 46
    assert {"kafka_2.13-4.1.0.jar", "kafka-clients-4.1.0.jar", "slf4j-simple-1.7.36.jar"} <= names
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in lock)


def test_zipkin_is_one_jar_that_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its coordinates have a classifier; a file that is not what the lock names is refused before anything starts."""
    (jar,) = parse_lock(lock_text("zipkin.lock"))
    assert (jar.coordinate, jar.name) == ("io.zipkin:zipkin-server:3.5.1:exec", "zipkin-server-3.5.1-exec.jar")
    monkeypatch.setenv("FORESHOCK_CACHE", str(tmp_path))
    put(tmp_path / "zipkin-3.5.1" / jar.name, A_JAR)
    with pytest.raises(ConfigurationError, match=r"zipkin-server:3\.5\.1:exec"):
        zipkin_jar()


def test_a_jar_of_the_users_own_repository_is_taken(one: Jar, tmp_path: Path) -> None:
    """Where Maven has the right file already nothing is fetched; the progress is told in bytes."""
    put(tmp_path / "m2" / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar", A_JAR)
    told: list[tuple[int, int]] = []
    (path,) = kafka_jars(lambda done, total: told.append((done, total)))
    assert path.read_bytes() == A_JAR
    assert told == [(len(A_JAR), len(A_JAR))]
    assert [each.name for each in path.parent.iterdir() if not each.name.startswith(".lock")] == ["thing-1.0.jar"]


def test_a_wrong_file_in_the_users_repository_is_not_taken(one: Jar, tmp_path: Path) -> None:
    """A half-written file of another program is passed over; without a network that is the end."""
    put(tmp_path / "m2" / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar", A_JAR[:5])
    with pytest.raises(Unavailable, match=r"org\.example:thing:1\.0 cannot be fetched.*foreshock cache use"):
        kafka_jars()


def test_a_changed_jar_in_the_cache_is_refused(one: Jar) -> None:
    """A file that is not what the lock names is never used and never replaced in silence."""
    put(jars.jar_folder() / one.name, b"NOT really a jar")
    with pytest.raises(ConfigurationError, match=r"thing-1\.0\.jar is not the org\.example:thing:1\.0 .* delete"):
        kafka_jars()
    assert (jars.jar_folder() / one.name).read_bytes() == b"NOT really a jar"


def test_a_changed_jar_from_the_network_is_refused(one: Jar, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fetched and does not match is not kept."""

    def fetch(_jar: Jar, context: object, _own: Path) -> Path:
        path = Path(context.repo_cache) / "thing"
        path.write_bytes(b"something else..")
        return path

    monkeypatch.setattr(jars, "_fetch_one", fetch)
    with pytest.raises(ConfigurationError, match="not what was released"):
        kafka_jars()
    assert [each for each in jars.jar_folder().iterdir() if each.name != ".lock"] == []


def test_a_full_cache_needs_neither_network_nor_jgo(one: Jar, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later starts never ask jgo for anything."""
    put(jars.jar_folder() / one.name, A_JAR)

    def forbidden(*_: object) -> object:
        raise AssertionError("asked jgo")

    monkeypatch.setattr(jars, "_maven", forbidden)
    assert [path.name for path in kafka_jars()] == [one.name]


def test_size_and_hash_must_match(one: Jar, tmp_path: Path) -> None:
    """Same size with other bytes is as wrong as another size."""
    for content, right in ((A_JAR, True), (A_JAR + b" ", False), (A_JAR[:-1] + b"R", False)):
        put(tmp_path / "file", content)
        assert matches(one, tmp_path / "file") is right


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"FORESHOCK_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, Path("/own")),
        ({"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/foreshock")),
        ({}, Path.home() / ".cache" / "foreshock"),
    ],
)
def test_where_the_cache_is(env: dict[str, str], folder: Path) -> None:
    """Our own variable, then XDG's, then the usual place."""
    assert cache_root(env) == folder
