"""Rows of tags through the SCALAR set: what the tests of its parts share."""

import numpy as np

from foreshock.features import masks
from foreshock.features.scalar import declared, describe, fold
from foreshock.features.scalar.state import create

MINUTE_NS = 60_000_000_000
T0_NS = 1_700_006_400 * 1_000_000_000  # midnight in UTC, a Wednesday


def rows_of(times_s, columns, run=None, speed=None, load=None):
    """Rows of one measuring point; times in seconds after midnight."""
    n = len(times_s)
    at_ns = T0_NS + np.round(np.asarray(times_s, float) * 1e9).astype(np.int64)
    nan = np.full(n, np.nan)
    return fold.Rows(
        slot=np.zeros(n, np.int64),
        at_ns=at_ns,
        offset=np.arange(n),
        row=np.zeros(n, np.int64),
        x=np.ascontiguousarray(np.column_stack([np.asarray(c, float) for c in columns])),
        run=np.full(n, fold.RUNNING) if run is None else np.asarray(run, np.int64),
        speed=nan if speed is None else np.ascontiguousarray(speed, float),
        load=nan if load is None else np.ascontiguousarray(load, float),
        stated=np.ones(n, np.uint8),
    )


def vectors(rows, every_s=60.0):
    """All vectors that come of some rows: dicts of value, or of the reason why there is none, by name; and when."""
    names, _ = declared.columns(tuple("abcdefghijklmnopqrstuvwxyz"[: rows.x.shape[1]]))
    state, found, i, last = create(1, rows.x.shape[1]), [], 0, len(rows.at_ns)
    while i < last:
        i, included = fold.fold(state, rows, round(every_s * 1e9), i, last)
        if i < last:
            made = describe.describe(state, 0, round(every_s * 1e9))
            words = masks.words(made.masks.tobytes())
            vector = dict(zip(names, (w or v for v, w in zip(made.values.tolist(), words, strict=True)), strict=True))
            found.append({**vector, "from": int(state.began_ns[0]) - T0_NS, "until": int(state.last_ns[0]) - T0_NS})
            describe.close(state, 0)
            i += included
    return found
