"""`foreshock schema`: the public contract, its versions, and whether a change keeps everybody reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import JsonOption
from foreshock.errors import ConfigurationError

app = typer.Typer(help="Print and check the schemas of the topics.", no_args_is_help=True)

AgainstOption = Annotated[
    Path | None, typer.Option(help="Folder of .avsc files to check against, for instance those of the last release.")
]


@app.command()
def check(against: AgainstOption = None, as_json: JsonOption = False) -> None:
    """Check that the present schemas read all that older ones wrote, and that consumers of outputs can wait.

    Without --against: against the kept versions in avro_schemas/history. Exit code 1 where something breaks.
    """
    from foreshock.streams.codec import compat, schemas

    old = list(schemas.history()) if against is None else compat.read_folder(against)
    new = schemas.current().values()
    found = [*compat.problems(old, new), *compat.forgotten(old)]
    if as_json:
        print(json.dumps({"compatible": not found, "checked": len(old), "problems": found}))
    else:
        for line in found:
            print(line)
        print(f"{len(new)} schemas against {len(old)} older versions: {len(found) or 'no'} problems")
    if found:
        raise typer.Exit(1)


@app.command("print")
def print_(
    name: Annotated[str, typer.Argument(help="SensorBlock, TelemetryFrame, Asset, Score, Anomaly, ...")],
    canonical: Annotated[bool, typer.Option(help="The parsing canonical form, which the fingerprint is of.")] = False,
) -> None:
    """Print a schema as an .avsc file."""
    from foreshock.streams.codec import schemas
    from foreshock.streams.codec.avro.schema import canonical as canonical_form

    version = schemas.current().get(name)
    if version is None:
        raise ConfigurationError(f"there is no record {name!r}; there are {', '.join(schemas.NAMES)}")
    print(canonical_form(version.schema) if canonical else json.dumps(version.schema, indent=2))


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List every version that is decoded, with its fingerprint as it stands in a message (after C3 01)."""
    from foreshock.streams.codec import schemas

    for version in (*schemas.current().values(), *schemas.history()):
        if as_json:
            print(json.dumps({"name": version.name, "fingerprint": version.hex, "file": version.file}))
        else:
            print(f"{version.hex}  {version.name:16} {version.file}")


@app.command()
def asyncapi(
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None, as_json: JsonOption = False
) -> None:
    """Print the AsyncAPI 3 document of the topics."""
    from foreshock.streams.errands.asyncapi import document, to_yaml

    text = json.dumps(document(), indent=2) + "\n" if as_json else to_yaml(document())
    if out is None:
        print(text, end="")
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise ConfigurationError(f"{out} cannot be written: {exc.strerror}") from exc
