"""`python -m foreshock.local.prepare`: do what a first start would wait for, at once.

The numeric kernels are compiled (half a minute of one core, cached beside the code) and the modules that a start needs
become bytecode; meanwhile Kafka's jars are fetched, and a broker is run once so that Java can keep its classes linked. `make` calls it after an installation. What cannot be done here is
done, or told, by the first start.
"""

from __future__ import annotations

import os
import subprocess
import sys

from rich.console import Console

from foreshock.errors import ForeshockError
from foreshock.local.jars import kafka_jars
from foreshock.local.progress import shown
from foreshock.local.training import train

_COMPILE = """
from foreshock.fleet import FleetSpec
from foreshock.streams import app, supervise, warm
from foreshock.demo import play, report, screen, stage
from foreshock.local import stack
warm.warm(FleetSpec())
"""


def prepare() -> None:
    """Compile in a child process while this one fetches."""
    console = Console(stderr=True)
    console.print("Compiling the numeric kernels and fetching Apache Kafka, once ...")
    # Where Python is told to write no bytecode, every start would read all sources anew: twice as long to the first block.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen([sys.executable, "-c", _COMPILE], env=environment):
        try:
            with shown(console) as progress:
                jars = kafka_jars(progress)
            train(jars)
        except ForeshockError as exc:
            console.print(f"foreshock: {exc}", style="yellow")


if __name__ == "__main__":
    prepare()
