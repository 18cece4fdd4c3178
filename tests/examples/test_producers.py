"""The example producers, each run as its users run it, against the real broker and a real worker."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foreshock.contract import Origin, SensorBlock
from foreshock.streams.partitioner import partition_for
from foreshock.streams.wire import Decoder, decode_output

ROOT = Path(__file__).parents[2]
PRODUCERS = ROOT / "examples" / "producers"
SCHEMA = ROOT / "avro_schemas" / "SensorBlock.avsc"
BLOCKS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_python(tool, tmp_path, bootstrap, topic):
    """Python, with the packages of the environment."""
    return [
        sys.executable,
        PRODUCERS / "python" / "producer.py",
        *("--bootstrap", bootstrap, "--topic", topic, "--asset", "example-python", "--blocks", str(BLOCKS)),
        *("--schema", SCHEMA),
    ], tmp_path


def run_java(tool, tmp_path, bootstrap, topic):
    """Java, compiled by Maven in a copy, so that the checkout stays as it is."""
    tool("javac")
    folder = shutil.copytree(PRODUCERS / "java", tmp_path / "java", ignore=shutil.ignore_patterns("target"))
    arguments = f"-Dexec.args={bootstrap} {topic} example-java {BLOCKS} {SCHEMA}"
    return [tool("mvn"), "-q", "-B", "compile", "exec:java", arguments], folder


def run_node(tool, tmp_path, bootstrap, topic):
    """Node, installed from its lock in a copy."""
    folder = shutil.copytree(PRODUCERS / "node", tmp_path / "node", ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run([tool("npm"), "ci", "--silent"], cwd=folder, check=True, timeout=120)
    options = ["--bootstrap", bootstrap, "--topic", topic, "--asset", "example-node", "--blocks", str(BLOCKS)]
    return [tool("node"), "producer.js", *options], folder


@pytest.mark.parametrize("language", [run_python, run_java, run_node], ids=["python", "java", "node"])
def test_producer_is_understood_and_scored(language, tool, tmp_path, settings, topics, start_worker, read):
    """Every block of the example decodes, lies on the partition of its key, and gets its one Score."""
    topic = topics["sensors.v1"]
    command, folder = language(tool, tmp_path, settings.kafka.bootstrap, topic.name)
    start_worker()

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    sent = read("sensors.v1", lambda found: len(found) >= BLOCKS)
    blocks = [decode(message) for message in sent]
    assert all(isinstance(block, SensorBlock) and block.unit == "m/s2" for block in blocks)
    assert {m.partition() for m in sent} == {partition_for(sent[0].key(), topic.partitions)}
    assert [block.sequence for block in blocks] == list(range(BLOCKS))
    scores = [decode_output(message.value()) for message in read("scores.v1", lambda found: len(found) >= BLOCKS)]
    assert [score["origin"]["offset"] for score in scores] == list(range(BLOCKS))
    assert {row["state"] for score in scores for row in score["rows"]} == {"warming"}


def decode(message) -> SensorBlock:
    """Decode a record as the worker does."""
    origin = Origin(topic="t", topic_id="", partition=message.partition(), offset=message.offset(), ingest_ns=0)
    return Decoder().decode(message.value(), origin=origin, key=message.key())
