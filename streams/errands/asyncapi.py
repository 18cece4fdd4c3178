"""The AsyncAPI 3 document of the topics, made from the schemas and the topic definitions.

AsyncAPI 3.0.0 with the Kafka bindings 0.5.0; payloads are Avro schemas as they are, headers JSON Schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import foreshock
from foreshock.settings import Settings
from foreshock.streams.codec import schemas
from foreshock.streams.topics import TopicDefinition, used

_AVRO = "application/vnd.apache.avro;version=1.12.0"
_BINDING = "0.5.0"
_INPUT_TOPICS = ("sensors.v1", "assets.v1", "control.v1", "maintenance.v1")
_SEALED = ("state.v1", "lines.v1")
_HEADERS: Mapping[str, str] = {
    "traceparent": "W3C trace context of the span that published it.",
    "ce_specversion": "CloudEvents version: 1.0.",
    "ce_id": "Id of the event: the same however often it is sent.",
    "ce_type": "Kind of event: io.foreshock.<kind>.v1.",
    "ce_source": "Asset: //site/asset, or /asset where the record names no site.",
    "ce_subject": "Measuring point, and channel where there is one.",
    "ce_time": "Source time, RFC 3339 in UTC.",
    "content-type": "application/avro or application/json.",
    "foreshock-scored-ns": "Wall-clock time of scoring. Unit: ns since 1970 UTC.",
    "foreshock-worker": "Worker that scored it.",
}
_PASSED_ON = {"tracestate": "W3C trace state, as the producer of the input sent it; absent where it sent none."}
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*")


def document() -> dict[str, Any]:
    """Give the document as plain data."""
    definitions = [each for each in used() if each.name not in _SEALED]  # what is sealed there is our own
    records = {each.name: [name.strip() for name in each.holds.split(",")] for each in definitions}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Foreshock",
            "version": foreshock.__version__,
            "description": (
                "Sensor blocks and commands in, anomalies and alerts out. Values are Avro in single-object encoding (C3 01 and the CRC-64-AVRO "
                "fingerprint of the schema) or in Confluent framing (00 and the schema id); inputs also as JSON with the "
                "same field names. Topic names carry the configured prefix. Times are nanoseconds since 1970 UTC."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/avro",
        "servers": {
            "kafka": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "Any Kafka; `foreshock up` starts one on this machine.",
            }
        },
        "channels": {_id(each.name): _channel(each, records[each.name]) for each in definitions},
        "operations": {_operation_id(each.name): _operation(each.name, records[each.name]) for each in definitions},
        "components": {"messages": _messages(definitions, records)},
    }


def _messages(definitions: Sequence[TopicDefinition], records: Mapping[str, list[str]]) -> dict[str, Any]:
    """Give each record once: as it stands on the first topic that has it."""
    found: dict[str, Any] = {}
    for each in definitions:
        for name in records[each.name]:
            found.setdefault(name, _message(name, each))
    return found


def to_yaml(value: Any) -> str:
    """Write plain data as YAML: blocks for objects and lists, every text in double quotes, so no text is taken for a number."""
    return "".join(f"{line}\n" for line in _lines(value))


def _channel(topic: TopicDefinition, records: list[str]) -> dict[str, Any]:
    config = topic.config(Settings())
    numbers = {"retention.ms", "max.message.bytes"}
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Values: {topic.holds}. Time stamps are the broker's log-append time.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in records},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": Settings().topics.partitions,
                "replicas": Settings().topics.replication,
                "topicConfiguration": {
                    "cleanup.policy": [config["cleanup.policy"]],
                    **{name: int(value) for name, value in config.items() if name in numbers},
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(topic: str, records: list[str]) -> dict[str, Any]:
    action = "receive" if topic in _INPUT_TOPICS else "send"
    channel = f"#/channels/{_id(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": f"Foreshock {'reads' if action == 'receive' else 'writes'} {topic}.",
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in records],
    }


def _message(name: str, topic: TopicDefinition) -> dict[str, Any]:
    version = schemas.current()[name]
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "summary": version.schema["doc"],
        "contentType": "application/avro",
        "payload": {"schemaFormat": _AVRO, "schema": version.schema},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "schemaLookupStrategy": "TopicRecordNameStrategy" if "," in topic.holds else "TopicNameStrategy",
                "bindingVersion": _BINDING,
            }
        },
        "x-avro-fingerprint": version.hex,
    }
    if topic.name not in _INPUT_TOPICS:
        headers = {**_HEADERS, **_PASSED_ON}
        properties = {header: {"type": "string", "description": text} for header, text in headers.items()}
        found["headers"] = {"type": "object", "required": list(_HEADERS), "properties": properties}
    return found


def _id(topic: str) -> str:
    """Give an id without dots: tools make identifiers of it."""
    return topic.replace(".", "_").replace("-", "_")


def _operation_id(topic: str) -> str:
    return f"{'read' if topic in _INPUT_TOPICS else 'write'}_{_id(topic)}"


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
            yield from _entry(f"{indent}{name}:", inner, indent + "  ")
    else:
        for inner in value:
            yield from _entry(f"{indent}-", inner, indent + "  ")


def _entry(start: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping | list) and value:
        yield start
        yield from _lines(value, indent)
    else:
        yield f"{start} {json.dumps(value, ensure_ascii=False)}"
