"""The numeric platform: one instruction set for every machine, so that the same input gives the same bits.

numpy and numba choose their kernels by what the processor offers, and kernels of different width round differently in
the last bit. `pin()` limits both to the baseline of x86-64-v2 and one thread; it must run before either is imported,
which is why `foreshock/__init__.py` calls it first.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path

# The names numpy 2.4 dispatches on; names it does not know (other architectures) are ignored by it with a warning.
_X86_DISPATCH = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
_NUMBA_CPU = "x86-64-v2"


def pin() -> None:
    """Set the environment that numpy, numba and BLAS read once when they are imported. What the user set, stays."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if platform.machine() in {"x86_64", "AMD64"} and "numpy" not in sys.modules:
        os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", _X86_DISPATCH)
    if platform.machine() in {"x86_64", "AMD64"} and "numba" not in sys.modules:
        os.environ.setdefault("NUMBA_CPU_NAME", _NUMBA_CPU)
        os.environ.setdefault("NUMBA_CPU_FEATURES", "")
    if "numba" not in sys.modules:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(_kernel_cache()))


def _kernel_cache() -> Path:
    """Folder of compiled kernels, one for each state of the sources they are made from.

    numba looks only at the file of a function to see whether a cached kernel is stale; ours call each other and take
    constants across files, so a change in one would go unnoticed in another. Where the folder cannot be written numba
    falls back to its own places.
    """
    package = Path(__file__).parent
    sources = [p for d in ("features", "detectors") for p in sorted((package / d).rglob("*.py"))]
    stamps = ((p.name, s.st_size, s.st_mtime_ns) for p in sources for s in (p.stat(),))
    digest = hashlib.sha256(repr(tuple(stamps)).encode()).hexdigest()[:16]
    return package / "__pycache__" / f"kernels-{digest}"


def platform_name() -> str:
    """Name what arithmetic depends on: machine, numpy's version and the vector units it really uses.

    Returns
    -------
    str
        For instance ``x86_64/numpy-2.4.6/X86_V2``; a score is bit for bit the same under the same name.
    """
    import numpy as np

    found = np.show_config(mode="dicts")["SIMD Extensions"]
    units = "+".join([*found.get("baseline", []), *found.get("found", [])])
    return f"{platform.machine()}/numpy-{np.__version__}/{units}"
