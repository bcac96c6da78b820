"""The one QApplication."""

from __future__ import annotations

import sys

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from diffstudio.gui.kit.fonts import with_hats

TEXT = 12  # pixels


def make_application() -> QApplication:
    """The QApplication, styled; made once."""
    # Shorter slices of the interpreter: the window waits less for the computing thread.
    sys.setswitchinterval(0.001)
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("DiffStudio")
    app.setStyle("Fusion")
    app.setFont(with_hats(_sized(app.font())))
    return app


def _sized(font: QFont) -> QFont:
    out = QFont(font)
    out.setPixelSize(TEXT)
    return out
