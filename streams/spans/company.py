"""What merges with a record on its way: the others of its batch, and those of its window before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from foreshock import lineage
from foreshock.contract import DeadLetter, Origin, Score
from foreshock.outcome import Outcome
from foreshock.streams.spans.plan import created_by, start_of
from foreshock.streams.spans.shape import Target, span_id

MATES = 16  # links to others of the batch; how many they were in all, an attribute says
WINDOW = 4  # records before at the same measuring point
POINTS = 4096  # measuring points of which these are known


class Batchmates:
    """The records of a batch, as far as others link to them; nothing is computed before somebody asks."""

    def __init__(self, items: Sequence[Outcome | DeadLetter], size: int) -> None:
        self._items = items
        self.size = size
        self._found: list[tuple[Outcome | DeadLetter, Target]] | None = None

    def of(self, item: Outcome | DeadLetter) -> tuple[Target, ...]:
        """Give the spans that made the messages beside this one, or where their traces begin."""
        if self._found is None:
            chosen = self._items[: MATES + 1]
            self._found = [(each, created_by(each) or start_of(each)) for each in chosen]
        return tuple(target for each, target in self._found if each is not item)[:MATES]


class Windows:
    """The last records of each measuring point: a score rests on them too, an alarm on several of them."""

    def __init__(self) -> None:
        self._recent: dict[tuple[str, str], deque[tuple[Origin, str]]] = {}

    def remember(self, score: Score) -> None:
        """Note a record."""
        key = (score.asset, score.point)
        ring = self._recent.get(key)
        if ring is None:
            if len(self._recent) >= POINTS:
                del self._recent[next(iter(self._recent))]
            ring = self._recent[key] = deque(maxlen=WINDOW + 1)
        ring.append((score.origin, score.score_id))

    def before(self, item: Outcome | DeadLetter) -> tuple[Target, ...]:
        """Give where the traces of the records before this one begin, the oldest first."""
        if not isinstance(item, Outcome):
            return ()
        own = item.score
        ring = self._recent.get((own.asset, own.point), ())
        return tuple(
            Target(int(lineage.trace_id(origin), 16), span_id(score_id, "process"), {})
            for origin, score_id in ring
            if score_id != own.score_id
        )[-WINDOW:]
