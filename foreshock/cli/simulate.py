"""`foreshock simulate`: send the vibration of machines that do not exist, as any integrator's producer would."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from foreshock.simulate import Fault

_NS = 1_000_000_000


def run(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same samples.")] = 1,
    assets: Annotated[
        int, typer.Option(min=1, max=10_000, help="Machines; the last of several has a snapshot sensor.")
    ] = 12,
    duration: Annotated[float, typer.Option(min=1.0, help="Seconds of plant time.")] = 600.0,
    rate_factor: Annotated[
        float, typer.Option(min=0.0, help="Plant time over wall time; 0: as fast as it goes.")
    ] = 1.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="ASSET:KIND:START_S[:DB], may be repeated; kinds: outer_race, inner_race, ball, gear_tooth, imbalance, "
            "misalignment (to DB), frozen, clipped, gap, spike, wrong_rate, clock, jitter, clock_drift, unit_changed, noise_floor_gone, "
            "out_of_order, duplicate.",
        ),
    ] = None,
    growth: Annotated[
        float, typer.Option(min=0.0, help="Running time in which a machine's fault grows, in seconds.")
    ] = 60.0,
    truth: Annotated[Path | None, typer.Option(help="Write the ground truth here, one JSON object a line.")] = None,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register machines and send their blocks; the source clock ends now."""
    from foreshock.demo.feed import Feed, register
    from foreshock.simulate import Plant, machines
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.spans.sending import Sending
    from foreshock.streams.topics import ensure

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    fleet = machines(seed, assets)
    names = {machine.asset for machine in fleet}
    faults = [parse(text, names, growth) for text in fault or ()]
    ensure(settings)
    begin_ns = time.time_ns()
    wall_s = duration / rate_factor if rate_factor else 0.0
    epoch_ns = begin_ns + round((wall_s - duration) * _NS)
    plant = Plant(seed, fleet, faults=faults, horizon_s=duration, epoch_ns=epoch_ns)
    if truth:
        truth.write_text("".join(json.dumps(each) + "\n" for each in plant.truth()), encoding="utf-8")
    register(settings, plant, lambda _: None)
    with Sender(settings, spans=Sending(settings, program="simulate")) as sender:
        feed = Feed(sender, plant, duration, _clock(begin_ns, rate_factor))
        feed.run(threading.Event())
    topic = f"{settings.topics.prefix}sensors.v1"
    if as_json:
        print(json.dumps({"assets": len(fleet), "blocks": feed.sent, "topic": topic, "truth": plant.truth()}))
    else:
        print(f"{feed.sent} blocks of {len(fleet)} assets sent to {topic}")


def _clock(begin_ns: int, rate_factor: float) -> Callable[[float], int]:
    return lambda t_s: begin_ns + (round(t_s / rate_factor * _NS) if rate_factor else 0)


def parse(text: str, assets: set[str], growth_s: float) -> Fault:
    """Read ``ASSET:KIND:START_S[:DB]``.

    Raises
    ------
    ConfigurationError
        It is not of this form, or names an asset or a kind that there is not.
    """
    from foreshock.simulate import Fault, Kind
    from foreshock.simulate.plan import AMOUNTS, SLIP

    asset, _, rest = text.partition(":")
    kind, _, rest = rest.partition(":")
    start, _, strength = rest.partition(":")
    if asset not in assets:
        raise ConfigurationError(f"--fault {text}: there is no asset {asset!r}; there are {', '.join(sorted(assets))}")
    if kind not in set(Kind):
        raise ConfigurationError(f"--fault {text}: there is no kind {kind!r}; there are {', '.join(Kind)}")
    try:
        start_s, strength_db = float(start), float(strength) if strength else None
    except ValueError as exc:
        raise ConfigurationError(f"--fault {text}: wanted ASSET:KIND:START_S[:DB], {exc}") from exc
    known = Kind(kind)
    if known is Kind.MISSING:
        raise ConfigurationError(
            f"--fault {text}: the sensors of this plant have one channel, none of them can be missing"
        )
    if known.of_sensor == (strength_db is not None):
        raise ConfigurationError(f"--fault {text}: a machine's fault has a strength in dB, a sensor's has none")
    if known.of_sensor:
        return Fault(asset=asset, kind=known, start_s=start_s, amount=sum(AMOUNTS[known]) / 2)
    return Fault(
        asset=asset, kind=known, start_s=start_s, strength_db=strength_db, growth_s=growth_s, slip=sum(SLIP) / 2
    )
