"""One point made visible: a ring around it, and its whole path through the chain."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from diffstudio.gui.kit.theme import Tokens

RING, STOP = 6.0, 1.8  # radius in logical pixels: of the ring, of a recorded step


def paint_path(painter: QPainter, positions: np.ndarray, here: int, tokens: Tokens) -> None:
    """The way so far as a full line, what is to come as a thin one, a dot at each recorded step.

    positions: (M, 2) on the screen; those that are not finite are left out. here: which of them is now.
    """
    finite: np.ndarray = np.all(np.isfinite(positions), axis=1)
    places = [QPointF(x, y) for x, y in positions[finite].tolist()]
    passed = int(np.count_nonzero(finite[: here + 1]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_faded(tokens.text, 0.45), 1))
    painter.drawPolyline(QPolygonF(places[max(0, passed - 1) :]))
    painter.setPen(QPen(QColor(tokens.text), 1.5))
    painter.drawPolyline(QPolygonF(places[:passed]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.text))
    for place in places[:passed]:
        painter.drawEllipse(place, STOP, STOP)


def paint_ring(painter: QPainter, at: np.ndarray, tokens: Tokens, *, selected: bool) -> None:
    """The selected point has an accented ring with a rim of paper, the one under the cursor a plain one."""
    if not np.isfinite(at).all():
        return
    place = QPointF(*at)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if selected:
        painter.setPen(QPen(QColor(tokens.bg), 5))
        painter.drawEllipse(place, RING, RING)
    painter.setPen(QPen(QColor(tokens.text), 2 if selected else 1.2))
    painter.drawEllipse(place, RING, RING)


def _faded(name: str, alpha: float) -> QColor:
    out = QColor(name)
    out.setAlphaF(alpha)
    return out
