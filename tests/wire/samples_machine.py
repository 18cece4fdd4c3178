"""A machine with every field set to something that is not its default."""

from __future__ import annotations

from foreshock.contract import (
    Acquisition,
    Asset,
    Band,
    Bearing,
    Gear,
    Impeller,
    Limit,
    MeasuringPoint,
    Shaft,
    Tachometer,
    Zones,
)

ASSET = Asset(
    asset="pump-7",
    path=("Werk", "Nord", "Wasser", "L1"),
    asset_class="pump",
    criticality="high",
    owner="maintenance@example.org",
    rated_speed_hz=24.8,
    rated_power_w=55_000.0,
    support="rigid",
    warmup_blocks=40,
    warmup_s=3600.0,
    bearings=(
        Bearing(
            name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904, contact_angle_rad=0.1, shaft="output"
        ),
    ),
    gear_teeth=(17, 43),
    points=(
        MeasuringPoint(
            point="DE bearing",
            quantity="acceleration",
            unit="[g]",
            sampling_rate_hz=25_600.0,
            acquisition=Acquisition.TRIGGERED,
            interval_s=60.0,
            axis="radial",
            mount="stud",
            sensor_model="AC-1",
            calibrated="2026-01-31",
            minimum=-490.0,
            maximum=490.0,
            limits=(Limit(feature="rms", above=30.0, below=0.5, severity="critical"),),
            bands=(Band(name="blade_pass", low=4.5, high=5.5, orders=True),),
            zones=Zones(a_b=0.0014, b_c=0.0028, c_d=0.0045, part="ISO 20816-3", change_share=0.2),
            tachometer=Tachometer(channel="tacho", pulses_per_revolution=2, shaft="output"),
            hears=("DE", "wheel"),
            features=("velocity_rms", "kurtosis"),
        ),
    ),
    shafts=(Shaft(name="output", ratio=0.4),),
    gears=(Gear(name="pinion", teeth=20, mate="wheel"), Gear(name="wheel", teeth=50, shaft="output", mate="pinion")),
    impellers=(Impeller(name="wheel 1", blades=5, shaft="output"),),
    power_group="2",
)
