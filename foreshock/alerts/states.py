"""The alert state of an asset, as values: what stands, what was told, what people asked for.

All of it is part of the asset's checkpoint, by `foreshock/records.py`. Two clocks meet here. What the machine does is in
*asset time*, the source time of its records; what people do is in *log time*, the broker's (`Origin.ingest_ns`), which
ticks and commands have as well. `Alarm.lag_ns` is log time less asset time at the last reading, so that an hour of the
machine is an hour also in a backlog and in a recording that is years old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from foreshock.alerts.feedback import Label
from foreshock.alerts.policy import Window
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Severity, SuppressedBy
from foreshock.contract import Asset, Origin


class Fall(NamedTuple):
    """What a demand falls to at an asset time, should no other reading come before."""

    at_ns: int
    severity: Severity | None


class Lead(NamedTuple):
    """The reading that a transition rests on."""

    score: float | None = None
    rule: str = ""
    trend: float | None = None
    hypothesis: str = ""
    mode: str = ""
    anomaly_id: str = ""
    evidence: str = ""


class Member(NamedTuple):
    """A measuring point with a demand, as its last reading left it."""

    point: str
    severity: Severity | None
    withheld: SuppressedBy | None
    falls: tuple[Fall, ...]
    lead: Lead


class Ended(NamedTuple):
    """What a point demanded above a severity ended by time, or by somebody: its next readings have to reach it anew.

    Its `Condition` may not know: the time at a tick is worked out from the lag of the last reading, and the next one may
    be of a time before that.
    """

    point: str
    severity: Severity | None


class Told(NamedTuple):
    """A suppression that was told, and how often it happened since, where it is one that is over at once."""

    by: SuppressedBy
    severity: Severity
    times: int = 1


class Incident(NamedTuple):
    """The one alert of an asset, from its first demand to `closed`."""

    alert_id: str
    began_ns: int  # asset time of the first demand
    raised_ns: int | None  # None: not raised so far (suppressed, or held because its records are late)
    state: AlarmState = AlarmState.NORMAL  # as it was told last
    base: AlarmState = AlarmState.NORMAL  # what it is below shelved, suppressed and out of service
    severity: Severity | None = None  # as it was told last; None: returned, or not raised
    worst: Severity | None = None
    points: tuple[str, ...] = ()
    lead: Lead = Lead()  # of the last change of severity
    initial_score: float | None = None
    peak: float | None = None
    delayed_s: float = 0.0  # of its last reading
    heard_ns: int = 0  # log time of its last reading
    maintenance: tuple[str, ...] = ()  # points whose device said with its last reading that it is worked on
    parent: str = ""  # the parent asset whose alarm stands
    suppressed_by: SuppressedBy | None = None  # while the state is suppressed, shelved or out of service
    told: tuple[Told, ...] = ()
    held: Severity | None = None  # demanded by late records only, so far
    seen_ns: int = 0  # asset time up to which windows were looked at
    changed_ns: int = 0  # time of its last transition
    over_ns: int | None = None  # asset time at which its demand ended; None: it stands
    chattering: bool = False  # it is held standing until it is quiet for a minute
    acknowledged_by: str = ""
    acknowledged_ns: int | None = None  # log time
    respond_by_ns: int | None = None  # log time
    chain: int = 0  # how many of the escalation chain were told
    work_order: str = ""


class Shelf(NamedTuple):
    """Somebody put the alarm of the asset aside for a time."""

    until_ns: int  # log time
    actor: str
    reason: str


class Hold(NamedTuple):
    """Somebody holds learning."""

    actor: str
    reason: str
    at_ns: int


class Alarm(NamedTuple):
    """The alert state of an asset. `Alarm()` is that of an asset of which nothing was ever above a level."""

    incident: Incident | None = None
    members: tuple[Member, ...] = ()
    ended: tuple[Ended, ...] = ()
    shelf: Shelf | None = None
    frozen: Hold | None = None
    windows: tuple[Window, ...] = ()  # by command; those of the policy are in the policy
    labels: tuple[Label, ...] = ()
    raises: tuple[int, ...] = ()  # asset times at which it was raised or alarmed again: of the last hour
    closed_ns: int | None = None  # asset time
    commands: tuple[str, ...] = ()  # ids of the last ones taken
    lag_ns: int = 0  # log time less asset time
    number: int = 0  # of its next transition: part of the id

    @property
    def idle(self) -> bool:
        """Whether a reading without a demand changes nothing: no incident."""
        return self.incident is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where and when something happens to the alarm of an asset."""

    asset: Asset
    origin: Origin  # of the record, of the command, or of the tick; `ingest_ns` is the log time
    at_ns: int  # source time of the row; time of the command or tick
    row: int = 0
    site: str = ""
    running: bool = True  # production runs
    maintenance: bool = False  # the device says that it is worked on
    parent: str = ""  # a parent asset whose alarm stands


class Draft(NamedTuple):
    """A transition before it has its place in the plant: `transitions.transition` makes the record of it."""

    change: Change
    before: AlarmState
    state: AlarmState  # after the change
    incident: Incident | None  # after the change; None: the asset has no alert
    alert_id: str  # "": none is concerned
    at_ns: int
    number: int  # of the asset's transitions: `Alarm.number` before it
    severity: Severity
    reason: str
    lead: Lead
    suppressed_by: SuppressedBy | None = None
    actor: str = "policy"
    command_id: str = ""
    command: CommandKind | None = None
    effect: str = ""
    work_order: str = ""  # of an alert that is closed; else it is in the incident
    shelved_until_ns: int | None = None


Step = tuple[Alarm, tuple[Draft, ...]]
