"""What a process says of itself: CPU, memory, files, garbage collector."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from pathlib import Path

from foreshock.streams.metrics.values import Values

_PAGE = resource.getpagesize()
_STARTED_S = time.time()
_FILES = Path("/proc/self/fd")
_MEMORY = Path("/proc/self/statm")


def cpu_s() -> float:
    """Give the user and system CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes() -> float:
    """Give the resident memory; 0 where the system does not say."""
    try:
        return float(_MEMORY.read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0.0


def account(values: Values) -> Callable[[], None]:
    """Give what brings the metrics of the process up to date."""
    values.put("process_start_time_seconds", _STARTED_S)
    values.put("process_max_fds", float(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))

    def look() -> None:
        values.put("process_cpu_seconds_total", cpu_s())
        values.put("process_resident_memory_bytes", memory_bytes())
        values.put("process_open_fds", float(sum(1 for _ in _FILES.iterdir()) if _FILES.is_dir() else 0))
        for number, told in enumerate(gc.get_stats()):
            values.put("python_gc_collections_total", float(told["collections"]), (str(number),))
            values.put("python_gc_objects_collected_total", float(told["collected"]), (str(number),))

    return look
