"""Which transitions a sink is told of. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from foreshock.alerts.records import AlertTransition
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.sinks.words import worst


def wanted(alert: AlertTransition, settings: SinkSettings) -> bool:
    """Say whether a transition is for this sink.

    The severity that counts is the worst that the alert has had: who was told that it was raised is told that it is over.
    """
    return (
        bool(alert.alert_id)
        and alert.change in settings.changes
        and worst(alert).rank >= settings.severity.rank
        and _any(settings.sites, alert.site, "/".join(alert.path))
        and _any(settings.assets, alert.asset)
    )


def _any(patterns: tuple[str, ...], *texts: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns for text in texts)
