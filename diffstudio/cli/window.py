"""`diffstudio`, with files or without: the window."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

from diffstudio.errors import BadInput
from diffstudio.interrupts import leave_at_once


def run_window(files: Sequence[Path]) -> int:
    """Open the window with these files in it; returns the exit code once it is closed.

    Raises:
        BadInput: there is no screen, or Qt can't be loaded.
    """
    from diffstudio.gui.shell.display import missing_display
    from diffstudio.gui.shell.load_qt import load_qt

    leave_at_once()
    if reason := missing_display():
        raise BadInput(
            f"there is no display: {reason}; `diffstudio tour --out DIR` takes pictures of the window without one, "
            "the commands work without a screen"
        )
    gc.disable()  # nothing of a start is garbage; `run_app` ends this
    try:
        load_qt()
        from diffstudio.gui.startup import run_app
    except ImportError as error:
        raise BadInput(f"the window can't be opened here: {error}") from error
    return run_app([str(path) for path in files])
