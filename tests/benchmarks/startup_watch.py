"""The other side of `startup.py`: a Studio that writes down when its window answers and when a batch is on it."""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent

from diffstudio.gui.app import Studio


class Watched(Studio):
    """Presses a key once the window is painted, then Generate, and closes the window when the batch is painted."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.times: dict[str, float] = {}
        self._painted = False
        self.parts.window.installEventFilter(self)
        self.parts.models.search.textEdited.connect(self._on_typed)
        self.parts.runs.ended.connect(self._on_batch)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_D, Qt.KeyboardModifier.NoModifier, "d")
            QCoreApplication.postEvent(self.parts.models.search, press)
        return False

    def _on_typed(self, text: str) -> None:
        self.times["window"] = time.time()
        assert "torch" not in sys.modules, "the window waited for torch"
        self.commands.run("generate")

    def _on_batch(self, ended: object) -> None:
        self.parts.window.repaint()
        self.times["batch"] = time.time()
        trace = self.parts.runs.trace
        assert trace is not None and trace.complete, ended
        print(json.dumps(self.times), flush=True)
        QTimer.singleShot(0, self.parts.window.close)
