"""The month of `tests/alerts/month_plan.py` through real workers that are killed by SIGKILL, one after the other.

Blocks stand on the input topic in the order of the month, as fast as workers take them: the source time is that of the
month, the log's time is now. Operators and the workshop hear what stands on `alerts.v1` and answer on the topics that are
theirs; the month waits until they have their answer, or an alert of an hour is over before its command is read, except
where a worker is killed next. Of each alert somebody says that it was false, and two days later that it was true after all. The
policy is that of the month; as everything comes months late, it pages late records as well.
"""

from __future__ import annotations

import random
import signal
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from foreshock.alerts import vocabulary as words
from foreshock.alerts.default import TEXT
from foreshock.alerts.records import AlertTransition, Command
from foreshock.alerts.vocabulary import Change, CommandKind
from foreshock.settings import Settings
from foreshock.streams.errands.alertlog import AlertLog
from foreshock.streams.errands.sender import Sender
from tests.alerts.month import Outside
from tests.alerts.month_plan import WARMUP, WEEKLY, Month
from tests.broker.conftest import until
from tests.chaos.inputs import Plan
from tests.chaos.plant import READY_S, WAIT_S, Plant, Worker, hall
from tests.chaos.verify import Verdict

_POLICY = f"""
page_delayed = "3650d"
{TEXT}
[[windows]]
name = "sunday"
lines = ["{WEEKLY}"]
weekdays = ["sun"]
from = "06:00"
to = "14:00"
utc_offset = "Z"
"""
DAY = 48  # steps of the month: each day operators hear what was told of the day before


def settings_of(given: Settings, folder: Path) -> Settings:
    """One worker process, as long a warm-up as the month has, and its policy."""
    policy = folder / "month.toml"
    policy.write_text(_POLICY)
    mine = hall(given, processes=1)
    return replace(
        mine,
        detection=replace(mine.detection, warmup_blocks=WARMUP),
        alerts=replace(mine.alerts, policies=(str(policy),)),
    )


def _keep_all(settings: Settings, topic: str) -> None:
    """Have no record of a topic compacted: the verifier applies places again that a checkpoint has taken back since."""
    changes = [
        ConfigEntry(name, "86400000", incremental_operation=AlterConfigOpType.SET)
        for name in ("min.compaction.lag.ms", "max.compaction.lag.ms")
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    (done,) = admin.incremental_alter_configs([resource]).values()
    done.result(30)


class Killed:
    """A month on topics of its own, and the workers that work through it.

    Parameters
    ----------
    settings
        As `settings_of` gives them.
    month
        What is sent.
    kills, seed
        So many SIGKILLs, each after a step and at a share of what was sent since the last one, both drawn by the seed.
    running
        Ends what is left of its processes.
    """

    def __init__(self, settings: Settings, month: Month, kills: int, seed: int, running: ExitStack) -> None:
        self.month, self.kills = month, kills
        self.plant = Plant(settings, Plan(0, 0), running)
        for name in ("state.v1", "alarms.v1"):
            _keep_all(settings, settings.topics.prefix + name)
        self.outside = Outside(month)
        self.told: list[AlertTransition] = []  # as operators heard it
        self.points: list[int] = []  # outcomes that stood on their topics when a worker was killed
        self._draw = random.Random(seed)
        self._sent = self._yesterday = 0
        self._said: dict[int, list[Command]] = defaultdict(list)  # what is sent at a step, about alerts
        self._asked: set[str] = set()

    def run(self) -> tuple[Verdict, Worker]:
        """Send the month, kill on the way, let the last worker finish, and ask the verifier."""
        after = set(self._draw.sample(range(1, self.month.steps), self.kills))
        with Sender(self.plant.settings) as sender, AlertLog(self.plant.settings) as log:
            for asset in self.month.assets():
                sender.send(asset)
            sender.flush()
            worker, since = self._start(), 0
            worker.wait_for("worker ready", READY_S)
            for step in range(self.month.steps):
                if step % DAY == 0:
                    self._hear(log, step, worker)
                if self._ask(step, sender) and step not in after:
                    sender.flush()
                    self._answered(worker)
                for block in self.month.blocks(step):
                    sender.send(block)
                    self._sent += 1
                if step in after:
                    sender.flush()
                    worker, since = self._kill(worker, since), self._sent
        worker.wait_for("worker ready", READY_S)
        self._answered(worker)
        verdict = self.plant.finish(worker)
        self._print(verdict)
        return verdict, worker

    def _start(self) -> Worker:
        return self.plant.start("--slot", "0")

    def _ask(self, step: int, sender: Sender) -> bool:
        """Send what people say before a step; say whether there is an answer to wait for."""
        items = [*(given.item for given in self.outside.send(step)), *self._said.pop(step, ())]
        for item in items:
            sender.send(item)
        commands = {each.command_id for each in items if isinstance(each, Command)}
        self._asked |= commands
        return bool(commands)

    def _answered(self, worker: Worker) -> None:
        """Wait until each command has its answer."""
        until(lambda: self._asked <= {each for _, each in self.alerts()}, WAIT_S, worker.shown)

    def _hear(self, log: AlertLog, step: int, worker: Worker) -> None:
        """Let operators read what came on alerts.v1 since they last did."""
        self._await(self._yesterday, worker)
        self._yesterday = self._sent
        found = {each.event_id: each for each in log.transitions()}
        known = {each.event_id for each in self.told}
        new = [each for name, each in found.items() if name not in known]
        self.told += new
        self.outside.hear(new, step)
        for each in new:
            if each.change is Change.RAISED:
                self._judge(each, step)

    def _judge(self, alert: AlertTransition, step: int) -> None:
        """Have an alert labelled false, which lets its state into the baseline, and true two days later."""
        first = Command(
            command_id=f"false-{alert.alert_id}", kind=CommandKind.LABEL, asset=alert.asset, actor="anna",
            reason="nothing heard", at_ns=self.month.time_ns(step + 1), verdict=words.Verdict.FALSE, alert_id=alert.alert_id,
            from_ns=alert.raised_ns, until_ns=self.month.time_ns(step),
        )  # fmt: skip
        again = replace(
            first, command_id=f"true-{alert.alert_id}", label_id=first.command_id, verdict=words.Verdict.TRUE,
            at_ns=self.month.time_ns(step + 2 * DAY),
        )  # fmt: skip
        for at, asked in ((step + 1, first), (step + 2 * DAY, again)):
            accept = replace(
                asked, command_id=f"accept-{asked.command_id}", label_id=first.command_id, accept=True, actor="ben",
                verdict=None,
            )  # fmt: skip
            self._said[at] += [asked, accept]

    def _kill(self, worker: Worker, since: int) -> Worker:
        """Kill the worker once it is so far, wherever it is then, and start the next one."""
        goal = self._draw.randint(since, self._sent)
        self._await(goal, worker)
        worker.process.send_signal(signal.SIGKILL)
        assert worker.ends() == -signal.SIGKILL
        self.points.append(self.plant.outcomes())
        return self._start()

    def _await(self, goal: int, worker: Worker) -> None:
        """Wait until there are so many outcomes."""
        until(lambda: self.plant.outcomes() >= goal or worker.process.poll() is not None, 2 * WAIT_S, worker.shown)
        assert worker.process.poll() is None, worker.shown()

    def alerts(self) -> list[tuple[str, str]]:
        """Event id, and id of the command behind it, of each record on alerts.v1."""
        return [(each.id, each.record["command_id"]) for each in self.plant.read("alerts.v1")]

    def _print(self, verdict: Verdict) -> None:
        found = self.plant.read("alerts.v1")
        ids = {each.id for each in found}
        states = {each.id for each in found if "takes in its present state" in each.record["effect"]}
        row = {
            "assets": len(self.month.machines), "days": self.month.days, "blocks": verdict.inputs, "kills": self.kills,
            "transitions": len(ids), "repeated transitions": len(found) - len(ids), "repeated": verdict.repeated,
            "states accepted": len(states),
        }  # fmt: skip
        print(*(f"{name} {value:,}" for name, value in row.items()), sep=", ")
        print(verdict)
