"""What a training run leaves makes a start short, and nothing depends on it."""

from __future__ import annotations

import pytest

from foreshock.local import jvm
from foreshock.local.jars import kafka_jars
from foreshock.local.stack import LocalStack
from foreshock.local.training import train

pytestmark = pytest.mark.broker


def test_trained_start_uses_the_archive_and_formats_without_the_tool(stack):
    """After the training the archive is on the broker's command line and the cluster has the tool's features."""
    train(kafka_jars())

    with LocalStack(None, redis=False) as trained:
        command = trained.broker.process.command
        written = (trained.broker.data / "bootstrap.checkpoint").read_bytes()

    assert f"-XX:AOTCache={jvm.archive(kafka_jars())}" in command
    assert b"transaction.version" in written
    assert not train(kafka_jars())


def test_damaged_archive_is_left_alone(stack, tmp_path, monkeypatch):
    """A broker starts without it, and formats by the tool where no training has shown what that writes."""
    folder = tmp_path / "cache" / jvm.jar_folder().name
    folder.mkdir(parents=True)
    for jar in kafka_jars():
        (folder / jar.name).symlink_to(jar)
    archive = jvm.archive(kafka_jars()).read_bytes() if jvm.archive(kafka_jars()).exists() else b"CDS1" * 100_000
    monkeypatch.setenv("FORESHOCK_CACHE", str(tmp_path / "cache"))
    jvm.head_start(kafka_jars()).mkdir()
    jvm.archive(kafka_jars()).write_bytes(archive[:20_000_000] + b"damaged" + archive[20_000_007:])

    with LocalStack(None, redis=False) as damaged:
        assert any("-XX:AOTCache=" in each for each in damaged.broker.process.command)
        assert (damaged.broker.data / "bootstrap.checkpoint").exists()
