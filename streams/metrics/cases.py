"""The metrics of `foreshock cases`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from foreshock.streams.metrics.surface import Surface


def watch(surface: Surface, told: Callable[[], Mapping[str, int]]) -> None:
    """Look at the case writer every few seconds.

    Parameters
    ----------
    surface
        Shows it.
    told
        Counts parts `written`, `windows` that are open, and the `lag`; called from another thread.
    """
    values = surface.values

    def look() -> None:
        found = told()
        values.put("foreshock_case_parts_total", float(found["written"]))
        values.put("foreshock_case_windows", float(found["windows"]))
        values.put("foreshock_case_lag_records", float(found["lag"]))

    surface.watch([look])
