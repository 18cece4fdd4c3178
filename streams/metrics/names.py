"""Names that come from data as labels: cleaned, and never more of them than a bound, whatever is sent."""

from __future__ import annotations

import re

from foreshock.streams.metrics.catalog import OTHER

LONGEST = 200  # characters; master data and gateways name their assets shorter
_STRANGE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def label_of(name: str) -> str:
    """Give the label of a name: what a terminal or a page would act on is replaced, what is endless is `other`.

    Quotes, backslashes and line breaks are escaped where the label is written.
    """
    return _STRANGE.sub("\N{REPLACEMENT CHARACTER}", name) if 0 < len(name) <= LONGEST else OTHER


class Names:
    """Numbers for the first names that come; all others share the last number.

    Parameters
    ----------
    most
        How many have one of their own.
    """

    def __init__(self, most: int) -> None:
        self.other = most
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Give the number of a name; `other` where there is none left."""
        label = label_of(name)
        known = self._numbers.get(label)
        if known is not None:
            return known
        if label == OTHER or len(self._numbers) >= self.other:
            return self.other
        return self._numbers.setdefault(label, len(self._numbers))

    def labels(self) -> list[str]:
        """Give the labels by number."""
        return list(self._numbers)
