"""What a process that reads strangers' files may take, and how it ends with whom it works for."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

ORPHANED = 1  # exit code of a process whose parent is gone


def used_memory() -> int:
    """Bytes of addresses that this process uses, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def limit_memory(more: int) -> None:
    """Let this process have only so many bytes more than it has now, where the system can do that."""
    used = used_memory()
    if not used:
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + more
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def end_with_parent(folder: Path) -> None:
    """End this process, and remove its folder, when its standard input ends, as it does when the parent is killed."""

    def watch() -> None:
        while os.read(0, 1024):  # not by sys.stdin, whose lock would be asked for when the process ends
            pass
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
