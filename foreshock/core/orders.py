"""What comes from outside the order of an asset's records: master data, policies, commands, work orders.

Each takes effect before the record at its place. It may be given again after a restart: an asset that is further than
the place, or has taken up what stands there, is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foreshock.alerts import lifecycle
from foreshock.alerts.carrying import carry
from foreshock.alerts.items import Assigned, Carried, Given, Inhibited, Refused
from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.refusals import refusal
from foreshock.alerts.states import Context, Step
from foreshock.alerts.turn import By, Turn
from foreshock.alerts.vocabulary import Change, WorkKind
from foreshock.contract import Asset
from foreshock.core.acceptance import Acceptance
from foreshock.core.admission import Admission
from foreshock.core.desk import apply, refresh, settle
from foreshock.core.points import Owner, Partition

Item = Asset | Assigned | Inhibited | Carried | Given
_ANEW = frozenset({WorkKind.REPAIR, WorkKind.REPLACEMENT})


@dataclass(frozen=True, slots=True)
class Orders:
    """Takes up items for the assets of an admission."""

    admission: Admission

    def take_up(self, item: Item, number: int, offset: int) -> list[AlertTransition]:
        """Let an item take effect before the record at `offset` of a partition."""
        partition = self.admission.partition(number)
        if isinstance(item, Asset):
            self.admission.know(partition, item, offset)
            return []
        if isinstance(item, Assigned):
            self._assign(item, partition, offset)
            return []
        if isinstance(item, Inhibited):
            _inhibit(item, partition, offset)
            return []
        owner = partition.owners.get(item.asset)
        if owner is None and isinstance(item, Carried):  # the alert outlives all that was known of its asset
            owner = self.admission.owner(partition, item.asset)
        if owner is None:
            return [_unknown(item)] if isinstance(item, Given) else []
        if owner.folded > offset or owner.alerts.took(item.origin):
            return []
        return self._give(item, owner, partition, offset)

    def policies(self, number: int) -> Mapping[str, str]:
        """Version of the policy of each asset of a partition."""
        found = self.admission.partitions.get(number)
        return {name: owner.alerts.policy.version for name, owner in found.owners.items()} if found else {}

    def parents(self, number: int) -> Mapping[str, str]:
        """Parent whose alarm stands, of the assets of a partition that have one."""
        found = self.admission.partitions.get(number)
        owners = found.owners.items() if found else ()
        return {name: owner.alerts.parent for name, owner in owners if owner.alerts.parent}

    def newcomers(self, number: int) -> list[str]:
        """Assets of a partition that were met since this was asked last."""
        found = self.admission.partitions.get(number)
        if found is None:
            return []
        names, found.newcomers = found.newcomers, []
        return names

    def _assign(self, item: Assigned, partition: Partition, offset: int) -> None:
        for name in item.assets:
            owner = partition.owners.get(name)
            if owner is not None and owner.folded <= offset and owner.alerts.policy.version != item.policy.version:
                self.admission.desk.govern(owner, item.policy, self.admission.recipe_in(partition))
                settle(name, owner, partition)
                partition.touch(name, owner, offset)

    def _give(self, given: Given | Carried, owner: Owner, partition: Partition, offset: int) -> list[AlertTransition]:
        alerts, origin = owner.alerts, given.origin
        at_ns = origin.ingest_ns if isinstance(given, Carried) else given.item.at_ns
        context = Context(asset=owner.record, origin=origin, at_ns=at_ns, site=alerts.site)
        alerts.take(origin)
        if isinstance(given, Carried):
            step = carry(alerts.policy, alerts.alarm, given, context)
        elif isinstance(given.item, Command):
            step = self._command(given.item, owner, partition, context)
        else:
            step = self._work(given.item, owner, context)
        told = apply(alerts, step, context)
        refresh(owner, self.admission.recipe_in(partition))
        settle(given.asset, owner, partition)
        partition.touch(given.asset, owner, offset)
        return told

    def _command(self, asked: Command, owner: Owner, partition: Partition, context: Context) -> Step:
        """Do what a command asks for; baselines follow the labels, and the answer says so."""
        alerts = owner.alerts
        alarm, drafts = lifecycle.command(alerts.policy, alerts.alarm, asked, context)
        if alarm.labels == alerts.alarm.labels:
            return alarm, drafts
        effect = Acceptance(self.admission).follow(partition, owner, alerts.alarm.labels, alarm.labels)
        self.admission.settle()
        if not effect:
            return alarm, drafts
        return alarm, tuple(
            each._replace(effect=f"{each.effect}; {effect}") if each.command_id == asked.command_id else each
            for each in drafts
        )

    def _work(self, order: WorkOrder, owner: Owner, context: Context) -> Step:
        """Join a work order; after a repair or a replacement the asset is another: its baselines start anew, once."""
        alerts = owner.alerts
        step = lifecycle.work(alerts.policy, alerts.alarm, order, context)
        if order.kind not in _ANEW or order.record_id == alerts.repair:
            return step
        alerts.repair = order.record_id
        alerts.conditions.clear()
        alerts.said.clear()
        reason = f"baseline starts anew: {order.kind} by {order.actor}, work order {order.work_order or 'not stated'}"
        for point in owner.points.values():
            point.anew = reason
        return _said(alerts.policy, step, order, context, reason)


def _inhibit(item: Inhibited, partition: Partition, offset: int) -> None:
    """Let assets know of the alarm of a parent; what follows for them is told with their next record, or tick."""
    for name in item.assets:
        owner = partition.owners.get(name)
        if owner is not None and owner.folded <= offset and owner.alerts.parent != item.parent:
            owner.alerts.parent = item.parent
            settle(name, owner, partition)
            partition.touch(name, owner, offset)


def _said(policy: Policy, step: Step, order: WorkOrder, context: Context, effect: str) -> Step:
    """Have a step tell of an effect: by its first transition, or by one more."""
    alarm, drafts = step
    if drafts:
        return alarm, (drafts[0]._replace(effect=effect), *drafts[1:])
    turn = Turn(policy, alarm, context, log_ns=context.origin.ingest_ns)
    turn.answer(Change.WORK_ORDER, f"{order.kind} by {order.actor}", By(order.actor), effect=effect)
    return turn.done()


def _unknown(given: Given) -> AlertTransition:
    """Refuse what is for an asset that was never heard of."""
    item = given.item
    return refusal(
        Refused(
            origin=given.origin,
            asset=item.asset,
            reason=f"asset {item.asset} is not known: neither a record nor master data of it came so far",
            command_id=item.command_id if isinstance(item, Command) else "",
            actor=item.actor,
        )
    )
