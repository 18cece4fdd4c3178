"""Names from outside: bounded in number, escaped, and never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.metrics.catalog import CLASSES, OTHER
from foreshock.streams.metrics.exposition import Exposition
from foreshock.streams.metrics.holders import REMEMBERED, Holders
from foreshock.streams.metrics.names import LONGEST, Names, label_of
from tests.metrics.making import outcome, worker_values
from tests.metrics.reading import OPENMETRICS, Scrape

NAMES = 100_000
WORST = ['"', "\\", "\\n", "\n", "} 1e9", '",x="', "# EOF", "", "a" * 10_000, "\x00\x1b[31m", "\u202e", "é", "🛠", "other", "\r\n# TYPE x counter"]  # fmt: skip


def shown(holders):
    """A scrape of the series by asset, in both formats."""
    values = worker_values()
    for name, series in holders.by_asset().items():
        values.replace(name, series)
    values.replace("foreshock_received_bytes_total", {(k,): v for k, v in holders.bytes_by_class().items() if v})
    exposition = Exposition(values)
    text = Scrape(exposition.write("text/plain")[0].decode(), openmetrics=False)
    return text, Scrape(exposition.write(OPENMETRICS)[0].decode())


@pytest.mark.slow
def test_a_hundred_thousand_hostile_names_are_a_hundred_labels():
    """Series, memory and the scrape stay small, every record is counted, and both formats can be parsed."""
    holders = Holders(100, lambda partition, asset: f"class {asset}")
    for start in range(0, NAMES, 1000):
        names = [f"{WORST[n % len(WORST)]}{n}" for n in range(start, start + 1000)]
        scores = [outcome(n, name).score for n, name in enumerate(names)]
        holders.take(holders.cells(scores), [10] * len(scores))

    for scrape in shown(holders):
        assets = scrape.by("foreshock_asset_records_total", "asset")
        assert len(assets) == 101
        assert sum(assets.values()) == NAMES
        assert assets[OTHER] >= NAMES - 200
        classes = scrape.by("foreshock_received_bytes_total", "asset_class")
        assert len(classes) == CLASSES + 1
        assert sum(classes.values()) == 10 * NAMES
        assert not any(ord(c) < 32 for name in assets for c in name)
    assert len(holders._known) <= REMEMBERED


@pytest.mark.slow
@given(st.lists(st.text(max_size=30), min_size=1, max_size=20))
def test_a_label_is_read_back_as_it_was_given(names):
    """Whatever a name is made of, the parser gives the label back, and equal labels are one series."""
    holders = Holders(50, lambda partition, asset: asset)
    scores = [outcome(n, name).score for n, name in enumerate(names)]
    holders.take(holders.cells(scores), [1] * len(scores))

    for scrape in shown(holders):
        assert set(scrape.by("foreshock_asset_records_total", "asset")) == {label_of(name) for name in names}


def test_names_without_a_number_of_their_own_share_one():
    """A bound of 0 gives everything to the other label; an endless name never has one of its own."""
    assert Names(0).number("pump-1") == 0
    names = Names(2)
    assert [names.number(name) for name in ("a", "b", "c", "a", "x" * (LONGEST + 1), OTHER)] == [0, 1, 2, 0, 2, 2]


def test_a_class_that_changes_takes_no_bytes_along():
    """Bytes stay with the class that an asset had when they came: counters never go down."""
    classes = {"pump": "old"}
    holders = Holders(10, lambda partition, asset: classes[asset])
    scores = [outcome(0, "pump").score]
    holders.take(holders.cells(scores), [5])
    classes["pump"] = "new"
    holders.refresh()
    holders.take(holders.cells(scores), [7])

    assert {k: v for k, v in holders.bytes_by_class().items() if v} == {"old": 5, "new": 7}
    assert holders.by_asset()["foreshock_asset_received_bytes_total"] == {("pump",): 12}
