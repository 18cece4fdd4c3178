"""Work requests by template: how a system of work orders is asked whether it has one, and how it is given one. Pure.

A template is a JSON file: `look_up` and `create` are requests of which every text is a template, and paths (`a.0.b`) say
where in the answers the number, the status and the list of what was found stand. `values` are names that the plant
fills in (`[deliver.NAME.values]`); one that is null has to be given.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from foreshock.alerts.records import AlertTransition, WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.errors import ConfigurationError
from foreshock.lineage import fingerprint
from foreshock.streams.sinks.template import Template, Tree
from foreshock.streams.sinks.words import FIELDS, Word, words

FOLDER = Path(__file__).with_name("templates")
_REFERENCES = ("alert_id", "asset")
_REQUEST = {"method", "path", "headers", "body"}
_KEYS = {
    "about": str,
    "verified": bool,
    "scheme": str,
    "csrf": bool,
    "values": dict,
    "look_up": dict,
    "create": dict,
}
_FOUND = {"look_up": _REQUEST | {"number", "status", "closed"}, "create": _REQUEST | {"number"}}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to be: `path` stands behind the sink's URL."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any  # a tree of JSON; None: no body


class _Ask:
    """One kind of request of a template."""

    def __init__(
        self, tree: dict[str, Any], place: str, more: tuple[str, ...], names: Collection[str] = FIELDS
    ) -> None:
        self._method = str(tree.get("method", "GET"))
        self._path = Template(str(tree.get("path", "")), f"{place}.path", more, names)
        self._headers = Tree(tree.get("headers", {}), f"{place}.headers", more, names)
        self._body = Tree(tree.get("body"), f"{place}.body", more, names)
        self.number = str(tree.get("number", ""))
        self.status = str(tree.get("status", ""))
        self.closed = frozenset(str(each).lower() for each in tree.get("closed", ()))

    def request(self, told: dict[str, Word], given: dict[str, Word]) -> Request:
        """Fill it in. What the alert says is quoted in the path, what the plant gave stands as it is."""
        values: dict[str, Word] = {**told, **given}
        path = self._path.fill({name: quote(str(value), safe="") for name, value in told.items()} | given)
        headers = {name: str(value) for name, value in self._headers.fill(values).items()}
        return Request(self._method, path, headers, self._body.fill(values))


class WorkTemplate:
    """How one system of work orders is spoken to.

    Attributes
    ----------
    verified
        Whether it was tried with the real system; those that come along are not.
    scheme
        Word before the token in `Authorization`.
    csrf
        The look-up asks for a token against forged requests, and the creation brings it back (SAP Gateway).

    Raises
    ------
    ConfigurationError
        The template is not as it must be, or a value that it needs is not given.
    """

    def __init__(self, tree: Any, given: dict[str, str], place: str) -> None:
        problems = _problems(tree, given, place)
        if problems:
            raise ConfigurationError("\n".join(problems))
        self._given: dict[str, Word] = {**tree.get("values", {}), **given}
        more = tuple(self._given)
        self._look_up = _Ask(tree["look_up"], f"{place}.look_up", more, _REFERENCES)
        self._create = _Ask(tree["create"], f"{place}.create", more)
        self.verified = bool(tree.get("verified", False))
        self.scheme = str(tree.get("scheme", "Bearer"))
        self.csrf = bool(tree.get("csrf", False))

    def look_up(self, alert_id: str, asset: str) -> Request:
        """Ask for the work order of an alert; it has to be found by these two alone, years later too."""
        return self._look_up.request({"alert_id": alert_id, "asset": asset}, self._given)

    def create(self, alert: AlertTransition) -> Request:
        """Ask to make one."""
        return self._create.request(words(alert), self._given)

    def found(self, answer: Any) -> str:
        """Give the number of the work order that a look-up found; "" where there is none."""
        return text_at(answer, self._look_up.number)

    def made(self, answer: Any) -> str:
        """Give the number of the work order that was just made; "" where the answer does not say."""
        return text_at(answer, self._create.number)

    def is_closed(self, answer: Any) -> bool:
        """Say whether the work order that a look-up found is done."""
        return text_at(answer, self._look_up.status).lower() in self._look_up.closed

    @property
    def tells_closure(self) -> bool:
        """Whether a look-up says how the work order stands."""
        return bool(self._look_up.status and self._look_up.closed)


def load(name: str, given: dict[str, str], place: str) -> WorkTemplate:
    """Read the template of that name, or the file.

    Raises
    ------
    ConfigurationError
        There is no such template, or it is not as it must be.
    """
    ours = {path.stem: path for path in sorted(FOLDER.glob("*.json"))}
    path = ours.get(name) or Path(name).expanduser()
    if not path.exists():
        raise ConfigurationError(f"{place}: there is no template {name!r}; there are {', '.join(ours)}, or name a file")
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{place}: {path.name} cannot be read: {exc}") from None
    return WorkTemplate(tree, given, f"{place} {path.name}")


def _problems(tree: Any, given: dict[str, str], place: str) -> list[str]:
    if not isinstance(tree, dict):
        return [f"{place}: a template is a JSON object"]
    found = [f"{place}: unknown key {key!r}; known: {', '.join(_KEYS)}" for key in tree if key not in _KEYS]
    found += [
        f"{place}: {key} must be of type {kind.__name__}"
        for key, kind in _KEYS.items()
        if key in tree and not isinstance(tree[key], kind)
    ]
    for key, known in _FOUND.items():
        part = tree.get(key)
        if not isinstance(part, dict):
            found.append(f"{place}: {key} is missing: nothing is made twice only where it can be looked up")
            continue
        found += [f"{place}: unknown key {key}.{each}; known: {', '.join(sorted(known))}" for each in set(part) - known]
        found += [f"{place}: {key}.{need} is missing" for need in ("path", "number") if not part.get(need)]
    values = tree.get("values", {})
    if isinstance(values, dict):
        known_values = ", ".join(values) or "none"
        found += [f"{place}: unknown value {each!r}; known: {known_values}" for each in given if each not in values]
        found += [
            f"{place}: value {each!r} is missing" for each, v in values.items() if v is None and each not in given
        ]
    return found


def text_at(tree: Any, path: str) -> str:
    """Give the text or number at a path in a tree of JSON, as text; "" where there is none."""
    for step in path.split("."):
        if isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
            tree = tree[int(step)]
        elif isinstance(tree, dict) and step in tree:
            tree = tree[step]
        else:
            return ""
    return str(tree) if isinstance(tree, str | int) and not isinstance(tree, bool) else ""


def lacks(alert: AlertTransition) -> list[str]:
    """Give the alerts that are open and have no work order: of the incident of a line those of its machines."""
    if not alert.members:
        return [] if alert.work_order else [alert.alert_id]
    return [each.alert_id for each in alert.members if each.open and not each.work_order]


def orders(alert: AlertTransition, sink: str, number: str, kind: WorkKind, at_ns: int) -> list[WorkOrder]:
    """Give the records of `maintenance.v1` for an alert; for the incident of a line one of each alert that is open."""
    if not alert.members:
        return [work_order(alert.alert_id, alert.asset, sink, number, kind, at_ns)]
    return [
        work_order(each.alert_id, each.asset, sink, number, kind, at_ns, incident_id=alert.alert_id)
        for each in alert.members
        if each.open
    ]


def work_order(
    alert_id: str,
    asset: str,
    sink: str,
    number: str,
    kind: WorkKind,
    at_ns: int,
    note: str = "",
    *,
    incident_id: str = "",
) -> WorkOrder:
    """Give the record of `maintenance.v1` that says so; its id is the same whenever it is made."""
    return WorkOrder(
        record_id=fingerprint("work-order", sink, alert_id, number, kind.value),
        kind=kind,
        asset=asset,
        work_order=number,
        at_ns=at_ns,
        actor=actor(sink),
        alert_id=alert_id,
        note=note,
        incident_id=incident_id,
    )


def actor(sink: str) -> str:
    """Give the name under which a sink writes to `maintenance.v1`."""
    return f"deliver:{sink}"
