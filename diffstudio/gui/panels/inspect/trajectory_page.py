"""The inspector's page of the samples' way through the chains, in the plane of its principal components."""

from __future__ import annotations

import html
from functools import partial
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QLabel

from diffstudio.analysis.projection import Trajectories, trajectories
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.panels.inspect.head import Scope
from diffstudio.gui.panels.inspect.plot import Plot
from diffstudio.gui.work.jobs import Stop
from diffstudio.traces.reader import Trace

MOST_LINES = 48  # ways that are drawn; all samples are drawn at the playhead
AWAY, LEAST_ROOM = (16, 8), (90, 110)  # pixels: of the legend from the corner, and of the plot beside and below it
GROWTH = 1.5  # of a run that goes the plane is found again when it is that much longer


class TrajectoryPage(Plot):
    """Lines are the ways of the samples, dots where they are at the playhead, the ring is the selected one."""

    wanted = Signal(str, object)  # a question for the background: kind, find
    scope: Scope = "batch"
    told_lines = 2

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(tokens, tr("Trajectories in the plane of the principal components"))
        self._trace: Trace | None = None
        self._found: Trajectories | None = None
        self._asked, self._sample = 0, -1
        self.box.setAspectLocked(True)
        self.ways = {0: pg.PlotCurveItem(connect="finite"), 1: pg.PlotCurveItem(connect="finite")}
        self.way = pg.PlotCurveItem(connect="finite")
        self.dots, self.ring = pg.ScatterPlotItem(size=5), pg.ScatterPlotItem(size=11)
        for item in (*self.ways.values(), self.way, self.dots, self.ring):
            self.addItem(item)
        self.set_titles(tr("1st component"), tr("2nd component"))
        self.legend = QLabel(self)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.apply_theme(tokens)

    def resizeEvent(self, ev: QResizeEvent) -> None:
        super().resizeEvent(ev)
        self._place_legend()

    def _place_legend(self) -> None:
        """In the right upper corner, where there is room for it."""
        if hasattr(self, "legend"):  # pyqtgraph resizes the widget before it is made
            self.legend.adjustSize()
            self.legend.move(self.width() - self.legend.width() - AWAY[0], AWAY[1])
            least = self.legend.width() + LEAST_ROOM[0], self.legend.height() + LEAST_ROOM[1]
            self.legend.setVisible(self.width() >= least[0] and self.height() >= least[1])

    def set_trace(self, trace: Trace | None) -> None:
        self._trace, self._found, self._asked, self._sample = trace, None, 0, -1
        for item in (*self.ways.values(), self.way, self.dots, self.ring):
            item.setData([], [])

    def refresh(self) -> None:
        trace = self._trace
        if trace is not None and len(trace) and (len(trace) >= GROWTH * self._asked or self._misses_the_end(trace)):
            self._asked = len(trace)
            self.wanted.emit("trajectories", partial(_find, trace.path))

    def take_answer(self, answer: object) -> None:
        """The plane was found."""
        path, found = answer if isinstance(answer, tuple) else (None, None)
        if self._trace is None or path != self._trace.path or not isinstance(found, Trajectories):
            return
        self._found, self._sample = found, -1
        self._draw_ways(found.positions)
        self.refresh()  # the run may have ended meanwhile

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int, alone: bool = False) -> str:
        if self._found is None:
            return tr("Finding the plane…")
        positions = self._found.positions
        if k < len(positions):
            here = positions[k]
            self.dots.setData(*_finite(here).T, size=5 if len(here) <= 100 else 3)
            self.ring.setData(*_finite(here[sample : sample + 1]).T)
        if sample != self._sample:
            self._sample = sample
            self.way.setData(*_joined(positions[:, sample : sample + 1], trace.first_of(1)))
        shares = self._found.plane.share
        parts = [number(100 * float(share), 0) for share in (shares.sum(), *shares)]
        return tr("{} % of the variance of x_t: {} % + {} %").format(*parts)

    def values(self) -> tuple[list[str], list[np.ndarray]]:
        """Where the samples are at the playhead."""
        x, y = self.dots.getData()
        return [tr("sample"), tr("1st component"), tr("2nd component")], [np.arange(1, len(x) + 1), x, y]

    def apply_theme(self, tokens: Tokens) -> None:
        super().apply_theme(tokens)
        for chain, colour in ((0, tokens.lane_b), (1, tokens.lane_a)):
            faint = QColor(colour)
            faint.setAlphaF(0.45)
            self.ways[chain].setPen(pg.mkPen(faint))
        self.way.setPen(pg.mkPen(tokens.text, width=1))
        self.dots.setBrush(QColor(tokens.playhead))
        self.dots.setPen(None)
        self.ring.setBrush(None)
        self.ring.setPen(pg.mkPen(tokens.text, width=2))
        said = (
            (tokens.lane_b, "━", tr("forward")),
            (tokens.lane_a, "━", tr("reverse")),
            (tokens.playhead, "●", tr("now")),
            (tokens.text, "○", tr("selected")),
        )
        rows = [f'<span style="color:{colour}">{mark}</span> {html.escape(text)}' for colour, mark, text in said]
        self.legend.setText(" &nbsp; ".join(rows))
        ground = QColor(tokens.bg)
        ground.setAlphaF(0.85)
        name = ground.name(QColor.NameFormat.HexArgb)
        self.legend.setStyleSheet(f"color: {tokens.text_dim}; background: {name}; font-size: 11px; padding: 1px 4px;")
        self._place_legend()

    def _misses_the_end(self, trace: Trace) -> bool:
        return trace.complete and self._asked < len(trace)

    def _draw_ways(self, positions: np.ndarray) -> None:
        assert self._trace is not None
        first = self._trace.first_of(1)
        cut = len(positions) if first is None else min(first, len(positions))
        for chain, part in ((0, positions[:cut]), (1, positions[cut:])):
            self.ways[chain].setData(*_joined(part[:, :MOST_LINES], None))
        finite = positions[np.isfinite(positions).all(2)]
        if len(finite):
            (left, bottom), (right, top) = finite.min(0).tolist(), finite.max(0).tolist()
            margin = 0.05 * max(right - left, top - bottom, 1e-6)
            self.fit((left - margin, right + margin), (bottom - margin, top + margin))


def _find(path: Path, stop: Stop) -> tuple[Path, Trajectories | None]:
    with Trace.open(path) as trace:  # of its own: the window may close its one meanwhile
        return path, trajectories(trace, stop)


def _finite(positions: np.ndarray) -> np.ndarray:
    """Those of (samples, 2) that lie somewhere: a state that is not finite lies nowhere."""
    return positions[np.isfinite(positions).all(1)]


def _joined(positions: np.ndarray, cut: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(records, samples, 2) as one line with a gap after every sample, and before record `cut`."""
    gap = np.full((1, positions.shape[1], 2), np.nan, np.float32)
    parts = [positions, gap] if cut is None else [positions[:cut], gap, positions[cut:], gap]
    line = np.concatenate(parts).transpose(1, 0, 2).reshape(-1, 2)
    return line[:, 0], line[:, 1]
