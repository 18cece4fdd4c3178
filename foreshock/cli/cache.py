"""`foreshock cache`: the packages of the local stack, for sites without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from foreshock.cli.options import JsonOption

app = typer.Typer(help="Take the local stack to a site without a network.", no_args_is_help=True)

_WHEELS = """\
Python packages, for the same Python and the same kind of machine:
  here:   pip download 'foreshock[local]=={version}' -d wheels
  there:  pip install --no-index --find-links wheels 'foreshock[local]=={version}'
          foreshock cache use {name}"""


@app.command()
def prepare(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    as_json: JsonOption = False,
) -> None:
    """Write Kafka's jars, verified, to one file (fetches what is not in the cache yet)."""
    from importlib.metadata import version

    from foreshock.local.bundle import prepare as write
    from foreshock.local.progress import shown

    with shown(Console(stderr=True)) as progress:
        size = write(out, progress)
    if as_json:
        print(json.dumps({"bundle": str(out), "bytes": size}))
    else:
        print(f"{out}: {size / 1e6:.0f} MB, Kafka's jars")
        print(_WHEELS.format(version=version("foreshock"), name=out.name))


@app.command()
def use(
    bundle: Annotated[Path, typer.Argument(help="A file made by `foreshock cache prepare`.")],
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle and put its jars into the cache; `foreshock up` then needs no network."""
    from foreshock.local.bundle import use as take
    from foreshock.local.jars import jar_folder

    taken = take(bundle)
    if as_json:
        print(json.dumps({"cache": str(jar_folder()), "taken": taken}))
    else:
        print(f"{taken} jars taken into {jar_folder()}; the others were there")
