"""Questions before something happens: a run over the budget, settings found in a picture, a preset's name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import size, tr


class Question(QDialog):
    """A sentence, a body, two buttons; `answered` comes once, with True or False."""

    answered = Signal(bool)

    def __init__(self, parent: QWidget, title: str, sentence: str, yes: str, body: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = label(sentence)
        text.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(yes)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._on_finished)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(12)
        layout.addWidget(text)
        if body is not None:
            layout.addWidget(body)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(420)

    @Slot(int)
    def _on_finished(self, code: int) -> None:
        self.answered.emit(code == QDialog.DialogCode.Accepted)


class RoomQuestion(Question):
    """A run has no room in memory: in half precision, or on another device; one button for each that would do."""

    def __init__(self, parent: QWidget, sentence: str, device: str, half: bool) -> None:
        elsewhere = tr("Run on {}").format(device.upper())
        super().__init__(parent, tr("Not enough memory"), sentence, tr("Run in half precision") if half else elsewhere)
        self.half = half
        self.elsewhere = None
        if half and device:
            self.elsewhere = self.buttons.addButton(elsewhere, QDialogButtonBox.ButtonRole.ActionRole)
            self.elsewhere.clicked.connect(self._on_elsewhere)

    @Slot()
    def _on_elsewhere(self) -> None:
        self.half = False
        self.accept()


class BudgetQuestion(Question):
    """A run would record more than the budget: every k-th step, half precision, or all of it."""

    def __init__(self, parent: QWidget, total: int, budget: int, steps: int) -> None:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        self._group = QButtonGroup(body)
        self._choices: list[dict[str, object]] = []
        every = max(2, -(-total // max(1, budget)))
        rows: list[tuple[str, dict[str, object]]] = []
        if every < steps:
            part = tr("Record every {}-th step ({})").format(every, size(total / every))
            rows.append((part, {"trace_every": every}))
        if total / 2 <= budget:
            rows.append((tr("Record in half precision ({})").format(size(total / 2)), {"trace_dtype": "float16"}))
        rows.append((tr("Record everything this once ({})").format(size(total)), {}))
        for i, (text, change) in enumerate(rows):
            button = QRadioButton(text)
            button.setChecked(i == 0)
            self._group.addButton(button, i)
            self._choices.append(change)
            layout.addWidget(button)
        sentence = tr("This run would record {}; the budget is {}.").format(size(total), size(budget))
        super().__init__(parent, tr("Trace budget"), sentence, tr("Generate"), body)

    @property
    def change(self) -> dict[str, object]:
        """What changes in the request; empty: the budget is raised for this run."""
        return self._choices[self._group.checkedId()]


class RestoreQuestion(Question):
    """Settings were found in a picture: what would change, from → to."""

    def __init__(self, parent: QWidget, name: str, changes: Sequence[tuple[str, str, str]], note: str = "") -> None:
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setColumnStretch(3, 1)
        for i, (field, before, after) in enumerate(changes[:30]):
            grid.addWidget(label(field, "dim"), i, 0)
            grid.addWidget(label(before, "dim"), i, 1)
            grid.addWidget(label("→", "dim"), i, 2)
            grid.addWidget(label(after), i, 3)
        sentence = (
            tr("{} was made with other settings. Restore them?")
            if changes
            else tr("{} was made with the settings that are set now.")
        ).format(name)
        super().__init__(parent, tr("Restore settings"), sentence + (f"\n{note}" if note else ""), tr("Restore"), body)
