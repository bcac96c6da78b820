"""One plain sentence, with the details folded away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from diffstudio.gui.words import tr


def show_error(parent: QWidget | None, sentence: str, details: str = "") -> QMessageBox:
    """Show what went wrong; the window lives on."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("DiffStudio")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(sentence[:1].upper() + sentence[1:])
    if details:
        box.setDetailedText(details)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box


def show_about(parent: QWidget, version: str, lines: list[str]) -> QMessageBox:
    """Version, licence, credits."""
    box = QMessageBox(parent)
    box.setWindowTitle(tr("About DiffStudio"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"DiffStudio {version}")
    box.setInformativeText("\n".join(lines))
    box.setIconPixmap(parent.windowIcon().pixmap(64, 64))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
