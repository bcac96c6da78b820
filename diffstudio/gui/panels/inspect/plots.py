"""The histogram and the curves of the inspector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio.analysis.summary import Summary
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import FlowLayout, label
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.panels.inspect.plot import Axis, KeptAxis, Plot

LINES = (("━", Qt.PenStyle.SolidLine), ("╍", Qt.PenStyle.DashLine), ("┈", Qt.PenStyle.DotLine))

TICK_ROOM, MOST_TICKS = 14, 6  # pixels for the text of a tick
LETTER_ROOM = 6  # pixels for a letter


class _CountAxis(KeptAxis):
    """Ticks of a square-root scale say the counts themselves; there are as many as have room."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        top, most = max(1.0, maxVal), max(1, min(MOST_TICKS, int(size / TICK_ROOM)))
        every = _round_up(top / most)
        return [(every, [i * every for i in range(int(top / every) + 1) if minVal <= i * every])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [count(round(value * value)) if value >= 0 else "" for value in values]


class _NamedAxis(Axis):
    """Numbers, or names at the middle of bars that are half as wide as the room of each."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self._names: tuple[str, ...] = ()

    def set_names(self, names: tuple[str, ...]) -> None:
        """Other names; () for numbers."""
        if names != self._names:
            self._names = names
            self.forget()
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        if not self._names:
            return super().tickValues(minVal, maxVal, size)
        every = max(1, math.ceil((maxVal - minVal) * LETTER_ROOM / max(1.0, size)))
        return [(every, [i + 0.25 for i in range(0, len(self._names), every) if minVal <= i <= maxVal])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if not self._names:
            return super().tickStrings(values, scale, spacing)
        return [self._names[int(value)] for value in values]


class Histogram(Plot):
    """Counts of the values at the playhead; the square root keeps one full bin (paper) from hiding the others."""

    def __init__(self, tokens: Tokens) -> None:
        self._values = _NamedAxis("bottom")
        super().__init__(tokens, tr("Histogram of the values"), {"left": _CountAxis("left"), "bottom": self._values})
        self.box.setMouseEnabled(x=True, y=False)
        self.bars = pg.PlotCurveItem([0.0, 1.0], [0.0], stepMode="center", fillLevel=0)
        self.addItem(self.bars)
        self._name((), tr("value"))
        self.apply_theme(tokens)

    def show_summary(self, summary: Summary | None) -> None:
        """Draw other counts."""
        self._name((), tr("value"))
        if summary is None or not summary.counts.any():
            self.bars.setData([0.0, 1.0], [0.0])
            return
        self._draw(summary.counts, summary.edges)

    def show_counts(self, names: tuple[str, ...], counts: np.ndarray) -> None:
        """Draw how often each of so many names occurs."""
        self._name(names, tr("letter"))
        heights = np.zeros(2 * len(names))  # a bar, a gap
        heights[::2] = counts
        self._draw(heights, np.arange(2 * len(names) + 1) / 2)

    def _name(self, names: tuple[str, ...], what: str) -> None:
        """What is counted; the titles are laid out anew only where they change."""
        self._values.set_names(names)
        if self._titles.get("bottom") != what:
            self.set_titles(what, tr("count"))

    def _draw(self, counts: np.ndarray, edges: np.ndarray) -> None:
        heights = np.sqrt(counts)
        self.bars.setData(edges, heights)
        self.fit((float(edges[0]), float(edges[-1])), (0.0, max(1.0, float(heights.max()))), room=0.12)

    def apply_theme(self, tokens: Tokens) -> None:
        super().apply_theme(tokens)
        self.bars.setBrush(QColor(tokens.lane_a))
        self.bars.setPen(None)


class _StepAxis(pg.AxisItem):
    """Ticks at records, which say the step within its chain."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.steps: np.ndarray = np.zeros(0)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        every = max(1, round(self.tickSpacing(minVal, maxVal, size)[0][0]))
        places = np.flatnonzero(self.steps % every == 0).astype(float)  # round steps of both chains
        return [(every, places[(places >= minVal) & (places <= maxVal)].tolist())]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [count(int(self.steps[int(v)])) if 0 <= v < len(self.steps) else "" for v in values]


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 …: its squares are counts that read well."""
    decade = 10 ** math.floor(math.log10(max(value, 1.0)))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= value)


class _LogAxis(pg.AxisItem):
    """Ticks of a log10 scale at 1, 2, 5, 10 …, or at powers of ten where they would be crowded."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        decades = range(math.floor(minVal), math.ceil(maxVal) + 1)
        for digits in ((1, 2, 5), (1,)):
            places = [decade + math.log10(digit) for decade in decades for digit in digits]
            places = [place for place in places if minVal <= place <= maxVal]
            if len(places) * TICK_ROOM <= size:
                break
        return [(1.0, places)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [number(10**value, max(0, math.ceil(-value - 1e-9))) for value in values]


class Curves(QWidget):
    """How much every step changes: curves over the records on a logarithmic scale, and the playhead.

    A click, or dragging the line itself, moves the playhead.
    """

    clicked = Signal(int)

    def __init__(self, tokens: Tokens, names: Sequence[str]) -> None:
        super().__init__()
        self._axis = _StepAxis()
        self._names, self._planned, self._k = tuple(names), 1, 0
        self._values: list[np.ndarray] = [np.zeros(0)] * len(names)
        self.plot = Plot(tokens, tr("Norms of every step"), {"left": _LogAxis("left"), "bottom": self._axis})
        self.plot.box.setMouseEnabled(x=True, y=False)
        self.plot.set_titles(tr("step"), tr("norm"))
        self.lines = [pg.PlotCurveItem(connect="finite") for _ in names]
        self.border = pg.InfiniteLine(angle=90)
        self.playhead = pg.InfiniteLine(angle=90, movable=True)
        for item in (self.border, *self.lines, self.playhead):
            self.plot.addItem(item)
        self.legend = [label("") for _ in names]
        row = FlowLayout(spacing=10)
        for entry in self.legend:
            row.addWidget(entry)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.plot, 1)
        self.plot.clicked.connect(self._on_clicked)
        self.playhead.sigDragged.connect(self._on_dragged)
        self.apply_theme(tokens)
        self.clear()

    def clear(self) -> None:
        """Nothing to show."""
        self.show_curves([None] * len(self._names), np.zeros(0), None, 1)

    def set_names(self, names: Sequence[str], unit: str) -> None:
        """Other names of the curves, as many as before; unit: of all of them."""
        if tuple(names) != self._names:
            self._names = tuple(names)
            self.plot.set_titles(tr("step"), unit)

    def show_curves(
        self, values: Sequence[np.ndarray | None], steps: np.ndarray, border: int | None, planned: int
    ) -> None:
        """values: one array for each name, of the records so far, None where a run has no such numbers.

        steps: the records' steps within their chains.  border: the first record of the second chain.
        planned: records of the whole run.
        """
        self._values = [np.zeros(0) if curve is None else curve for curve in values]
        self._planned, self._axis.steps = max(1, planned), steps
        logs = [_log10(curve) for curve in self._values]
        for line, curve in zip(self.lines, logs, strict=True):
            line.setData(np.arange(len(curve), dtype=float), curve)
        self.border.setVisible(border is not None)
        self.border.setValue((border or 0) - 0.5)
        found = np.concatenate([curve[np.isfinite(curve)] for curve in logs])
        low, high = (float(found.min()), float(found.max())) if len(found) else (-1.0, 1.0)
        middle, half = (low + high) / 2, max(0.25, (high - low) / 2)
        self.plot.fit((0.0, float(max(1, self._planned - 1))), (middle - half, middle + half))
        self.move_line(self._k)

    def move_line(self, k: int) -> None:
        """The playhead is at record k; the legend says the numbers there."""
        self._k = k
        self.playhead.setValue(k)
        for (mark, _), entry, name, values in zip(LINES, self.legend, self._names, self._values, strict=False):
            value = float(values[k]) if k < len(values) else math.nan
            entry.setText(f"{mark} {name} {number(value)}")

    def show_all(self) -> None:
        """Undo zoom and pan."""
        self.plot.show_all()

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self.plot.apply_theme(tokens)
        colours = (tokens.lane_a, tokens.lane_b, tokens.lane_c)
        for (_, style), colour, line, entry in zip(LINES, colours, self.lines, self.legend, strict=False):
            line.setPen(pg.mkPen(colour, width=1, style=style))
            entry.setStyleSheet(f"color: {colour};")
        self.border.setPen(pg.mkPen(tokens.border))
        self.playhead.setPen(pg.mkPen(tokens.playhead))
        self.playhead.setHoverPen(pg.mkPen(tokens.playhead, width=3))

    @Slot(QPointF)
    def _on_clicked(self, at: QPointF) -> None:
        self._go(at.x())

    @Slot()
    def _on_dragged(self) -> None:
        self._go(self.playhead.getXPos())

    def _go(self, x: float) -> None:
        self.clicked.emit(max(0, min(round(x), self._planned - 1)))


def _log10(values: np.ndarray) -> np.ndarray:
    """Not a number where nothing changed (a chain's first record) or the chain diverged: the curve has a gap."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(values.astype(np.float64))
    logs[~np.isfinite(logs)] = np.nan
    return logs
