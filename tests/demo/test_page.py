"""The page of a demonstration: what it names to look at, and a plant that goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from foreshock.demo.board import Board
from foreshock.demo.report import Run, as_json, to_look_at
from foreshock.settings import Settings
from foreshock.simulate.plan import demo_plan
from foreshock.simulate.verdict import event

PAGE = "http://127.0.0.1:8470/"


def run(*, page: str = PAGE, raised: bool = True) -> Run:
    """A demonstration that found one anomaly."""
    plan = demo_plan(1)
    board = Board(plan)
    asset = plan.plant.faults[0].asset
    board.events.append(
        event(plan, asset, "anomaly", source_ns=0, ingest_ns=0, event_id="e" * 32, detail="warning, score 2.00")
    )
    board.raised = {"a" * 32: "another", "b" * 32: asset} if raised else {}
    return Run(1, Settings(), board, board.report(), 0, {"play": 1.26}, None, Path("worker.log"), page)


def test_three_things_are_named():
    """The asset that fails, the alert of that asset, the pipeline; each as an address that opens."""
    made = run()
    asset = made.board.events[0].asset

    addresses = [address for address, _ in to_look_at(made)]

    assert addresses == [f"{PAGE}#/asset/{asset}", f"{PAGE}#/alert/{'b' * 32}", f"{PAGE}#/pipeline"]
    assert as_json(made)["look_at"] == addresses
    assert as_json(made)["seconds"] == {"play": 1.3}


def test_without_an_alert_the_list_is_named_and_without_a_page_nothing():
    """No address leads to what is not there."""
    assert to_look_at(run(raised=False))[1][0] == f"{PAGE}#/alerts"
    assert to_look_at(run(page="")) == []


def test_a_plant_that_goes_on_is_the_same_until_then():
    """Faults and blocks of a plan do not depend on how long its machines go on after it."""
    short, long = demo_plan(3), demo_plan(3, beyond_s=3600.0)

    assert short.plant.truth() == long.plant.truth()
    assert short.end_s == long.end_s
    for asset in range(len(short.plant.machines)):
        last = short.plant.number_at(asset, short.end_s) - 1
        for number in (0, last // 2, last):
            one, other = short.plant.block(asset, number), long.plant.block(asset, number)
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert np.array_equal(one.samples, other.samples)
                assert (one.source_ns, one.context) == (other.source_ns, other.context)
    assert len(long.plant.operations[0].segments) > len(short.plant.operations[0].segments)
