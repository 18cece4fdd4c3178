"""The demonstration as a user starts it, and `foreshock simulate`, on the real broker."""

import json
import secrets
import subprocess
import sys

import pytest

from foreshock.cli.simulate import parse
from foreshock.errors import ConfigurationError
from foreshock.simulate import Kind
from foreshock.streams.topics import ensure
from tests.demo.reading import blocks_of

DURATION_S = 40.0  # the least; the agreement is what is tested, not how many seeds pass
COMMAND = [sys.executable, "-c", "from foreshock.cli import main; main()"]


def foreshock(*args, timeout=280):
    """Run the command line."""
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_demo_on_the_broker_agrees_with_the_core(stack, tmp_path):
    """The demonstration ends by itself, accounts for each block, and comes to the verdict of the core for its seed."""
    from tests.demo.test_rehearsal import outcome

    seed = secrets.randbelow(2**32)
    expected = outcome(seed, duration_s=DURATION_S)
    done = foreshock(
        "demo", "--seed", str(seed), "--duration", str(DURATION_S), "--json", "--data", str(tmp_path),
        "--bootstrap", stack.bootstrap, "--redis", stack.redis_url, timeout=380,
    )  # fmt: skip
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)

    assert result["blocks_with_outcome"] == result["blocks_sent"] > 6000
    assert 0 < result["seconds"]["first_block"] <= result["seconds"]["start"] + result["seconds"]["play"]
    assert "first block processed" in done.stderr
    assert result["passed"] == expected.passed, (seed, result, done.stderr)
    assert done.returncode == (0 if expected.passed else 1)
    found = {each["asset"]: each["delay_blocks"] for each in result["faults"]}
    assert found == {f.fault.asset: f.delay_blocks for f in expected.findings}, seed


def test_simulate_speaks_the_contract(stack, settings, tmp_path):
    """Blocks arrive decodable, on the partition of their key, with a trace, and are those of the seed; truth is written."""
    truth = tmp_path / "truth.jsonl"
    done = foreshock(
        "simulate", "--seed", "5", "--assets", "3", "--duration", "10", "--rate-factor", "0", "--truth", str(truth),
        "--fault", "pump-01:outer_race:3:-11", "--bootstrap", stack.bootstrap, "--prefix", settings.topics.prefix,
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)

    blocks, traces = blocks_of(settings, ensure(settings)["sensors.v1"], result["blocks"])
    assert {block.asset for block in blocks} == {"pump-01", "fan-01", "blower-01"}
    assert len(set(traces)) == result["blocks"] == len(blocks)
    record = json.loads(truth.read_text())
    assert (record["asset"], record["kind"], record["start_block"]) == ("pump-01", "outer_race", 6)
    first = next(block for block in blocks if block.asset == "pump-01")
    assert (first.sequence, first.unit, first.quantity) == (0, "[g]", "acceleration")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pump-9:ball:3:-11", "no asset 'pump-9'"),
        ("pump-01:bearing:3:-11", "no kind 'bearing'"),
        ("pump-01:ball:soon:-11", "ASSET:KIND:START_S"),
        ("pump-01:ball:3", "strength in dB"),
        ("pump-01:gap:3:-11", "a sensor's has none"),
    ],
)
def test_a_fault_that_cannot_be_read_is_told(text, told):
    """Each mistake in --fault has its own sentence."""
    with pytest.raises(ConfigurationError, match=told):
        parse(text, {"pump-01"}, 60.0)


def test_faults_are_read():
    """A machine's fault has strength, growth and slip, a sensor's an amount."""
    machine, sensor = parse("pump-01:ball:3:-11", {"pump-01"}, 60.0), parse("pump-01:gap:3", {"pump-01"}, 60.0)

    assert (machine.kind, machine.strength_db, machine.growth_s) == (Kind.BALL, -11.0, 60.0)
    assert (sensor.kind, sensor.start_s) == (Kind.GAP, 3.0)
    assert sensor.amount > 0
