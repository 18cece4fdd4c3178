"""Write golden snapshots: `python -m tests.core.make_golden_states`, once for each generation.

Those of generations before stay: they are what state topics hold.
"""

from __future__ import annotations

import json
from pathlib import Path

from foreshock.detectors.snapshot import Key, Keys
from foreshock.fleet import AssetState, Fleet
from tests.crash.plant import SPEC, feed, stream

FOLDER = Path(__file__).parents[1] / "golden"
KEYS = Keys(Key("golden", b"known to everybody"))
GENERATION = 3  # counts up when states get parts that older ones lack: 2 has alerts, 3 windows and tags
RECORDS = 262  # items of the stream: models that are ready, a layout that has changed, alerts in several states


def states() -> dict[str, AssetState]:
    """States of the plant of the crash tests."""
    fleet = Fleet(SPEC)
    for _ in feed(fleet, list(enumerate(stream()))[:RECORDS]):
        pass
    return {name: fleet.capture(0, name) for name in fleet.dirty(0)}


def main() -> None:
    """Write them, sealed, and what they are."""
    for name, state in states().items():
        place = FOLDER / f"state.{GENERATION}.{name}"
        place.with_name(f"{place.name}.sealed").write_bytes(state.seal(KEYS))
        about = {"offset": state.offset, "shape": state.shape, "digest": state.digest()}
        place.with_name(f"{place.name}.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
