"""How much room there is: free disk and free memory, asked before a run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from diffstudio.errors import NoRoom
from diffstudio.scratch import is_temporary
from diffstudio.user_files import exists

AGES = 3.0  # seconds after which an answer is old
_RESERVE = 64 << 20  # left free on the disk for everybody else


def free_disk(folder: Path) -> int:
    """Bytes free on the disk of that folder (or of its nearest parent that exists)."""
    while not exists(folder) and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def free_memory() -> int | None:
    """Bytes of memory that can be used without swapping; None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


class FreeMemory:
    """`free_memory`, asked anew no more often than every few seconds: a slider asks thirty times in one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked = -AGES
        self._found: int | None = None

    def __call__(self) -> int | None:
        """Bytes."""
        if self._clock() - self._asked >= AGES:
            self._asked, self._found = self._clock(), free_memory()
        return self._found


def size(count: float) -> str:
    """Bytes for people: 4.5 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def check_room(
    trace_bytes: int, memory_bytes: int, folder: Path, budget_bytes: int, half_bytes: int | None = None
) -> None:
    """Refuse a run that would not fit. half_bytes: of memory, what it would need in half precision.

    Raises:
        NoRoom: the trace is over the budget or the free disk, or the run needs more memory than is free.
    """
    if trace_bytes > budget_bytes:
        raise NoRoom(
            f"the trace would take {size(trace_bytes)}, the budget is {size(budget_bytes)}: record every k-th step, "
            "use half precision, fewer samples or fewer steps, or raise the budget"
        )
    free = free_disk(folder)
    if trace_bytes + _RESERVE > free:
        place = folder.parent if is_temporary(folder) else folder  # as the user knows it
        raise NoRoom(
            f"the trace would take {size(trace_bytes)}, but {place} has only {size(free)} free, and {size(_RESERVE)} "
            "must stay free there: make room, record every k-th step or draw fewer samples"
        )
    memory = free_memory()
    if memory is not None and memory_bytes > memory:
        sentence = f"the run needs about {size(memory_bytes)} of memory, but only {size(memory)} is free"
        if half_bytes is not None and half_bytes <= memory:
            raise NoRoom(f"{sentence}: run it in half precision, which needs about {size(half_bytes)}", half=True)
        raise NoRoom(sentence)
