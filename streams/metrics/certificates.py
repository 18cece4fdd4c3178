"""When certificates expire: just enough of X.509 to find that date, since no library that we need reads it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

SETTINGS = ("ssl.ca.location", "ssl.certificate.location")
BUNDLE = 10  # certificates; a file with more is a bundle of the system, of which some have always expired
LARGEST = 1024 * 1024
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _UTC_TIME, _VERSION = 0x30, 0x17, 0xA0


def expiries(properties: Mapping[str, str]) -> dict[str, float]:
    """Give the Unix time at which the first certificate of each file expires, by the property of librdkafka that names it.

    A file that cannot be read, or holds no certificate, is left out: that it is of no use the client itself says.
    """
    found = {}
    for name in SETTINGS:
        try:
            path = Path(properties.get(name, ""))
            text = path.read_text(encoding="ascii", errors="replace") if path.stat().st_size <= LARGEST else ""
            times = [expiry(ssl.PEM_cert_to_DER_cert(each)) for each in _PEM.findall(text)]
        except (OSError, ValueError, IndexError):
            continue
        if 0 < len(times) <= BUNDLE:
            found[name] = min(times)
    return found


def expiry(der: bytes) -> float:
    """Give the Unix time after which a certificate is not valid.

    Raises
    ------
    ValueError, IndexError
        It is no X.509 certificate.
    """
    _, start, _ = _element(der, 0)  # Certificate
    _, at, _ = _element(der, start)  # TBSCertificate
    tag, _, end = _element(der, at)
    if tag == _VERSION:
        at = end
    for _ in range(3):  # serial number, signature, issuer
        at = _element(der, at)[2]
    tag, start, _ = _element(der, at)
    if tag != _SEQUENCE:
        raise ValueError("no validity where one should be")
    _, _, at = _element(der, start)  # not before
    tag, start, end = _element(der, at)
    text = der[start:end].decode("ascii")
    pattern = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp()


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Give tag, start and end of the content of the element at a place."""
    tag, size = der[at], der[at + 1]
    at += 2
    if size & 0x80:
        octets = size & 0x7F
        size = int.from_bytes(der[at : at + octets], "big")
        at += octets
    if at + size > len(der):
        raise ValueError("it ends too early")
    return tag, at, at + size
