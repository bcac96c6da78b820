"""What is done before torch is imported, so that neither its import nor its threads hold the window up."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

# In torch's own order: first what all of it shares, then the large one. (RTLD_GLOBAL as torch itself has it.)
LIBRARIES = (("libtorch_global_deps.so", True), ("libtorch_cpu.so", False))


def wait_briefly() -> None:
    """Let torch's threads wait for each other for 0.1 ms, then sleep.

    libgomp reads this once. Left alone it spins for 10 ms, which takes the core from the thread that it waits for: with
    one busy neighbour on two cores, the window's painting for instance, sampling took three times as long.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")


def load_libraries() -> None:
    """Load torch's shared libraries without the interpreter's lock; torch's import then finds them loaded.

    The import would hold the lock for all the third of a second that the loader takes, and stop the window. A call
    through ctypes does not. Only where that is known to be so, on Linux; what can't be loaded is left to torch.
    """
    spec = importlib.util.find_spec("torch")
    if not sys.platform.startswith("linux") or "torch" in sys.modules or spec is None or spec.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.restype, load.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for name, shared in LIBRARIES:
        path = Path(spec.origin).parent / "lib" / name
        if path.is_file():
            load(os.fsencode(path), os.RTLD_NOW | (os.RTLD_GLOBAL if shared else os.RTLD_LOCAL))
