"""The AsyncAPI document: current, complete, valid."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import fastavro.schema
import jsonschema
import pytest
import yaml

from foreshock.streams.codec import schemas
from foreshock.streams.codec.headers import headers
from foreshock.streams.errands.asyncapi import document, to_yaml
from foreshock.streams.topics import used
from tests.wire.samples import SCORE

FILE = Path(__file__).parent.parent.parent / "docs" / "asyncapi.yaml"


def resolved(whole: dict[str, Any], pointer: str) -> Any:
    found: Any = whole
    for part in pointer.removeprefix("#/").split("/"):
        found = found[part]
    return resolved(whole, found["$ref"]) if isinstance(found, dict) and "$ref" in found else found


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if set(value) == {"$ref"} else []
        return own + [each for inner in value.values() for each in references(inner)]
    return [each for inner in value for each in references(inner)] if isinstance(value, list) else []


@pytest.mark.skipif(not FILE.parent.exists(), reason="the documents are not part of a wheel")
def test_the_committed_file_is_current() -> None:
    """`foreshock schema asyncapi --out docs/asyncapi.yaml` writes it."""
    assert FILE.read_text(encoding="utf-8") == to_yaml(document())


def test_yaml_says_what_the_document_says() -> None:
    """Our own writer, read by a YAML library."""
    assert yaml.safe_load(to_yaml(document())) == document()
    odd = {"a": [], "b": {}, "c": ["no", "1.0", "x: y", {"d": [1, 2.5, None, True]}], "e f": 'µ\n"q"'}
    assert yaml.safe_load(to_yaml(odd)) == odd


class TestStructure:
    """AsyncAPI 3.0.0: what its schema demands of the objects that we use."""

    doc = document()

    def test_root_and_info(self) -> None:
        """Version, title and version of the contract."""
        assert self.doc["asyncapi"] == "3.0.0"
        assert set(self.doc) <= {
            "asyncapi",
            "id",
            "info",
            "servers",
            "defaultContentType",
            "channels",
            "operations",
            "components",
        }
        assert self.doc["info"]["title"]
        assert self.doc["info"]["version"]
        for server in self.doc["servers"].values():
            assert {"host", "protocol"} <= set(server)

    def test_every_reference_leads_somewhere(self) -> None:
        """Channels, messages and operations refer to each other."""
        found = references(self.doc)

        assert found
        for pointer in found:
            assert resolved(self.doc, pointer)

    def test_every_topic_that_is_used_is_a_channel(self) -> None:
        """With its name, and the Kafka binding 0.5.0 with what the topic is set up with; but what is sealed is nobody's contract."""
        channels = {channel["address"]: channel for channel in self.doc["channels"].values()}

        assert set(channels) == {topic.name for topic in used()} - {"state.v1", "lines.v1"}
        for name in self.doc["channels"]:
            assert re.fullmatch(r"[A-Za-z0-9_\-]+", name)
        for channel in channels.values():
            kafka = channel["bindings"]["kafka"]
            assert kafka["bindingVersion"] == "0.5.0"
            assert kafka["partitions"] > 0
            assert set(kafka) <= {"topic", "partitions", "replicas", "topicConfiguration", "bindingVersion"}
            assert set(kafka["topicConfiguration"]) <= {
                "cleanup.policy",
                "retention.ms",
                "retention.bytes",
                "delete.retention.ms",
                "max.message.bytes",
            }
            assert set(kafka["topicConfiguration"]["cleanup.policy"]) <= {"compact", "delete"}

    def test_every_operation_receives_or_sends_messages_of_its_channel(self) -> None:
        """An operation's messages must be those of its channel, by reference."""
        for operation in self.doc["operations"].values():
            assert operation["action"] in {"send", "receive"}
            channel = operation["channel"]["$ref"]
            for message in operation["messages"]:
                assert message["$ref"].startswith(channel + "/messages/")

    def test_every_record_is_a_message_with_its_avro_schema(self) -> None:
        """The payload is the .avsc file as it is, and another library takes it."""
        messages = self.doc["components"]["messages"]

        assert set(messages) == set(schemas.NAMES)
        for name, message in messages.items():
            payload = message["payload"]
            assert payload["schemaFormat"].startswith("application/vnd.apache.avro")
            assert payload["schema"] == schemas.current()[name].schema
            fastavro.schema.parse_schema(copy.deepcopy(payload["schema"]))
            assert message["bindings"]["kafka"]["bindingVersion"] == "0.5.0"

    def test_the_headers_are_those_that_are_sent(self) -> None:
        """Outputs have headers, and these are all of them."""
        sent = {name for name, _ in headers(SCORE, traceparent="", scored_ns=0, worker="")}

        for name in ("Score", "Anomaly", "DataQuality", "DeadLetter"):
            assert set(self.doc["components"]["messages"][name]["headers"]["required"]) == sent


@pytest.mark.slow
def test_the_document_is_valid_by_the_official_schema(tmp_path: Path) -> None:
    """The JSON Schema of AsyncAPI 3.0.0 with its Kafka bindings, where npm can get it; the tests above run everywhere."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    got = subprocess.run(
        [npm, "pack", "@asyncapi/specs@6.11.1", "--silent"], cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    archives = list(tmp_path.glob("*.tgz"))
    if got.returncode or not archives:
        pytest.skip("npm cannot get @asyncapi/specs")
    with tarfile.open(archives[0]) as archive:
        file = archive.extractfile("package/schemas/3.0.0.json")
        assert file is not None
        validator = jsonschema.Draft7Validator(json.load(file))
    broken = document() | {"channels": {"x": {"address": 5}}}

    assert [error.message for error in validator.iter_errors(document())] == []
    assert list(validator.iter_errors(broken)) != []
