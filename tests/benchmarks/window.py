"""One real window for a benchmark, with its settings and runs in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from diffstudio.gui.shell.load_qt import load_qt

load_qt()  # before anything else of Qt, as the command does

from PySide6.QtCore import QEventLoop, QObject, QTimer, SignalInstance  # noqa: E402

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from diffstudio.gui.app import Studio  # noqa: E402
from diffstudio.gui.application import make_application  # noqa: E402


@contextlib.contextmanager
def open_window() -> Iterator[Studio]:
    """A window of 1440×900 as a user sees it first, without the warm-up of torch."""
    app = make_application()
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder) / "settings.json", Path(folder) / "runs", warm_up=False)
        try:
            studio.parts.window.resize(1440, 900)
            studio.parts.window.show()
            while not studio.parts.inspect.pages:  # they come after the first paint
                wait(100)
            wait(300)
            yield studio
        finally:
            studio.parts.window.close()
            studio.shut_down()
            app.processEvents()


def wait(milliseconds: int) -> None:
    """Let the window live for so long."""
    # Not QTest.qWait: it holds the interpreter while it sleeps, and the computing thread starves.
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def until(signal: SignalInstance, limit: int = 300_000) -> None:
    """Let the window live until the signal comes; TimeoutError after so many milliseconds."""
    loop, guard = QEventLoop(), QObject()
    came: list[bool] = []

    def end(*_: object) -> None:
        came.append(True)
        loop.quit()

    connection = signal.connect(end)
    QTimer.singleShot(limit, guard, loop.quit)
    loop.exec()
    signal.disconnect(connection)
    if not came:
        raise TimeoutError(f"no answer within {limit / 1000:.0f} s")
