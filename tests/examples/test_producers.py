"""The example producers, each run as its users run it, against the real broker and a real worker."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foreshock.contract import Origin, SensorBlock
from foreshock.streams.partitioner import partition_for
from foreshock.streams.wire import Decoder

ROOT = Path(__file__).parents[2]
PRODUCERS = ROOT / "examples" / "producers"
SCHEMA = ROOT / "avro_schemas" / "SensorBlock.avsc"
BLOCKS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_python(tool, tmp_path, bootstrap, topic, asset):
    """Python, with the packages of the environment."""
    options = [
        "--bootstrap",
        bootstrap,
        "--topic",
        topic,
        "--asset",
        asset,
        "--blocks",
        str(BLOCKS),
        "--schema",
        SCHEMA,
    ]
    return [sys.executable, PRODUCERS / "python" / "producer.py", *options], tmp_path


def run_java(tool, tmp_path, bootstrap, topic, asset):
    """Java, compiled by Maven in a copy, so that the checkout stays as it is."""
    tool("javac")
    folder = shutil.copytree(PRODUCERS / "java", tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    arguments = f"-Dexec.args={bootstrap} {topic} {asset} {BLOCKS} {SCHEMA}"
    return [tool("mvn"), "-q", "-B", "compile", "exec:java", arguments], folder


def run_node(tool, tmp_path, bootstrap, topic, asset):
    """Node, installed from its lock in a copy."""
    folder = shutil.copytree(PRODUCERS / "node", tmp_path / "node", ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run([tool("npm"), "ci", "--silent"], cwd=folder, check=True, timeout=120)
    options = ["--bootstrap", bootstrap, "--topic", topic, "--asset", asset, "--blocks", str(BLOCKS)]
    return [tool("node"), "producer.js", *options], folder


@pytest.mark.parametrize("language", [run_python, run_java, run_node], ids=["python", "java", "node"])
def test_producer_is_understood_and_scored(language, tool, tmp_path, plant):
    """Every block of the example decodes, lies on the partition of its key, and gets its one Score."""
    topic, asset = plant.topics["sensors.v1"], f"example-{language.__name__}"
    command, folder = language(tool, tmp_path, plant.settings.kafka.bootstrap, topic.name, asset)

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    sent = plant.read("sensors.v1", asset, BLOCKS)
    blocks = [decode(message) for message in sent]
    assert all(isinstance(block, SensorBlock) and block.unit == "m/s2" for block in blocks)
    assert {message.partition() for message in sent} == {partition_for(asset.encode(), topic.partitions)}
    assert [block.sequence for block in blocks] == list(range(BLOCKS))
    scores = plant.records("scores.v1", asset, BLOCKS)
    assert [score["origin"]["offset"] for score in scores] == [message.offset() for message in sent]
    assert {row["state"] for score in scores for row in score["rows"]} == {"warming"}


def decode(message) -> SensorBlock:
    """Decode a record as the worker does."""
    origin = Origin(topic="t", topic_id="", partition=message.partition(), offset=message.offset(), ingest_ns=0)
    return Decoder().decode(message.value(), origin=origin, key=message.key())
