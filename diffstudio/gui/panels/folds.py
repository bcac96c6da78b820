"""Folds side by side: their headings share a line, and one of them at most is open beneath it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget


class Folds(QWidget):
    """What few runs need, out of the way: a heading with an arrow for each body."""

    clicked = Signal()  # the user opened or closed one

    def __init__(self, bodies: Mapping[str, tuple[str, str, QWidget]], spacing: int) -> None:
        """bodies: name → (title, tip, what is under it)."""
        super().__init__()
        self.buttons: dict[str, QToolButton] = {}
        self._bodies = {name: body for name, (_, _, body) in bodies.items()}
        line = QHBoxLayout()
        line.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(spacing)
        layout.addLayout(line)
        for name, (title, tip, body) in bodies.items():
            button = self.buttons[name] = QToolButton()
            button.setText(title)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setArrowType(Qt.ArrowType.RightArrow)
            button.setProperty("fold", True)
            line.addWidget(button)
            layout.addWidget(body)
            body.hide()
            button.toggled.connect(self._on_toggled)
            button.clicked.connect(self.clicked)
        line.addStretch(1)

    @property
    def open(self) -> str:
        """The name of the one that is open, "" for none."""
        return next((name for name, button in self.buttons.items() if button.isChecked()), "")

    def set_open(self, name: str) -> None:
        """Open one and close the others; "" closes all."""
        for other, button in self.buttons.items():
            button.setChecked(other == name)

    def set_offered(self, name: str, offered: bool) -> None:
        """Whether there is such a fold at all."""
        self.buttons[name].setVisible(offered)
        if not offered:
            self.buttons[name].setChecked(False)

    @Slot(bool)
    def _on_toggled(self, is_open: bool) -> None:
        for name, button in self.buttons.items():
            if button is self.sender():
                button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
                self._bodies[name].setVisible(is_open)
                if is_open:
                    self.set_open(name)
