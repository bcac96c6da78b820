"""The mask painter: the source enlarged, and what of it is made anew."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.studio.app.painting import Painting

SIDE = 448  # screen pixels of the larger side
GROW = 1.25  # of the brush, a notch of the wheel
VEIL = (242, 150, 40, 160)  # red, green, blue, opacity of the region that is made anew
HELP = "Left button or Space paints, right button or Backspace erases; arrows move; the wheel, [ and ] size the brush."


class MaskDialog(QDialog):
    """`painted` carries the Path of the mask that was written."""

    painted = Signal(object)

    def __init__(self, picture: np.ndarray, start: np.ndarray | None, folder: Path, parent: QWidget) -> None:
        """picture: (H, W, 3) uint8, painted over.  start: (H, W), a mask to go on from.  folder: where the PNG goes."""
        super().__init__(parent)
        self.setWindowTitle(tr("Paint a mask"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        height, width = picture.shape[:2]
        self.painting = Painting((height, width), None if start is None else start >= 0.5)
        self._folder = folder
        self.canvas = MaskCanvas(picture, self.painting)
        self.note = label("", "dim")
        help_line = label(tr(HELP), "dim")
        help_line.setWordWrap(True)
        self.undo = _button(tr("Undo"), _with_keys(tr("Take the last stroke back."), QKeySequence.StandardKey.Undo))
        self.redo = _button(tr("Redo"), _with_keys(tr("Make it again."), QKeySequence.StandardKey.Redo))
        self.invert = _button(tr("Invert"), tr("Exchange what is made anew and what is kept."))
        self.clear = _button(tr("Clear"), tr("Keep everything."))
        tools = QHBoxLayout()
        for button in (self.undo, self.redo, self.invert, self.clear):
            tools.addWidget(button)
        tools.addStretch(1)
        tools.addWidget(self.note)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Use as mask"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addLayout(tools)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(help_line)
        layout.addWidget(self.buttons)
        self.undo.clicked.connect(self._on_undo)
        self.redo.clicked.connect(self._on_redo)
        self.invert.clicked.connect(self._on_invert)
        self.clear.clicked.connect(self._on_clear)
        self.canvas.changed.connect(self._settle)
        self.buttons.accepted.connect(self._on_ok)
        self.buttons.rejected.connect(self.reject)
        self.canvas.setFocus()
        self._settle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self._on_undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self._on_redo()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _settle(self) -> None:
        """What can be done now, and how much is painted."""
        painting = self.painting
        self.undo.setEnabled(painting.can_undo)
        self.redo.setEnabled(painting.can_redo)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(bool(painting.pixels.any()))
        self.note.setText(tr("{} of {} pixels").format(count(int(painting.pixels.sum())), count(painting.pixels.size)))
        self.canvas.update()

    @Slot()
    def _on_undo(self) -> None:
        self.painting.undo()
        self._settle()

    @Slot()
    def _on_redo(self) -> None:
        self.painting.redo()
        self._settle()

    @Slot()
    def _on_invert(self) -> None:
        self.painting.invert()
        self._settle()

    @Slot()
    def _on_clear(self) -> None:
        self.painting.clear()
        self._settle()

    @Slot()
    def _on_ok(self) -> None:
        data = io.BytesIO()
        Image.fromarray(self.painting.pixels.astype(np.uint8) * 255).save(data, "PNG")
        # Named after what it shows: the same mask is the same file.
        path = self._folder / f"mask-{hashlib.sha256(data.getvalue()).hexdigest()[:16]}.png"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data.getvalue())
        except (OSError, DiffStudioError) as error:
            show_error(self, str(error))
            return
        self.accept()
        self.painted.emit(path)


class MaskCanvas(QWidget):
    """The picture, nearest neighbour, under a veil where it is made anew; the brush at the pointer."""

    changed = Signal()

    def __init__(self, picture: np.ndarray, painting: Painting) -> None:
        super().__init__()
        height, width = picture.shape[:2]
        self._painting = painting
        self._picture = QImage(picture.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self._at = (width / 2, height / 2)  # the brush, in pixels of the picture
        self._stroke: bool | None = None  # painting, erasing, or neither
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Mask"))
        self.setMinimumSize(min(width, 160), min(height, 160))

    def sizeHint(self) -> QSize:
        scale = max(1, SIDE // max(self._picture.width(), self._picture.height()))
        return QSize(self._picture.width() * scale, self._picture.height() * scale)

    def place(self, x: float, y: float) -> QPointF:
        """Where a point of the picture, in its pixels, is on the widget."""
        target = self._target()
        scale = target.width() / self._picture.width()
        return QPointF(target.x() + x * scale, target.y() + y * scale)

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        target = self._target()
        painter.drawImage(target, self._picture)
        painter.drawImage(target, self._veil())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = self._painting.radius * target.width() / self._picture.width()
        for colour, width in (("#000000", 3.0), ("#ffffff", 1.2)):  # seen on any picture
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(self.place(*self._at), radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().accent().color(), 1))
            painter.drawRect(target.adjusted(0.5, 0.5, -0.5, -0.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._stroke = event.button() == Qt.MouseButton.LeftButton
            self._at = self._picture_at(event.position())
            self._painting.begin()
            self._draw(self._at, self._at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self._at = self._at, self._picture_at(event.position())
        if self._stroke is None:
            self.update()
        else:
            self._draw(before, self._at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._stroke = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._painting.grow(GROW ** (event.angleDelta().y() / 120))
        event.accept()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, moves = event.key(), {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
                                   Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}  # fmt: skip
        if event.text() in ("[", "]"):
            self._painting.grow(GROW if event.text() == "]" else 1 / GROW)
        elif key in moves:
            (x, y), (dx, dy) = self._at, moves[Qt.Key(key)]
            self._at = (min(max(x + dx, 0), self._picture.width()), min(max(y + dy, 0), self._picture.height()))
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Backspace):
            self._stroke = key == Qt.Key.Key_Space
            self._painting.begin()
            self._draw(self._at, self._at)
            self._stroke = None
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def _draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._painting.line(start, end, bool(self._stroke))
        self.changed.emit()

    def _target(self) -> QRectF:
        """The picture's place: the middle, as large as it fits."""
        width, height = self._picture.width(), self._picture.height()
        scale = min(self.width() / width, self.height() / height)
        w, h = width * scale, height * scale
        return QRectF((self.width() - w) / 2, (self.height() - h) / 2, w, h)

    def _picture_at(self, point: QPointF) -> tuple[float, float]:
        target = self._target()
        scale = self._picture.width() / target.width()
        return (point.x() - target.x()) * scale, (point.y() - target.y()) * scale

    def _veil(self) -> QImage:
        """The region that is made anew."""
        pixels = self._painting.pixels
        height, width = pixels.shape
        veil = np.zeros((height, width, 4), np.uint8)
        veil[pixels] = VEIL
        return QImage(veil.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _with_keys(tip: str, keys: QKeySequence.StandardKey) -> str:
    return f"{tip}  ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
