"""What the commands about alerts print, and what they refuse before anything is sent."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

import pytest
from typer.testing import CliRunner

from foreshock.alerts.records import alarm_record
from foreshock.alerts.vocabulary import Change
from foreshock.cli import app
from foreshock.cli.alerts import _show_open, line
from foreshock.cli.control import when
from foreshock.errors import ConfigurationError, ForeshockError
from tests.wire.samples import ALERT

WHO = ("--actor", "mia", "--reason", "heard of it")
NOWHERE = ("--bootstrap", "nobody:1")


def test_change_is_one_line():
    """When, which machine and alert, how bad, what, by whom, why."""
    told = asdict(replace(ALERT, change=Change.RETURNED_TO_NORMAL, suppressed_by=None, actor="policy", effect=""))

    assert line(told) == "2026-05-28 20:26:40Z  pump-7 22222222 warning 2.50: returned to normal: 2.5 is at or above 2"
    assert "refused by mia: no such alert" in line(
        {**told, "alert_id": "", "score": None, "change": "refused", "actor": "mia", "reason": "no such alert"}
    )


def test_what_stands_is_a_table(capsys):
    """State with its end or its reason, the worst so far, who has it."""
    _show_open([asdict(alarm_record(ALERT))], as_json=False)
    text = capsys.readouterr().out

    assert "unacknowledged until 2026-05-28 22:26Z" in text
    assert "warning (was critical)" in text
    assert "WO-1" in text


def test_times_are_spans_or_iso():
    """How long from now, or from a start; or when."""
    assert abs(when("2h") - time.time_ns() - 7200 * 10**9) < 10**9
    assert when("30m", 10**18) == 10**18 + 1800 * 10**9
    assert when("2026-05-28T20:26:40+02:00") == 1_779_992_800_000_000_000


WRONG = {
    "a time without a zone": (("shelve", "pump-7", "--until", "2026-05-28T20:26:40", *WHO), "no zone"),
    "a time that is none": (("window", "pump-7", "--until", "soon", *WHO), "30m, 2h, 1d"),
    "a verdict beside an acceptance": (("label", "pump-7", "--accept", "l", "--verdict", "true", *WHO), "as it is"),
    "a shelf that is over": (("shelve", "pump-7", "--until", "2026-05-28T20:26:40Z", *WHO), "over before"),
    "nobody": (("ack", "pump-7", "--actor", " ", "--reason", "x"), "actor is empty"),
    "a label of nothing": (("label", "pump-7", "--verdict", "true", *WHO), "of no interval"),
    "a repair without a number": (
        ("work", "repair", "pump-7", "--order", " ", "--actor", "mia"),
        "work_order is empty",
    ),
    "both ways to look": (("alerts", "--open", "--follow"), "either"),
    "no duration": (("alerts", "--since", "yesterday"), "no duration"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_is_not_sent(name):
    """One line that says what to change, before any broker is asked."""
    words, says = WRONG[name]
    ran = CliRunner().invoke(app, [*words, *NOWHERE])

    assert isinstance(ran.exception, ForeshockError)
    assert isinstance(ran.exception, ConfigurationError), ran.exception
    assert says in str(ran.exception)
