"""What can be wrong with the service itself: brokers, partitions, workers, sinks, the cache, tracing. Pure rules.

Each rule looks at the vital signs and gives a finding or None. Its weight says how much else it would explain: brokers
that do not answer explain every lag, a lag explains no sink that is down.
"""

from __future__ import annotations

from collections.abc import Iterator

from foreshock.answers.diagnosis.finding import Finding, Layer
from foreshock.answers.diagnosis.vitals import PartitionVitals, Pulse, Vitals
from foreshock.answers.facts import FRESH_S, NS, counted

SLOW_ANSWER_S = 0.25  # of a metadata request, which takes a healthy broker milliseconds
SLOW_DELIVERY_S = 1.0  # of a batch's outputs until the brokers have them
HOT = 3.0  # times the mean of the other partitions
FEW = 20.0  # records a second: below that one more asset is a crowd
CROWDED = 0.8  # share of all that waits
BUSY = 0.85  # of a core
STUCK_S = 5.0  # without progress, while records wait
JUST_S = 120.0  # a process that is younger was restarted of late


def broker(vitals: Vitals) -> Iterator[Finding]:
    """Brokers: away, without a topic or a leader, slow, without copies."""
    if vitals.broker_error:
        yield Finding(
            Layer.BROKER,
            "unreachable",
            1.0,
            "The brokers do not answer.",
            (vitals.broker_error,),
            "look at the brokers and the way to them; workers wait, lose nothing and go on by themselves",
        )
        return
    if vitals.missing:
        yield Finding(
            Layer.BROKER,
            "topic_missing",
            0.98,
            f"{counted(len(vitals.missing), 'topic')} of the contract missing: {', '.join(vitals.missing)}.",
            tuple(f"the brokers know no {name}" for name in vitals.missing),
            "`foreshock topics` says which and how to create it; what was on it is gone",
        )
    led = [each.number for each in vitals.partitions if not each.led]
    if led:
        yield Finding(
            Layer.BROKER,
            "no_leader",
            0.97,
            f"{counted(len(led), 'partition')} of the input has no leader: {_numbers(led)}.",
            tuple(f"partition {number}: no broker leads it" for number in led),
            "bring back the broker that had it, or reassign the partition",
        )
    yield from _slow(vitals)
    thin = [each for each in vitals.partitions if each.led and each.in_sync < each.replicas]
    if thin:
        yield Finding(
            Layer.BROKER,
            "under_replicated",
            0.4,
            f"{counted(len(thin), 'partition')} of the input has too few copies.",
            tuple(f"partition {each.number}: {each.in_sync} of {each.replicas} copies are in sync" for each in thin),
            "a broker is away or behind: look at it before the next one goes",
        )


def _slow(vitals: Vitals) -> Iterator[Finding]:
    said = []
    answers = sorted(vitals.answers_s)
    if answers and answers[len(answers) // 2] > SLOW_ANSWER_S:
        said.append(
            f"half of {counted(len(answers), 'request')} took longer than {answers[len(answers) // 2]:.2f} s, the slowest "
            f"{answers[-1]:.2f} s"
        )
    for each in vitals.workers:
        taken = each.quantile("foreshock_stage_seconds", 0.9, stage="deliver")
        if taken is not None and taken > SLOW_DELIVERY_S:
            said.append(f"{each.url}: one batch in ten waits {taken:g} s or longer until the brokers have its outputs")
    if said:
        fix = "look at the brokers' disks, network, quotas and garbage collection"
        yield Finding(Layer.BROKER, "slow", 0.9, "The brokers answer slowly.", tuple(said), fix)


def partition(vitals: Vitals) -> Iterator[Finding]:
    """One partition is not like the others: nobody has it, it gets too much, or it stands."""
    rest = vitals.partitions
    if vitals.members and vitals.group_state == "stable":
        for each in rest:
            if not each.owner and each.led:
                yield Finding(
                    Layer.PARTITION,
                    "no_owner",
                    0.94,
                    f"Nobody works on partition {each.number}.",
                    (
                        f"the group {vitals.group!r} is stable, has {counted(vitals.members, 'worker')}, and none has it",
                    ),
                    "where it stays so, restart the workers: their last lines say why they did not take it",
                )
    stuck = [each for each in rest if each.owner and _stands(each, vitals)]
    moving = [each for each in rest if each.done > 0]
    if stuck and moving:
        for each in stuck:
            yield Finding(
                Layer.PARTITION,
                "stuck",
                0.86,
                f"Partition {each.number} stands while others move.",
                (
                    f"{counted(each.lag, 'record')} wait, none was done in {vitals.span_s:.0f} s",
                    *_elsewhere(moving, vitals),
                ),
                "its worker is taking it up (state.v1) or meets a record it restarts on: the log names the offset",
            )
    hot = _hot(vitals)
    if hot is not None:
        others = sum(each.arrived for each in rest if each is not hot) / (len(rest) - 1)
        behind = vitals.behind and hot.lag >= CROWDED * vitals.lag
        yield Finding(
            Layer.PARTITION,
            "hot",
            0.84 if behind else 0.5,
            f"Partition {hot.number} gets more than its share.",
            (
                f"{hot.arrived / vitals.span_s:.0f} records a second came, {others / vitals.span_s:.0f} on each of the others",
                f"{hot.lag} of the {vitals.lag} records that wait are there",
            ),
            "one asset sends too much, or few keys fall together: `foreshock status` shows who; more partitions spread assets, not one asset",
        )


def _stands(each: PartitionVitals, vitals: Vitals) -> bool:
    return each.lag > 0 and not each.done and vitals.span_s >= STUCK_S / 2 and each.lag > each.arrived


def _elsewhere(moving: list[PartitionVitals], vitals: Vitals) -> tuple[str, ...]:
    done = sum(each.done for each in moving)
    return (f"on {counted(len(moving), 'other partition')} {done / vitals.span_s:.0f} records a second were done",)


def _hot(vitals: Vitals) -> PartitionVitals | None:
    """The partition that gets far more than the others."""
    if len(vitals.partitions) < 2:
        return None
    top = max(vitals.partitions, key=lambda each: each.arrived)
    mean = sum(each.arrived for each in vitals.partitions if each is not top) / (len(vitals.partitions) - 1)
    return top if top.arrived > max(HOT * mean, FEW * vitals.span_s) else None


def worker(vitals: Vitals) -> Iterator[Finding]:
    """Workers: none, hanging, restarting, at the end of their CPU."""
    if vitals.broker_error:
        return
    if not vitals.members:
        fresh = any(each.at_ns > vitals.now_ns - FRESH_S * NS for each in vitals.scores)
        other = "; or, as scores came just now, name the group of those that work: --group (worker.group)"
        yield Finding(
            Layer.WORKER,
            "none",
            0.95,
            f"No worker is running: nobody is in the group {vitals.group!r}.",
            (f"{counted(vitals.lag, 'record')} wait", f"the group is {vitals.group_state}"),
            f"start one: foreshock worker{other if fresh else ''}",
        )
        return
    for each in vitals.pulses:
        if each.kind == "worker" and each.error:
            yield from _unanswered(each, vitals)
    for each in vitals.workers:
        age = each.value("foreshock_progress_age_seconds")
        if age > STUCK_S:
            yield _hangs(each.url, f"it has done nothing for {age:.0f} s although records wait", vitals)
        born = each.value("process_start_time_seconds")
        if vitals.now_ns / 1e9 - born < JUST_S and each.before and _born_before(each) not in (0.0, born):
            yield Finding(
                Layer.WORKER,
                "restarting",
                0.89,
                "A worker was restarted just now.",
                (
                    f"{each.url}: its process is {vitals.now_ns / 1e9 - born:.0f} s old, and a former one answered before",
                ),
                "its last line says why it ended; the supervisor's log names the exit code",
            )
        yield from _saturated(each, vitals)


def _unanswered(pulse: Pulse, vitals: Vitals) -> Iterator[Finding]:
    """A worker that shows no metrics: it hangs, or it is gone; where no worker shows any, they are switched off."""
    if "refused" not in pulse.error.lower():
        yield _hangs(pulse.url, pulse.error, vitals)
    elif pulse.before or vitals.workers:
        said = [f"nothing listens at {pulse.url}, where the settings have a worker"]
        if pulse.before:
            said.append(f"{vitals.span_s:.0f} s ago one answered there")
        if vitals.lag:
            said.append(f"{counted(vitals.lag, 'record')} wait")
        fix = "its last line says why it ended; the supervisor starts it again, unless its configuration is wrong"
        yield Finding(Layer.WORKER, "gone", 0.87, "A worker is gone, or is being restarted.", tuple(said), fix)


def _hangs(url: str, why: str, vitals: Vitals) -> Finding:
    return Finding(
        Layer.WORKER,
        "hangs",
        0.88 if vitals.lag else 0.7,  # without a lag others have its partitions
        "A worker is there and gets nowhere.",
        (f"{url}: {why}", f"{counted(vitals.lag, 'record')} wait"),
        "look at its log; `py-spy dump` shows where it is; it ends itself after worker.stall_s",
    )


def _born_before(pulse: Pulse) -> float:
    return sum(pulse.before.get("process_start_time_seconds", {}).values())


def _saturated(pulse: Pulse, vitals: Vitals) -> Iterator[Finding]:
    busy = pulse.grown("process_cpu_seconds_total") / max(pulse.span_s, 1e-9)
    if busy < BUSY or not vitals.behind:
        return
    batch = pulse.quantile("foreshock_batch_records", 0.5)
    stages = {
        name: pulse.grown("foreshock_stage_seconds_sum", stage=name)
        for name in pulse.by("foreshock_stage_seconds_sum", "stage")
        if name not in ("wait", "deliver")
    }
    longest = max(stages, key=lambda name: stages[name], default="")
    said = [f"{pulse.url}: {100 * busy:.0f} % of a core over {pulse.span_s:.0f} s", f"{vitals.lag} records wait"]
    if batch is not None:
        said.append(f"half of its batches hold {batch:.0f} records or more: there is a backlog")
    if longest and sum(stages.values()):
        said.append(f"{100 * stages[longest] / sum(stages.values()):.0f} % of its work is the stage {longest!r}")
    yield Finding(
        Layer.WORKER,
        "saturated",
        0.8,
        "A worker is at the end of its CPU.",
        tuple(said),
        "more processes (`foreshock worker --processes N`) or hosts, up to the number of partitions",
    )


def sink(vitals: Vitals) -> Iterator[Finding]:
    """Delivery: nobody delivers, a sink is down, refuses, or is behind."""
    delivering = [each for each in vitals.pulses if each.kind == "deliver"]
    for each in delivering:
        if each.error and vitals.sinks:
            yield Finding(
                Layer.SINK,
                "not_delivering",
                0.79,
                f"Nobody delivers: {counted(len(vitals.sinks), 'sink')} is set and `foreshock deliver` does not answer.",
                (f"{each.url}: {each.error}",),
                "start it: foreshock deliver; what waits on alerts.v1 is delivered then",
            )
    for each in delivering:
        for name in sorted(each.by("foreshock_sink_lag_records", "sink") | each.by("foreshock_sink_down", "sink")):
            yield from _one_sink(each, name)


def _one_sink(pulse: Pulse, name: str) -> Iterator[Finding]:
    lag = pulse.value("foreshock_sink_lag_records", sink=name)
    waiting = pulse.value("foreshock_sink_waiting", sink=name)
    retried = pulse.grown("foreshock_sink_attempts_total", sink=name, result="retried")
    facts = (f"{lag:.0f} records of alerts.v1 are not done", f"{waiting:.0f} of them are under way")
    again = (f"{counted(round(retried), 'attempt')} failed within {pulse.span_s:.0f} s",) if retried else ()
    if pulse.value("foreshock_sink_down", sink=name):
        fix = "look at the system behind it; nothing is lost, it is tried again with growing pauses"
        yield Finding(Layer.SINK, "down", 0.83, f"The sink {name!r} is down.", (*again, *facts), fix)
        return
    dead = pulse.value("foreshock_sink_deliveries_total", sink=name, result="dead")
    if dead:
        fix = "`foreshock dead-letters list` shows what it said; mend it, then `foreshock dead-letters redrive`"
        sentence = f"The sink {name!r} refuses transitions."
        yield Finding(Layer.SINK, "refuses", 0.78, sentence, (f"{counted(round(dead), 'transition')} set aside",), fix)
    if retried and lag:
        sentence = f"The sink {name!r} fails now and then and is behind."
        yield Finding(Layer.SINK, "failing", 0.77, sentence, (*again, *facts), "look at the system behind it")
    elif waiting and lag:
        taken = pulse.quantile("foreshock_sink_delivery_seconds", 0.5, sink=name)
        told = (f"half of its deliveries take {taken:g} s or longer",) if taken is not None else ()
        sentence = f"The sink {name!r} is slow."
        yield Finding(Layer.SINK, "slow", 0.7, sentence, (*told, *facts), "look at the system behind it, and its pace")


def around(vitals: Vitals) -> Iterator[Finding]:
    """What hurts no score: the cache, tracing."""
    if vitals.cache:
        fix = "scores and alerts do not need it; `foreshock status` does"
        yield Finding(Layer.CACHE, "down", 0.3, "The cache does not answer.", (vitals.cache,), fix)
    for each in vitals.pulses:
        failed, dropped = (each.grown("foreshock_spans_total", result=name) for name in ("failed", "dropped"))
        if failed or dropped:
            yield Finding(
                Layer.TRACING,
                "spans_lost",
                0.25,
                "Traces do not arrive.",
                (f"{each.url}: {failed:.0f} spans refused, {dropped:.0f} dropped within {each.span_s:.0f} s",),
                "look at the collector; scoring does not wait for it",
            )


def _numbers(found: list[int]) -> str:
    return ", ".join(map(str, found))
