"""A header and the pump that it feeds, on a real broker: while the header has an alarm its pump raises none."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest

from foreshock.contract import Asset
from foreshock.streams.errands.sender import Sender

HEADER, PUMP = ASSETS = ("header-1", "pump-7")
POLICY = """
name = "quick"
owner = "mechanics"
runbook = ["look"]
action = "look at it"
respond_within = "1h"
escalation = ["shift lead"]
[parents]
"pump-*" = "header-1"
[[bands]]
severity = "warning"
raise_at = 1.5
clear_at = 1.2
n = 1
"""


@pytest.mark.slow
def test_child_is_inhibited_by_the_alarm_of_its_parent(
    quick, tmp_path, open_topics, make_block, start_worker, poll_until
):
    """Suppressed with its parent's name, by a successor as well, and raised when the parent is sound again."""
    (tmp_path / "quick.toml").write_text(POLICY, encoding="utf-8")
    settings = replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path / "quick.toml"),)))
    topics = open_topics(settings)
    with Sender(settings) as sender:
        for each in ASSETS:
            sender.send(Asset(asset=each))
    begun_ns = time.time_ns() - 30_000_000_000
    sent = 0

    def run(rounds, **levels):
        nonlocal sent
        for i in range(sent, sent + rounds):
            for each in ASSETS:
                made = make_block(each, i, source_ns=begun_ns + i * 160_000_000)
                topics.send_block(replace(made, samples=made.samples * levels.get(each.partition("-")[0], 1.0)))
        topics.flush()
        sent += rounds

    def told(asset):
        found = {each.record["event_id"]: each.record for each in topics.read("alerts.v1")}
        return [each for each in found.values() if each["asset"] == asset]

    def until(asset, change, worker, **levels):
        def happened():
            if change in [each["change"] for each in told(asset)]:
                return True
            run(4, **levels)
            return False

        poll_until(happened, 90, lambda: f"no {change} of {asset}:\n{worker.shown()}")

    first = start_worker(settings, "--slot", "0")
    run(40)
    until(HEADER, "raised", first, header=2.5)
    first.wait_for("header-1")  # the worker says whom it inhibits by whom
    until(PUMP, "suppressed", first, header=2.5, pump=2.5)
    first.stop(signal.SIGKILL)
    second = start_worker(settings, "--slot", "0")
    second.wait_for("worker ready")
    run(12, header=2.5, pump=2.5)
    topics.wait_for_outcomes(2 * sent, worker=second)
    before = [each["change"] for each in told(PUMP)]
    until(PUMP, "raised", second, pump=2.5)
    assert second.stop() == 0, second.shown()

    changes = [each["change"] for each in told(PUMP)]
    assert before == ["suppressed"]
    assert changes[:3] == ["suppressed", "unsuppressed", "raised"]
    suppressed = told(PUMP)[0]
    assert suppressed["suppressed_by"] == "parent"
    assert suppressed["reason"] == "the alarm of header-1 stands"
    assert [each["change"] for each in told(HEADER)][:2] == ["raised", "returned_to_normal"]
