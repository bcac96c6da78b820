"""One plain sentence, with the details folded away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from diffstudio.gui.kit.words import tr


def show_error(parent: QWidget | None, sentence: str, details: str = "") -> QMessageBox:
    """Show what went wrong; the window lives on."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("DiffStudio")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(_capital(sentence))
    if details:
        box.setDetailedText(details)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box


def _capital(sentence: str) -> str:
    """With a capital letter, unless it begins with the name of a file."""
    first = sentence.split(" ", 1)[0]
    return sentence if "." in first or "/" in first else sentence[:1].upper() + sentence[1:]


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
