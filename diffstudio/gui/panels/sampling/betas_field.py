"""The user's own table of betas: typed, pasted or read from a file, checked while it is typed."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.specs import check_betas

STEPS = 20
FIRST = tuple(round(0.005 + 0.595 * k / (STEPS - 1), 4) for k in range(STEPS))  # ends nearly in noise alone
MOST_SHOWN = 60  # numbers that are still read as a list; of more the ends are named
MAX_LETTERS = 4 << 20


class BetasField(QWidget):
    """ "0.01, 0.02, 0.5" and what is wrong with it.

    The value is the last table that can be used; while the text says another, `problem` is why a run is refused.
    """

    changed = Signal()
    browse = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._betas, self.problem = FIRST, ""
        self.edit, self.choose = QLineEdit(), QToolButton()
        self.edit.setMaxLength(MAX_LETTERS)
        self.choose.setText("…")
        self.choose.setProperty("field", True)
        self.choose.setToolTip(tr("Read the betas from a text file: numbers between spaces, commas or lines."))
        self.choose.setAccessibleName(tr("File of betas"))
        self.note = label("", "dim")
        self.note.setWordWrap(True)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.edit, 1)
        line.addWidget(self.choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.note)
        self._show()
        self.edit.textEdited.connect(self._on_text)
        self.edit.editingFinished.connect(self.changed)
        self.choose.clicked.connect(self.browse)

    def value(self) -> tuple[float, ...]:
        """The betas, from data to noise."""
        return self._betas

    def set_value(self, betas: tuple[float, ...]) -> None:
        """Show a table."""
        if betas != self._betas or self.problem:
            self._betas = betas
            self._show()
            self.changed.emit()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    def _show(self) -> None:
        short = len(self._betas) <= MOST_SHOWN
        self.edit.setText(", ".join(f"{beta:.12g}" for beta in self._betas) if short else "")
        self.edit.setPlaceholderText("" if short else f"{self._betas[0]:g} … {self._betas[-1]:g}")
        self.edit.setCursorPosition(0)
        self._tell("")

    @Slot(str)
    def _on_text(self, text: str) -> None:
        try:
            betas = tuple(float(word) for word in re.split(r"[\s,;]+", text) if word)
        except ValueError:
            self._tell(tr("expected betas, numbers between 0 and 1 with commas between"))
            return
        try:
            check_betas("vp_table", betas)
        except ValueError as problem:
            self._tell(str(problem))
            return
        self._betas = betas
        self._tell("")

    def _tell(self, problem: str) -> None:
        self.problem = problem
        self.note.setText(problem or tr("{} training steps").format(count(len(self._betas))))
