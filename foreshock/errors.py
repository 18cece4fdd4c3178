"""The exceptions of the product.

ForeshockError
    InputRejected     one input record cannot be used: it becomes a dead letter with a reason code
    ConfigurationError  a setting, a topic or a file is not as it must be: one clear line, exit code 2
    Unavailable       something outside cannot be reached: one clear line, exit code 3
    OutputRefused     the broker did not take an output: the worker stops, exit code 70
    Fenced            another worker has this one's place in the group: it stops, exit code 70
    SnapshotRejected  sealed bytes cannot be used: they are damaged, foreign or of a newer version
    StateRejected     a state is sound, but not one that this Fleet can go on with
    CaseRejected      a case proves nothing: it is damaged, or not the one that its anomaly names
    Stalled           the worker gets nowhere although it could: it stops, exit code 70
"""

from __future__ import annotations

from foreshock.contract import Reason


class ForeshockError(Exception):
    """Base of all errors that the product raises on purpose."""

    exit_code = 1


class InputRejected(ForeshockError):
    """One input record cannot be used.

    `sentence` says what is wrong in plain words, `field` which field, `fix` what the sender should do.
    """

    def __init__(self, reason: Reason, sentence: str, *, field: str = "", fix: str = "") -> None:
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence
        self.field = field
        self.fix = fix


class ConfigurationError(ForeshockError):
    """A setting, a topic or a file is not as it must be."""

    exit_code = 2


class Unavailable(ForeshockError):
    """Something outside cannot be reached."""

    exit_code = 3


class OutputRefused(ForeshockError):
    """The broker did not take an output. Nothing is acknowledged past it."""

    exit_code = 70


class Fenced(ForeshockError):
    """Another worker has this one's place in the group."""

    exit_code = 70


class SnapshotRejected(ForeshockError):
    """Sealed bytes cannot be used.

    `code` is one of truncated, unsigned, unknown_key, bad_signature, newer_version, too_large, malformed.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class StateRejected(ForeshockError):
    """A state is not one that this Fleet can go on with: the asset starts cold.

    `code` is `other_shape` (of another feature set, model version, profile or detector) or `malformed`.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class CaseRejected(ForeshockError):
    """A case proves nothing: it is damaged, incomplete, or not the one that its anomaly names."""


class Stalled(ForeshockError):
    """The worker gets nowhere although it could. It stops, and something above it starts a new one."""

    exit_code = 70
