"""A row of a panel: what it is called, its field, and a way back to the default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from diffstudio.gui import icons
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import label
from diffstudio.gui.words import tr

LINE = 24  # height of a field of one line; the heading of a taller field stands beside its first line
RESET = 20


class Row(QWidget):
    """Heading, field, reset. The field is any widget with `value`, `set_value` and the signal `changed`."""

    resetWanted = Signal()

    def __init__(self, title: str, field: QWidget, tip: str = "") -> None:
        super().__init__()
        self.field: Any = field
        self.heading, self.reset = label(title), QToolButton()
        self.heading.setBuddy(field)
        self.heading.setMinimumHeight(LINE)
        field.setAccessibleName(title)
        self.set_tip(tip)
        self.reset.setProperty("flat", True)
        self.reset.setProperty("bare", True)
        self.reset.setToolTip(tr("Back to the default."))
        self.reset.setAccessibleName(tr("Reset {}").format(title))
        self.reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.setFixedSize(RESET, RESET)
        kept = self.reset.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the field keeps its width when the button appears
        self.reset.setSizePolicy(kept)
        self.reset.hide()
        self.reset.clicked.connect(self.resetWanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(field, 1)
        layout.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignTop)

    def set_tip(self, tip: str) -> None:
        """One sentence, on the heading too."""
        if tip:
            self.field.setToolTip(tip)
            self.heading.setToolTip(tip)

    def show_reset(self, differs: bool) -> None:
        """Offer the way back where the field differs from its default."""
        self.reset.setVisible(differs)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icon in other colours."""
        self.reset.setIcon(icons.icon("reset", tokens, tokens.text_dim))


def heading_width(rows: Iterable[Row]) -> int:
    """The widest heading."""
    return max((row.heading.sizeHint().width() for row in rows), default=0)


def align(rows: Iterable[Row], width: int) -> None:
    """Let the fields of all rows begin at the same place."""
    for row in rows:
        row.heading.setMinimumWidth(width)
