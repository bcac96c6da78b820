"""A row of the picker: thumbnail, title, subtitle."""

from __future__ import annotations

import base64
import binascii
import functools
import math

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from diffstudio.gui.kit.painted import painted_part
from diffstudio.gui.kit.theme import Tokens

SUBTITLE = Qt.ItemDataRole.UserRole + 1
PICTURE = Qt.ItemDataRole.UserRole + 2
KIND = Qt.ItemDataRole.UserRole + 3  # a key of HEIGHTS
STARRED = Qt.ItemDataRole.UserRole + 4
HEIGHTS = {"group": 24, "model": 38, "checkpoint": 24, "more": 24, "problem": 24}
THUMBNAIL = 30
STAR = 14


class ModelRow(QStyledItemDelegate):
    """Paints a row: thumbnail, title, subtitle."""

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, HEIGHTS[index.data(KIND)])

    @painted_part
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        t, kind = self.tokens, index.data(KIND)
        rect: QRect = option.rect.adjusted(0, 1, 0, -1)  # pyright: ignore[reportAttributeAccessIssue]
        state = option.state  # pyright: ignore[reportAttributeAccessIssue]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if kind in ("model", "checkpoint", "more"):
            paint_back(painter, rect, state, t)
        font = QFont(option.font)  # pyright: ignore[reportAttributeAccessIssue]
        text, subtitle = index.data(Qt.ItemDataRole.DisplayRole), index.data(SUBTITLE) or ""
        if kind == "model":
            if index.data(STARRED):
                paint_star(painter, rect, t)
                rect = rect.adjusted(0, 0, -STAR, 0)
            _paint_model(painter, rect, font, (text, subtitle), thumbnail(index.data(PICTURE) or ""), t)
        elif kind in ("checkpoint", "more"):
            colour = t.text if kind == "checkpoint" else t.text_dim
            paint_line(painter, rect.adjusted(46, 0, -6, 0), font, text, colour)
        else:
            font.setItalic(kind == "problem")
            colour = t.text_dim
            paint_line(painter, rect.adjusted(4, 2 if kind == "group" else 0, -6, 0), font, text, colour)


def paint_back(painter: QPainter, rect: QRect, state: QStyle.StateFlag, t: Tokens) -> None:
    """Behind a row: whether it is selected, has the keyboard, or the mouse is over it."""
    selected = bool(state & QStyle.StateFlag.State_Selected)
    if not (selected or state & QStyle.StateFlag.State_MouseOver):
        return
    focused = selected and state & QStyle.StateFlag.State_HasFocus
    painter.setPen(QPen(QColor(t.lane_a)) if focused else Qt.PenStyle.NoPen)
    painter.setBrush(QColor(t.accent_soft if selected else t.raised))
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)


def _paint_model(
    painter: QPainter, rect: QRect, font: QFont, words: tuple[str, str], picture: QPixmap | None, t: Tokens
) -> None:
    frame = QRect(rect.left() + 6, rect.top() + (rect.height() - THUMBNAIL) // 2, THUMBNAIL, THUMBNAIL)
    painter.fillRect(frame, QColor("#0b0c0e"))
    if picture is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(frame, picture)
    text = rect.adjusted(46, 2, -6, -2)
    bold = QFont(font)
    bold.setBold(True)
    half = text.height() // 2
    paint_line(painter, QRect(text.left(), text.top(), text.width(), half), bold, words[0], t.text)
    small = QFont(font)
    small.setPixelSize(11)
    line = QRect(text.left(), text.top() + half, text.width(), half)
    paint_line(painter, line, small, words[1], t.text_dim, Qt.TextElideMode.ElideRight)


def paint_star(painter: QPainter, rect: QRect, t: Tokens) -> None:
    """In the upper right corner of a row."""
    side = STAR * 0.8
    place = QRectF(rect.right() - STAR - 3, rect.top() + 6, side, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(t.lane_a))
    points = [(0.5 * (0.42 if i % 2 else 1.0), math.pi * (i / 5 - 0.5)) for i in range(10)]
    corners = [place.center() + QPointF(math.cos(at), math.sin(at)) * (side * radius) for radius, at in points]
    painter.drawPolygon(QPolygonF(corners))


@functools.lru_cache(maxsize=512)
def thumbnail(picture: str) -> QPixmap | None:
    """The picture of a card, a PNG in base64; None where there is none or a broken one."""
    pixmap = QPixmap()
    try:
        pixmap.loadFromData(base64.b64decode(picture, validate=True), "PNG")  # pyright: ignore
    except (binascii.Error, ValueError):
        return None
    return None if pixmap.isNull() else pixmap


def paint_line(
    painter: QPainter,
    rect: QRect,
    font: QFont,
    text: str,
    colour: str,
    mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
) -> None:
    """One line of text in its colour. mode: what tells two names apart, a step or a folder, stands at their end."""
    painter.setFont(font)
    painter.setPen(QColor(colour))
    elided = QFontMetrics(font).elidedText(text, mode, rect.width())
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), elided)
