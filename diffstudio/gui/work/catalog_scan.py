"""Looking for checkpoints beside the window: folder by folder, what is found appears as it is found."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.checkpoints.catalog import Catalog, Folder
from diffstudio.checkpoints.listing import Listing
from diffstudio.gui.work.asking import Question
from diffstudio.gui.work.jobs import Ended, Jobs, Stop

log = logging.getLogger("diffstudio")


class Scanning(QObject):
    """One scan goes at a time; a folder that is wanted again meanwhile is looked at again."""

    listed = Signal(object)  # Listing, of everything that is found so far
    scanned = Signal(object, bool)  # Folder, whether files in it are still being written

    def __init__(self, catalog: Catalog, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalog = catalog
        self.jobs = Jobs("catalog", self)
        self._wanted: dict[Folder, bool] = {}
        self._unsettled = False
        self._question = Question(self.jobs, self)
        self._question.answered.connect(self._on_listed)
        self._question.ended.connect(self._on_ended)

    @property
    def going(self) -> bool:
        """Whether anything is still to be looked at."""
        return self._question.open or bool(self._wanted)

    def scan(self, folders: Sequence[Folder], settle: bool = False) -> None:
        """Look at folders of the catalog. settle: leave out what seems to be written at this moment."""
        for folder in folders:
            self._wanted[folder] = settle and self._wanted.get(folder, True)
        if not self._question.open:
            self._next()

    def stop_all(self) -> None:
        """Look no further."""
        self._wanted.clear()
        self.jobs.stop_all()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Stop and join; True if it ended in time."""
        self.stop_all()
        return self.jobs.shut_down(seconds)

    def _next(self) -> None:
        folder = next(iter(self._wanted), None)
        if folder is None:
            return
        settle = self._wanted.pop(folder)

        def part(stop: Stop) -> Iterator[Listing]:
            yield from self.catalog.scanning([folder], settle, stop)

        self._question.ask(folder, [part])

    @Slot(object, object)
    def _on_listed(self, folder: Folder, listing: Listing) -> None:
        self._unsettled = listing.unsettled
        self.listed.emit(listing)

    @Slot(object, object)
    def _on_ended(self, folder: Folder, ended: Ended) -> None:
        if ended.outcome == "failed":
            log.warning("%s: %s", folder[1], ended.error)
        self.scanned.emit(folder, self._unsettled)
        self._next()
