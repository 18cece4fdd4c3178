"""Fixtures of the faults: a plant on the session's broker, and one on a broker of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from foreshock.settings import Settings
from tests.chaos.inputs import Plan
from tests.chaos.plant import ASSETS, BLOCKS, Plant, hall


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """Whatever is left of processes ends with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def plant(settings: Settings, running: ExitStack) -> Callable[..., Plant]:
    """Make a plant on the session's broker; what is given goes to `hall`, a plan or settings may be given whole."""

    def make(plan: Plan | None = None, *, given: Settings | None = None, **how: Any) -> Plant:
        return Plant(given or hall(settings, **how), plan or Plan(BLOCKS, ASSETS), running)

    return make
