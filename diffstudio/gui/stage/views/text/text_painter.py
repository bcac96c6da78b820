"""Painting of texts: letters, masks, guesses, what changed, and what the view's options add."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap

from diffstudio.gui.kit.fonts import monospace
from diffstudio.gui.kit.painted import painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.stage.views.raster import blended, rgb
from diffstudio.gui.stage.views.text.text_layout import TextLayout
from diffstudio.gui.stage.views.text.text_scene import Sheet, TextScene

MASK, MASK_EDGE, HEAT, CHANGED, DIFFERENCE, UNCHANGED = 0.10, 0.30, 0.55, 0.28, 0.85, 0.4  # opacities
BAR_GROUND = 0.25  # opacity below a bar
RUNG = 24  # pixels of a bar in the legend
SEEN = 0.004  # what is fainter is not painted
INSET = 0.09  # of a mask's box in its cell, as a share of the cell's height
KEPT = 4096  # letters


class Letters:
    """Letters as pictures of their cells, drawn once: to set a text costs ten times as much as to copy it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], QPixmap] = OrderedDict()

    def get(self, token: str, colour: str, layout: TextLayout, ratio: float) -> QPixmap:
        """A token in the middle of its cell; a long one is squeezed in. ratio: device pixels for a logical one."""
        key = (token, colour, layout.size, layout.wide, layout.high, ratio)
        if key not in self._kept:
            self._kept[key] = _letter(token, colour, layout, ratio)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def paint_texts(painter: QPainter, scene: TextScene, options: Mapping[str, bool], letters: Letters) -> None:
    """The visible samples. options: "ghosts", "entropy", "revealed"."""
    scene.compose()
    if scene.sheet is None or scene.layout is None or scene.spec is None:
        return
    work = _Painting(painter, scene.sheet, scene.layout, scene.tokens, scene.spec.vocabulary, letters)
    prompt = scene.trace is not None and scene.trace.chain(scene.k) == 1
    grid = scene.layout.grid
    left, right = (0, grid.columns) if scene.single else grid.columns_in(scene.room[0])
    for i in range(len(scene.sheet.cells.letters)):
        if not scene.single and not left <= (scene.sheet.first + i) % grid.columns < right:
            continue  # of a zoomed grid
        work.begin(i, *scene.origin(scene.sheet.first + i))
        work.grounds(scene.signed, options["entropy"])
        work.masks()
        work.letters(scene.signed, options["ghosts"])
        if options["revealed"] and not scene.signed:
            work.revealed()
        if prompt:
            work.prompt(scene.prompted)


class _Painting:
    """One sample after the other."""

    def __init__(
        self,
        painter: QPainter,
        sheet: Sheet,
        layout: TextLayout,
        tokens: Tokens,
        vocabulary: tuple[str, ...],
        letters: Letters,
    ) -> None:
        self._painter, self._sheet, self._layout, self._tokens = painter, sheet, layout, tokens
        self._vocabulary, self._letters = vocabulary, letters
        device = painter.device()
        self._ratio = device.devicePixelRatioF() if device is not None else 1.0
        self._places = layout.places
        self._i, self._x, self._y = 0, 0, 0

    def begin(self, i: int, x: int, y: int) -> None:
        """Go on with the i-th sample of the sheet, whose first cell is there."""
        self._i, self._x, self._y = i, x, y

    def _box(self, index: int) -> QRectF:
        dx, dy = self._places[index]
        return QRectF(self._x + dx, self._y + dy, self._layout.wide, self._layout.high)

    def grounds(self, signed: bool, entropy: bool) -> None:
        """What lies under the letters: what changed, and how unsure the network is."""
        colour, most = (self._tokens.lane_a, DIFFERENCE) if signed else (self._tokens.lane_c, CHANGED)
        self._fill(self._sheet.changed[self._i], colour, most)
        if entropy and not signed:
            self._fill(self._sheet.heat[self._i], self._tokens.lane_b, HEAT)

    def _fill(self, amounts: np.ndarray, token: str, most: float) -> None:
        colour = QColor(token)
        for index in np.flatnonzero(amounts > SEEN).tolist():
            colour.setAlphaF(most * float(amounts[index]))
            self._painter.fillRect(self._box(index).adjusted(0.5, 1, -0.5, -1), colour)

    def masks(self) -> None:
        """A box for each masked cell."""
        masked = np.flatnonzero(self._sheet.cells.masked[self._i]).tolist()
        if not masked:
            return
        ground, edge = QColor(self._tokens.text), QColor(self._tokens.text)
        ground.setAlphaF(MASK)
        edge.setAlphaF(MASK_EDGE)
        inset = round(max(1, INSET * self._layout.high)) + 0.5
        self._painter.setBrush(ground)
        self._painter.setPen(QPen(edge, 1))
        self._painter.drawRects([self._box(index).adjusted(1.5, inset, -1.5, -inset) for index in masked])
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def letters(self, signed: bool, ghosts: bool) -> None:
        """Sure letters in ink; guesses in the accent colour, as strong as they are sure; a mask alone has none."""
        cells, i = self._sheet.cells, self._i
        strength, guessed = cells.strength[i], cells.guessed[i]
        if signed:
            strength = np.where(self._sheet.changed[i] > 0, 1.0, UNCHANGED)
            guessed = np.zeros_like(guessed)
        blank = cells.masked[i] & (~guessed | (not ghosts))
        blank |= cells.letters[i] >= len(self._vocabulary)  # a mask where there should be a guess has no letter
        tokens, sure, coloured = cells.letters[i].tolist(), strength.tolist(), guessed.tolist()
        for index in np.flatnonzero(~blank).tolist():
            token = self._vocabulary[tokens[index]]
            if token != " ":
                colour = self._tokens.lane_a if coloured[index] else self._tokens.text
                dx, dy = self._places[index]
                self._painter.setOpacity(sure[index])
                picture = self._letters.get(token, colour, self._layout, self._ratio)
                self._painter.drawPixmap(self._x + dx, self._y + dy, picture)
        self._painter.setOpacity(1.0)

    def revealed(self) -> None:
        """A bar under each letter: the longer, the later it was set."""
        since, ground = self._sheet.since[self._i], QColor(self._tokens.lane_c)
        ground.setAlphaF(BAR_GROUND)
        full = QColor(self._tokens.lane_c)
        for index in np.flatnonzero(np.isfinite(since)).tolist():
            box = self._box(index)
            bar = QRectF(box.left() + 2, box.bottom() - 4, box.width() - 4, 2.5)
            self._painter.fillRect(bar, ground)
            bar.setWidth(bar.width() * min(1.0, float(since[index])))
            self._painter.fillRect(bar, full)

    def prompt(self, where: np.ndarray) -> None:
        """A line under what the user wrote."""
        self._painter.setPen(QPen(QColor(self._tokens.lane_a), 2))
        for index in np.flatnonzero(where).tolist():
            box = self._box(index).adjusted(1, 0, -1, -1)
            self._painter.drawLine(box.bottomLeft(), box.bottomRight())


def ladder(tokens: Tokens) -> np.ndarray:
    """What the bars under the letters look like from the first step to the last, for a legend: (8, W) uint32."""
    out = np.full((8, 5 * RUNG), rgb(tokens.bg), np.uint32)
    ground, full = blended(tokens.lane_c, BAR_GROUND, tokens), rgb(tokens.lane_c)
    for i in range(5):
        left, wide = i * RUNG + 2, RUNG - 4
        out[3:6, left : left + wide] = ground
        out[3:6, left : left + wide * i // 4] = full
    return out


def _letter(token: str, colour: str, layout: TextLayout, ratio: float) -> QPixmap:
    out = QPixmap(math.ceil(layout.wide * ratio), math.ceil(layout.high * ratio))
    out.setDevicePixelRatio(ratio)
    out.fill(Qt.GlobalColor.transparent)
    font = monospace(layout.size)
    metrics = QFontMetricsF(font)
    wide = metrics.horizontalAdvance(token)
    squeeze = min(1.0, layout.wide / max(1.0, wide))
    with painter_on(out) as painter:
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.translate((layout.wide - squeeze * wide) / 2, (layout.high + metrics.ascent() - metrics.descent()) / 2)
        painter.scale(squeeze, 1)
        painter.drawText(QPointF(0, 0), token)
    return out
