"""The verifier, tested with falsified outputs: a check that cannot fail would be worse than none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from foreshock.fleet import FleetSpec
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import TOPICS, TopicInfo
from tests.chaos.inputs import Plan
from tests.chaos.reading import Output, Place, Record, output_of
from tests.chaos.undisturbed import Truth, Undisturbed
from tests.chaos.verify import Verdict, judge, ranges

PARTITIONS = 4
CONFIG = {"max.message.bytes": "1114112"}
TOPIC_INFOS = {name: TopicInfo(name, "q83vEjRWeJCrze8SNFZ4kA", PARTITIONS, 1, CONFIG) for name in TOPICS}
SPEC = FleetSpec(warmup_blocks=20)
PLAN = Plan(3_000, 12, poison=40)


@dataclass
class Run:
    """A run that went well, to be falsified: outputs, and how far the group is."""

    truth: Truth
    outputs: list[Output]
    committed: dict[int, int]

    def judge(self, **more) -> Verdict:
        """Verify it."""
        return judge(self.truth, self.outputs, self.committed, **more)

    def score(self, number: int) -> Output:
        """A score in the middle of a partition."""
        return [each for each in self.outputs if each.topic == "scores.v1"][number]


def inputs(plan: Plan) -> list[Record]:
    """The records of a plan as a topic would hold them."""
    ends = [0] * PARTITIONS
    found = []
    for number in range(plan.blocks):
        sent = plan.record(number)
        partition = partition_for(sent.key or b"", PARTITIONS)
        found.append(
            Record("sensors.v1", (partition, ends[partition]), sent.key, sent.value, 1_795_000_000_000 + number)
        )
        ends[partition] += 1
    return sorted(found, key=lambda record: record.place)


@pytest.fixture(scope="module")
def sound() -> Run:
    """A run in which nothing went wrong."""
    records = inputs(PLAN)
    truth = Undisturbed(SPEC, TOPIC_INFOS, assets=list(PLAN.master_data())).run(records)
    keys = {record.place: record.key() for record in records}
    outputs: list[Output] = []
    ends: dict[tuple[str, int], int] = {}
    for each in [*truth.events.values(), *truth.outcomes.values()]:
        line = (each.topic, each.place[0])
        at: Place = (each.place[0], ends.get(line, 0))
        ends[line] = at[1] + 1
        headers = (("ce_id", each.id.encode()),)
        outputs.append(output_of(each.topic, Record(each.topic, at, keys[each.place], each.value, 0, headers)))
    committed = {partition: offset + 1 for partition, offset in truth.inputs}
    return Run(truth, outputs, committed)


@pytest.fixture
def run(sound) -> Run:
    """A copy of it, to be falsified."""
    return Run(sound.truth, list(sound.outputs), dict(sound.committed))


def test_sound_run_has_no_fault(run):
    """Every input has its outcome, episodes open and close, and nothing is found."""
    verdict = run.judge()

    assert verdict.faults == {}
    assert verdict.inputs == PLAN.blocks
    assert verdict.repeated == 0
    phases = [each.record["phase"] for each in run.outputs if each.topic == "anomalies.v1"]
    assert {"opened", "closed"} <= set(phases)
    assert sum(each.topic == "dead-letters.v1" for each in run.outputs) == PLAN.blocks // PLAN.poison
    assert any(each.topic == "quality.v1" for each in run.outputs)


def test_batches_of_the_undisturbed_run_do_not_matter(monkeypatch, sound):
    """The truth is the same record by record."""
    monkeypatch.setattr("tests.chaos.undisturbed.BATCH", 5)
    again = Undisturbed(SPEC, TOPIC_INFOS, assets=list(PLAN.master_data())).run(inputs(PLAN))

    assert again.outcomes == sound.truth.outcomes
    assert again.events == sound.truth.events


def test_lost_is_told_from_pending(run):
    """An outcome that is not there is lost where the group went past it, and else pending."""
    gone = run.score(500)
    place = gone.place
    assert place is not None
    end = run.truth.inputs[-1]
    run.committed[end[0]] = end[1]
    run.outputs = [each for each in run.outputs if each.place not in (place, end)]
    verdict = run.judge()

    assert verdict.lost == [(place[0], place[1], place[1])]
    assert verdict.pending == [(end[0], end[1], end[1])]


def test_later_score_makes_it_lost(run):
    """Scores leave in input order: a hole before the last one is a loss, whatever is committed."""
    place = run.score(500).place
    run.outputs = [each for each in run.outputs if each.place != place]
    run.committed = {}

    assert run.judge().lost == ranges([place])


def test_repetition_is_no_fault_but_another_id_is(run):
    """The same record twice is counted; the same input under two ids is a duplicate."""
    twice = run.score(100)
    end = max(each.at[1] for each in run.outputs if each.topic == "scores.v1" and each.at[0] == twice.at[0])
    run.outputs.append(replace(twice, at=(twice.at[0], end + 1)))
    verdict = run.judge()
    assert verdict.repeated == 1
    assert verdict.faults == {}

    run.outputs[-1] = replace(run.outputs[-1], id="f" * 32)
    assert run.judge().duplicated == [twice.place]


def test_exchanged_outcomes_of_an_asset_are_found(run):
    """Two scores of one asset in the wrong order; those of two assets may stand in any."""
    first = run.score(200)
    index = run.outputs.index(first)
    other = next(n for n, each in enumerate(run.outputs) if n > index and each.key == first.key)
    neighbour = next(n for n, each in enumerate(run.outputs) if n > index and each.key != first.key)
    swap(run, index, neighbour)
    assert "reordered" not in run.judge().faults
    swap(run, index, neighbour)
    swap(run, index, other)
    assert run.judge().reordered


def swap(run: Run, a: int, b: int) -> None:
    """Let two outputs change places on their topic."""
    one, other = run.outputs[a], run.outputs[b]
    run.outputs[a], run.outputs[b] = replace(one, at=other.at), replace(other, at=one.at)
    run.outputs[a], run.outputs[b] = run.outputs[b], run.outputs[a]


@pytest.mark.parametrize(
    "topic", ["scores.v1", "anomalies.v1", "quality.v1", "dead-letters.v1", "alerts.v1", "features.v1"]
)
def test_one_flipped_bit_is_found(run, topic):
    """A record that differs in its last byte is different, whichever copy of it it is."""
    index = next(n for n, each in enumerate(run.outputs) if each.topic == topic)
    value = bytearray(run.outputs[index].value)
    value[-1] ^= 1
    run.outputs.append(replace(run.outputs[index], value=bytes(value), at=(run.outputs[index].at[0], 10**6)))

    assert len(run.judge().different) == 1


def test_difference_names_the_field(run):
    """What differs is named with both values."""
    index = next(n for n, each in enumerate(run.outputs) if each.topic == "scores.v1")
    found = run.outputs[index]
    run.outputs[index] = replace(found, value=found.value + b"\x00", record={**found.record, "learning": "held: moon"})

    assert "learning is 'held: moon' instead of" in run.judge().different[0]


@pytest.mark.parametrize("topic", ["anomalies.v1", "quality.v1", "alerts.v1", "alarms.v1", "features.v1"])
def test_missing_event_is_found(run, topic):
    """An event of an input that was dealt with must be there."""
    gone = next(each for each in run.outputs if each.topic == topic)
    run.outputs.remove(gone)

    assert [gone.id in line for line in run.judge().missing] == [True]


def test_alarm_that_should_be_gone_is_found(run):
    """A record that takes its key back, where something stands in the undisturbed run; and the other way round."""
    standing = next(n for n, each in enumerate(run.outputs) if each.topic == "alarms.v1" and each.value)
    run.outputs[standing] = replace(run.outputs[standing], value=b"", record={})

    assert "takes its key back" in run.judge().different[0]


STRANGE: dict[str, Callable[[Output], Output]] = {
    "an event that nobody has": lambda each: replace(each, id="e" * 32),
    "an outcome of an input that does not exist": lambda each: replace(each, topic="scores.v1", place=(0, 10**6)),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_output_is_found(run, name):
    """What the undisturbed run does not have is told."""
    run.outputs.append(STRANGE[name](next(each for each in run.outputs if each.topic == "anomalies.v1")))

    assert len(run.judge().strange) == 1


def test_what_the_pipeline_tells_of_itself_is_set_aside(run):
    """A reported loss is no strange output; it is handed to the test that asked for it."""
    known = next(each for each in run.outputs if each.topic == "quality.v1")
    run.outputs.append(replace(known, id="d" * 32, record={**known.record, "cause": "pipeline"}))
    verdict = run.judge()

    assert verdict.faults == {}
    assert [each.id for each in verdict.own] == ["d" * 32]


def test_another_digest_and_a_missing_one_are_found(run):
    """The final state of each asset counts."""
    run.truth = replace(run.truth, digests={(0, "a"): "1", (0, "b"): "2", (1, "c"): "3"})

    assert len(run.judge(digests={(0, "a"): "1", (0, "b"): "x"}).digests) == 2
    assert run.judge(digests={(0, "a"): "1", (0, "b"): "2", (1, "c"): "3"}).digests_equal == 3


def test_excused_inputs_are_not_lost(run):
    """Outputs that were destroyed with their topic are for the test to count."""
    place = run.score(500).place
    assert place is not None
    run.outputs = [each for each in run.outputs if each.place != place]

    assert run.judge(excused=[place]).faults == {}
