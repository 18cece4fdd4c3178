"""The closed sets of words in the contract. They are part of it: consumers match on these codes."""

from __future__ import annotations

from enum import StrEnum


class Encoding(StrEnum):
    """How the samples of a block are laid out in its `bytes` field."""

    F32LE = "f32le"
    F64LE = "f64le"
    I16LE = "i16le"


class Acquisition(StrEnum):
    """Whether blocks follow each other without a gap, come on a timer, or on an event."""

    CONTINUOUS = "continuous"
    SNAPSHOT = "snapshot"
    TRIGGERED = "triggered"


class Measure(StrEnum):
    """What a value says about its signal: every sample, or one figure for an interval."""

    INSTANTANEOUS = "instantaneous"
    RMS = "rms"
    PEAK = "peak"
    PEAK_TO_PEAK = "peak_to_peak"


class RunState(StrEnum):
    """Whether the machine ran while the block was taken. Only `RUNNING` is scored and learnt."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class ScoreState(StrEnum):
    """How a row ended. A row without a score says why: that is the whole point of the field."""

    SCORED = "scored"
    WARMING = "warming"
    NOT_RUNNING = "not_running"
    NOT_USABLE = "not_usable"
    LATE = "late"


class Mode(StrEnum):
    """Who decided: the model of the asset, or a limit that the user stated."""

    MODEL = "model"
    STATIC_LIMIT = "static_limit"


class Phase(StrEnum):
    """Where an anomaly episode stands."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class QualityKind(StrEnum):
    """What can be wrong with a sensor, its clock, its way to us, or with what we knew of it."""

    SILENT = "silent"
    LATE = "late"
    GAP = "gap"
    DUPLICATE = "duplicate"
    OUT_OF_RANGE = "out_of_range"
    FROZEN = "frozen"
    CLIPPED = "clipped"
    SPIKE = "spike"
    WRONG_RATE = "wrong_rate"
    CLOCK = "clock"
    COLD_START = "cold_start"
    LOST = "lost"  # records that retention deleted before anybody read them
    MISSING = "missing"  # values, channels or tags that should be in a record
    OUT_OF_ORDER = "out_of_order"  # overtaken on the way: `late` says that it was not folded in, this says why
    JITTER = "jitter"  # source times that scatter about their interval
    CLOCK_DRIFT = "clock_drift"  # a clock that goes too fast or too slow, before it is wrong
    UNIT_CHANGED = "unit_changed"
    NOISE_FLOOR_GONE = "noise_floor_gone"  # quieter than the sensor itself


class MaskReason(StrEnum):
    """Why a feature has no value. The codes are part of the contract: consumers match on them."""

    NONE = ""
    NOT_FINITE = "not_finite"
    CHANNEL_ABSENT = "channel_absent"
    NOT_RUNNING = "not_running"
    QUALITY = "quality"
    RATE_CHANGED = "rate_changed"
    WINDOW_TOO_SHORT = "window_too_short"
    CONSTANT = "constant"  # nothing varies: a ratio to the variation does not exist
    NO_RATE = "no_rate"
    RATE_TOO_LOW = "rate_too_low"  # what is asked for lies above half of the sampling rate
    NO_SPEED = "no_speed"
    ZERO_SPEED = "zero_speed"
    NO_GEOMETRY = "no_geometry"
    OTHER_QUANTITY = "other_quantity"  # a velocity is made from vibration only
    TOO_FEW_ROWS = "too_few_rows"


class Reason(StrEnum):
    """Why a record became a dead letter. The codes are part of the contract: consumers match on them."""

    EMPTY = "empty"
    NULL_VALUE = "null_value"
    NULL_KEY = "null_key"
    KEY_MISMATCH = "key_mismatch"
    UNKNOWN_FRAMING = "unknown_framing"
    UNKNOWN_SCHEMA = "unknown_schema"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    BAD_LENGTH = "bad_length"
    MALFORMED = "malformed"
    NOT_FINITE = "not_finite"
    NO_SAMPLES = "no_samples"
    COUNT_MISMATCH = "count_mismatch"
    BAD_RATE = "bad_rate"
    BAD_TIMESTAMP = "bad_timestamp"
    UNKNOWN_UNIT = "unknown_unit"
    UNIT_MISMATCH = "unit_mismatch"
    TOO_LARGE = "too_large"
    WRONG_PARTITION = "wrong_partition"
    NO_ROOM = "no_room"
    INTERNAL_ERROR = "internal_error"
    UNDELIVERABLE = "undeliverable"  # of alerts.v1: a sink refuses it


SHADOW = "; the new model "  # in `Score.learning`: what follows is of a model that warms up beside the one that scores
