"""Lines of the log: as JSON and for people, with traces, without secrets, and no flood."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock import lineage
from foreshock.contract import Reason
from foreshock.settings import KafkaSettings, RedisSettings, Settings
from foreshock.settings_deliver import WebhookSettings
from foreshock.streams import logs
from foreshock.streams.journal import Journal
from foreshock.streams.logs import BURST, HumanLines, JsonLines, Lines, Repeats, about, hider
from foreshock.vocabulary import QualityKind
from tests.wire import samples

HOSTILE = 'pump"\n\x1b[2J\u202e<script>\ud800'


def nothing(text: str) -> str:
    return text


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def logger_of(stream):
    """Make a logger of its own that writes to the stream."""
    found = logging.getLogger("foreshock.test")

    def make(formatter):
        found.addHandler(Lines(stream, formatter))
        found.propagate = False
        found.setLevel(logging.INFO)
        return found

    yield make
    for handler in list(found.handlers):
        found.removeHandler(handler)


@pytest.fixture
def logger(logger_of):
    """A logger that writes JSON lines to the stream."""
    return logger_of(JsonLines("foreshock-worker", nothing))


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestJson:
    """One object a line, whatever is said."""

    def test_fields(self, logger, stream):
        """When, how bad, who, what, and the trace that it belongs to."""
        logger.warning("asset %s", "pump-7", extra=about(trace_id="ab" * 16, asset="pump-7", event_id=None))
        (line,) = lines(stream)

        assert line["message"] == "asset pump-7"
        assert (line["level"], line["logger"], line["service"]) == ("warning", "foreshock.test", "foreshock-worker")
        assert (line["trace_id"], line["asset"]) == ("ab" * 16, "pump-7")
        assert str(line["time"]).endswith("+00:00")
        assert "event_id" not in line

    def test_hostile_name_stays_in_its_line(self):
        """Line breaks, escapes and half characters of a name end neither the line nor the object."""
        record = logging.LogRecord("x", logging.INFO, "", 0, "asset %s", (HOSTILE,), None)
        record.__dict__.update(about(asset=HOSTILE))
        line = JsonLines("foreshock-worker", nothing).format(record)

        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
        assert json.loads(line)["asset"] == HOSTILE

    def test_defect_has_its_traceback(self, logger, stream):
        """In one line, as a field."""
        logger.error("a record could not be handled", exc_info=ValueError("of a test"))
        (line,) = lines(stream)

        assert "ValueError: of a test" in str(line["exception"])


class TestSettingUp:
    """What a process does at its start and at its end."""

    @pytest.mark.parametrize(("style", "is_json"), [("json", True), ("human", False), ("", True)])
    def test_last_line_has_the_form_of_the_others(self, style, is_json):
        """A process whose lines are JSON ends with one; without a terminal they are JSON if nothing else is said."""
        code = (
            "from foreshock.settings import Settings, TelemetrySettings\n"
            "from foreshock.streams import logs\n"
            "from foreshock.streams.errors import stop\n"
            f"logs.to_stderr(Settings(telemetry=TelemetrySettings(log_format={style!r})), 'foreshock-worker')\n"
            "stop(ValueError('of a test'))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        last = done.stderr.splitlines()[-1]

        assert done.returncode == 1
        assert "foreshock worker: ValueError: of a test" in last
        assert last.startswith("{") == is_json
        if is_json:
            assert json.loads(last)["exception"].startswith("ValueError")


class TestHuman:
    """As people read it."""

    def test_trace_stands_behind(self, logger_of, stream):
        """The text, then the trace."""
        logger = logger_of(HumanLines(nothing))
        logger.info("dead letter: %s", "bad_rate", extra=about(trace_id="ab" * 16))

        assert stream.getvalue().endswith(f"INFO foreshock.test: dead letter: bad_rate [trace {'ab' * 16}]\n")

    @given(st.text())
    def test_nothing_steers_the_terminal(self, text):
        """Whatever is in a name, only printable characters come out."""
        record = logging.LogRecord("x", logging.INFO, "", 0, "asset %s", (text,), None)

        assert HumanLines(nothing).format(record).isprintable()


class TestSecrets:
    """What is declared secret never stands in a line."""

    def test_of_settings_and_urls(self):
        """Passwords, tokens, URLs that are secrets, and the passwords in other URLs; nothing else changes."""
        settings = Settings(
            kafka=KafkaSettings(properties=MappingProxyType({"sasl.password": "hunter-22", "client.rack": "rack-one"})),
            redis=RedisSettings(url="redis://user:sesame-1@cache:6379/0"),
            deliver=MappingProxyType(
                {"hook": WebhookSettings(name="hook", url="https://hooks/xyz", signing_key="k-12345", token="t-67890")}
            ),
        )
        text = "hunter-22 t-67890 k-12345 https://a:bcdef@host/x redis://user:sesame-1@cache:6379/0 rack-one"

        assert hider(settings)(text) == "*** *** *** https://***@host/x redis://***@cache:6379/0 rack-one"

    @pytest.mark.parametrize("secret", ['pa"ss\\word', "tab\tand ü", 'it\'s "both"'])
    @pytest.mark.parametrize("told", [str, repr])
    def test_however_it_is_escaped(self, secret, told):
        """Neither JSON nor `repr` nor the escapes for terminals bring it out."""
        hide = hider(Settings(kafka=KafkaSettings(properties=MappingProxyType({"sasl.password": secret}))))
        record = logging.LogRecord("x", logging.INFO, "", 0, "refused: %s", (told(secret),), None)

        assert json.loads(JsonLines("x", hide).format(record))["message"].replace("'", "") == "refused: ***"
        assert HumanLines(hide).format(record).replace("'", "").endswith("refused: ***")

    def test_of_urls_whatever_is_around(self):
        """A password may hold an @; and what stands in another field of the line is no part of a URL."""
        hide = hider(Settings())
        record = logging.LogRecord("x", logging.INFO, "", 0, "at http://h:94", None, None)
        record.about = {"asset": "a@b"}

        assert (
            hide("redis://u:p@ssw@h/0, https://token@h, http://h:94?by=a@b")
            == "redis://***@h/0, https://***@h, http://h:94?by=a@b"
        )
        assert json.loads(JsonLines("x", hide).format(record))["message"] == "at http://h:94"


class TestRepeats:
    """So many lines of a kind, then their count."""

    def test_flood_of_one_kind(self, logger, stream):
        """Twenty go out, another kind passes, and what was held back is told at the end."""
        for number in range(1000):
            logger.warning("refused %d", number)
        logger.warning("another kind")
        for handler in logger.handlers:
            handler.close()
        messages = [line["message"] for line in lines(stream)]

        assert messages[:BURST] == [f"refused {number}" for number in range(BURST)]
        assert messages[BURST:] == ["another kind", f"{1000 - BURST} more lines like: refused %d"]

    def test_next_window_tells_what_was_held_back(self):
        """The first line after the window carries the count."""
        now = 0.0
        repeats = Repeats(lambda: now)
        held = [repeats.passes("a") for _ in range(BURST + 5)]
        now = logs.WINDOW_S

        assert held == [0] * BURST + [None] * 5
        assert repeats.passes("a") == 5
        assert repeats.passes("a") == 0

    def test_kinds_are_bounded(self):
        """A hundred thousand kinds are no leak."""
        repeats = Repeats(lambda: 0.0)
        for number in range(100_000):
            repeats.passes(number)

        assert len(repeats._kinds) <= logs.KINDS


class TestJournal:
    """One line for each event of interest, in its trace."""

    def told(self, caplog, *items) -> list[logging.LogRecord]:
        with caplog.at_level(logging.INFO, logger="foreshock.events"):
            Journal().tell(items)
        return caplog.records

    def test_of_each_kind(self, records, caplog):
        """An anomaly, a change of an alert, a diagnosis, a dead letter, a cold start: a line each; of an ordinary block none."""
        anomaly, frozen = records.anomaly(1, asset="pump-3"), records.frozen(2)
        cold = replace(frozen.quality[0], kind=QualityKind.COLD_START, detail="its snapshot is damaged")
        alert = replace(samples.ALERT, origin=anomaly.score.origin)
        found = self.told(
            caplog,
            records.outcome(3),
            frozen,
            replace(anomaly, alerts=(alert,), diagnoses=(samples.DIAGNOSIS,)),
            replace(frozen, quality=(cold,)),
            records.dead_letter(4),
        )

        assert [record.getMessage().partition(":")[0] for record in found] == [
            "anomaly opened",
            f"alert {alert.change}",
            "diagnosis",
            "cold start",
            "dead letter",
        ]
        assert found[0].about["trace_id"] == lineage.trace_id(anomaly.score.origin)
        assert found[0].about["event_id"] == anomaly.anomalies[0].event_id
        assert found[2].about["event_id"] == samples.DIAGNOSIS.diagnosis_id
        assert "offset 4" in found[4].getMessage()
        assert all(len(record.about["trace_id"]) == 32 for record in found)

    def test_flood_of_dead_letters(self, records, caplog):
        """Some of each reason, not ten thousand lines."""
        letters = [records.dead_letter(offset) for offset in range(1000)]
        other = replace(letters[0], reason=Reason.TRUNCATED)
        found = self.told(caplog, *letters, other)

        assert len(found) == BURST + 1
