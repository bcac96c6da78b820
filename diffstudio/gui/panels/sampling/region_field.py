"""What is drawn anew, in words: a line that says at once why it is no region, and a button to draw one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from diffstudio.gui.kit.words import tr
from diffstudio.modalities import Meaning
from diffstudio.modalities.region import MAX_REGION, inside, parse_region


class RegionField(QWidget):
    """Emits `draw` when one is to be drawn over the data; who answers calls `set_value`."""

    changed = Signal()
    mistakeChanged = Signal()
    draw = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._meaning: Meaning | None = None
        self.edit = QLineEdit()
        self.edit.setMaxLength(MAX_REGION)
        self.drawer = QPushButton(tr("Draw…"))
        self.drawer.setToolTip(tr("Draw the region over the data, with a rectangle or a lasso."))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.drawer)
        self.edit.textChanged.connect(self.mistakeChanged)
        self.edit.editingFinished.connect(self.changed)
        self.drawer.clicked.connect(self.draw)

    def set_meaning(self, meaning: Meaning) -> None:
        """Another model: other axes to speak of."""
        self._meaning = meaning
        example = {
            "image": tr("x 0..13, y 4..9"), "video": tr("frame 3..7"), "audio": tr("0.1..0.25 s, 300..2000 Hz"),
            "points": tr("y   or   x -1..0"), "text": tr("letter 3..9"),
        }  # fmt: skip
        self.edit.setPlaceholderText(example.get(meaning.modality, ""))
        self.drawer.setVisible(meaning.kind.cloud and meaning.shape == (2,))
        self.mistakeChanged.emit()

    def value(self) -> str | None:
        """The region; None of one that is empty or can't be understood."""
        text = self.edit.text().strip()
        return text if text and not self.mistake else None

    def set_value(self, region: str | None) -> None:
        """Show a region."""
        if (region or "") != self.edit.text().strip():
            self.edit.setText(region or "")
            self.changed.emit()

    @property
    def mistake(self) -> str:
        """Why what is typed is no region here, "" if it is one, or nothing."""
        text = self.edit.text().strip()
        if not text or self._meaning is None:
            return ""
        try:
            inside(parse_region(text), self._meaning.kind.axes(self._meaning, None))
        except ValueError as error:
            return str(error)
        return ""

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.edit.setToolTip(text)
