"""Small traces with known numbers, and a timeline that shows one."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from diffstudio.gui import theme
from diffstudio.gui.playhead import Playhead
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


def pytest_itemcollected(item):
    # Qt's offscreen platform says it of every window that is shown or raised.
    item.add_marker(pytest.mark.qt_log_ignore(r"This plugin does not support (propagateSizeHints|raise)"))


class Run:
    """A run that a test drives: `append` writes records, `trace` reads them."""

    def __init__(self, path, forward, reverse, modality, request, batch, calls):
        chains = [("forward", forward), ("reverse", reverse)]
        self.forward, self.reverse, self.calls, self.batch = forward, reverse, calls, batch
        self.shape = (2,) if modality == "points" else (1, 8, 8)
        header = TraceHeader(
            created="2026-01-02",
            request=request,
            card={"modality": modality},
            fields=tuple({"name": name, "shape": (batch, *self.shape)} for name in ("xt", "x0_hat")),
            chains=tuple({"name": name, "records": count} for name, count in chains if count),
        )
        self.writer = TraceWriter(path, header)
        self.trace = Trace.open(path)

    def append(self, count=1):
        for _ in range(count):
            self.writer.append(*self._record(len(self.writer)))
        self.trace.refresh()

    def _record(self, k):
        chain = int(k >= self.forward)
        j, count = (k - self.forward, self.reverse) if chain else (k, self.forward)
        t = j / max(1, count - 1)
        t = 1 - t if chain else t
        log_snr = 2 * math.log((1 - t) / t) if 0 < t < 1 else math.inf if t == 0 else -math.inf
        scalars = {
            "chain": chain, "step": j, "t": t, "a": 1 - t, "s": t, "log_snr": log_snr, "nfe": chain * self.calls * j,
            "dx_norm": float(j), "eps_norm": 1.0, "x0_change": float(j) ** 2, "seconds": 0.1 * k,
        }  # fmt: skip
        noise = np.random.default_rng(k).normal(size=(self.batch, *self.shape)).astype(np.float32)
        return scalars, {"xt": (1 - t) + t * noise, "x0_hat": np.ones_like(noise)}


@pytest.fixture
def make_run(tmp_path):
    made = []

    def make(forward=11, reverse=11, modality="image", request=None, batch=3, calls=1, records=None):
        """`records`: how many are there already; None: all."""
        run = Run(tmp_path / f"{len(made)}.trace", forward, reverse, modality, request or {}, batch, calls)
        made.append(run)
        run.append(run.trace.planned if records is None else records)
        return run

    yield make
    for run in made:
        run.trace.close()
        run.writer.close()


@pytest.fixture
def playhead():
    return Playhead()


@pytest.fixture
def timeline(qtbot, playhead):
    """A timeline of 1200×300 in the dark theme; afterwards no timer of it may run."""
    theme.apply(QApplication.instance(), theme.DARK)
    made = Timeline(playhead, theme.DARK)
    made.resize(1200, 300)
    made.show()
    yield made  # not qtbot.addWidget: that would delete it before its timers are looked at
    made.pause()
    qtbot.waitUntil(lambda: not active_timers(made), timeout=2000)
    made.close()
    made.deleteLater()


@pytest.fixture
def show(qtbot, timeline, playhead):
    """Shows a run as the main window does, and waits until the film strip is filled."""

    def do(run):
        timeline.set_trace(run.trace)
        playhead.reset(len(run.trace))
        settle(qtbot, timeline)
        return timeline.track

    return do


@pytest.fixture
def grow(timeline, playhead):
    """Appends to a run that is shown, as the main window learns of it."""

    def do(run, count=1):
        run.append(count)
        playhead.grow(len(run.trace))
        timeline.refresh()

    return do


@pytest.fixture
def mouse():
    return send_mouse


@pytest.fixture
def wheel():
    return send_wheel


@pytest.fixture
def filled(qtbot, timeline):
    """Waits until nothing is left to draw."""
    return lambda: settle(qtbot, timeline)


def active_timers(widget):
    return [timer for timer in widget.findChildren(QTimer) if timer.isActive()]


def settle(qtbot, timeline):
    timeline.repaint()
    qtbot.waitUntil(lambda: not active_timers(timeline), timeout=2000)
    timeline.repaint()


def send_mouse(widget, kind, x, y, *, shift=False):
    """kind: "press", "move", "release" or "double"."""
    kinds = {
        "press": QEvent.Type.MouseButtonPress,
        "move": QEvent.Type.MouseMove,
        "release": QEvent.Type.MouseButtonRelease,
        "double": QEvent.Type.MouseButtonDblClick,
    }
    button = Qt.MouseButton.NoButton if kind == "move" else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == "release" else Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    at = QPointF(x, y)
    QApplication.sendEvent(widget, QMouseEvent(kinds[kind], at, widget.mapToGlobal(at), button, held, keys))


def send_wheel(widget, x, turn, *, ctrl=False):
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    at = QPointF(x, 50)
    none = Qt.MouseButton.NoButton
    phase = Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(
        widget, QWheelEvent(at, widget.mapToGlobal(at), QPoint(), QPoint(0, turn), none, keys, phase, False)
    )
