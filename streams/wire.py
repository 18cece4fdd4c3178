"""The contract on the wire: bytes to records and records to bytes.

A value is Avro in single-object encoding (the default) or in Confluent framing, or JSON. Decoding trusts nothing: the
writer schema is one of ours, every length is checked against the bytes that are left, and whatever is wrong becomes an
`InputRejected` that names the field and what to mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from foreshock.alerts.records import Command, WorkOrder
from foreshock.classes.completing import Classes, completed
from foreshock.contract import Asset, Block, Origin, Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec import block_tail, commands, inputs, json_in, masterdata
from foreshock.streams.codec.avro.reader import read_fields
from foreshock.streams.codec.encode import Encoder, Record, content_type
from foreshock.streams.codec.framing import CONFLUENT_HEAD, SINGLE_OBJECT, SINGLE_OBJECT_HEAD, Framing, framing_of
from foreshock.streams.codec.headers import headers, part_headers
from foreshock.streams.codec.letters import dead_letter
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.codec.plans import Plan, Plans, plan
from foreshock.streams.codec.registry import Registry

__all__ = ["Decoder", "Encoder", "Record", "content_type", "dead_letter", "decode_output", "headers", "part_headers"]

_POINTS = 32  # heads kept per asset: its measuring points, and a few that changed
_HEADS = 128 * 1024 * 1024  # bytes that heads take, at most: their names are the producers' to choose
_BLOCKS = ("SensorBlock", "TelemetryFrame")
_Head = tuple[bytes, Plan, inputs.BlockHeader | inputs.FrameHeader]


class Decoder:
    """Turns values of the input topics into records.

    Parameters
    ----------
    registry
        Gives schemas by id; None: Confluent framing is refused.
    check_key
        Whether the key of the record must be the asset's id; only files, which have no keys, are read without.
    classes
        By which asset records are completed; none: they are given as they were sent.
    """

    def __init__(
        self, registry: Registry | None = None, *, check_key: bool = True, classes: Classes = MappingProxyType({})
    ) -> None:
        self._registry = registry
        self._check_key = check_key
        self._classes = classes
        self._plans = Plans(SINGLE_OBJECT_HEAD)
        self._by_id: dict[int, Plan | InputRejected] = {}
        self._heads: dict[bytes, list[_Head]] = {}
        self._kept = 0  # bytes that they take

    def decode(self, value: bytes | None, *, origin: Origin, key: bytes | None) -> Block:
        """Decode a value of sensors.v1.

        The head of a block (asset, channels, unit, rate, ...) is the same from block to block. Its bytes are kept with
        what they meant, so that the next block that starts with the same bytes is not read twice: the same bytes under the
        same schema always mean the same.

        Parameters
        ----------
        value
            As it came from Kafka.
        origin
            Its coordinates; `schema` is filled in where it is not what the value was written with.
        key
            As it came from Kafka; must be the asset's id.

        Raises
        ------
        InputRejected
            It cannot be used.
        Unavailable
            The registry does not answer.
        """
        if key is not None and value is not None:
            for head, found, header in self._heads.get(key, ()):
                if value.startswith(head):
                    return self._finish(found, header, value, len(head), origin)
        return self._first(value, origin, key)

    def decode_asset(self, value: bytes | None, *, origin: Origin, key: bytes | None) -> Asset:
        """Decode a value of assets.v1, and complete it by its class.

        Raises
        ------
        InputRejected
            It cannot be used.
        Unavailable
            The registry does not answer.
        """
        del origin  # master data has no coordinates of its own
        asset = masterdata.asset(self._fields("Asset", value))
        self._same(key, asset.asset)
        return completed(asset, self._classes)

    def decode_command(self, value: bytes | None, *, origin: Origin, key: bytes | None) -> Command:
        """Decode a value of control.v1; the origin's log-append time tells a sender whose clock is ahead.

        Raises
        ------
        InputRejected
            It cannot be used.
        Unavailable
            The registry does not answer.
        """
        found = commands.command(self._fields("Command", value), origin.ingest_ns)
        self._same(key, found.asset)
        return found

    def decode_work_order(self, value: bytes | None, *, origin: Origin, key: bytes | None) -> WorkOrder:
        """Decode a value of maintenance.v1; see `decode_command`."""
        found = commands.work_order(self._fields("WorkOrder", value), origin.ingest_ns)
        self._same(key, found.asset)
        return found

    def _fields(self, name: str, value: bytes | None) -> Mapping[str, Any]:
        """Decode a value of a topic that has one kind of record, without judging what it means."""
        value = _present(value)
        if framing_of(value) is Framing.JSON:
            parsed = json_in.parse(value)
            return json_in.fields(json_in.kind_of(parsed, (name,)), parsed)
        made = self._plan(value, (name,))
        found = {**made.head_defaults, **made.tail_defaults}
        _at_end(value, read_fields(made.tail, value, made.start, found))
        return found

    def _first(self, value: bytes | None, origin: Origin, key: bytes | None) -> Block:
        """Decode a value whose head was not seen before."""
        value = _present(value)
        if framing_of(value) is Framing.JSON:
            return self._json(value, origin, key)
        made = self._plan(value, _BLOCKS)
        found = dict(made.head_defaults)
        if not made.head:
            return self._whole(made, value, origin, key)
        end = read_fields(made.head, value, made.start, found)
        header = inputs.block_header(found) if made.name == "SensorBlock" else inputs.frame_header(found)
        block = self._finish(made, header, value, end, origin)
        self._same(key, header.asset)
        self._keep(header.key, (value[:end], made, header))
        return block

    def _finish(
        self, made: Plan, header: inputs.BlockHeader | inputs.FrameHeader, value: bytes, at: int, origin: Origin
    ) -> Block:
        if made.usual and isinstance(header, inputs.BlockHeader):
            tail = block_tail.read(value, at)
            if tail is not None:
                return inputs.block_of_tail(header, tail, _with_schema(origin, made.fingerprint))
        found = dict(made.tail_defaults)
        _at_end(value, read_fields(made.tail, value, at, found), found, header)
        origin = _with_schema(origin, made.fingerprint)
        if isinstance(header, inputs.BlockHeader):
            return inputs.block(header, found, origin)
        return inputs.frame(header, found, origin)

    def _whole(self, made: Plan, value: bytes, origin: Origin, key: bytes | None) -> Block:
        """Decode a value whose schema has its fields in another order than ours."""
        found = {**made.head_defaults, **made.tail_defaults}
        _at_end(value, read_fields(made.tail, value, made.start, found))
        return self._block(made.name, found, _with_schema(origin, made.fingerprint), key)

    def _json(self, value: bytes, origin: Origin, key: bytes | None) -> Block:
        parsed = json_in.parse(value)
        name = json_in.kind_of(parsed, _BLOCKS)
        return self._block(name, json_in.fields(name, parsed), _with_schema(origin, "json"), key)

    def _block(self, name: str, found: Mapping[str, Any], origin: Origin, key: bytes | None) -> Block:
        block: Block
        if name == "SensorBlock":
            block = inputs.block(inputs.block_header(found), found, origin)
        else:
            block = inputs.frame(inputs.frame_header(found), found, origin)
        self._same(key, block.asset)
        return block

    def _plan(self, value: bytes, names: tuple[str, ...]) -> Plan:
        """Find the plan that the head of the framing names."""
        if value.startswith(SINGLE_OBJECT):
            made = self._plans.get(value[2:SINGLE_OBJECT_HEAD])
        else:
            made = self._from_registry(int.from_bytes(value[1:CONFLUENT_HEAD], "big"))
        if made.name not in names:
            wanted = " or ".join(names)
            fix = f"send {wanted} here; each record has its own topic"
            raise InputRejected(
                Reason.UNKNOWN_SCHEMA, f"the value is a {made.name}, this topic takes {wanted}", fix=fix
            )
        return made

    def _from_registry(self, schema_id: int) -> Plan:
        found = self._by_id.get(schema_id)
        if found is None:
            if self._registry is None:
                fix = "set topics.registry_url, or send Avro single-object encoding (C3 01 + fingerprint)"
                sentence = f"the value names schema id {schema_id}, and no registry is configured"
                raise InputRejected(Reason.UNKNOWN_SCHEMA, sentence, fix=fix)
            schema = self._registry.schema(schema_id)
            try:
                found = plan(schema, CONFLUENT_HEAD)
            except InputRejected as exc:
                found = exc  # judged once, not for each of its records
            self._by_id[schema_id] = found
        if isinstance(found, InputRejected):
            raise InputRejected(found.reason, found.sentence, field=found.field, fix=found.fix)
        return found

    def _same(self, key: bytes | None, asset: str) -> None:
        if not self._check_key or key == asset.encode():
            return
        if not key:
            fix = "send the asset id as UTF-8 as the record's key"
            raise InputRejected(Reason.NULL_KEY, "the record has no key", field="key", fix=fix)
        raise InputRejected(
            Reason.KEY_MISMATCH,
            f"the key is {key[:80].decode('utf-8', 'replace')!r}, the asset is {asset!r}",
            field="key",
            fix="send the asset id as UTF-8, nothing before or after it, as the record's key",
        )

    def _keep(self, key: bytes, head: _Head) -> None:
        self._kept += _size(head)
        if self._kept > _HEADS:
            self._heads.clear()
            self._kept = _size(head)
        heads = self._heads.setdefault(key, [])
        if len(heads) >= _POINTS:
            self._kept -= _size(heads[0])
            del heads[0]
        heads.append(head)


def _size(head: _Head) -> int:
    """Give about what a head takes: names become objects of nine times their size."""
    return 1_000 + 10 * len(head[0])


def _present(value: bytes | None) -> bytes:
    if value is None:
        raise InputRejected(Reason.NULL_VALUE, "the value is null", fix="send the record, or nothing")
    return value


def _at_end(value: bytes, at: int, found: Mapping[str, Any] | None = None, header: object = None) -> None:
    """Refuse bytes behind the record; samples that were written as an array leave such."""
    left = len(value) - at
    if not left:
        return
    if found is not None and isinstance(header, inputs.BlockHeader):
        size, count = len(found["samples"]), header.channels * found["count"]
        if size == count and size * (header.dtype.itemsize - 1) <= left <= size * 8 + 16:
            sentence = "samples was written as an array of numbers, it must be bytes"
            fix = "put the samples into one `bytes` field, little endian, and state the encoding"
            raise InputRejected(Reason.COUNT_MISMATCH, sentence, field="samples", fix=fix)
    fix = "send one record per value, encoded with the schema that the framing names"
    raise InputRejected(Reason.TRAILING_BYTES, f"{left} bytes are left behind the record", fix=fix)


def _with_schema(origin: Origin, schema: str) -> Origin:
    if origin.schema == schema:
        return origin
    return Origin(
        topic=origin.topic,
        topic_id=origin.topic_id,
        partition=origin.partition,
        offset=origin.offset,
        ingest_ns=origin.ingest_ns,
        schema=schema,
        traceparent=origin.traceparent,
        tracestate=origin.tracestate,
    )
