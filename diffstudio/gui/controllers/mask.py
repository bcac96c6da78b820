"""The mask of the edit fold: chosen, dropped, or painted over the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from diffstudio.errors import DiffStudioError
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts

MASKS = "masks"  # the folder beside the runs with the masks that were painted


class Masking(QObject):
    """Answers the buttons of the mask's field."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self.parts = parts
        field = parts.sampling.edit.mask_file
        field.browse.connect(self.choose)
        field.dropped.connect(self.use)
        field.paint.connect(self.paint)

    @Slot()
    def choose(self) -> None:
        """Ask for a picture."""
        p = self.parts
        kinds = f"{tr('Pictures')} (*.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif *.bmp);;{tr('All files')} (*)"
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Mask"), p.settings.last_folder, kinds)
        if path:
            p.settings.last_folder = str(Path(path).parent)
            self.use(Path(path))

    @Slot(object)
    def use(self, path: Path) -> None:
        """Take a picture as the mask."""
        self._guard(partial(self.parts.sampling.set_mask_file, path))

    @Slot()
    def paint(self) -> None:
        """Paint over the first sample of the source; a mask that is set is gone on from."""
        self._guard(self._open_painter)

    def _open_painter(self) -> None:
        from diffstudio.gui.dialogs.mask import MaskDialog
        from diffstudio.studio.app.painting import backdrop
        from diffstudio.studio.masks import load_mask

        p, card = self.parts, self.parts.sampling.card
        if card is None:
            return
        request = p.sampling.request()
        start = load_mask(Path(request.mask), card.seen.shape)[0] if request.mask else None

        def paint(picture: np.ndarray) -> None:
            dialog = MaskDialog(picture, start, p.runs.folder / MASKS, p.window)
            dialog.painted.connect(self.use)
            dialog.open()

        p.reading.ask(partial(backdrop, card, request), paint, partial(show_error, p.window))

    def _guard(self, do: Callable[[], object]) -> None:
        try:
            do()
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))
