"""A machine that breaks, and the cases of its anomalies as a worker would have published them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from foreshock.contract import Anomaly, Asset, Limit, MeasuringPoint
from foreshock.fleet import Fleet, FleetSpec, Recipe
from foreshock.outcome import Outcome
from foreshock.streams import wire
from foreshock.streams.cases.bytes import body_of, digest
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.cases.file import CaseFile
from foreshock.streams.codec import schemas
from tests.core.builders import block

SPEC = FleetSpec(warmup_blocks=20)
PUMP = Asset(
    asset="pump-1",
    asset_class="pump",
    path=("Werk", "Nord"),
    points=(
        MeasuringPoint(
            point="DE",
            quantity="acceleration",
            unit="m/s2",
            limits=(Limit(feature="rms", above=0.9, severity="critical"),),
        ),
    ),
)
FAULTY = range(40, 60)
CHANGED = 32  # settings, where they do
BLOCKS = 460  # long enough for the episode to be updated and to close


@dataclass
class Message:
    """A record as the consumer gives it."""

    given_key: bytes
    given_value: bytes
    given_headers: tuple[tuple[str, bytes], ...] = (("gateway", b"gw-1"),)

    def key(self) -> bytes:
        return self.given_key

    def value(self) -> bytes:
        return self.given_value

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self.given_headers)


def run(
    spec: FleetSpec = SPEC, asset: Asset = PUMP, batch: int = 16, changed: FleetSpec | None = None
) -> list[tuple[Outcome, Message]]:
    """All outcomes of the machine's life, with the records that they came from; `changed` holds from `CHANGED` on."""
    fleet = Fleet(spec, assets=[asset])
    encode, decoder = wire.Encoder().encode, wire.Decoder()
    records = []
    for i in range(BLOCKS):
        sent = block(i, fault=3.0 if i in FAULTY else 0.0)
        record = Message(b"pump-1", encode(sent))
        records.append((decoder.decode(record.value(), origin=sent.origin, key=b"pump-1"), record))
    found: list[tuple[Outcome, Message]] = []
    for start in range(0, BLOCKS, batch):
        part = records[start : start + batch]
        if changed is not None and start == CHANGED:
            recipe = Recipe(changed)
            fleet.know(recipe.key, recipe)
            fleet.change(recipe.key, 0, start)
        outcomes = fleet.receive([each for each, _ in part])
        found += zip(outcomes, (record for _, record in part), strict=True)
    return found


def cases(outcomes: list[tuple[Outcome, Message]]) -> list[CaseFile]:
    """The case of each event that has evidence."""
    book, encode = Casebook(), wire.Encoder().encode
    found = []
    for outcome, record in outcomes:
        for evidence in outcome.evidence:
            event = next(each for each in outcome.anomalies if each.event_id == evidence.event_id)
            body = body_of(encode(book.case(evidence, outcome.score, record)))
            found.append(CaseFile(named(event, body), body, schemas.current()["Case"].fingerprint))
    return found


def named(event: Anomaly, body: bytes) -> Anomaly:
    """An event that names this case."""
    return replace(event, lineage=replace(event.lineage, evidence=digest(body)))
