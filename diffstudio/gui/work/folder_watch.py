"""Folders of checkpoints are watched: what a training saves appears by itself, once it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Slot

from diffstudio.checkpoints.catalog import BUNDLED, HUB, Folder
from diffstudio.checkpoints.finding import folders_in
from diffstudio.checkpoints.listing import Listing
from diffstudio.gui.work.asking import Part, Question
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.jobs import Stop

MAX_WATCHED = 512  # folders and files: a system has only so many watches
SETTLE_MS = 400  # after a change others follow, one scan is enough for all of them
AGAIN_MS = 1500  # until a file that was being written is looked at again


class Watching(QObject):
    """Scans a folder again after something in it has changed."""

    def __init__(self, scanning: Scanning, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scanning = scanning
        self._watcher: QFileSystemWatcher | None = None  # made when there is something to watch
        self._changed: dict[Folder, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_settled)
        self._paths = Question(scanning.jobs, self)
        self._paths.answered.connect(self._on_paths)
        scanning.scanned.connect(self._on_scanned)

    @property
    def watched(self) -> set[str]:
        """Folders and files that are watched now."""
        return {*self._watcher.directories(), *self._watcher.files()} if self._watcher else set()

    def shut_down(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._scanning.scanned.disconnect(self._on_scanned)
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None

    @Slot(object, bool)
    def _on_scanned(self, folder: Folder, unsettled: bool) -> None:
        if unsettled:
            self._want(folder, AGAIN_MS)
        if _is_watched(folder):
            folders = [other for other in self._scanning.catalog.folders if _is_watched(other)]
            listing = self._scanning.catalog.listing
            self._paths.cancel()
            self._paths.ask((tuple(folders), id(listing)), [_paths_of(folders, listing)])

    @Slot(object, object)
    def _on_paths(self, about: object, wanted: set[str]) -> None:
        if self._watcher is None:
            if not wanted:
                return
            self._watcher = QFileSystemWatcher(self)
            self._watcher.directoryChanged.connect(self._on_changed)
            self._watcher.fileChanged.connect(self._on_changed)
        gone, new = self.watched - wanted, wanted - self.watched
        if gone:
            self._watcher.removePaths(sorted(gone))
        if new:
            self._watcher.addPaths(sorted(new))

    @Slot(str)
    def _on_changed(self, path: str) -> None:
        at = Path(path)
        for folder in self._scanning.catalog.folders:
            if _is_watched(folder) and folder[1] in (at, *at.parents):
                self._want(folder, SETTLE_MS)

    def _want(self, folder: Folder, milliseconds: int) -> None:
        self._changed[folder] = None
        if not self._timer.isActive() or self._timer.remainingTime() > milliseconds:
            self._timer.start(milliseconds)

    @Slot()
    def _on_settled(self) -> None:
        listed = self._scanning.catalog.folders
        changed = [folder for folder in self._changed if folder in listed]
        self._changed.clear()
        self._scanning.scan(changed, settle=True)


def _is_watched(folder: Folder) -> bool:
    return folder[0] not in (BUNDLED, HUB)


def _paths_of(folders: list[Folder], listing: Listing) -> Part:
    """A part that finds what to watch: the folders, and files that can't be used, since they may not be whole yet."""

    def part(stop: Stop) -> Iterator[set[str]]:
        found: dict[str, None] = {}
        for _, root in folders:
            found.update(dict.fromkeys(str(at) for at in folders_in(root, MAX_WATCHED)))
        broken = [str(entry.path) for entry in listing.entries if entry.problem and entry.path.is_file()]
        yield {*list(found)[: MAX_WATCHED - 64], *broken[:64]}

    return part
