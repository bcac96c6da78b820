"""Painting of texts: letters, masks, guesses, what changed, and what the view's options add."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetricsF, QPainter, QPen

from diffstudio.gui.fonts import monospace
from diffstudio.gui.theme import Tokens
from diffstudio.gui.views.text_layout import TextLayout
from diffstudio.gui.views.text_scene import Sheet, TextScene

MASK, MASK_EDGE, HEAT, CHANGED, DIFFERENCE, UNCHANGED = 0.10, 0.30, 0.55, 0.28, 0.85, 0.4  # opacities
INSET = 0.09  # of a mask's box in its cell, as a share of the cell's height


def paint_texts(painter: QPainter, scene: TextScene, options: Mapping[str, bool]) -> None:
    """The visible samples. options: "ghosts", "entropy", "revealed"."""
    scene.compose()
    if scene.sheet is None or scene.layout is None or scene.spec is None:
        return
    work = _Painting(painter, scene.sheet, scene.layout, scene.tokens, scene.spec.vocabulary)
    for i in range(len(scene.sheet.cells.letters)):
        sample = scene.sheet.first + i
        work.boxes = [
            QRectF(*scene.layout.cell(scene.place(sample), index, 0 if scene.single else scene.scroll))
            for index in range(scene.layout.length)
        ]
        work.grounds(i, scene.signed, options["entropy"])
        work.masks(i)
        work.letters(i, scene.signed, options["ghosts"])
        if options["revealed"] and not scene.signed:
            work.revealed(i)
        if scene.trace is not None and scene.trace.chain(scene.k) == 1:
            work.prompt(scene.prompted)


class _Painting:
    """One sample after the other; boxes: of the present sample's cells."""

    def __init__(
        self, painter: QPainter, sheet: Sheet, layout: TextLayout, tokens: Tokens, vocabulary: tuple[str, ...]
    ) -> None:
        self._painter, self._sheet, self._layout, self._tokens = painter, sheet, layout, tokens
        self._vocabulary = vocabulary
        self._font = monospace(layout.size)
        metrics = QFontMetricsF(self._font)
        self._advance = metrics.horizontalAdvance("n")
        self._down = (layout.high + metrics.ascent() - metrics.descent()) / 2
        self._even = QFontInfo(self._font).fixedPitch() and all(len(token) == 1 for token in vocabulary)
        self._spaced = QFont(self._font)
        self._spaced.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, layout.wide - self._advance)
        self.boxes: list[QRectF] = []

    def grounds(self, i: int, signed: bool, entropy: bool) -> None:
        """What lies under the letters: what changed, and how unsure the network is."""
        colour, most = (self._tokens.lane_a, DIFFERENCE) if signed else (self._tokens.lane_c, CHANGED)
        self._fill(self._sheet.changed[i], colour, most)
        if entropy and not signed:
            self._fill(self._sheet.heat[i], self._tokens.lane_b, HEAT)

    def _fill(self, amounts: np.ndarray, token: str, most: float) -> None:
        for index in np.flatnonzero(amounts > 0.004):
            colour = QColor(token)
            colour.setAlphaF(most * float(amounts[index]))
            self._painter.fillRect(self.boxes[index].adjusted(0.5, 1, -0.5, -1), colour)

    def masks(self, i: int) -> None:
        """A box for each masked cell."""
        masked = np.flatnonzero(self._sheet.cells.masked[i])
        if not len(masked):
            return
        ground, edge = QColor(self._tokens.text), QColor(self._tokens.text)
        ground.setAlphaF(MASK)
        edge.setAlphaF(MASK_EDGE)
        inset = max(1.5, INSET * self._layout.high)
        self._painter.setBrush(ground)
        self._painter.setPen(QPen(edge, 1))
        boxes = [self.boxes[index].adjusted(1.5, inset, -1.5, -inset) for index in masked]
        self._painter.drawRects(boxes)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def letters(self, i: int, signed: bool, ghosts: bool) -> None:
        """Sure letters in ink, a line at a time; guesses in the accent colour, as strong as they are sure."""
        cells = self._sheet.cells
        shown, strength, guessed = cells.letters[i], cells.strength[i], cells.guessed[i]
        if signed:
            strength = np.where(self._sheet.changed[i] > 0, 1.0, UNCHANGED)
            guessed = np.zeros_like(guessed)
        blank = cells.masked[i] & (~guessed | (not ghosts))
        plain = ~blank & ~guessed & (strength > 0.995)
        self._painter.setPen(QColor(self._tokens.text))
        self._lines(shown, plain)
        for index in np.flatnonzero(~blank & ~plain):
            self._painter.setPen(QColor(self._tokens.lane_a if guessed[index] else self._tokens.text))
            self._painter.setOpacity(float(strength[index]))
            self._letter(index, shown[index])
        self._painter.setOpacity(1.0)

    def _lines(self, shown: np.ndarray, where: np.ndarray) -> None:
        if not self._even:
            for index in np.flatnonzero(where):
                self._letter(index, shown[index])
            return
        self._painter.setFont(self._spaced)
        text = "".join(self._vocabulary[n] if w else " " for n, w in zip(shown, where, strict=True))
        for start in range(0, len(text), self._layout.across):
            line = text[start : start + self._layout.across].rstrip()
            if line:
                self._painter.drawText(self._start(start), line)

    def _letter(self, index: int, number: int) -> None:
        token = self._vocabulary[number]
        self._painter.setFont(self._font)
        if len(token) == 1 and self._even:
            self._painter.drawText(self._start(index), token)
            return
        box, wide = self.boxes[index], QFontMetricsF(self._font).horizontalAdvance(token)
        squeeze = min(1.0, (self._layout.wide - 2) / max(1.0, wide))
        self._painter.save()
        self._painter.translate(box.center().x() - squeeze * wide / 2, box.top() + self._down)
        self._painter.scale(squeeze, 1)
        self._painter.drawText(QPointF(0, 0), token)
        self._painter.restore()

    def _start(self, index: int) -> QPointF:
        """Where the letter of a cell begins, on its base line."""
        box = self.boxes[index]
        return QPointF(box.left() + (self._layout.wide - self._advance) / 2, box.top() + self._down)

    def revealed(self, i: int) -> None:
        """A bar under each letter: the longer, the later it was set."""
        since = self._sheet.since[i]
        for index in np.flatnonzero(np.isfinite(since)):
            box = self.boxes[index]
            full = QRectF(box.left() + 2, box.bottom() - 4, box.width() - 4, 2.5)
            ground = QColor(self._tokens.lane_c)
            ground.setAlphaF(0.25)
            self._painter.fillRect(full, ground)
            full.setWidth(full.width() * min(1.0, float(since[index])))
            self._painter.fillRect(full, QColor(self._tokens.lane_c))

    def prompt(self, where: np.ndarray) -> None:
        """A line under what the user wrote."""
        self._painter.setPen(QPen(QColor(self._tokens.lane_a), 2))
        for index in np.flatnonzero(where):
            box = self.boxes[index]
            self._painter.drawLine(
                QPointF(box.left() + 1, box.bottom() - 1), QPointF(box.right() - 1, box.bottom() - 1)
            )
