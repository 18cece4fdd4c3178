"""A worker with a defect, for tests: `python -m tests.chaos.failing ASSET:SEQUENCE worker ...`.

The Fleet fails on the blocks that are named, after it has folded those of the batch that stand before them: the state in
memory is then that of no place in the order, as it would be with a real defect.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from foreshock.contract import Asset
from foreshock.fleet import Fleet


def fail_on(*names: str) -> None:
    """Make every Fleet of this process fail on some blocks."""
    sound = Fleet.receive

    def receive(fleet: Fleet, batch: Sequence[Any]) -> list[Any]:
        for index, item in enumerate(batch):
            if not isinstance(item, Asset) and f"{item.asset}:{item.sequence}" in names:
                sound(fleet, batch[:index])
                raise ZeroDivisionError(f"a defect that {item.asset}:{item.sequence} finds")
        return sound(fleet, batch)

    Fleet.receive = receive  # type: ignore[method-assign]


if __name__ == "__main__":
    fail_on(*sys.argv[1].split(","))
    del sys.argv[1]
    from foreshock.cli import main

    main()
