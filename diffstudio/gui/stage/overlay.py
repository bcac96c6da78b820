"""What lies over the canvas: the empty page before any run, and a quiet word while something is under way."""

from __future__ import annotations

import functools
import math
import random

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens

STAGES, SIDE, GAP = 5, 56.0, 14.0


class EmptyPage(QWidget):
    """A sentence that says what to do next, under a small picture of what will come: a ring out of noise."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens
        self._text = ""

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def set_text(self, text: str) -> None:
        """Say something else."""
        self._text = text
        self.setAccessibleName(text)
        self.update()

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.fillRect(self.rect(), QColor(self.tokens.bg))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = STAGES * SIDE + (STAGES - 1) * GAP
        left, top = (self.width() - width) / 2, self.height() / 2 - SIDE - 12
        painter.setPen(Qt.PenStyle.NoPen)
        for stage in range(STAGES):
            share = stage / (STAGES - 1)
            box = QRectF(left + stage * (SIDE + GAP), top, SIDE, SIDE)
            painter.setBrush(QColor(self.tokens.surface))
            painter.drawRoundedRect(box, 4, 4)
            ink = QColor(self.tokens.lane_a if stage == STAGES - 1 else self.tokens.disabled)
            painter.setBrush(ink)
            for x, y in _ring(share):
                painter.drawEllipse(box.center() + QPointF(x, y) * SIDE * 0.36, 1.3, 1.3)
        font = QFont(self.font())
        font.setPixelSize(13)
        painter.setFont(font)
        painter.setPen(QColor(self.tokens.text_dim))
        box = QRectF(24, top + SIDE + 20, self.width() - 48, 80)
        across = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(box, int(across), self._text)


class Busy(QLabel):
    """A word at the upper edge of the canvas; nothing moves, so that nothing runs."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str | None) -> None:
        """Show a text, or nothing."""
        self.setText(text or "")
        self.setAccessibleName(text or "")
        self.setVisible(bool(text))
        self.adjustSize()

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self.setStyleSheet(
            f"QLabel {{ background: {tokens.raised}; color: {tokens.text}; border: 1px solid {tokens.border};"
            " border-radius: 10px; padding: 3px 12px; }"
        )


@functools.cache
def _ring(share: float) -> list[tuple[float, float]]:
    """Points between noise (0) and a ring (1), inside of the unit square."""
    rng, points = random.Random(4), []
    for i in range(40):
        angle = 2 * math.pi * i / 40
        noise = rng.uniform(-1.1, 1.1), rng.uniform(-1.1, 1.1)
        ring = 0.95 * math.cos(angle), 0.95 * math.sin(angle)
        points.append((share * ring[0] + (1 - share) * noise[0], share * ring[1] + (1 - share) * noise[1]))
    return points
