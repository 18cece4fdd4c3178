"""One turn of an alarm: what is gathered while a row, a command or a tick is taken up, and how a transition is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from foreshock import lineage
from foreshock.alerts.policy import Band, Policy
from foreshock.alerts.states import Alarm, Context, Draft, Ended, Incident, Lead, Member, Shelf, Step, Told
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Severity, SuppressedBy

NS = 1_000_000_000
HOUR_NS = 3600 * NS
OVERLAYS = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})

# These are over when they are told: they are counted. The others last.
MOMENTARY = frozenset({SuppressedBy.FLEETING, SuppressedBy.N_OF_M, SuppressedBy.CLEARED_WHILE_DELAYED})


class By(NamedTuple):
    """Who asked for a transition."""

    actor: str = "policy"
    command_id: str = ""
    command: CommandKind | None = None


POLICY = By()


class Turn:
    """The state of an asset's alarm while it is changed, and what was told so far.

    Parameters
    ----------
    log_ns
        Log time; asset time is that less the lag.
    at_ns
        Asset time, where it is known (of a row); else it follows from the log time.
    """

    def __init__(
        self, policy: Policy, alarm: Alarm, context: Context, *, log_ns: int, at_ns: int | None = None
    ) -> None:
        self.policy = policy
        self.context = context
        self.log_ns = log_ns
        self.now_ns = log_ns - alarm.lag_ns if at_ns is None else at_ns
        self.incident = alarm.incident
        self.members = alarm.members
        self.ended = alarm.ended
        self.shelf = alarm.shelf
        self.raises = alarm.raises
        self.closed_ns = alarm.closed_ns
        self.left = False  # it came back into view: what stands is alarmed again
        self.fell_ns: int | None = None  # when time alone ended a demand
        self.why = ""  # what ended the demands, where it was no reading
        self.values: dict[str, float] = {}  # of this turn's readings
        self.rest = alarm  # for the fields that are not here
        self._number = alarm.number
        self._drafts: list[Draft] = []

    def done(self) -> Step:
        """Give the state after the turn, and what was told."""
        after = self.rest._replace(
            incident=self.incident,
            members=self.members if self.incident else (),
            ended=self.ended,
            shelf=self.shelf,
            raises=self.raises,
            closed_ns=self.closed_ns,
            number=self._number,
        )
        return after, tuple(self._drafts)

    @property
    def alert(self) -> Incident:
        """The incident; there is one."""
        if self.incident is None:
            raise AssertionError("no incident")
        return self.incident

    def set(self, **changes: object) -> None:
        """Change fields of the incident."""
        incident = self.alert
        if any(getattr(incident, name) != value for name, value in changes.items()):  # most rows change little
            self.incident = incident._replace(**changes)  # type: ignore[arg-type]  # no type says "its fields"

    def tell(
        self,
        change: Change,
        reason: str,
        *,
        state: AlarmState | None = None,
        severity: Severity | None = None,
        lead: Lead | None = None,
        by: By = POLICY,
        suppressed_by: SuppressedBy | None = None,
        effect: str = "",
    ) -> None:
        """Tell a change of the incident, which is in `state` from then on. Its times never run backwards."""
        before = self.alert
        at_ns = max(self.context.at_ns, before.changed_ns)
        self.set(state=before.state if state is None else state, changed_ns=at_ns)
        now = self.alert
        self._drafts.append(
            Draft(
                change=change,
                before=before.state,
                state=now.state,
                incident=now,
                alert_id=now.alert_id,
                at_ns=at_ns,
                number=self._number,
                severity=severity or now.severity or worst_told(now),
                reason=reason,
                lead=lead or now.lead,
                suppressed_by=suppressed_by or (now.suppressed_by if now.state in OVERLAYS else None),
                actor=by.actor,
                command_id=by.command_id,
                command=by.command,
                effect=effect,
                shelved_until_ns=self.shelf.until_ns if self.shelf else None,
            )
        )
        self._number += 1

    def answer(
        self,
        change: Change,
        reason: str,
        by: By,
        *,
        alert_id: str | None = None,
        effect: str = "",
        work_order: str = "",
    ) -> None:
        """Tell what became of a command, or of a work order, that changes no alert.

        Parameters
        ----------
        alert_id
            The alert that it concerns, "" for none; None is the open one, where there is one.
        """
        incident = self.incident
        concerned = incident if incident is not None and alert_id in {None, incident.alert_id} else None
        at_ns = max(self.context.at_ns, concerned.changed_ns) if concerned else self.context.at_ns
        state = concerned.state if concerned else AlarmState.SHELVED if self.shelf else AlarmState.NORMAL
        before = AlarmState.NORMAL if change is Change.SHELVED else state
        before = AlarmState.SHELVED if change is Change.UNSHELVED else before
        self._drafts.append(
            Draft(
                change=change,
                before=state if concerned else before,
                state=state,
                incident=concerned,
                alert_id=concerned.alert_id if concerned else alert_id or "",
                at_ns=at_ns,
                number=self._number,
                severity=(concerned.severity or worst_told(concerned)) if concerned else Severity.INFO,
                reason=reason,
                lead=concerned.lead if concerned else Lead(),
                actor=by.actor,
                command_id=by.command_id,
                command=by.command,
                effect=effect,
                work_order=work_order,
                shelved_until_ns=self.shelf.until_ns if self.shelf else None,
            )
        )
        if concerned is not None and change is not Change.REFUSED:
            self.set(changed_ns=at_ns)
        self._number += 1

    def begin(self) -> None:
        """Begin an incident with what this turn rests on. Nothing of it is told so far."""
        place = self.context
        alert_id = lineage.event_id("alert", place.origin, place.row, place.asset.asset)
        self.incident = Incident(alert_id=alert_id, began_ns=self.now_ns, raised_ns=None, changed_ns=place.at_ns)

    def suppress(self, by: SuppressedBy, severity: Severity, why: str, state: AlarmState, lead: Lead) -> None:
        """Tell that something is not alerted, and why: once, and again for a higher severity."""
        for place, told in enumerate(self.alert.told):
            if told.by is by and told.severity.rank >= severity.rank:
                if by in MOMENTARY:
                    more = told._replace(times=told.times + 1)
                    self.set(told=(*self.alert.told[:place], more, *self.alert.told[place + 1 :]))
                return
        self.set(told=(*self.alert.told, Told(by, severity)))
        self.tell(Change.SUPPRESSED, why, state=state, severity=severity, lead=lead, suppressed_by=by)

    def end(self, point: str, severity: Severity | None) -> None:
        """Note that what a point demanded above a severity is over, whatever its condition says."""
        self.ended = (*(each for each in self.ended if each.point != point), Ended(point, severity))

    def forget(self, *reasons: SuppressedBy) -> None:
        """Let suppressions be told again: they ended. Without reasons all of them."""
        self.set(told=tuple(told for told in self.alert.told if reasons and told.by not in reasons))

    def unshelve(self, reason: str, by: By = POLICY) -> None:
        """Take the alarm off its shelf."""
        self.shelf = None
        if self.incident is None:
            self.answer(Change.UNSHELVED, reason, by)
            return
        shelved = self.incident.state is AlarmState.SHELVED
        self.tell(Change.UNSHELVED, reason, state=self.incident.base if shelved else None, by=by)
        self.forget(SuppressedBy.SHELVED)
        self.left |= shelved

    def put_aside(self, shelf: Shelf, reason: str, by: By) -> None:
        """Shelve the alarm of the asset, whether it stands or not."""
        self.shelf = shelf
        if self.incident is None:
            self.answer(Change.SHELVED, reason, by)
            return
        out = self.incident.state is AlarmState.OUT_OF_SERVICE
        self.tell(Change.SHELVED, reason, state=AlarmState.OUT_OF_SERVICE if out else AlarmState.SHELVED, by=by)

    def drop(self) -> None:
        """Let nothing be demanded any more."""
        for member in self.members:
            self.end(member.point, None)
        self.members = ()

    def close(self, reason: str, by: By = POLICY) -> None:
        """End the incident."""
        self.tell(Change.CLOSED, reason, state=AlarmState.NORMAL, by=by)
        if self.alert.raised_ns is not None:
            self.closed_ns = self.now_ns
        self.drop()
        self.incident = None


def highest(severities: Iterable[Severity]) -> Severity | None:
    """The highest of some severities; None where there are none."""
    return max(severities, key=lambda each: each.rank, default=None)


def rank(severity: Severity | None) -> int:
    """Rank of a severity; -1 of none."""
    return -1 if severity is None else severity.rank


def worst_told(incident: Incident) -> Severity:
    """The severity of an incident without one: the highest that was told of it."""
    return incident.worst or highest(told.severity for told in incident.told) or Severity.INFO


def band_of(policy: Policy, severity: Severity) -> Band:
    """The band of a severity; where the policy no longer has it, the nearest below, else the lowest."""
    ranked = sorted(policy.bands, key=lambda band: band.severity.rank)
    return next((band for band in reversed(ranked) if band.severity.rank <= severity.rank), ranked[0])


def lead_of(members: Iterable[Member]) -> Lead:
    """What stands behind the highest of some members: by severity, then by score."""
    return max(members, key=lambda each: (rank(each.severity), each.lead.score or 0.0)).lead
