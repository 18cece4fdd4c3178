"""A plant to be disturbed: topics of its own, numbered inputs, workers that can be hurt, and the verifier's answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from foreshock.detection import spec_of
from foreshock.settings import Settings
from foreshock.streams.errands.sender import Sender
from tests.broker.conftest import START, Topics, WorkerProcess, end, environment, until
from tests.chaos.inputs import Plan
from tests.chaos.reading import Output, Place, Record, output_of, read_outputs, read_topic
from tests.chaos.replayed import Replays, replayed
from tests.chaos.report import leave
from tests.chaos.state import Durable
from tests.chaos.undisturbed import Culprit, Undisturbed
from tests.chaos.verify import Ranges, Verdict, counted, judge

ROOT = Path(__file__).parents[2]
BLOCKS = int(os.environ.get("CHAOS_BLOCKS", "5000"))
FULL = BLOCKS > 20_000
ASSETS = 100 if FULL else 20
RATE = 3_000.0 if FULL else 700.0
"""Records a second: faults hit a stream that runs, not one that was read to its end."""
SESSION_S = 4.0
"""Session timeout of workers that are to be silent for longer: with ten seconds it is the same, and takes longer to test."""
CALM_SESSION_S = 15.0
"""That of all others: a machine with much else to do shall not cost them their partitions."""
CHECKPOINT_S = 1.0
WAIT_S = 600.0 if FULL else 90.0
READY_S = 180.0
"""A worker that is the first one after a change compiles its kernels."""


def hall(
    settings: Settings,
    *,
    processes: int = 2,
    static: bool = True,
    session_s: float = CALM_SESSION_S,
    **properties: str,
) -> Settings:
    """The settings of most faults here: two processes with static membership, short checkpoints."""
    session = {"session.timeout.ms": f"{session_s * 1000:.0f}", "heartbeat.interval.ms": "400"}
    worker = replace(
        settings.worker, instance_id="hall" if static else "", processes=processes, checkpoint_s=CHECKPOINT_S
    )
    return replace(
        settings,
        kafka=replace(settings.kafka, properties=MappingProxyType({**session, **properties})),
        detection=replace(settings.detection, warmup_blocks=20),
        worker=worker,
    )


@dataclass
class Worker(WorkerProcess):
    """A worker, or a supervisor with its workers."""

    def children(self) -> dict[int, int]:
        """Process ids of a supervisor's workers, by slot."""
        found = {}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--slot" in words:
                found[int(words[words.index(b"--slot") + 1])] = int(pid)
        return found

    def hurt(self, *slots: int, how: int = signal.SIGKILL) -> list[int]:
        """Send a signal to workers of a supervisor; none named: to all. Give their process ids."""
        until(lambda: len(self.children()) > max(slots, default=0), 30, self.shown)
        children = self.children()
        pids = [children[slot] for slot in slots or children]
        for pid in pids:
            os.kill(pid, how)
        return pids


class Plant:
    """Everything of one fault.

    Parameters
    ----------
    settings
        Of its workers.
    plan
        What is sent.
    running
        Ends what is left of its processes.
    """

    def __init__(self, settings: Settings, plan: Plan, running: ExitStack) -> None:
        self.settings = settings
        self.plan = plan
        self.topics = Topics(settings)
        self.sent = 0
        self.allowed = plan.blocks
        self.destroyed: list[Record] = []  # inputs that were on the topic once
        self._running = running
        running.callback(self.topics.close)
        with Sender(settings) as sender:
            for asset in plan.master_data():
                sender.send(asset)

    # Inputs.

    def feed(self, count: int | None = None) -> None:
        """Send the next records of the plan now; None: all that are left."""
        end = self.plan.blocks if count is None else min(self.sent + count, self.plan.blocks)
        for number in range(self.sent, end):
            record = self.plan.record(number)
            self.topics.send(record.value, record.key)
        self.sent = end
        self.topics.producer.poll(0)

    @contextmanager
    def feeding(self, rate: float = RATE, upto: float = 1.0) -> Iterator[None]:
        """Send the records at a rate beside the body, as far as the plant is open; all are sent when it ends."""
        over = threading.Event()
        self.open(upto)

        def run() -> None:
            last = time.monotonic()
            while self.sent < self.plan.blocks and not over.wait(0.01):
                now = time.monotonic()
                self.feed(min(int((now - last) * rate) + 1, max(self.allowed - self.sent, 0)))
                last = now

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
            self.open(1.0)
            thread.join()
        finally:
            over.set()
            thread.join()
        self.flush()

    def open(self, share: float) -> None:
        """Let records be sent up to this share of the plan: what is prepared meanwhile then meets a stream that runs."""
        self.allowed = int(self.plan.blocks * share)

    def flush(self) -> None:
        """Wait until everything that was sent is on the broker."""
        assert self.topics.producer.flush(WAIT_S) == 0

    # Workers.

    def start(
        self, *arguments: str, settings: Settings | None = None, entry: Sequence[str] = ("-c", START), **env: str
    ) -> Worker:
        """Start a worker as its users do; `entry` may be a script of the tests that hurts it from within."""
        given = settings or self.settings
        flags = {f"FORESHOCK_KAFKA__{k.replace('.', '_').upper()}": v for k, v in given.kafka.properties.items()}
        process = subprocess.Popen(
            [sys.executable, *entry, "worker", *arguments],
            env={**environment(given), **flags, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self._running.callback(end, process)
        return Worker(process)

    def start_and_stop(self, share: float) -> None:
        """Have a share of the plan handled, checkpointed, and the worker stopped in order."""
        worker = self.start()
        self.feed(int(self.plan.blocks * share))
        self.flush()
        worker.wait_for("worker ready", READY_S)
        self.settled(worker)
        assert worker.stop() == 0, worker.shown()

    def outcomes(self) -> int:
        """How many outcomes stand on their topics now."""
        return sum(sum(self.topics.ends(name).values()) for name in ("scores.v1", "dead-letters.v1"))

    def reach(self, share: float, *workers: Worker) -> None:
        """Wait until this share of the plan has its outcome."""
        self.progress(int(self.plan.blocks * share), *workers)

    def progress(self, count: int, *workers: Worker) -> None:
        """Wait until there are so many outcomes."""
        shown = lambda: "\n".join([f"{self.outcomes()} of {count}", *(each.shown() for each in workers)])
        until(
            lambda: self.outcomes() >= count or any(each.process.poll() is not None for each in workers), WAIT_S, shown
        )
        assert self.outcomes() >= count, shown()

    def settled(self, *workers: Worker) -> None:
        """Wait until the group has everything."""
        ends: dict[int, int] = {}

        def done() -> bool:
            try:
                ends.update(self.topics.ends("sensors.v1"))
                return self.topics.committed() == ends
            except KafkaException:
                return False

        shown = lambda: "\n".join([f"{self.topics.committed()} of {ends}", *(each.shown() for each in workers)])
        until(lambda: done() or any(each.process.poll() is not None for each in workers), WAIT_S, shown)
        assert done(), shown()

    def checkpointed(self, *workers: Worker) -> None:
        """Wait until a checkpoint has passed all that is read now."""
        goal = dict(self.topics.ends("sensors.v1"))
        passed = lambda: all(self.topics.committed().get(partition, 0) >= end for partition, end in goal.items())
        until(passed, WAIT_S, lambda: "\n".join(worker.shown() for worker in workers))

    def resume(self, pid: int) -> None:
        """Let a stopped process go on."""
        os.kill(pid, signal.SIGCONT)

    def finish(self, *workers: Worker, **more: object) -> Verdict:
        """Wait until the group has everything, stop the workers in order, and ask the verifier."""
        self.settled(*workers)
        for worker in workers:
            assert worker.stop() == 0, worker.shown()
        return self.verdict(**more)  # type: ignore[arg-type]

    # Damage.

    def destroy(self, upto: Mapping[int, int]) -> Ranges:
        """Delete input records below these offsets, as retention does; give the ranges that nobody has read."""
        committed = self.topics.committed()
        self.destroyed = self.inputs()
        name = self.topics.name("sensors.v1")
        admin = AdminClient({"bootstrap.servers": self.settings.kafka.bootstrap})
        asked = [TopicPartition(name, partition, offset) for partition, offset in upto.items()]
        for future in admin.delete_records(asked).values():
            future.result(30)
        return [(partition, committed[partition], end - 1) for partition, end in sorted(upto.items())]

    def corrupt_state(self) -> list[str]:
        """Damage the newest snapshot of two assets of different partitions: a flipped bit, and another asset's bytes."""
        durable = Durable(self.settings)
        keys = sorted(durable.snapshots)
        first = keys[0]
        second = next(key for key in keys if key.partition != first.partition)
        raw = durable.raw
        flipped = bytearray(raw[first])
        flipped[-1] ^= 1
        for key, value in ((first, bytes(flipped)), (second, raw[keys[1]])):
            self.topics.producer.produce(self.topics.name("state.v1"), value, str(key), key.partition)
        self.flush()
        return [first.asset, second.asset]

    # The answer.

    def read(self, name: str) -> list[Output]:
        """An output topic, decoded."""
        return [output_of(name, record) for record in read_topic(self.settings, name)]

    def replays(self) -> Replays:
        """Replay every anomaly of the run."""
        found = replayed(self.read("anomalies.v1"), self.read("evidence.v1"))
        leave("replays", {"equal": found.equal, "of": found.equal + len(found.wrong), "refused": found.refused})
        return found

    def inputs(self) -> list[Record]:
        """Every record that ever stood on the input topic."""
        there = {record.place: record for record in self.destroyed}
        there.update((record.place, record) for record in read_topic(self.settings, "sensors.v1"))
        return [there[place] for place in sorted(there)]

    def undisturbed(self) -> Undisturbed:
        """A run in this process, with a Fleet as the workers have it."""
        return Undisturbed(
            spec_of(self.settings),
            self.topics.found,
            partitioner=self.settings.topics.partitioner,
            largest=self.settings.topics.max_message_bytes,
        )

    def verdict(
        self,
        *,
        culprits: Collection[Culprit] = (),
        excused: Collection[Place] = (),
        unread: Collection[Place] = (),
    ) -> Verdict:
        """Compare what came out, and the state of every asset, with an undisturbed run.

        Parameters
        ----------
        culprits
            Blocks on which the worker was made to fail.
        excused
            Inputs whose outputs were destroyed.
        unread
            Inputs that were destroyed before anybody read them: an undisturbed run does not have them either.
        """
        gone = set(unread)
        records = [record for record in self.inputs() if record.place not in gone]
        durable = Durable(self.settings)
        truth = self.undisturbed().run(records, places=durable.places, culprits=culprits)
        final = durable.digests(self.undisturbed(), records, culprits)
        verdict = judge(truth, read_outputs(self.settings), self.topics.committed(), digests=final, excused=excused)
        _report(verdict)
        return verdict

    def holds(self, restarts: int) -> int:
        """How many outcomes may stand twice after so many restarts: what came since the last checkpoint, and one batch."""
        return restarts * int(RATE * (CHECKPOINT_S + 1.0) + self.settings.worker.batch * self.settings.worker.processes)

    def queued(self, linger_s: float) -> int:
        """How many outcomes the client of one worker may have had in its queue: what it waits for more, and one batch."""
        return int(RATE * linger_s + self.settings.worker.batch)


def _report(verdict: Verdict) -> None:
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2].removesuffix(" (call)")
    row = {key: len(found) for key, found in verdict.all_lists().items()}
    row |= {"lost": counted(verdict.lost), "pending": counted(verdict.pending), "repeated": verdict.repeated}
    leave(f"fault-{test}", {**row, "inputs": verdict.inputs, "digests_equal": verdict.digests_equal})


def sound(verdict: Verdict, *workers: Worker, repeated: int) -> None:
    """Fail with everything that is known unless a run came to what an undisturbed one gives.

    Parameters
    ----------
    repeated
        How many outcomes, and how many events, may stand twice on their topics.
    """
    known = lambda: "\n".join([verdict.told(), *(worker.shown() for worker in workers)])
    assert not verdict.faults, known()
    assert verdict.repeated <= repeated, known()
    assert verdict.repeated_events <= repeated, known()
