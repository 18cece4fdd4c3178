"""`foreshock dead-letters`: what could not be used, why, and sending it again once that is mended."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from foreshock.streams.errands.redrive import Letter

app = typer.Typer(help="List, show and resend records that could not be used.", no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option(help="Only of this reason: unknown_unit, wrong_partition, ...")]
_WIDTH = 100


@app.command("list")
def list_(
    reason: ReasonOption = "",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the dead letters, and count them by reason."""
    from foreshock.streams.errands.redrive import letters

    found = letters(settings_from(config, bootstrap=bootstrap, prefix=prefix), reason=reason)
    for each in found:
        if as_json:
            print(json.dumps(_plain(each)))
        else:
            done = "  (redriven)" if each.sent else ""
            print(
                f"{each.event_id[:8]}  {_place(each):28} {_text(each.key):16} {each.reason}: {each.sentence[:_WIDTH]}{done}"
            )
    if not as_json:
        counts = ", ".join(f"{name} {count}" for name, count in Counter(each.reason for each in found).most_common())
        print(f"{len(found)} dead letters{f': {counts}' if counts else ''}")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="Id of a dead letter, or its first digits.")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter: what is wrong, where the original stands, what to mend."""
    from foreshock.streams.errands.redrive import letters

    found = _one(letters(settings_from(config, bootstrap=bootstrap, prefix=prefix), start=letter), letter)
    if as_json:
        print(json.dumps(_plain(found)))
        return
    print(f"{found.event_id}  {found.reason}{' at ' + found.field if found.field else ''}")
    print(f"  what is wrong: {found.sentence}")
    print(f"  what to do: {found.fix or 'nothing is known'}")
    print(f"  original: {_place(found)} (topic id {found.origin.topic_id}), key {_text(found.key)}")
    cut = "" if found.whole else f", {len(found.value or b'')} of them in the letter"
    print(f"  value: {found.value_size} bytes{cut}, sha256 {found.value_sha256}")
    if found.value:
        print(f"  it starts: {found.value[:_WIDTH]!r}")
    for name, value in found.headers:
        print(f"  header {name} = {_text(value)}")
    print(f"  redriven: {'yes' if found.sent else 'no'}")


@app.command()
def redrive(
    chosen: Annotated[
        list[str] | None, typer.Argument(metavar="[LETTER]...", help="Ids, or their first digits.")
    ] = None,
    *,
    reason: ReasonOption = "",
    value: Annotated[
        Path | None, typer.Option(help="File with the mended value, for one letter; without: the value as it was.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Leave a record that was redriven so often already.")] = 3,
    again: Annotated[bool, typer.Option("--again", help="Also letters that were redriven before.")] = False,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send records once more: with a mended value, or as they are after a schema, a limit or a partitioner was mended.

    Order: a redriven record comes at the end of its asset's order. Where newer records of its measuring point were folded
    in meanwhile, it is late: its Score says so, and nothing is learnt from it. Headers are kept; redriven_from names
    the original. The partition follows from the key, by the configured partitioner. A letter is sent once (--again
    lifts that); a crash between the record and the note that it was sent may send it twice. Values above 512 KiB are
    read from the input topic while its retention has them. Exit code 1 where a letter was left.
    """
    from foreshock.streams.errands.redrive import letters
    from foreshock.streams.errands.redrive import redrive as send

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    if bool(chosen) == bool(reason):
        raise ConfigurationError("give letters, or --reason")
    found = letters(settings, reason=reason)
    if chosen:
        found = [_one([each for each in found if each.event_id.startswith(start)], start) for start in chosen]
    mended = None
    if value is not None:
        if len(found) != 1 or reason:
            raise ConfigurationError("--value is the mended value of one letter: name that letter")
        try:
            mended = value.read_bytes()
        except OSError as exc:
            raise ConfigurationError(f"{value}: {exc.strerror}") from exc
    sent = left = 0
    for each in send(settings, found, mended=mended, most=most, again=again):
        sent, left = sent + (not each.why_not), left + bool(each.why_not)
        to = f"{each.letter.origin.topic} partition {each.partition} offset {each.offset}"
        if as_json:
            new = None if each.why_not else {"partition": each.partition, "offset": each.offset}
            print(json.dumps({"letter": each.letter.event_id, "sent": new, "why_not": each.why_not}))
        else:
            print(f"{each.letter.event_id[:8]}  {f'left: {each.why_not}' if each.why_not else f'sent to {to}'}")
    if not as_json:
        print(f"{sent} sent, {left} left")
    if left:
        raise typer.Exit(1)


def _one(found: list[Letter], start: str) -> Letter:
    if len(found) != 1:
        which = "there is no dead letter" if not found else f"{len(found)} dead letters begin with"
        raise ConfigurationError(f"{which} {start!r}")
    return found[0]


def _place(letter: Letter) -> str:
    return f"{letter.origin.topic}[{letter.origin.partition}]@{letter.origin.offset}"


def _text(data: bytes | None) -> str:
    return "-" if data is None else data.decode("utf-8", "backslashreplace")


def _plain(letter: Letter) -> dict[str, Any]:
    from foreshock.records import to_tree
    from foreshock.streams.errands.show import plain

    return {**plain(to_tree(letter)), "redriven": letter.sent, "whole": letter.whole}
