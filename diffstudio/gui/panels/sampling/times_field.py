"""The user's own list of times: a line of numbers, checked while it is typed."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.fields import Combo, NumberField
from diffstudio.specs import grid_problem

FIRST = tuple(1 - i / 10 for i in range(11))  # what stands there where nothing else suits
MOST_PREFILLED = 50  # steps that are still read as a list


class TimesField(QWidget):
    """ "1, 0.8, 0.5, 0" and what is wrong with it. A list that can't be read is an empty one, which is refused."""

    changed = Signal()

    def __init__(self, grid: Combo, steps: NumberField) -> None:
        """grid: prefills the list when "custom" is first chosen there, of so many `steps`."""
        super().__init__()
        self._grid, self._steps = grid, steps
        self.edit = QLineEdit()
        self.note = label("", "dim")
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.edit)
        layout.addWidget(self.note)
        self.edit.textChanged.connect(self._on_text)
        self.edit.editingFinished.connect(self.changed)
        self.set_value(FIRST)
        self._own = False  # whether the list is the user's, or what we put there
        grid.changed.connect(self._on_grid)

    def value(self) -> tuple[float, ...]:
        """The times, () where the text is no list of numbers."""
        return parse_times(self.edit.text()) or ()

    def set_value(self, times: tuple[float, ...]) -> None:
        """Show a list."""
        self._own = True
        if times != self.value():
            self.edit.setText(", ".join(_shortest(t) for t in times))
            self.edit.setCursorPosition(0)
            self.changed.emit()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    @Slot(str)
    def _on_text(self, text: str) -> None:
        times = parse_times(text)
        self._own = True
        if times is None:
            problem = tr("expected numbers from 1 to 0, with commas between")
        else:
            problem = grid_problem("custom", "", None, times=times)
        self.note.setText(problem or tr("{} steps").format(count(len(times or ()) - 1)))

    @Slot()
    def _on_grid(self) -> None:
        steps = int(self._steps.value())
        if self._grid.value() == "custom" and not self._own and steps <= MOST_PREFILLED:
            self.set_value(tuple(round(1 - i / steps, 4) for i in range(steps + 1)))


def parse_times(text: str) -> tuple[float, ...] | None:
    """Numbers between commas, semicolons or spaces; None if one of them is none."""
    try:
        times = tuple(float(word) for word in re.split(r"[\s,;]+", text.strip(" ,;\t\n")))
    except ValueError:
        return None
    return times if all(math.isfinite(t) for t in times) else None


def _shortest(t: float) -> str:
    """1 for 1.0, else every digit that the number needs."""
    return str(int(t)) if t == int(t) else repr(t)
