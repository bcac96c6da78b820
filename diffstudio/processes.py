"""Which process is meant by a number: the system gives numbers anew, so when it began belongs to it, and where.

A mark is "PID-BEGAN-HOST-BOOT", in letters and digits.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

MARK = re.compile(r"(\d+)-([0-9a-f]+)-([0-9a-f]{8})-([0-9a-f]{8})")


def own_mark() -> str:
    """The mark of this process."""
    return _mark(os.getpid())


@functools.lru_cache(1)  # another after a fork
def _mark(process: int) -> str:
    return f"{process}-{_began(process) or '0'}-{_host()}-{_boot()}"


def is_gone(mark: str) -> bool:
    """Whether the process of a mark has surely ended; one of another machine, or of a strange mark, never has."""
    found = MARK.fullmatch(mark)
    if not found or found[3] != _host():
        return False
    if found[4] != _boot():
        return True  # the machine was started anew
    began = _began(int(found[1]))
    return began is None or (found[2] != "0" and began not in ("0", found[2]))


def _began(process: int) -> str | None:
    """When a process began, as a number in hexadecimal, "0" where it can't be told; None where there is none."""
    if sys.platform == "win32":
        return _began_on_windows(process)
    stat = Path(f"/proc/{process}/stat")
    try:
        # The name of the program, in brackets, may hold anything; the 22nd entry is in ticks since the boot.
        return f"{int(stat.read_bytes().rpartition(b')')[2].split()[19]):x}"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except (OSError, ValueError, IndexError):
        return "0"
    return _began_by_ps(process)


def _began_by_ps(process: int) -> str | None:
    try:
        found = subprocess.run(["ps", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "0"
    said = found.stdout.strip()
    return hashlib.sha256(said.encode()).hexdigest()[:12] if said else None


def _began_on_windows(process: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    limited, still_active = 0x1000, 259
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # pyright: ignore[reportAttributeAccessIssue] - of Windows
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(limited, False, process)
    if not handle:
        return "0" if ctypes.get_last_error() == 5 else None  # pyright: ignore[reportAttributeAccessIssue]
    try:
        code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
        kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
        if code.value != still_active:
            return None
        kernel.GetProcessTimes(wintypes.HANDLE(handle), *map(ctypes.byref, times))
        return f"{times[0].dwHighDateTime:x}{times[0].dwLowDateTime:08x}"
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))


@functools.cache
def _host() -> str:
    """The machine and, where there are such, the room in it that numbers processes for itself."""
    import platform

    try:
        room = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        room = ""
    return _short(f"{platform.node()} {room}")


@functools.cache
def _boot() -> str:
    """This start of the machine, where that can be told: else all are one, and a process is told by when it began."""
    try:
        return _short(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
    except OSError:
        return _short("")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
