"""A row of the list of runs: thumbnail, what it is, when and how it was made, its state and its star."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from diffstudio.gui.kit.painted import painted_part
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.panels.models.row import STAR, paint_back, paint_line, paint_star
from diffstudio.gui.panels.runs.model import ROW, Row
from diffstudio.gui.panels.runs.words import detail_line, state_word, title_line

HEIGHT = 44
SIDE = 36  # of the thumbnail
LEFT = SIDE + 14


class RunRow(QStyledItemDelegate):
    """Paints a row; of one that is not there yet only its place."""

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, HEIGHT)

    @painted_part
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        t = self.tokens
        row: Row | None = index.data(ROW)
        rect: QRect = option.rect.adjusted(0, 1, 0, -1)  # pyright: ignore[reportAttributeAccessIssue]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_back(painter, rect, option.state, t)  # pyright: ignore[reportAttributeAccessIssue]
        frame = QRect(rect.left() + 6, rect.top() + (rect.height() - SIDE) // 2, SIDE, SIDE)
        painter.fillRect(frame, QColor("#0b0c0e"))
        if row is None:
            return
        if row.picture is not None and row.pixmap is None:
            row.pixmap = QPixmap.fromImage(row.picture)
        if row.pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(frame, row.pixmap)
        font = QFont(option.font)  # pyright: ignore[reportAttributeAccessIssue]
        text = rect.adjusted(LEFT, 3, -6, -3)
        half = text.height() // 2
        if row.run.star:
            paint_star(painter, rect, t)
        bold = QFont(font)
        bold.setBold(True)
        upper = QRect(text.left(), text.top(), text.width() - (STAR if row.run.star else 0), half)
        paint_line(painter, upper, bold, title_line(row.run), t.text, Qt.TextElideMode.ElideRight)
        self._paint_details(painter, QRect(text.left(), text.top() + half, text.width(), half), font, row)

    def _paint_details(self, painter: QPainter, line: QRect, font: QFont, row: Row) -> None:
        t, small = self.tokens, QFont(font)
        small.setPixelSize(11)
        word = state_word(row.run, row.missing)
        if word:
            wrong = row.run.state == "failed" or (word != "" and row.missing and row.run.records > 0)
            colour = t.playhead if wrong else t.lane_a if row.run.state == "running" else t.lane_b
            paint_line(painter, line, small, word, colour, Qt.TextElideMode.ElideRight)
            line = line.adjusted(QFontMetrics(small).horizontalAdvance(f"{word}  "), 0, 0, 0)
        paint_line(painter, line, small, detail_line(row.run), t.text_dim, Qt.TextElideMode.ElideRight)
