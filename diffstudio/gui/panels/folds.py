"""Folds: their headings share a line, and any number of them are open beneath it, each under its own caption."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import label


class Folds(QWidget):
    """What few runs need, out of the way: a heading with an arrow for each body."""

    opened = Signal(str)  # the user opened one

    def __init__(self, bodies: Mapping[str, tuple[str, str, QWidget]], spacing: int) -> None:
        """bodies: name → (title, tip, what is under it)."""
        super().__init__()
        self.buttons: dict[str, QToolButton] = {}
        self.pages: dict[str, QWidget] = {}
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
            page = self.pages[name] = _page(title, body, spacing)
            layout.addWidget(page)
            page.hide()
            button.toggled.connect(self._on_toggled)
            button.clicked.connect(self._on_clicked)
        line.addStretch(1)

    @property
    def open(self) -> tuple[str, ...]:
        """The names of those that are open."""
        return tuple(name for name in self.state() if not self.buttons[name].isHidden())

    def state(self) -> list[str]:
        """The names of those that are open wherever there are such folds; `set_open` takes them back."""
        return [name for name, button in self.buttons.items() if button.isChecked()]

    def set_open(self, *names: str) -> None:
        """Open these and close the others."""
        for name, button in self.buttons.items():
            button.setChecked(name in names)

    def unfold(self, name: str) -> None:
        """Open one more."""
        self.buttons[name].setChecked(True)

    def set_offered(self, name: str, offered: bool) -> None:
        """Whether there is such a fold at all; one that comes back is as it was."""
        self.buttons[name].setVisible(offered)
        self.pages[name].setVisible(offered and self.buttons[name].isChecked())

    @Slot(bool)
    def _on_toggled(self, is_open: bool) -> None:
        for name, button in self.buttons.items():
            if button is self.sender():
                button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
                self.pages[name].setVisible(is_open and not button.isHidden())

    @Slot(bool)
    def _on_clicked(self, is_open: bool) -> None:
        for name, button in self.buttons.items():
            if button is self.sender() and is_open:
                self.opened.emit(name)


def _page(title: str, body: QWidget, spacing: int) -> QWidget:
    """A body under its caption."""
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    layout.addWidget(label(title.upper(), "heading"))
    layout.addWidget(body)
    return page
