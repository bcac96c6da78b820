"""The mask of the edit fold: chosen, dropped, painted over the source, or drawn as a region of points."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from diffstudio.checkpoints.card import Card
from diffstudio.errors import DiffStudioError
from diffstudio.gui.controllers.session import tokens_of
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.request.request import Request

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
        parts.sampling.edit.region.draw.connect(self.draw)

    @Slot()
    def choose(self) -> None:
        """Ask for a picture, or for a clip the mask of one."""
        p = self.parts
        kinds = f"{tr('Pictures')} (*.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif *.bmp);;{tr('All files')} (*)"
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Mask"), p.settings.last_folder, kinds)
        if path:
            p.settings.last_folder = str(Path(path).parent)
            self.use(Path(path))

    @Slot(object)
    def use(self, path: Path) -> None:
        """Take a picture as the mask."""
        self._guard(partial(self._use, path))

    def _use(self, path: Path) -> None:
        from diffstudio.studio.app.opening import check_role

        check_role(path, "mask")
        self.parts.sampling.set_mask_file(path)

    @Slot()
    def paint(self) -> None:
        """Paint over the first sample of the source; a mask that is set is gone on from."""
        self._guard(self._open_painter)

    @Slot()
    def draw(self) -> None:
        """Draw a region over the points of the source."""
        self._guard(self._open_region)

    def _open_painter(self) -> None:
        from diffstudio.gui.dialogs.mask import MaskDialog
        from diffstudio.studio.app.painting import backdrop

        p, card = self.parts, self.parts.sampling.card
        if card is None:
            return
        request = p.sampling.checked_request()

        def look() -> tuple[np.ndarray, np.ndarray | None]:
            picture = backdrop(card, request)
            return picture, self._start(card, request, picture) if request.mask else None

        def paint(found: tuple[np.ndarray, np.ndarray | None]) -> None:
            dialog = MaskDialog(*found, p.runs.folder / MASKS, p.window)
            dialog.painted.connect(self.use)
            dialog.open()

        p.reading.ask(look, paint, partial(show_error, p.window))

    def _start(self, card: Card, request: Request, picture: np.ndarray) -> np.ndarray:
        """The mask that is set, as it lies on the picture: (H, W), or (T, H, W) of a clip."""
        from diffstudio.studio.masks import mask_for

        mask = mask_for(Path(request.mask or ""), card.seen, self.parts.sampling.source.placing)
        rows = np.broadcast_to(mask, card.seen.shape)
        if card.seen.modality == "audio":
            return rows[0, ::-1].repeat(picture.shape[1] // rows.shape[2], 1)
        return rows[:, 0] if picture.ndim == 4 else rows[0]

    def _open_region(self) -> None:
        from diffstudio.gui.dialogs.region import RegionDialog
        from diffstudio.studio.app.painting import points_beneath

        p, card = self.parts, self.parts.sampling.card
        if card is None:
            return
        request, field = p.sampling.checked_request(), p.sampling.edit.region
        dialog = RegionDialog(points_beneath(card, request), request.mask_region, tokens_of(p.settings), p.window)
        dialog.drawn.connect(field.set_value)
        dialog.open()

    def _guard(self, do: Callable[[], object]) -> None:
        try:
            do()
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))
