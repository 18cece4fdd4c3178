"""Decoder, encoders and registry as the settings want them."""

from __future__ import annotations

from foreshock.settings import Settings
from foreshock.streams.codec.encode import Encoder
from foreshock.streams.codec.registry import Registry
from foreshock.streams.wire import Decoder


def registry_for(settings: Settings) -> Registry | None:
    """Give the registry that the settings name; None where they name none."""
    return Registry(settings.topics.registry_url) if settings.topics.registry_url else None


def decoder_for(settings: Settings) -> Decoder:
    """Give the decoder of a worker: with a registry it takes Confluent framing too; assets are completed by their classes.

    Raises
    ------
    FilesRejected
        A file of a class is not as it must be.
    """
    return Decoder(registry_for(settings), classes=settings.classes.read())


def encoder_for(settings: Settings, topic: str) -> Encoder:
    """Give the encoder of a topic, named without its prefix.

    Raises
    ------
    ConfigurationError
        Confluent framing is wanted, and there is no registry.
    """
    return Encoder(settings.topics.value_framing, registry_for(settings), settings.topics.prefix + topic)
