"""Write the golden bytes of the present schemas: `python -m tests.wire.make_golden`, once for each new version of a schema.

Files of versions before stay: they are what older senders and topics hold.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from foreshock.streams.codec import schemas
from foreshock.streams.wire import Encoder, decode_output
from tests.wire.samples import RECORDS

FOLDER = Path(__file__).parent.parent / "golden"


def readable(value: Any) -> Any:
    """A decoded value as JSON can hold it, without loss."""
    if isinstance(value, dict):
        return {name: readable(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray | list):
        return [readable(inner) for inner in value]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, float | np.floating):
        return float(value).hex() if value == value else "nan"  # noqa: PLR0124
    return value


def main() -> None:
    """Write what is missing."""
    for name, record in RECORDS.items():
        place = FOLDER / f"{name}.{schemas.current()[name].hex}"
        data = Encoder().encode(record)
        place.with_suffix(place.suffix + ".bin").write_bytes(data)
        text = json.dumps(readable(decode_output(data)["record"]), indent=1)
        place.with_suffix(place.suffix + ".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
