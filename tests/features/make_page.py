"""Write the tables of docs/features.md from the declarations: `python -m tests.features.make_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from foreshock.features.declared import Declared
from foreshock.features.inventory import Listing, inventory

PAGE = Path(__file__).parents[2] / "docs" / "features.md"
MARK = "<!-- The rest is made by `python -m tests.features.make_page`; do not edit it. -->\n"
SHOWN = ("full", "signal", "scalar")  # lean is a part of full


def tables() -> str:
    """Give the tables of all sets."""
    found = [each for each in inventory() if each.name in SHOWN]
    return "\n".join(line for listing in found for line in _table(listing))


def _table(listing: Listing) -> Iterator[str]:
    yield f"\n## {listing.name.capitalize()} ({listing.id.partition('@')[0]}): of {listing.made_of}\n"
    alike = len({each.voided_by for each in listing.features}) == 1
    void = f" Worthless when {', '.join(listing.features[0].voided_by)}." if alike else ""
    yield f"Goes to {listing.goes_to}.{void}\n"
    sources = list(dict.fromkeys(each.source for each in listing.features if each.source))
    heads = ["feature", "unit", "meaning", "made from", *([] if alike else ["worthless when"])]
    heads += ["source"] if sources else []
    yield _line(heads)
    yield _line(["---"] * len(heads))
    for each in listing.features:
        cells = [f"`{each.name}`", each.unit, _meaning(each), ", ".join(each.inputs)]
        cells += [] if alike else [", ".join(each.voided_by)]
        cells += [str(sources.index(each.source) + 1) if each.source else ""] if sources else []
        yield _line(cells)
    if sources:
        yield ""
        yield from (f"{number}. {source}" for number, source in enumerate(sources, start=1))


def _meaning(each: Declared) -> str:
    log = "; natural logarithm" if each.scale == "log" else ""
    gone = f"; deprecated: {each.deprecated}" if each.deprecated else ""
    return f"{each.meaning}{log}{gone}".replace("|", "\\|")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page with its hand-written head."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{head}{MARK}{tables()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
