"""The line above the track that says which runs its curves are of, at which step each stands, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.run_marks import run_colour, run_letter, run_pen
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.scene import colour, fonts

SWATCH = 22  # px of line
GAP = 6
HEIGHT_PAD = 6


@dataclass(frozen=True)
class Entry:
    """A run in the legend. place: at which step of how many it stands.  parting: what there is between it and A."""

    mark: int
    name: str
    place: str
    parting: str = ""
    more: str = ""


class EntryButton(QAbstractButton):
    """A run: its line, letter and name, what is between it and the leading one, and its step at the right."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self.entry = Entry(0, "", "")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_entry(self, entry: Entry) -> None:
        """Another run, or the same at another step."""
        if entry == self.entry:
            return
        self.entry = entry
        self.setToolTip("\n".join(filter(None, (entry.name, entry.more))))
        said = (run_letter(entry.mark), entry.name, entry.place, entry.parting)
        self.setAccessibleName(", ".join(filter(None, said)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, QFontMetrics(fonts(self.font())[0]).height() + HEIGHT_PAD)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        label, _ = fonts(self.font())
        metrics, middle = QFontMetrics(label), self.height() / 2
        painter.setFont(label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(run_pen(self.tokens, self.entry.mark, 2.0))
        painter.drawLine(QPointF(2, middle), QPointF(2 + SWATCH, middle))
        left, right = 2 + SWATCH + GAP, self.width() - GAP
        vertically = Qt.AlignmentFlag.AlignVCenter
        place = metrics.horizontalAdvance(self.entry.place)
        painter.setPen(colour(self.tokens.text))
        painter.drawText(QRect(right - place, 0, place, self.height()), vertically, self.entry.place)
        painter.setPen(run_colour(self.tokens, self.entry.mark))
        letter = run_letter(self.entry.mark)
        painter.drawText(QRect(left, 0, SWATCH, self.height()), vertically, letter)
        left += metrics.horizontalAdvance(letter) + GAP
        text = " · ".join(filter(None, (self.entry.parting, self.entry.name)))
        room = max(0, right - place - GAP - left)
        painter.setPen(colour(self.tokens.text_dim))
        painter.drawText(QRect(left, 0, room, self.height()), vertically, metrics.elidedText(text, RIGHT, room))
        if self.hasFocus():
            painter.setPen(colour(self.tokens.lane_a))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


RIGHT = Qt.TextElideMode.ElideRight


class Legend(QWidget):
    """Nothing is shown of one run alone. A click goes to where that run and the leading one part."""

    chosen = Signal(int)  # the mark of a run

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens
        self._buttons: list[EntryButton] = []
        self.setAccessibleName(tr("The runs that are compared"))
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(12)
        self.setVisible(False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is said."""
        return tuple(button.entry for button in self._buttons)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Other runs, or the same at other steps."""
        while len(self._buttons) > len(entries):
            gone = self._buttons.pop()
            self._line.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self._buttons) < len(entries):
            button = EntryButton(self._tokens)
            button.clicked.connect(self._on_clicked)
            self._buttons.append(button)
            self._line.addWidget(button, 1)
        for button, entry in zip(self._buttons, entries, strict=True):
            button.show_entry(entry)
        self.setVisible(bool(entries))

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in another theme's colours."""
        self._tokens = tokens
        for button in self._buttons:
            button.tokens = tokens
            button.update()

    @Slot()
    def _on_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, EntryButton):
            self.chosen.emit(button.entry.mark)
