"""From the command to a window that runs: the log file, the last net for exceptions, the event loop."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer

from diffstudio.gui.app import Studio
from diffstudio.gui.application import make_application
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.interrupt import Interrupt
from diffstudio.gui.work.garbage import held
from diffstudio.interrupts import leave
from diffstudio.scratch import sweep
from diffstudio.studio.engine import Engine

log = logging.getLogger("diffstudio")
PATIENCE = 3.0  # seconds for what is being computed to end, after the window is gone


def run_app(files: list[str] | None = None) -> int:
    """Open the window and run until it is closed; returns the exit code: 0, or 130 after Ctrl+C in the terminal."""
    app = make_application()
    if sys.platform == "win32":
        Engine.warm_up()  # on Windows torch ≥ 2.9 imported after Qt's plugins fails with WinError 1114
    start = contextlib.ExitStack()
    start.enter_context(held())  # until the window is there: nothing of a start is garbage
    studio = Studio()
    _show_exceptions(studio)
    studio.parts.window.show()
    QTimer.singleShot(0, start.close)
    QTimer.singleShot(0, _log_to_file)
    QTimer.singleShot(0, lambda: studio.parts.background.ask("sweep", lambda stop: sweep()))
    if files:
        QTimer.singleShot(0, lambda: studio.commands.filing.open_paths([Path(f) for f in files]))
    studio.patience = PATIENCE
    interrupt = Interrupt(app)  # until now a signal has ended the process, of which nothing was to be kept
    code = app.exec()
    studio.parts.window.close()
    if not studio.shut_down():
        leave(code)  # a library that is still being loaded, a long call of a network: nobody waits for them
    interrupt.close()
    return code


def _log_to_file() -> None:
    import logging.handlers

    import platformdirs

    folder = Path(platformdirs.user_log_dir("diffstudio", appauthor=False))
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(folder / "diffstudio.log", maxBytes=1 << 20, backupCount=2)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)


def _show_exceptions(studio: Studio) -> None:
    """An exception in a slot or a paint: one log entry, one dialog (not one for every repaint), a living window."""
    last: dict[str, float] = {}

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        log.error("unexpected", exc_info=(kind, error, traceback))
        key, now = f"{kind.__name__}: {error}", time.monotonic()
        if now - last.get(key, -60.0) > 30:
            last[key] = now
            sentence = tr("Something went wrong, the window goes on: {}").format(key[:300])
            QTimer.singleShot(0, lambda: show_error(studio.parts.window, sentence))

    sys.excepthook = hook
