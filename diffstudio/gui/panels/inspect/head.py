"""The first line of the inspector: of what it speaks, all samples or one, and the button that makes it large."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from diffstudio.gui.kit.actions import title, tooltip
from diffstudio.gui.kit.icons import icon
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr

Scope = Literal["batch", "sample", "both"]  # of what a page can speak


class Head(QWidget):
    """A double click on it, or its button, asks for the large form."""

    largeWanted = Signal()
    ofSample = Signal()  # the user has chosen between all samples and the selected one

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._chosen = False  # the selected sample alone, where both are possible
        self.scope = QPushButton()
        self.scope.setProperty("flat", True)
        self.scope.setProperty("small", True)
        self.scope.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.scope.hide()
        self.large = QPushButton()
        self.large.setProperty("flat", True)
        self.large.setProperty("small", True)
        self.large.setIconSize(QSize(14, 14))
        self.large.setAccessibleName(title("inspect_large"))
        self.large.setToolTip(tooltip("inspect_large"))
        for button in (self.scope, self.large):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label(tr("INSPECT"), "heading"))
        layout.addWidget(self.scope, 1)
        layout.addWidget(self.large)
        self.setToolTip(tr("Double click: as large as the canvas, and back."))
        self.scope.clicked.connect(self._on_scope)
        self.large.clicked.connect(self.largeWanted)
        self.apply_theme(tokens)

    def choose(self, alone: bool) -> None:
        """The selected sample, or all, where both are possible."""
        self._chosen = alone

    def is_of_sample(self, scope: Scope) -> bool:
        """Whether a page that can speak of that speaks of the selected sample."""
        return scope == "sample" or (scope == "both" and self._chosen)

    def show_scope(self, scope: Scope, sample: int, batch: int) -> None:
        """Say of what the page speaks; of a page that can do both the words are a switch."""
        one = tr("sample {} of {}").format(count(sample + 1), count(batch))
        every = tr("all {} samples").format(count(batch))
        self.scope.setText(one if self.is_of_sample(scope) else every)
        self.scope.setVisible(True)
        self.scope.setEnabled(scope == "both" and batch > 1)
        tips = {
            "both": tr("Speak of all samples, or of the selected one."),
            "sample": tr("This page speaks of the selected sample."),
            "batch": tr("This page speaks of all samples."),
        }
        self.scope.setToolTip(tips[scope])
        self.scope.setAccessibleName(tr("Of what the inspector speaks: {}").format(self.scope.text()))

    def apply_theme(self, tokens: Tokens) -> None:
        """The icon in other colours."""
        self.large.setIcon(icon("enlarge", tokens))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.largeWanted.emit()

    @Slot()
    def _on_scope(self) -> None:
        self._chosen = not self._chosen
        self.ofSample.emit()
