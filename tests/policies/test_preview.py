"""The preview: the same scores through two sets of policies; pure, and from a real `scores.v1`."""

import dataclasses
import json
import time

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from foreshock.alerts.files import DEFAULT, load_text
from foreshock.alerts.preview import NS, Measured, Preview, Scored
from foreshock.cli import app
from foreshock.contract import Asset, Origin, Score, ScoreRow
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import topics, wire
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.errands.scored import scored_of
from foreshock.streams.errands.sender import Sender
from foreshock.streams.kafka import producer_config
from foreshock.vocabulary import Mode, RunState, ScoreState
from tests.core.alerting import feed

START_NS = 1_767_571_200 * NS
WHO = """
owner = "mechanics"
runbook = ["Listen."]
action = "Look at it."
respond_within = "8h"
escalation = ["shift lead"]
close_after = "10m"
"""


def policy(name="strict", level=1.0, head="", band="n = 1\n"):
    bands = f'[[bands]]\nseverity = "watch"\nraise_at = {level}\nclear_at = {level * 0.8}\n{band}'
    worse = f'[[bands]]\nseverity = "warning"\nraise_at = {level * 2}\nclear_at = {level * 1.6}\nn = 1\n'
    return f'name = "{name}"\n{head}{WHO}{bands}{worse}'


def scores(values, asset="pump-7", point="de", every_s=60, **changes):
    for number, value in enumerate(values):
        at_ns = START_NS + number * every_s * NS
        origin = Origin(topic="sensors.v1", topic_id="t", partition=0, offset=number, ingest_ns=at_ns)
        fields = {"quality": (), "rows": (Measured(at_ns, value, None),)} | changes
        yield Scored(asset=asset, point=point, origin=origin, **fields)


def line(values, today, changed, **settings):
    found = Preview([load_text("a.toml", today)], [load_text("b.toml", changed)], {}, **settings)
    for each in scores(values):
        found.take(each)
    (only,) = found.lines()
    return only


# Three excursions an hour apart: two of them a single row, the last as high as a warning.
HOUR = [0.5] * 59
VALUES = [*HOUR, 1.2, *HOUR, 1.2, *HOUR, 1.2, 1.5, 2.5, 1.2, 1.2, *HOUR]


class TestCounts:
    """How many alerts each policy would have raised."""

    def test_on_delay_takes_away_the_short_ones(self):
        """With an on-delay only the excursion that lasts is raised, and it counts by its worst severity."""
        found = line(VALUES, policy(), policy("calm", band='n = 1\non_delay = "1m"\n'))

        assert (found.policy, found.changed_policy) == ("strict", "calm")
        assert found.today == {"watch": 2, "warning": 1}
        assert found.changed == {"warning": 1}
        assert found.raised == (3, 1)

    def test_the_same_policy_gives_the_same_counts(self):
        """Both columns come from the same functions: without a change there is none."""
        found = line(VALUES, policy(), policy())

        assert found.today == found.changed

    def test_rate_is_set_against_the_budget(self):
        """The span of the scores and the budget of the changed policy make the rate that is shown."""
        found = line(VALUES, policy(), policy(head="budget_per_asset_month = 10\n"))

        assert found.months == pytest.approx((len(VALUES) - 1) * 60 / (30 * 86400))
        assert found.budget == 10

    def test_budget_moves_the_levels(self):
        """A stricter budget than that of detection needs higher scores: 1.2 is no longer enough for a margin of 1.8."""
        found = line(VALUES, policy(), policy(head="budget_per_asset_month = 0.01\n"))

        assert found.changed == {"watch": 1}

    def test_faulty_sensor_raises_nothing(self):
        """A quality kind that inhibits does so in a preview as well."""
        found = Preview([load_text("a.toml", policy())], [load_text("b.toml", policy(head="inhibit_on = []\n"))], {})
        for each in scores(VALUES, quality=("frozen",)):
            found.take(each)

        assert found.lines()[0].raised == (0, 3)

    def test_class_and_place_select_the_policy(self):
        """Master data decide which policy holds for which asset, on both sides; most changed assets come first."""
        pumps = load_text("a.toml", policy("pumps", head='covers = ["pump"]\n'))
        calm = load_text("b.toml", policy("calm", level=9.0, head='covers = ["pump"]\n'))
        found = Preview([pumps], [calm], {"pump-7": Asset(asset="pump-7", asset_class="pump")})
        for each in scores(VALUES, asset="fan-1"):
            found.take(each)
        for each in scores(VALUES):
            found.take(each)

        pump, fan = found.lines()
        assert (pump.asset, pump.policy, pump.changed_policy, pump.raised) == ("pump-7", "pumps", "calm", (3, 0))
        assert (fan.policy, fan.changed_policy) == ("default", "default")
        assert fan.raised[0] == fan.raised[1]

    def test_rows_that_come_twice_count_once(self):
        """What a restarted worker sent again is the same record, and raises nothing again."""
        found = Preview([load_text("a.toml", policy())], [load_text("b.toml", policy())], {})
        for each in scores(VALUES):
            found.take(each)
            found.take(each)

        assert found.lines()[0].raised == (3, 3)


def test_today_is_what_the_fleet_raised():
    """From the scores alone a preview comes to the alerts that the Fleet itself raised from the same records."""
    fleet = Fleet(FleetSpec(warmup_blocks=20))
    outcomes = [*feed(fleet, 0, 30), *feed(fleet, 30, 36, fault=3.0), *feed(fleet, 36, 60)]
    told = [each for outcome in outcomes for each in outcome.alerts]
    encoder = wire.Encoder("single-object", topic="scores.v1")
    found = Preview([DEFAULT], [load_text("a.toml", policy("deaf", level=500.0))], {})
    for outcome in outcomes:
        found.take(scored_of(decode_output(encoder.encode(outcome.score))["record"]))

    (only,) = found.lines()
    assert [each.change for each in told].count("raised") == 1
    assert only.today == {max((each.severity for each in told), key=lambda each: each.rank).value: 1}
    assert only.changed == {}


def score(number, value, at_ns, asset):
    origin = Origin(topic="sensors.v1", topic_id="t" * 22, partition=0, offset=number, ingest_ns=at_ns)
    row = ScoreRow(
        source_ns=at_ns,
        state=ScoreState.SCORED,
        reason="",
        value=value,
        p_value=0.01,
        alarm=False,
        run_state=RunState.RUNNING,
        features=(),
    )
    return Score(
        score_id=f"{number:032x}",
        asset=asset,
        point="de",
        origin=origin,
        mode=Mode.MODEL,
        rows=(row,),
        quality=(),
        feature_set="f@1",
        model="m@1",
        policy="p",
        reference="",
        regime="",
        registered=True,
        warmup=1.0,
        learning="learning",
        delayed_s=0.0,
    )


def test_preview_of_what_is_on_the_topic(settings, tmp_path):
    """`foreshock policy preview` counts from a real scores.v1, by registered class; what cannot be read is counted."""
    settings = dataclasses.replace(settings, topics=dataclasses.replace(settings.topics, partitions=1))
    name = topics.ensure(settings)["scores.v1"].name
    with Sender(settings) as sender:
        sender.send(Asset(asset="pump-7", asset_class="pump"))
    encoder = wire.Encoder("single-object", topic=name)
    producer = Producer({**producer_config(settings), "log_level": 2})
    now_ns = time.time_ns()
    for number, value in enumerate(VALUES):
        at_ns = now_ns - (len(VALUES) - number) * 60 * NS
        producer.produce(name, encoder.encode(score(number, value, at_ns, "pump-7")), b"pump-7")
    producer.produce(name, b"no score", b"pump-7")
    assert producer.flush(30) == 0
    (tmp_path / "new.toml").write_text(policy("pumps", level=3.0, head='covers = ["pump"]\n'), encoding="utf-8")
    (tmp_path / "old.toml").write_text(policy("old"), encoding="utf-8")
    (tmp_path / "foreshock.toml").write_text(
        f'[kafka]\nbootstrap = "{settings.kafka.bootstrap}"\n[topics]\nprefix = "{settings.topics.prefix}"\n'
        f'partitions = 1\n[alerts]\npolicies = ["{tmp_path / "old.toml"}"]\n',
        encoding="utf-8",
    )
    given = ["--config", str(tmp_path / "foreshock.toml")]

    shown = CliRunner().invoke(app, ["policy", "preview", str(tmp_path / "new.toml"), "--last", "1h", *given])
    told = CliRunner().invoke(app, ["policy", "preview", str(tmp_path / "new.toml"), "--json", *given])
    which = CliRunner().invoke(app, ["policy", "show", "pump-7", *given])

    assert shown.exit_code == 0, shown.output
    assert "1 records could not be read" in shown.output
    (found,) = [json.loads(each) for each in told.output.splitlines()]
    assert (found["asset"], found["policy"], found["changed_policy"]) == ("pump-7", "old", "pumps")
    assert (found["today"], found["changed"]) == ({"watch": 2, "warning": 1}, {})
    assert which.exit_code == 0
    assert "policy old@" in which.output
    assert "mechanics within 8 h, then shift lead" in which.output
