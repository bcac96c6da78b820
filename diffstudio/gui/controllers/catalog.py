"""The picker at work: what is found appears in it, and what the user does with its rows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from diffstudio.checkpoints.catalog import BUNDLED, Folder
from diffstudio.checkpoints.listing import Entry, Listing
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.models.facts import short_path
from diffstudio.gui.panels.models.order import Order
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.folder_watch import Watching


class Picking(QObject):
    """Scans, favourites, order, folders of one window."""

    changed = Signal()  # what can be undone

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self.parts = parts
        self.watching = Watching(parts.scanning, self)
        self._awaited = ""  # the checkpoint that is chosen as soon as it is found
        self._opened: set[Folder] = set()  # single files: what is wrong with one is told
        self._added: set[Folder] = set()  # of these the user is told what is in them
        self._told: set[str] = set()  # sentences about what was not looked at
        self._listed: dict[str, Entry] = {}  # what was listed last, by path
        self._removed: list[tuple[int, str]] = []  # folders that were taken off the list, and where they stood
        self._begin = QTimer(self)  # its turn comes when the window has been painted
        self._begin.setSingleShot(True)
        self._begin.setInterval(0)
        self._begin.timeout.connect(self._on_begin)
        parts.scanning.listed.connect(self._on_listed)
        parts.scanning.scanned.connect(self._on_scanned)
        parts.models.selected.connect(self._on_selected)
        parts.models.sort.chosen.connect(self.sort)
        parts.runs.started.connect(self._on_started)

    def begin(self) -> None:
        """Show the order that is remembered, and look for everything beside the bundled checkpoints."""
        self.show_order()
        self._begin.start()

    def stop_all(self) -> None:
        """Look and watch no more."""
        self._begin.stop()
        self.watching.shut_down()

    def choose(self, spec: str) -> bool:
        """Select a checkpoint, now or as soon as it is found; False if it is not there yet."""
        self._awaited = ""
        if self.parts.models.choose(spec):
            return True
        self._awaited = spec
        return False

    def choose_visible(self) -> bool:
        """Whether the filter shows what is chosen; if not, the first that it shows is chosen, and that is said."""
        models = self.parts.models
        if not models.hides_chosen or models.entry is None:
            return True
        hidden = models.entry.spec
        if models.choose_first():
            word = tr("The filter hides {}: {} is chosen instead. Generate runs it.").format(hidden, models.entry.spec)
        else:
            word = tr("The filter hides every model: clear it first.")
        self.parts.window.say(word)
        return False

    # ── folders ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def open_file(self, path: Path) -> None:
        """List a checkpoint and choose it, as soon as it was looked at; what is wrong with it is said."""
        folder = ("opened", path)
        self.parts.catalog.add(folder)
        self._opened.add(folder)
        self._awaited = str(path)
        self.parts.scanning.scan([folder])

    def open_folder(self, path: Path) -> None:
        """List a folder that is a model, from now on, and choose that."""
        self._awaited = str(path)
        self.add_folder(path)

    def add_folder(self, path: Path) -> None:
        """List the checkpoints of a folder, from now on."""
        p, folder = self.parts, (str(path), path)
        if str(path) not in p.settings.folders:
            p.settings.folders = [*p.settings.folders, str(path)]
        p.catalog.add(folder)
        self._added.add(folder)
        p.window.say(tr("Looking through {}…").format(path))
        p.scanning.scan([folder])

    def remove_folder(self, path: str) -> None:
        """Take a folder that was added off the list; its files stay where they are."""
        p = self.parts
        if path not in p.settings.folders:
            return
        self._removed.append((p.settings.folders.index(path), path))
        p.settings.folders = [other for other in p.settings.folders if other != path]
        folder = (path, Path(path))
        p.catalog.remove(folder)
        p.models.show_listing(p.catalog.listing)
        p.scanning.scan([folder])
        p.window.say(tr("{} is off the list; Undo brings it back.").format(path))
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        """Whether a folder that was taken off the list can come back."""
        return bool(self._removed)

    def undo(self) -> None:
        """Bring back the folder that was taken off the list last."""
        place, path = self._removed.pop()
        folders = [other for other in self.parts.settings.folders if other != path]
        self.parts.settings.folders = [*folders[:place], path, *folders[place:]]
        self.add_folder(Path(path))
        self.changed.emit()

    @Slot()
    def forget_removed(self) -> None:
        """Something else was changed, and is what Undo takes back."""
        self._removed.clear()

    # ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def toggle_favourite(self, entry: Entry | None = None) -> None:
        """Make a model a favourite, or none; without an entry the one that is chosen."""
        p = self.parts
        entry = entry or p.models.entry
        if entry is None or entry.card is None:
            return
        name, names = entry.card.name, p.settings.favourites
        p.settings.favourites = [n for n in names if n != name] if name in names else [*names, name][-200:]
        self.show_order()
        word = tr("{} is a favourite.") if name in p.settings.favourites else tr("{} is no favourite any more.")
        p.window.say(word.format(name))

    @Slot(str)
    def sort(self, name: str) -> None:
        """Sort by another thing."""
        self.parts.settings.model_sort = name  # pyright: ignore[reportAttributeAccessIssue] - validated
        self.show_order()

    def show_order(self) -> None:
        """List models as the settings say."""
        s = self.parts.settings
        self.parts.models.set_order(Order(s.model_sort, frozenset(s.favourites), tuple(s.used)))

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def _on_begin(self) -> None:
        catalog = self.parts.catalog
        self.parts.scanning.scan([folder for folder in catalog.folders if folder[0] != BUNDLED])

    @Slot(object)
    def _on_listed(self, listing: Listing) -> None:
        before, self._listed = self._listed, {str(entry.path): entry for entry in listing.entries}
        self.parts.models.show_listing(listing)
        self._say_gone([entry for path, entry in before.items() if path not in self._listed])
        if self._awaited:
            self.choose(self._awaited)

    @Slot(object, bool)
    def _on_scanned(self, folder: Folder, unsettled: bool) -> None:
        if folder in self._added:
            self._added.discard(folder)
            self._tell(folder)
        if folder in self._opened:
            self._opened.discard(folder)
            self._show_opened(folder)
        remarks = [text for text in self.parts.catalog.listing.remarks if text not in self._told]
        if remarks:
            self._told.update(remarks)
            self.parts.window.say(remarks[0])

    def _show_opened(self, folder: Folder) -> None:
        """Choose a file that was opened, by whichever way it is listed, or say what is wrong with it."""
        p, path = self.parts, folder[1]
        found = next((entry for entry in p.catalog.entries if entry.path == path), None)
        try:
            if found is not None and found.problem:
                raise BadFile(found.problem)
            entry = found or p.catalog.find(str(path))
        except DiffStudioError as error:
            self._awaited = ""
            p.catalog.remove(folder)
            p.models.show_listing(p.catalog.listing)
            show_error(p.window, str(error))
            return
        if self._awaited == str(path):
            self.choose(str(entry.path))

    def _say_gone(self, entries: list[Entry]) -> None:
        """Files that were listed are gone: a word, so that nobody looks for them."""
        gone = [entry for entry in entries if not _is_there(entry.path)]
        if len(gone) == 1:
            self.parts.window.say(tr("{} is gone from {}.").format(gone[0].path.name, short_path(gone[0].path.parent)))
        elif gone:
            word = tr("{} files are gone from the list: {}, …")
            self.parts.window.say(word.format(count(len(gone)), gone[0].path.name))

    def _tell(self, folder: Folder) -> None:
        added = self.parts.catalog.found_in(folder)
        usable = sum(entry.card is not None for entry in added)
        parts = [tr("Checkpoints in {}: {}").format(folder[1], count(usable))]
        if usable < len(added):
            parts.append(tr("can't be used: {}").format(count(len(added) - usable)))
        self.parts.window.say(" · ".join(parts))

    @Slot(object)
    def _on_selected(self, entry: Entry) -> None:
        self._awaited = ""

    @Slot()
    def _on_started(self) -> None:
        request = self.parts.runs.request
        if request is not None:
            self.parts.settings.remember_used(request.model.partition("@")[0])
            # Its place in the list changes with the next change, not under the mouse.


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
