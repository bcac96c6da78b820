"""A card for bare weights: the file is chosen and looked at, the rest asked, the card written in the background."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from diffstudio.gui.controllers.files import Filing
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Ended, Stop

if TYPE_CHECKING:
    from diffstudio.checkpoints.proposal import Proposal


class Carding(QObject):
    """Bound to the parts of one window."""

    def __init__(self, parts: Parts, filing: Filing) -> None:
        super().__init__(parts.window)
        self._parts, self._filing = parts, filing
        self._open: tuple[int, Path] | None = None
        parts.files.ended.connect(self._on_ended)

    def choose(self) -> None:
        """Ask for a file of weights."""
        p = self._parts
        kinds = f"{tr('Weights')} (*.pt *.pth *.bin *.ckpt *.safetensors);;{tr('All files')} (*)"
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Weights"), p.settings.last_folder, kinds)
        if path:
            p.settings.last_folder = str(Path(path).parent)
            self.ask(Path(path))

    def ask(self, path: Path) -> None:
        """Look at a file in the background, and ask what it does not tell."""
        from diffstudio.checkpoints.proposal import propose

        p = self._parts
        p.reading.ask(partial(propose, path), partial(self._ask, path), partial(show_error, p.window))

    def _ask(self, path: Path, found: Proposal) -> None:
        from diffstudio.gui.dialogs.weights import WeightsDialog

        self.dialog = WeightsDialog(self._parts.window, path, found)
        self.dialog.wanted.connect(partial(self._write, path, found))
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()

    def _write(self, path: Path, found: Any, told: dict[str, Any]) -> None:
        def job(stop: Stop) -> Iterator[str]:
            from diffstudio.checkpoints.proposal import entries, write_card
            from diffstudio.studio.compute.new_card import check_fits

            yield tr("Holding the weights against the network…")
            card = entries(found, **told)
            check_fits(path, card)
            write_card(path, card)

        self._open = self._parts.files.submit(job), path

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        # What fails is said by Filing, which hears of every job with files.
        if ended.outcome == "done" and self._open and self._open[0] == ended.number:
            self._filing.open_paths([self._open[1]])
            self._parts.window.say(tr("Wrote {}").format(f"{self._open[1].name}.card.json"))
