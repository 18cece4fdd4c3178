"""docs/settings.md names every setting with its default."""

import json
import re
from dataclasses import fields
from pathlib import Path

from foreshock.settings import Settings

TABLE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default():
    """The table and the code name the same settings with the same defaults."""
    documented = dict(re.findall(r"^\| `(\w+\.\w+)` \| `([^`]*)`", TABLE, re.MULTILINE))
    settings = Settings()
    declared = {
        f"{section.name}.{key.name}": getattr(getattr(settings, section.name), key.name)
        for section in fields(settings)
        if section.name != "deliver"  # a table for each sink: docs/delivery.md
        for key in fields(getattr(settings, section.name))
        if key.name not in {"properties", "own"}  # any property of librdkafka; tables of classes
    }

    assert documented == {name: shown(value) for name, value in declared.items()}


def shown(value: object) -> str:
    """Write a value as the table does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return json.dumps(value)
    return str(value).replace(str(Path.home()), "~") or '""'
