"""Policies from files: read strictly, named by the hash of what they say, and given to the assets that they cover.

A file holds one policy (docs/policies.md). Everything that is wrong in all of them is told at once, with file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import orjson

from foreshock import records
from foreshock.alerts import default
from foreshock.alerts.documents import Node, NotADocument, read
from foreshock.alerts.fields import FilesRejected, Problem, Table
from foreshock.alerts.patterns import may_meet, on_path
from foreshock.alerts.policy import Policy
from foreshock.alerts.shape import policy_of
from foreshock.contract import Asset

_LATER = ("group_by", "group_window_s", "assets_per_engineer")
_DEFAULTS = {each.name: each.default for each in fields(Policy) if each.name in _LATER}


def load_text(name: str, text: str) -> Policy:
    """Read one policy.

    Parameters
    ----------
    name
        Name of its file, for the messages; its end says which language it is: `.toml`, `.yaml` or `.yml`.
    text
        What is in the file.

    Raises
    ------
    FilesRejected
        With every problem of the file.
    """
    return load([(name, text)])[0]


def load(files: Iterable[tuple[str, str]]) -> tuple[Policy, ...]:
    """Read the policies of a plant.

    Parameters
    ----------
    files
        Name and text of each file.

    Returns
    -------
    tuple of Policy
        One of each file, in the order of the files, each with its version.

    Raises
    ------
    FilesRejected
        With every problem of every file; also where two policies have one name, or could both hold for an asset.
    """
    problems: list[Problem] = []
    found: list[tuple[str, Policy]] = []
    for name, text in files:
        try:
            document = read(name, text)
        except NotADocument as exc:
            problems.append(Problem(name, exc.line, "", str(exc), ""))
            continue
        policy = policy_from(name, document, problems)
        if policy is not None:
            found.append((name, policy))
    for number, (name, policy) in enumerate(found):
        problems += [
            Problem(name, 0, key, wrong, fix)
            for other, before in found[:number]
            for key, wrong, fix in _clashes(policy, before, other)
        ]
    if problems:
        raise FilesRejected(problems)
    return tuple(policy for _, policy in found)


def policy_from(name: str, document: Node, problems: list[Problem]) -> Policy | None:
    """Read the policy of a document; None where `problems` were added."""
    if not isinstance(document.value, dict) or not document.value:
        problems.append(Problem(name, 0, "", "holds no policy", "docs/policies.md shows one"))
        return None
    noted: list[Problem] = []
    policy = policy_of(Table(name, document, "", noted))
    problems += sorted(noted, key=lambda each: each.line)
    return None if policy is None else versioned(policy)


def versioned(policy: Policy) -> Policy:
    """Give a policy its version: sha256 of its canonical content, in hexadecimal.

    The content is what holds, not how it is written: order of keys, spelling of times and defaults that are written
    out do not change it.
    """
    tree = records.to_tree(replace(policy, version=""))
    for key in _LATER:  # a policy that does not use them is what it was before there were such keys
        if tree[key] == records.to_tree(_DEFAULTS[key]):
            del tree[key]
    return replace(policy, version=hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).hexdigest())


def named(policy: Policy) -> str:
    """Name of a policy in an event: name@hash, with 16 digits of it."""
    return f"{policy.name}@{policy.version[:16]}"


def resolve(policies: Sequence[Policy], asset: Asset) -> Policy:
    """Policy of an asset: one for site and class before one for its site, before one for its class, before one for any.

    Parameters
    ----------
    policies
        As `load` gave them: at most one of each of these holds for an asset.
    asset
        Its master data; one that nobody registered has no class and no place, and gets what holds for any.

    Returns
    -------
    Policy
        `DEFAULT` where nothing holds.
    """
    covering = [policy for policy in policies if covers(policy, asset)]
    return max(covering, key=_closeness, default=DEFAULT)


def covers(policy: Policy, asset: Asset) -> bool:
    """Whether a policy may hold for an asset."""
    of_class = not policy.covers or asset.asset_class in policy.covers
    return of_class and (not policy.sites or on_path(policy.sites, asset.path))


def _closeness(policy: Policy) -> tuple[bool, bool]:
    return bool(policy.sites), bool(policy.covers)


def _clashes(policy: Policy, before: Policy, other: str) -> Iterable[tuple[str, str, str]]:
    if policy.name == before.name:
        yield "name", f'is "{policy.name}" as in {other}', "give each policy a name of its own"
    if _closeness(policy) != _closeness(before):
        return
    classes = set(policy.covers) & set(before.covers)
    sites = [(a, b) for a in policy.sites for b in before.sites if may_meet(a, b)]
    if (classes or not policy.covers) and (sites or not policy.sites):
        both = [f"class {each}" for each in sorted(classes)] + [f"{a} and {b}" if a != b else a for a, b in sites[:1]]
        yield "", f"covers what {other} covers: {' at '.join(both) or 'any asset'}", "narrow covers or sites of one"


DEFAULT: Policy = load_text("default.toml", default.TEXT)
