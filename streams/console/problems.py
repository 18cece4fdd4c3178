"""What is wrong with a request, as it is answered: status, code for programs, sentence for people."""

from __future__ import annotations

from foreshock.errors import CaseRejected, ConfigurationError, ForeshockError, InputRejected, OutputRefused, Unavailable

_STATUS: dict[str, int] = {
    "bad_request": 400,
    "no_token": 401,
    "wrong_token": 401,
    "read_only": 403,
    "other_origin": 403,
    "not_found": 404,
    "unknown_asset": 404,
    "unknown_alert": 404,
    "unknown_event": 404,
    "bad_method": 405,
    "refused": 409,
    "gone": 410,
    "too_large": 413,
    "bad_type": 415,
    "bad_host": 421,
    "busy": 429,
    "internal_error": 500,
    "kafka_unavailable": 503,
    "no_answer": 504,
}


class Problem(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    code
        One of the contract; it decides the status.
    sentence
        What is wrong, in plain words.
    fix
        What to do about it; "" where there is nothing to say.
    """

    def __init__(self, code: str, sentence: str, fix: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.fix = fix
        self.status = _STATUS[code]

    def tree(self) -> dict[str, str]:
        """Give what is sent."""
        return {"error": self.sentence, "code": self.code, **({"fix": self.fix} if self.fix else {})}


def of_error(exc: ForeshockError) -> Problem:
    """Give the answer to an error that was raised on purpose."""
    if isinstance(exc, ConfigurationError):
        return Problem("bad_request", str(exc))
    if isinstance(exc, Unavailable):
        return Problem("kafka_unavailable", str(exc))
    if isinstance(exc, InputRejected):
        return Problem("bad_request", exc.sentence, exc.fix)
    if isinstance(exc, CaseRejected | OutputRefused):
        return Problem("refused", str(exc))
    return Problem("internal_error", str(exc))
