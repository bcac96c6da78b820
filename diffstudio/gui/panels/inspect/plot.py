"""A plot in the theme's colours, on pyqtgraph. It takes a third of a second to import: see `inspect`, who does."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, cast

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QMouseEvent, QPainter, QPicture, QResizeEvent
from PySide6.QtWidgets import QMenu, QStyleOptionGraphicsItem, QWidget

from diffstudio.gui.kit.painted import painted_part
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.inspect import ticks
from diffstudio.gui.panels.inspect.ticks import Label

ROOM_FOR_TITLES = 150  # pixels of height from which the axes say what they count
LEAST_HEIGHT = 44
TICK_PIXELS, TITLE_PIXELS = 11, "11px"
WIDEST = 44  # pixels for a number at the left
REACH = {"left": 6, "bottom": 14}  # pixels that a number may stand out of its axis: so much is free round the plot
LEAN = 0.85  # of a line's height: what figures fill of it
KEPT = 64  # pictures of an axis
Range = tuple[float, float]


class KeptAxis(pg.AxisItem):
    """Keeps what it drew of its latest ranges: while the playhead moves the same come again, and drawing is slow."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self._drawn: OrderedDict[tuple[float, ...], QPicture] = OrderedDict()

    @painted_part
    def paint(self, p: QPainter, opt: QStyleOptionGraphicsItem, widget: QWidget | None) -> None:
        view = self.linkedView()
        place = self.mapRectFromItem(view, view.boundingRect()) if view is not None else self.boundingRect()
        key = (*self.range, *place.getRect(), *self.size().toTuple())  # pyright: ignore[reportGeneralTypeIssues]
        if self.picture is None:
            self.picture = self._drawn.get(key)
        super().paint(p, opt, widget)
        assert self.picture is not None
        self._drawn[key] = self.picture
        while len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)

    def forget(self) -> None:
        """Other colours, another font."""
        self._drawn.clear()


class Axis(KeptAxis):
    """Round numbers, as many as have room beside each other."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        top = max(abs(minVal), abs(maxVal))

        def texts(values: Sequence[float], step: float) -> list[Label]:
            return self.labels(values, [ticks.written(v, step, top) for v in values], minVal, maxVal, size)

        found, step = ticks.even(minVal, maxVal, texts)
        return [(step, [label.value for label in found])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        top = max(map(abs, self.range))
        return [ticks.written(value, spacing, top) for value in values]

    def labels(
        self, values: Sequence[float], texts: Sequence[str], low: float, high: float, size: float
    ) -> list[Label]:
        """The numbers with their places on an axis of so many pixels, those that the axis does not cut."""
        metrics, upright, reach = self._metrics, self.orientation == "left", REACH[self.orientation]
        out = []
        for value, text in zip(values, texts, strict=True):
            wide = metrics.height() * LEAN if upright else metrics.horizontalAdvance(text)
            at = (value - low) / max(1e-300, high - low) * size
            if at - wide / 2 > -reach and at + wide / 2 < size + reach:
                out.append(Label(value, text, at, wide))
        return out

    @property
    def _metrics(self) -> QFontMetricsF:
        font = cast("dict[str, Any]", self.style)["tickFont"]  # its own dict, which hides QGraphicsWidget's method
        return QFontMetricsF(font or QFont())


class Plot(pg.PlotWidget):
    """The wheel zooms, dragging pans, a double click shows everything again.

    Items are made once; what is shown goes through their setData and setPen.
    """

    clicked = Signal(QPointF)  # in the plot's coordinates
    _titles: dict[str, str] = {}  # pyqtgraph resizes the widget before it is made  # noqa: RUF012

    def __init__(self, tokens: Tokens, name: str, axes: dict[str, pg.AxisItem] | None = None) -> None:
        super().__init__(axisItems={side: Axis(side) for side in ("left", "bottom")} | (axes or {}), enableMenu=False)
        self.tokens = tokens
        self._by_hand = False
        self._whole: tuple[Range, Range] = ((0.0, 1.0), (0.0, 1.0))
        self.setAccessibleName(name)
        self.setToolTip(tr("The wheel zooms, dragging moves, a double click shows everything."))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the timeline
        self.setMinimumHeight(LEAST_HEIGHT)
        self.setFrameShape(self.Shape.NoFrame)
        item = self.getPlotItem()
        assert item is not None
        self.box: pg.ViewBox = item.getViewBox()
        item.hideButtons()
        # pyqtgraph makes its menu all the same, a window without a parent: it shall go with the plot.
        menu = item.ctrlMenu
        assert menu is not None
        menu.setParent(self, menu.windowFlags())
        item.setContentsMargins(0, REACH["left"], REACH["bottom"], 0)
        self.box.disableAutoRange()
        self.box.sigRangeChangedManually.connect(self._on_by_hand)
        scene = self.sceneObj
        assert scene is not None
        scene.sigMouseClicked.connect(self._on_clicked)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self.tokens = tokens
        self.setBackground(tokens.bg)
        font = QFont(self.font())
        font.setPixelSize(TICK_PIXELS)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setPen(tokens.border)
            axis.setTextPen(tokens.text_dim)
            axis.setTickFont(font)
            if isinstance(axis, KeptAxis):
                axis.forget()
            axis.setStyle(tickLength=-4, tickTextOffset=3, tickTextHeight=13, tickTextWidth=WIDEST)
            axis.setStyle(autoExpandTextSpace=False, hideOverlappingLabels=REACH[side] + 1)
        self._show_titles()

    def set_titles(self, bottom: str, left: str) -> None:
        """What the axes count; said where there is room."""
        self._titles = {"bottom": bottom, "left": left}
        self._show_titles()

    def fit(self, x: Range, y: Range, room: float = 0.0) -> None:
        """Show that range, unless the user has zoomed.

        room: share that is left free round it, and up to round numbers. A range that lies in what is shown and fills
        half of it then changes nothing: the axes stand still while the playhead moves, and are not drawn again.
        """
        self._whole = _widened(x, room), _widened(y, room)
        if self._by_hand:
            return
        shown = self.box.viewRange()
        if not room or any(not _fills(old, new) for old, new in zip(shown, (x, y), strict=True)):
            self.show_all()

    @Slot()
    def show_all(self) -> None:
        """Undo zoom and pan."""
        self._by_hand = False
        x, y = self._whole
        self.box.setRange(xRange=x, yRange=y, padding=0.01, disableAutoRange=True)

    def resizeEvent(self, ev: QResizeEvent) -> None:
        super().resizeEvent(ev)
        self._show_titles()

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        super().mousePressEvent(ev)
        ev.accept()  # a plot is nothing to click through

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        super().mouseReleaseEvent(ev)
        ev.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        event.accept()

    def _show_titles(self) -> None:
        if self.plotItem is None:
            return  # pyqtgraph resizes the widget once more while it closes it
        roomy = self.height() >= ROOM_FOR_TITLES
        for side, title in self._titles.items():
            axis = self.getAxis(side)
            axis.setLabel(title, **{"color": self.tokens.text_dim, "font-size": TITLE_PIXELS})
            axis.showLabel(roomy)

    @Slot()
    def _on_by_hand(self) -> None:
        self._by_hand = True

    def _on_clicked(self, event) -> None:
        if event.double():
            self.show_all()
        elif event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.box.mapSceneToView(event.scenePos()))

    @Slot(QPoint)
    def _menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction(tr("Show all")).triggered.connect(self.show_all)
        menu.addAction(tr("Copy picture")).triggered.connect(self.copy_picture)
        menu.addAction(tr("Copy values")).triggered.connect(self.copy_values)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(at))

    @Slot()
    def copy_picture(self) -> None:
        """The plot to the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.grab())

    @Slot()
    def copy_values(self) -> None:
        """What is drawn, to the clipboard: a table that spreadsheets take."""
        titles, columns = self.values()
        rows = zip_longest(*(column.tolist() for column in columns), fillvalue="")
        lines = ["\t".join(titles), *("\t".join(map(_cell, row)) for row in rows)]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")

    def values(self) -> tuple[list[str], list[np.ndarray]]:
        """The titles and the numbers of the columns."""
        raise NotImplementedError


def _cell(value: object) -> str:
    """A number as every program reads it; what is not one stays empty."""
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return str(value)


def _widened(wanted: Range, room: float) -> Range:
    """With room at both ends, and out to an eighth or a quarter of the range; what begins at 0, as counts do, stays."""
    low, high = float(wanted[0]), float(wanted[1])  # of single precision pyqtgraph's bounds would overflow
    extra = room * (high - low)
    if not extra > 0:
        return low, high
    step = 2.0 ** math.floor(math.log2(high - low)) / 8
    return math.floor((low - extra) / step) * step if low else 0.0, math.ceil((high + extra) / step) * step


def _fills(shown: Range | list[float], wanted: Range) -> bool:
    (low, high), (a, b) = wanted, shown
    return a <= low and high <= b and high - low >= 0.5 * (b - a)
