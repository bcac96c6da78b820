"""Which process records a run, told so that anybody can see later whether it still lives."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from pathlib import Path


@cache
def own() -> str:
    """This process: host, number, and when it began, since numbers are used again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_begun(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Whether the process that is named still runs. Of another machine nobody knows: it counts as alive."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    number, begun = rest, owner.rpartition(":")[2]
    if not number.isdecimal():
        return False
    if host != socket.gethostname():
        return True
    return exists(int(number)) and _begun(int(number)) == begun


def exists(number: int) -> bool:
    """Whether there is a process of that number on this machine."""
    if sys.platform == "win32":
        return _exists_on_windows(number)
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True


def _exists_on_windows(number: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32  # pyright: ignore[reportAttributeAccessIssue]
    query, still_active = 0x1000, 259
    handle = kernel.OpenProcess(query, False, number)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active


def _begun(number: int) -> str:
    """When a process began, in the ticks of the kernel; "" where the system does not tell."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except (OSError, ValueError):
        return ""
    return text.rpartition(")")[2].split()[19]
