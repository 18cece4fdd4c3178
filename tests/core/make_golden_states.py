"""Write golden snapshots of the present version: `python -m tests.core.make_golden_states`, once for each version.

Those of versions before stay: they are what state topics hold.
"""

from __future__ import annotations

import json
from pathlib import Path

from foreshock.detectors import snapshot
from foreshock.detectors.snapshot import Key, Keys
from foreshock.fleet import AssetState, Fleet
from tests.crash.plant import SPEC, feed, stream

FOLDER = Path(__file__).parents[1] / "golden"
KEYS = Keys(Key("golden", b"known to everybody"))
RECORDS = 150  # of the stream: models that are ready, episodes that are open, a layout that has changed


def states() -> dict[str, AssetState]:
    """States of the plant of the crash tests."""
    fleet = Fleet(SPEC)
    for _ in feed(fleet, list(enumerate(stream()))[:RECORDS]):
        pass
    return {name: fleet.capture(0, name) for name in fleet.dirty(0)}


def main() -> None:
    """Write them, sealed, and what they are."""
    for name, state in states().items():
        place = FOLDER / f"state.{snapshot.VERSION}.{name}"
        place.with_name(f"{place.name}.sealed").write_bytes(state.seal(KEYS))
        about = {"offset": state.offset, "shape": state.shape, "digest": state.digest()}
        place.with_name(f"{place.name}.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
