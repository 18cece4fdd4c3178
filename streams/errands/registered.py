"""What is registered on assets.v1 now: the last record of each asset."""

from __future__ import annotations

from foreshock.contract import Asset
from foreshock.settings import Settings
from foreshock.streams.assets import AssetReader
from foreshock.streams.coders import decoder_for
from foreshock.streams.kafka import reader_config
from foreshock.streams.topics import ensure


def registered_assets(settings: Settings) -> list[Asset]:
    """Read the whole topic as a worker does and give the assets by name.

    Raises
    ------
    Unavailable
        Kafka cannot be reached, or the topic could not be read to its end in time.
    """
    info = ensure(settings)["assets.v1"]
    found: dict[str, Asset] = {}
    reader = AssetReader(
        reader_config(settings),
        info,
        decoder_for(settings),
        lambda asset: found.update({asset.asset: asset}),
    )
    reader.read_all()
    return [found[name] for name in sorted(found)]
