"""The numbers at the playhead, at the right of the transport row."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.reading import Reading, chain_name
from diffstudio.gui.timeline.scene import tabular

GAP = 12  # px between numbers
KEY_GAP = 4  # between a number's name and its value


class Readout(QWidget):
    """Paints itself: labels would lay out the whole row anew at every step.

    A column is as wide as the widest text it had since `clear`. Where there is no room for all, the columns on the
    right of DROP's order go first.
    """

    DROP = (0, 5, 3, 4, 2)  # chain name, NFE, σ, log-SNR, t; the position always stays

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._reading: Reading | None = None
        self._widths: list[int] = []
        self._key = ""
        self._fonts = self.font(), self.font()  # plain, bold: both tabular
        self._metrics = QFontMetrics(self._fonts[0]), QFontMetrics(self._fonts[1])
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Numbers at the playhead"))

    def set_tokens(self, tokens: Tokens) -> None:
        """Colours of another theme."""
        self._tokens = tokens
        self.update()

    def clear(self) -> None:
        """No record, or another trace."""
        self._reading, self._widths = None, []
        self.update()

    def show_reading(self, reading: Reading) -> None:
        """Show a record's numbers."""
        if reading != self._reading:
            self._reading = reading
            self.update()

    def text(self) -> str:
        """Everything it knows, in one line."""
        return "  ".join(f"{name} {value}".strip() for name, value in self._columns())

    def sizeHint(self) -> QSize:
        return QSize(self.wanted_width(), self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:
        self._find_fonts()
        return QSize(self._metrics[1].horizontalAdvance("1,000 / 1,000"), self.fontMetrics().height() + 6)

    def wanted_width(self) -> int:
        """Room for all columns of the present reading."""
        widths = self._measure()
        return sum(widths) + GAP * max(0, len(widths) - 1) + 2

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        if self._reading is None:
            return
        widths = self._measure()
        (plain, bold), (metrics, _) = self._fonts, self._metrics
        x = self.width()
        for column, (name, value) in reversed([c for c in enumerate(self._columns()) if c[0] in self._fitting(widths)]):
            x -= widths[column]
            place = QRect(x, 0, widths[column], self.height())
            strong = column == 1
            painter.setFont(bold if strong else plain)
            painter.setPen(QColor(self._tokens.text if strong else self._tokens.text_dim))
            align = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, align | Qt.AlignmentFlag.AlignLeft, name)
            if value:
                start = metrics.horizontalAdvance(name) + KEY_GAP if name else 0
                side = Qt.AlignmentFlag.AlignRight if strong else Qt.AlignmentFlag.AlignLeft
                painter.drawText(place.adjusted(start, 0, 0, 0), align | side, value)
            x -= GAP

    def _fitting(self, widths: list[int]) -> set[int]:
        shown = set(range(len(widths)))
        for column in self.DROP:
            if sum(widths[i] + GAP for i in shown) - GAP <= self.width():
                break
            shown.discard(column)
        return shown

    def _columns(self) -> list[tuple[str, str]]:
        if self._reading is None:
            return []
        return [(chain_name(self._reading.chain), ""), ("", self._reading.position), *self._reading.fields]

    def _measure(self) -> list[int]:
        self._find_fonts()
        plain, bold = self._metrics
        columns = self._columns()
        self._widths += [0] * (len(columns) - len(self._widths))
        for i, (name, value) in enumerate(columns):
            gap = KEY_GAP if name and value else 0
            metrics = bold if i == 1 else plain
            needed = metrics.horizontalAdvance(value) + plain.horizontalAdvance(name) + gap
            self._widths[i] = max(self._widths[i], needed)
        return self._widths[: len(columns)]

    def _find_fonts(self) -> None:
        """Anew only when the widget's own font has changed."""
        key = self.font().key()
        if key != self._key:
            plain, bold = tabular(self.font()), tabular(self.font())
            bold.setWeight(QFont.Weight.DemiBold)
            self._key, self._widths = key, []
            self._fonts, self._metrics = (plain, bold), (QFontMetrics(plain), QFontMetrics(bold))
