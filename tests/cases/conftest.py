"""One life of a machine that breaks, shared by all tests of cases."""

from __future__ import annotations

import pytest

from foreshock.streams.cases.file import CaseFile
from tests.cases.making import cases, run


@pytest.fixture(scope="session")
def life():
    """Outcomes of the machine, with their records."""
    return run()


@pytest.fixture(scope="session")
def found(life) -> list[CaseFile]:
    """The cases of its events."""
    return cases(life)


@pytest.fixture(scope="session")
def case(found) -> CaseFile:
    """The case of the first event."""
    return found[0]
