"""The score arrows of the points view: when to ask for them, which answer to keep, how to draw it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.stage.views.points.plane import Plane
from diffstudio.gui.stage.views.points.points_scene import PointsScene
from diffstudio.gui.stage.views.points.quiver import Quiver, positions, quiver
from diffstudio.studio.export import pictures

PAUSE_MS = 60  # of rest before a field is asked for
KEPT = 256  # fields, for playing a run again

Field = tuple[np.ndarray, np.ndarray]


class ScoreField(QObject):
    """Asks for the field at the playhead once it rests, and keeps the answers while plane and trace stay the same."""

    wanted = Signal(object, object)  # about, parts: one of positions (N, 2) float32 of the model, and log-SNR

    def __init__(self, scene: PointsScene, parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._fields: dict[int, Field] = {}
        self._of: tuple[object, ...] = ()
        self._asked: tuple[object, ...] = ()
        self._at = np.zeros((0, 2), np.float32)  # where it was asked for
        self._quiver: Quiver | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._ask)

    def update(self) -> None:
        """Something has changed: show what is known, ask for what is not."""
        self._quiver = None
        self._timer.stop()
        if not self.possible:
            return
        if self._now() != self._of:
            self._of = self._now()
            self._fields.clear()
        if self._scene.k in self._fields:
            self._draw(*self._fields[self._scene.k])
        else:
            self._timer.start()

    def answer(self, about: tuple[object, ...], arrows: np.ndarray) -> None:
        """Arrows (N, 2); dropped if the playhead, the view or the trace is another by now."""
        k = self._scene.k
        if not self.possible or about != self._asked or about != (*self._now(), k):
            return
        while len(self._fields) >= KEPT:
            self._fields.pop(next(iter(self._fields)))
        self._fields[k] = np.asarray(self._at, float), np.asarray(arrows, float)
        self._draw(*self._fields[k])

    @property
    def possible(self) -> bool:
        """Arrows are on, x_t is shown, and there is noise: at the data itself the score is not defined."""
        scene = self._scene
        if scene.trace is None or not scene.ready or not scene.options["arrows"] or scene.shown != "xt":
            return False
        return scene.trace.scalar(scene.k, "s") > 0 and np.isfinite(scene.trace.scalar(scene.k, "log_snr"))

    @property
    def longest(self) -> float | None:
        """The score that the longest arrows stand for; None where none are shown."""
        return None if self._quiver is None else self._quiver.longest

    def paint(self, painter: QPainter, tokens: Tokens) -> None:
        """Draw the arrows into a painter whose origin is the plot's corner."""
        if self._quiver is not None:
            ink = QColor(tokens.text)
            ink.setAlphaF(0.75)
            painter.setPen(QPen(ink, 1))
            painter.drawPath(self._quiver.path)

    def _now(self) -> tuple[object, ...]:
        """What the fields that are kept belong to."""
        return self._scene.trace, self._scene.plane, self._scene.room

    def _ask(self) -> None:
        scene = self._scene
        if not self.possible or scene.trace is None:
            return
        self._asked = (*self._now(), scene.k)
        at = positions(scene.plane, *scene.room, scene.ratio)
        gain = pictures.display_gain(scene.trace, scene.k)
        self._at = (at / np.float32(gain)).astype(np.float32)
        self.wanted.emit(self._asked, [(self._at, scene.trace.scalar(scene.k, "log_snr"))])

    def _draw(self, points: np.ndarray, arrows: np.ndarray) -> None:
        scene = self._scene
        assert scene.trace is not None
        gain = pictures.display_gain(scene.trace, scene.k)
        plane: Plane = scene.plane
        self._quiver = quiver(scene.k, points * gain, arrows, plane, scene.ratio)
