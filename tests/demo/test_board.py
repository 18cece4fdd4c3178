"""What the demonstration shows: rows, events, sparkline, next steps."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from foreshock.demo.board import Board
from foreshock.demo.report import Run, as_json, injected_against_found, next_steps, summary
from foreshock.demo.screen import Lines, sparkline, table
from foreshock.settings import Settings
from foreshock.simulate.plan import demo_plan


@pytest.fixture
def board():
    """A board on which nothing has happened yet."""
    return Board(demo_plan(4))


def score(board, asset, value, **more):
    """A record of scores.v1 from the feed."""
    at = board.plan.plant.epoch_ns + round((board.plan.warmup_s + 1) * 1e9)
    row = {"value": value, "state": "scored", "run_state": "running", "alarm": False, "source_ns": at, **more}
    return {"asset": asset, "warmup": 1.0, "rows": [row]}


def anomaly(board, fault, phase="opened"):
    """A record of anomalies.v1 one second after a fault began."""
    at = board.plan.plant.epoch_ns + round((fault.start_s + 1) * 1e9)
    return {
        "asset": fault.asset, "phase": phase, "severity": "watch", "score": 1.25, "event_id": "e1" * 16,
        "source_ns": at, "ingest_ns": at, "contributions": [{"feature": "env_4_depth[radial]", "amount": 0.5}],
    }  # fmt: skip


def machine_fault(board):
    """The first fault of a machine."""
    return next(fault for fault in board.plan.plant.faults if not fault.kind.of_sensor)


def test_rows_follow_scores(board):
    """State, score and trend are those of the newest score; what is not scored says why."""
    board.take("scores.v1", score(board, "pump-01", 0.4))
    board.take("scores.v1", score(board, "pump-01", 1.2, alarm=True))
    board.take("scores.v1", score(board, "fan-01", None, state="not_running", run_state="stopped"))
    warming = score(board, "fan-02", None, state="warming")
    board.take("scores.v1", {**warming, "warmup": 0.4})

    assert (board.rows["pump-01"].score, board.rows["pump-01"].alarm) == (1.2, True)
    assert list(board.rows["pump-01"].trend) == [0.4, 1.2]
    assert board.rows["fan-01"].state == "stopped"
    assert board.rows["fan-02"].state == "warming 40%"
    assert board.scores == 4


def test_only_news_is_an_event(board):
    """An opened anomaly and a raised condition are news; updates and what is cleared only change the row."""
    fault = machine_fault(board)

    assert board.take("anomalies.v1", anomaly(board, fault)).asset == fault.asset
    assert board.take("anomalies.v1", anomaly(board, fault, "updated")) is None
    assert board.rows[fault.asset].last_event == "updated watch 1.25"
    cleared = {"asset": "fan-01", "kind": "gap", "raised": False}
    assert board.take("quality.v1", cleared) is None
    assert len(board.events) == 1


def test_alerts_are_counted_and_shown(board):
    """What the policy made of an anomaly stands in its row; the end names the command that shows it."""
    told = {"asset": "fan-01", "change": "raised", "severity": "warning", "alert_id": "a" * 32}
    board.take("alerts.v1", told)
    board.take("alerts.v1", {**told, "change": "returned_to_normal"})

    assert board.raised == {"a" * 32: "fan-01"}
    assert board.rows["fan-01"].last_event == "alert returned to normal, warning"


def test_sparkline_is_full_at_twice_the_boundary():
    """Bars grow with the score and are never taller than full."""
    assert sparkline([0.0, 1.0, 1.99, 7.0]) == "▁▅██"


def test_table_and_lines_show_the_same_assets(board):
    """Both screens print; the lines tell an event with its time in the feed."""
    fault = machine_fault(board)
    new = board.take("anomalies.v1", anomaly(board, fault))
    console = Console(width=160, record=True, file=io.StringIO())
    Lines(console).event(board, new)
    console.print(table(board, board.plan.warmup_s + 10))
    text = console.export_text()

    assert f"{fault.start_s + 1 - board.plan.warmup_s:.1f} s" in text
    assert all(asset in text for asset in board.rows)
    assert "feed 10 of 60 s" in text


def test_the_end_tells_everything(board, tmp_path):
    """Injected against found with delay and id, what is missing, and commands with real ids."""
    fault = machine_fault(board)
    board.take("anomalies.v1", anomaly(board, fault))
    settings = Settings()
    settings = replace(settings, topics=replace(settings.topics, prefix="demo-1."))
    run = Run(4, settings, board, board.report(), 10, {"play": 1.0}, tmp_path, tmp_path / "worker.log")
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(injected_against_found(run))
    text = console.export_text()

    assert text.count("NOT FOUND") == 4
    assert "e1" * 16 in text
    assert any(line.startswith("FAILED: 1 of 5 faults found") for line in summary(run))
    steps = next_steps(run)
    assert steps[0] == f"foreshock trace {'e1' * 16}"
    assert any(step.startswith("foreshock tail anomalies.v1") and "--prefix demo-1." in step for step in steps)
    result = as_json(run)
    assert (result["passed"], sum(each["found"] for each in result["faults"])) == (False, 1)
