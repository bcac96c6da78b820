"""The mask painter: the source enlarged, and what of it is made anew."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes
from diffstudio.gui.dialogs.mask_canvas import MaskCanvas
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.studio.app.painting import Painting

FRAME_MS = 100  # of a clip's mask, all equally long
HELP = "Left button or Space paints, right button or Backspace erases; arrows move; the wheel, [ and ] size the brush."


class MaskDialog(QDialog):
    """`painted` carries the Path of the mask that was written."""

    painted = Signal(object)

    def __init__(self, picture: np.ndarray, start: np.ndarray | None, folder: Path, parent: QWidget) -> None:
        """picture: (H, W, 3) uint8, painted over, of a clip (T, H, W, 3).  folder: where the PNG goes.

        start: (H, W), or of a clip (T, H, W), a mask to go on from.
        """
        super().__init__(parent)
        self.setWindowTitle(tr("Paint a mask"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.painting = Painting(picture.shape[:-1], None if start is None else start >= 0.5)
        self._folder = folder
        self.canvas = MaskCanvas(picture if picture.ndim == 4 else picture[None], self.painting)
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
        self.frames = FrameChoice(len(picture)) if picture.ndim == 4 else None
        if self.frames is not None:
            self.painting.every = self.frames.every.isChecked()
            self.frames.changed.connect(self._on_frame)
            layout.addWidget(self.frames)
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

    @Slot(int, bool)
    def _on_frame(self, frame: int, every: bool) -> None:
        """Another frame is seen, or strokes paint one or all of them."""
        self.painting.frame, self.painting.every = frame, every
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
        data = _png(self.painting.pixels)
        # Named after what it shows: the same mask is the same file.
        path = self._folder / f"mask-{hashlib.sha256(data).hexdigest()[:16]}.png"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
        except (OSError, DiffStudioError) as error:
            show_error(self, str(error))
            return
        self.accept()
        self.painted.emit(path)


class FrameChoice(QWidget):
    """Which frame of a clip is seen, and whether strokes paint it alone; `changed` carries both."""

    changed = Signal(int, bool)

    def __init__(self, count: int) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, count - 1)
        self.slider.setPageStep(1)
        self.slider.setAccessibleName(tr("Frame"))
        self.slider.setToolTip(tr("The frame that is seen."))
        self.number = label("")
        self.every = QCheckBox(tr("All frames"))
        self.every.setToolTip(tr("Strokes paint every frame; off, only the one that is seen."))
        self.every.setChecked(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.number)
        layout.addWidget(self.every)
        self.slider.valueChanged.connect(self._on_changed)
        self.every.toggled.connect(self._on_changed)
        self._tell()

    @Slot()
    def _on_changed(self) -> None:
        self._tell()
        self.changed.emit(self.slider.value(), self.every.isChecked())

    def _tell(self) -> None:
        frame, frames = count(self.slider.value() + 1), count(self.slider.maximum() + 1)
        self.number.setText(tr("frame {} of {}").format(frame, frames))


def _png(pixels: np.ndarray) -> bytes:
    """A mask as a PNG, of a clip whose frames differ as an animated one."""
    data = io.BytesIO()
    frames = pixels if pixels.ndim == 3 and (pixels != pixels[:1]).any() else pixels.reshape(-1, *pixels.shape[-2:])[:1]
    first, *others = [Image.fromarray(frame.astype(np.uint8) * 255) for frame in frames]
    moving = {"save_all": True, "append_images": others, "duration": FRAME_MS} if others else {}
    first.save(data, "PNG", **moving)
    return data.getvalue()


def _with_keys(tip: str, keys: QKeySequence.StandardKey) -> str:
    return f"{tip}  ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
