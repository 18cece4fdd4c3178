"""The files of the page: nothing is markup that comes from outside, nothing is inline, what is not ours is as it came."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "streams" / "console" / "page"
OWN = sorted(path for path in PAGE.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts)
UPLOT = {  # of the npm package uplot 1.6.32
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\b|new Function"
)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_text_never_becomes_markup(path: Path):
    """No file of ours has a way to turn a string into elements or code; none is longer than 400 lines."""
    text = path.read_text(encoding="utf-8")

    assert not MARKUP.search(text)
    assert len(text.splitlines()) <= 400


def test_the_page_has_nothing_inline_and_all_it_names():
    """The policy of the content forbids inline scripts and styles; each file that is named exists."""
    text = (PAGE / "index.html").read_text(encoding="utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    named = re.findall(r'(?:href|src)="/static/([^"]+)"', text)
    assert len(named) > 5
    assert [each for each in named if not (PAGE / each).is_file()] == []


def test_imports_name_files_and_what_they_give():
    """Each module imports from files that exist only names that these export."""
    for path in OWN:
        if path.suffix != ".js":
            continue
        for names, source in re.findall(r"import \{([^}]+)\} from \"\./([^\"]+)\"", path.read_text(encoding="utf-8")):
            given = (PAGE / "js" / source).read_text(encoding="utf-8")
            for name in (each.strip() for each in names.split(",") if each.strip()):
                assert re.search(rf"export (async )?(function|class|const|let) {re.escape(name)}\b", given), (
                    path,
                    name,
                )


def test_what_is_not_ours_is_as_it_came():
    """uPlot is the file that its version names, with its licence beside it."""
    folder = PAGE / "vendor" / "uplot"

    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in UPLOT} == UPLOT
    assert "uPlot 1.6.32" in (folder / "VERSION").read_text(encoding="utf-8")
    assert "MIT" in (folder / "LICENSE").read_text(encoding="utf-8")
