"""What the README tells an integrator to type, typed literally: a Score for a new machine comes out."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READY = "Ctrl-C stops everything"
# What a reader does after the line that ends in `&`: wait for its words, and paste the export line it printed.
READER = f"""
for _ in $(seq 600); do grep -q '{READY}' "$OUTPUT" && break; sleep 0.1; done
eval "$(grep -o 'export FORESHOCK.*' "$OUTPUT")"
"""


def integrator_commands() -> list[str]:
    """The lines of the block that is marked for this test."""
    block = re.search(r"<!-- test: integrator -->\n```sh\n(.*?)```", README, re.DOTALL)
    return [line for line in block[1].splitlines() if line and not line.startswith("#")]


def test_integrator_needs_at_most_ten_commands():
    """The path from a clone to the first score is short."""
    assert 0 < len(integrator_commands()) <= 10


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_integrator_reaches_a_score_for_a_machine_of_their_own(tmp_path):
    """A script that does only what the README says ends with scores of the new machine, warm ones among them."""
    lines = [line + READER if line.endswith("&") else line + "\n" for line in integrator_commands()]
    script = "set -euo pipefail\ntrap 'kill $(jobs -p) && wait' EXIT\n" + "".join(lines)
    output = tmp_path / "output"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")}
    environment |= {"OUTPUT": str(output), "FORESHOCK_WORKER__DATA_DIR": str(tmp_path / "state")}
    started = time.monotonic()

    with output.open("w") as file:
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=environment, stdout=file, stderr=file, check=False, timeout=240
        )

    text = output.read_text(encoding="utf-8")
    assert done.returncode == 0, text
    scores = text[text.index("40 blocks of my-pump sent") :]
    assert "warming" in scores
    assert "scored" in scores
    assert time.monotonic() - started < 120


def test_links_of_the_documents_lead_somewhere():
    """Every relative link of README and docs names a file of the checkout."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not target.startswith("http")
    ]

    broken = [f"{page.relative_to(ROOT)}: {target}" for page, target in links if not (page.parent / target).exists()]
    assert broken == []


def test_files_that_the_documents_name_exist():
    """A page that says which file does a step stays true when files move."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        (page.relative_to(ROOT), name)
        for page in pages
        for name in re.findall(
            r"`((?:foreshock|streams|detectors|features|tests|infra)/[\w/.]+)`", page.read_text("utf-8")
        )
    }

    assert len(named) > 20
    assert sorted(f"{page}: {name}" for page, name in named if not (ROOT / name).exists()) == []


def test_commands_in_the_documents_exist():
    """Each `foreshock COMMAND` that a page names is a command of the program."""
    from foreshock.cli import COMMANDS

    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        name for page in pages for name in re.findall(r"foreshock ([a-z][a-z-]*)\b(?!\.)", page.read_text("utf-8"))
    }

    assert named - set(COMMANDS) == set()
