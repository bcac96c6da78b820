"""The true pictures of a latent model's step, on demand: when to ask for them, and which are kept."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.stage.views.image.image_scene import ImageScene
from diffstudio.gui.stage.views.raster import coloured
from diffstudio.studio.export.pictures import SIGNED

PAUSE_MS = 120  # of rest before an autoencoder is set to work
KEPT_BYTES = 128 << 20
About = tuple[str, int, str]  # the trace, the record, the tensor


class Decoded(QObject):
    """Asks for the samples that are seen, one by one, and keeps their pictures."""

    wanted = Signal(object, object)  # about and samples, parts: list of (sample, states (1, C, H, W) float32)
    changed = Signal()

    def __init__(self, scene: ImageScene, parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._on = False
        self._kept: OrderedDict[tuple[About, int], np.ndarray] = OrderedDict()
        self._problem = ""
        self._asked: tuple[About, tuple[int, ...]] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    @property
    def possible(self) -> bool:
        """Whether the trace holds latents."""
        return self._scene.trace is not None and bool(self._scene.trace.meaning.card.get("decoded"))

    def switch(self, on: bool) -> None:
        """Show the true pictures, or the quick colours."""
        self._on, self._problem = on, ""
        self.ask_again()

    def update(self) -> None:
        """Something has changed: ask for what is missing, after a moment's rest."""
        self._timer.stop()
        missing = self._missing()
        coming = self._asked is not None and self._asked[0] == self._about() and set(missing) <= set(self._asked[1])
        if missing and not coming and not self._problem:
            self._timer.start(PAUSE_MS)

    def ask_again(self) -> None:
        """What was asked is perhaps not answered: a run came between."""
        self._asked = None
        self.update()

    def forget_problem(self) -> None:
        """Another trace may have its model."""
        self._problem = ""

    def answer(self, asked: tuple[About, tuple[int, ...]], sample: int, picture: np.ndarray) -> None:
        """A picture (1, C, H, W); one of an old question is kept, it still holds."""
        self._kept[asked[0], sample] = coloured(picture, None, True).pixels[0]
        while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
        self.changed.emit()

    def fail(self, asked: tuple[About, tuple[int, ...]], sentence: str) -> None:
        """Why there are none."""
        if self._scene.trace is not None and asked[0][0] == str(self._scene.trace.path):
            self._problem = sentence
            self.changed.emit()

    def get(self, sample: int) -> np.ndarray | None:
        """The picture of a sample at the playhead, (H, W) uint32, where it is known and wanted."""
        about = self._about()
        return None if about is None else self._kept.get((about, sample))

    @property
    def note(self) -> str:
        """What the colours are, and how far the true pictures; "" where the states are pictures."""
        scene = self._scene
        if not self.possible or scene.tensor in SIGNED:
            return ""
        if self._problem:
            return tr("not decoded: {}").format(self._problem)
        if not self._on:
            return tr("latents, in the colours of a linear map")
        seen, missing = len(self._seen()), len(self._missing())
        if missing:
            return tr("decoding: {} of {}").format(count(seen - missing), count(seen))
        return tr("decoded")

    def _about(self) -> About | None:
        scene = self._scene
        if not self._on or not self.possible or not scene.ready or scene.tensor in SIGNED:
            return None
        assert scene.trace is not None
        return str(scene.trace.path), scene.k, scene.tensor

    def _seen(self) -> list[int]:
        scene = self._scene
        if scene.single or scene.grid is None:
            return [scene.sample]
        return list(range(*scene.grid.visible(scene.scroll)))

    def _missing(self) -> list[int]:
        about = self._about()
        return [] if about is None else [i for i in self._seen() if (about, i) not in self._kept]

    def _ask(self) -> None:
        about, missing, scene = self._about(), self._missing(), self._scene
        if about is None or scene.trace is None or not missing:
            return
        missing.sort(key=lambda i: i != scene.sample)  # the one that is looked at first
        try:
            parts = [(i, fields.tensor(scene.trace, scene.k, scene.tensor, slice(i, i + 1))) for i in missing]
        except (BadFile, IndexError):
            return  # the picture itself says what is wrong
        self._asked = about, tuple(missing)
        self.wanted.emit(self._asked, parts)
