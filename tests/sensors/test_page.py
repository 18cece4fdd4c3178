"""docs/quality.md says of every kind what the code does."""

import re
from pathlib import Path

from foreshock.contract import QualityKind
from foreshock.features.health import VERDICTS

PAGE = Path(__file__).parents[2] / "docs" / "quality.md"


def test_each_kind_stands_on_the_page_with_its_status_and_its_loss():
    """The table of the kinds is complete and right."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\w+) \| ([\d.]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert {kind: (ne107, float(loss)) for kind, ne107, loss in rows} == {
        str(kind): (verdict.ne107, verdict.loss) for kind, verdict in VERDICTS.items()
    }
    assert len(rows) == len(QualityKind)
