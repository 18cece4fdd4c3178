"""Which alert to label next: those whose verdict tells most. Pure.

`value = gain * (1 + near) * weight`, in bits:

* `gain` is what one more verdict is expected to tell of the share of true alerts among those like it (same policy, rule
  and hypothesis), of which t were labelled true and f false: the mutual information of a verdict and a Beta(1 + t, 1 + f)
  share. It is 0.279 bits where nothing is known, and falls about as 0.72 / (t + f + 3): novel alerts first.
* `near` is 2 ** -|log2(score / level)|: 1 at the level that raised it, a half at twice of it; 0 for a static limit. A
  verdict there decides where the level belongs.
* `weight` is 1 for info, 2 for watch, 3 for warning, 4 for critical.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import digamma

from foreshock.alerts.outcomes.incidents import Incident
from foreshock.alerts.outcomes.verdicts import Judged
from foreshock.alerts.vocabulary import Severity, Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """An alert to label, with its value and what that is made of."""

    incident: Incident
    value: float
    gain: float
    near: float
    true: int
    false: int

    @property
    def why(self) -> str:
        """What the value is made of, in words."""
        like = self.true + self.false
        known = "nothing like it was labelled" if not like else f"{like} like it labelled, {self.true} of them true"
        close = "at its level" if self.near > 0.8 else "far above its level" if self.near < 0.4 else "above its level"
        return f"{known}; {close if self.near else 'a limit, not a score'}"


def queue(judged: Sequence[Judged], levels: Mapping[tuple[str, Severity], float]) -> tuple[Asked, ...]:
    """Alerts without a verdict of a person, the most telling first; of equals the newest.

    Parameters
    ----------
    judged
        All alerts. One that only a failure judged is asked for as well: nobody looked at it.
    levels
        Score at which a band begins, by asset and severity. Where it is not known the score is taken as at its level.
    """
    seen: dict[tuple[str, str, str], list[int]] = {}
    for each in judged:
        count = seen.setdefault(_like(each.incident), [0, 0])
        if each.source == "label":
            count[0] += each.verdict is Verdict.TRUE
            count[1] += each.verdict is Verdict.FALSE
    asked = (each.incident for each in judged if each.source != "label")
    found = [_asked(alert, (seen[_like(alert)][0], seen[_like(alert)][1]), levels) for alert in asked]
    return tuple(sorted(found, key=lambda each: (-each.value, -each.incident.raised_ns, each.incident.alert_id)))


def gain(true: int, false: int) -> float:
    """Bits that one more verdict is expected to tell of a share of which so many were true and false.

    `H(m) - E[H(p)]` for p of Beta(a, b), a = 1 + true, b = 1 + false, m = a / (a + b), where
    `E[H(p)] = psi(a + b + 1) - m psi(a + 1) - (1 - m) psi(b + 1)` in nats.
    """
    a, b = 1 + true, 1 + false
    mean = a / (a + b)
    entropy = -(mean * math.log(mean) + (1 - mean) * math.log(1 - mean))
    expected = float(digamma(a + b + 1) - mean * digamma(a + 1) - (1 - mean) * digamma(b + 1))
    return max(entropy - expected, 0.0) / math.log(2)


def _like(alert: Incident) -> tuple[str, str, str]:
    return alert.policy.partition("@")[0], alert.rule, alert.hypothesis


def _asked(alert: Incident, known: tuple[int, int], levels: Mapping[tuple[str, Severity], float]) -> Asked:
    true, false = known
    bits = gain(true, false)
    near = _near(alert, levels.get((alert.asset, alert.severity)))
    return Asked(alert, bits * (1 + near) * (1 + alert.worst.rank), bits, near, true, false)


def _near(alert: Incident, level: float | None) -> float:
    if alert.mode != "model" or alert.score is None or alert.score <= 0:
        return 0.0
    return 1.0 if level is None or level <= 0 else float(2 ** -abs(math.log2(alert.score / level)))
