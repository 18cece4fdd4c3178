"""Which policy each asset is to have: where its state says another, the one that holds now is put on record for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from foreshock.alerts.files import resolve
from foreshock.alerts.items import Assigned
from foreshock.alerts.policy import Policy
from foreshock.contract import Asset
from foreshock.fleet import Fleet
from foreshock.streams.state.parents import Parents

MOST = 300  # assets of one item


class Covering:
    """Compares the policies of a plant with what the Fleet goes by.

    Parameters
    ----------
    fleet
        Says which policy, by its version, each asset has.
    policies
        As they were loaded at start; none: every asset has the default.
    """

    def __init__(self, fleet: Fleet, policies: Sequence[Policy]) -> None:
        self._fleet = fleet
        self._policies = tuple(policies)
        self.parents = Parents(fleet, policies)

    def due(self, number: int, fresh: Mapping[str, Asset]) -> Iterator[Assigned]:
        """Give what has to be put on record for a partition.

        Parameters
        ----------
        fresh
            Master data that waits to be put on record: it counts already, for it will stand before.
        """
        yield from self._for({**dict.fromkeys(self._fleet.policies(number)), **fresh}, number)

    def newcomers(self, number: int) -> Iterator[Assigned]:
        """Give what has to be put on record for assets that were met since this was last asked."""
        yield from self._for(dict.fromkeys(self._fleet.newcomers(number)), number)

    def of(self, number: int, asset: Asset) -> Iterator[Assigned]:
        """Give what has to be put on record for one asset with new master data."""
        yield from self._for({asset.asset: asset}, number)

    def _for(self, assets: Mapping[str, Asset | None], number: int) -> Iterator[Assigned]:
        there = self._fleet.policies(number)
        wanted: dict[str, tuple[Policy, list[str]]] = {}
        for name, given in assets.items():
            record = given or self._fleet.master_data(number, name) or Asset(asset=name, registered=False)
            policy = resolve(self._policies, record)
            if there.get(name, resolve((), record).version) != policy.version:
                wanted.setdefault(policy.version, (policy, []))[1].append(name)
        for policy, names in wanted.values():
            for at in range(0, len(names), MOST):
                yield Assigned(policy=policy, assets=tuple(names[at : at + MOST]))
