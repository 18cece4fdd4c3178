"""The one place that knows which kind of sink is made of which part."""

from __future__ import annotations

from foreshock.settings_deliver import (
    AlertmanagerSettings,
    MqttSettings,
    RestSettings,
    SinkSettings,
    SlackSettings,
    SmtpSettings,
    WebhookSettings,
)
from foreshock.streams.sinks.engine import Sink
from foreshock.streams.sinks.http import alertmanager, slack, webhook
from foreshock.streams.sinks.mqtt import MqttSink
from foreshock.streams.sinks.rest import Publish, RestSink
from foreshock.streams.sinks.smtp import SmtpSink


def make(settings: SinkSettings, publish: Publish) -> Sink:
    """Make a sink; nothing is connected yet.

    Parameters
    ----------
    publish
        Puts a work order on `maintenance.v1`.

    Raises
    ------
    ConfigurationError
        A template names a field that there is not, a file cannot be read, a URL is none.
    """
    match settings:
        case WebhookSettings():
            return webhook(settings)
        case AlertmanagerSettings():
            return alertmanager(settings)
        case SlackSettings():
            return slack(settings)
        case SmtpSettings():
            return SmtpSink(settings)
        case MqttSettings():
            return MqttSink(settings)
        case RestSettings():
            return RestSink(settings, publish)
    raise TypeError(f"no sink is made of {type(settings).__name__}")
