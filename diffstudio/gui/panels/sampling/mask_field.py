"""The mask of an inpainting: its file, a small picture of it, and the buttons that choose, paint and clear it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.gui.kit import icons
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ElidedLabel, label
from diffstudio.gui.kit.words import tr
from diffstudio.modalities import Meaning, Placing
from diffstudio.studio.masks import mask_for

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
        self._meaning: Meaning | None = None
        self._placing = Placing()
        self.thumbnail = QLabel()
        self.thumbnail.setFixedSize(THUMBNAIL, THUMBNAIL)
        self.name: QLabel = ElidedLabel("", "dim", Qt.TextElideMode.ElideMiddle)
        self.clear = QToolButton()
        self.clear.setProperty("flat", True)
        self.clear.setProperty("bare", True)
        self.clear.setToolTip(tr("No mask."))
        self.clear.setAccessibleName(tr("Clear the mask"))
        self.choose = QPushButton(tr("Choose…"))
        self.choose.setToolTip(
            tr("Choose a picture of the model's size or the source's; dropping one here does the same.")
        )
        self.painter = QPushButton(tr("Paint…"))
        self.painter.setToolTip(tr("Paint the region that is made anew."))
        self.note = label("", "dim")
        self.note.setWordWrap(True)
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
        layout.addWidget(self.note)
        self.setAcceptDrops(True)
        self.clear.clicked.connect(self._on_clear)
        self.choose.clicked.connect(self.browse)
        self.painter.clicked.connect(self.paint)
        self.apply_theme(tokens)
        self._show()

    def set_meaning(self, meaning: Meaning) -> None:
        """Another model: a mask that does not suit it is forgotten."""
        self._meaning = meaning
        self._keep(self._file if self._file and self._fits(Path(self._file)) else None)

    def set_placing(self, placing: Placing) -> None:
        """Another source: a mask of its own size is placed as it is; one that has neither size is told."""
        if placing != self._placing:
            self._placing = placing
            self._show()

    def set_file(self, path: Path) -> None:
        """Use a file.

        Raises:
            BadInput, BadFile: it can't be the mask of this model.
        """
        if self._meaning is not None:
            mask_for(path, self._meaning, self._placing)
        self._file = str(path)
        self._show()
        self.changed.emit()

    def value(self) -> str | None:
        """The file, None for no mask."""
        return self._file

    def set_value(self, file: str | None) -> None:
        """Show a mask; one that is not there any more is none, one that does not suit the source is told."""
        self._keep(file if file and self._readable(Path(file)) else None)

    def _keep(self, file: str | None) -> None:
        before, self._file = self._file, file
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
        try:
            return self._meaning is not None and mask_for(path, self._meaning, self._placing) is not None
        except DiffStudioError:
            return False

    def _readable(self, path: Path) -> bool:
        """Whether it is a mask of some size: what it must suit, the source, may be shown later."""
        try:
            return self._meaning is not None and mask_for(path, self._meaning, self._placing) is not None
        except BadInput:
            return path.exists()
        except DiffStudioError:
            return False

    def _show(self) -> None:
        path, mask, problem = Path(self._file) if self._file else None, None, ""
        if path is not None and self._meaning is not None:
            try:
                mask = mask_for(path, self._meaning, self._placing)
            except DiffStudioError as error:
                problem = str(error)
        for widget in (self.name, self.clear):
            widget.setVisible(path is not None)
        self.thumbnail.setVisible(mask is not None)
        self.note.setText(problem)
        self.note.setVisible(bool(problem))
        if path is not None:
            self.name.setText(path.name)
            self.name.setToolTip("")
        if mask is not None and self._meaning is not None:
            self.thumbnail.setPixmap(_small(_flat(mask, self._meaning)))

    @Slot()
    def _on_clear(self) -> None:
        self.set_value(None)


def _flat(mask: np.ndarray, meaning: Meaning) -> np.ndarray:
    """(H, W) of a mask that broadcasts to the shape: of a clip the mean of its frames, of sounds low notes below."""
    rows = np.broadcast_to(mask, meaning.shape)
    flat = rows.reshape(-1, *rows.shape[-2:]).mean(0)
    return flat[::-1] if meaning.modality == "audio" else flat


def _small(mask: np.ndarray) -> QPixmap:
    """(H, W) in 0 to 1 as a small picture."""
    levels = np.ascontiguousarray((mask * 255).astype(np.uint8))
    height, width = levels.shape
    picture = QImage(levels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(picture).scaled(THUMBNAIL, THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio)


def _local(event: QDropEvent) -> list[Path]:
    """The local files of a drag."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
