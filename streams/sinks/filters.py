"""Which transitions a sink is told of. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.sinks.words import worst


def wanted(alert: AlertTransition, settings: SinkSettings) -> bool:
    """Say whether a transition is for this sink.

    The severity that counts is the worst that the alert has had: who was told that it was raised is told that it is over.
    The incident of a line is for whom the line is for, or one of its machines: told of it is also who is first concerned by a
    machine that joins.
    """
    if not alert.alert_id or worst(alert).rank < settings.severity.rank:
        return False
    if not alert.members:
        return alert.change in settings.changes and _concerns(settings, alert.asset, alert.site, alert.path)
    concerned = _concerns(settings, alert.asset, alert.site, alert.path)
    members = [_concerns(settings, each.asset, alert.site, each.path) for each in alert.members]
    first = alert.change is Change.JOINED and members[-1] and not (concerned or any(members[:-1]))
    told = alert.change in settings.changes or (first and Change.RAISED in settings.changes)
    return told and (concerned or any(members))


def _concerns(settings: SinkSettings, asset: str, site: str, path: tuple[str, ...]) -> bool:
    return _any(settings.sites, site, "/".join(path)) and _any(settings.assets, asset)


def _any(patterns: tuple[str, ...], *texts: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns for text in texts)
