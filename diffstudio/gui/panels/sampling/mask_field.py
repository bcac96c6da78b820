"""The mask of an inpainting: its file, a small picture of it, and the buttons that choose, paint and clear it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit import icons
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ElidedLabel
from diffstudio.gui.kit.words import tr
from diffstudio.studio.masks import load_mask

THUMBNAIL = 24


class MaskField(QWidget):
    """Emits `browse`, `paint`, or `dropped` with a Path; who answers calls `set_file`."""

    changed = Signal()
    browse = Signal()
    paint = Signal()
    dropped = Signal(object)

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._file: str | None = None
        self._shape: tuple[int, ...] = ()
        self.thumbnail = QLabel()
        self.thumbnail.setFixedSize(THUMBNAIL, THUMBNAIL)
        self.name: QLabel = ElidedLabel("", "dim", Qt.TextElideMode.ElideMiddle)
        self.clear = QToolButton()
        self.clear.setProperty("flat", True)
        self.clear.setProperty("bare", True)
        self.clear.setToolTip(tr("No mask."))
        self.clear.setAccessibleName(tr("Clear the mask"))
        self.choose = QPushButton(tr("Choose…"))
        self.choose.setToolTip(tr("Choose a picture of the model's size; dropping one here does the same."))
        self.painter = QPushButton(tr("Paint…"))
        self.painter.setToolTip(tr("Paint the region that is made anew."))
        file = QHBoxLayout()
        file.setSpacing(6)
        file.addWidget(self.thumbnail)
        file.addWidget(self.name, 1)
        file.addWidget(self.clear)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.painter, 1)
        buttons.addWidget(self.choose, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addLayout(file)
        self.setAcceptDrops(True)
        self.clear.clicked.connect(self._on_clear)
        self.choose.clicked.connect(self.browse)
        self.painter.clicked.connect(self.paint)
        self.apply_theme(tokens)
        self._show()

    def set_shape(self, shape: tuple[int, ...]) -> None:
        """Another model: a mask of another size is forgotten."""
        self._shape = shape
        self.set_value(self._file)

    def set_file(self, path: Path) -> None:
        """Use a file.

        Raises:
            BadInput, BadFile: it can't be the mask of this model.
        """
        load_mask(path, self._shape)
        self._file = str(path)
        self._show()
        self.changed.emit()

    def value(self) -> str | None:
        """The file, None for no mask."""
        return self._file

    def set_value(self, file: str | None) -> None:
        """Show a mask; one that is not there any more, or does not fit, is none."""
        before = self._file
        self._file = file if file and self._fits(Path(file)) else None
        self._show()
        if self._file != before:
            self.changed.emit()

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self.clear.setIcon(icons.icon("close", tokens, tokens.text_dim))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.isEnabled() and _local(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = _local(event)
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths[0])

    def _fits(self, path: Path) -> bool:
        if len(self._shape) != 3:
            return False
        try:
            load_mask(path, self._shape)
        except DiffStudioError:
            return False
        return True

    def _show(self) -> None:
        path = Path(self._file) if self._file else None
        for widget in (self.thumbnail, self.name, self.clear):
            widget.setVisible(path is not None)
        if path is not None:
            self.name.setText(path.name)
            self.name.setToolTip("")
            self.thumbnail.setPixmap(_small(load_mask(path, self._shape)[0]))

    @Slot()
    def _on_clear(self) -> None:
        self.set_value(None)


def _small(mask: np.ndarray) -> QPixmap:
    """(H, W) in 0 to 1 as a small picture."""
    levels = np.ascontiguousarray((mask * 255).astype(np.uint8))
    height, width = levels.shape
    picture = QImage(levels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(picture).scaled(THUMBNAIL, THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio)


def _local(event: QDropEvent) -> list[Path]:
    """The local files of a drag."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
