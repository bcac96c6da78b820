"""Which sample of the source a run starts from: one that was chosen, or all of them in turn."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from diffstudio.gui.kit.widgets import ElidedLabel
from diffstudio.gui.kit.words import count, tr


class SampleChoice(QWidget):
    """A line that says which; a button that asks for another of a data set, one that takes the choice back."""

    changed = Signal()
    browse = Signal()  # the user wants to choose among the data

    def __init__(self) -> None:
        super().__init__()
        self._index: int | None = None
        self.text = ElidedLabel("", "dim")
        self.choose, self.clear = QPushButton(tr("Choose…")), QPushButton(tr("Any"))
        self.choose.setToolTip(tr("Choose one of the model's own data: pictures, classes, numbers."))
        self.clear.setToolTip(tr("Start from all samples of the source in turn again."))
        for button in (self.choose, self.clear):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.text, 1)
        line.addWidget(self.clear)
        line.addWidget(self.choose)
        self.choose.clicked.connect(self.browse)
        self.clear.clicked.connect(self._on_clear)
        self.show_for("noise")

    def value(self) -> int | None:
        """Its number, the first is 0; None: all in turn."""
        return self._index

    def set_value(self, index: int | None) -> None:
        """Choose one, or None."""
        if index != self._index:
            self._index = index
            self.changed.emit()

    def show_for(self, source: str) -> None:
        """What can be chosen of that source: the rows of `source.ROWS`."""
        chosen = self._index is not None
        self.setVisible(source == "data" or (source != "noise" and chosen))
        self.choose.setVisible(source == "data")
        self.clear.setVisible(chosen)
        if not chosen:
            self.text.setText(tr("one for each seed"))
            return
        said = tr("training sample {}") if source == "data" else tr("its sample {} alone")
        self.text.setText(said.format(count(self._index + 1)))  # pyright: ignore[reportOptionalOperand]

    @Slot()
    def _on_clear(self) -> None:
        self.set_value(None)
