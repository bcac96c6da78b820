"""What takes longer to find out about a checkpoint: the sha256 of its weights, read in the background."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.checkpoints.hashing import PART, Hashing
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.models.card import CardPanel
from diffstudio.gui.work.asking import Question
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.jobs import Ended, Stop

log = logging.getLogger("diffstudio")
SHOWN_FROM = PART  # bytes of weights from which the progress is shown


class Hashes(QObject):
    """Reads the weights of one checkpoint at a time; another one that is asked for ends the reading before."""

    read = Signal(object, object)  # Entry, Hashing: a part of it is done, or all
    failed = Signal(object)  # Entry

    def __init__(self, scanning: Scanning, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalog = scanning.catalog
        self._entry: Entry | None = None
        self._question = Question(scanning.jobs, self)
        self._question.answered.connect(self._on_read)
        self._question.ended.connect(self._on_ended)

    def ask(self, entry: Entry) -> None:
        """Find it out; the answers are `read` or `failed`."""
        shared: list[Hashing] = []

        def part(stop: Stop) -> Iterator[Hashing]:
            if not shared:
                shared.append(Hashing(entry.path, self._catalog.cache))
            if not shared[0].digest:
                shared[0].read(stop)
            yield shared[0]

        def rest(stop: Stop) -> Iterator[Hashing]:
            for hashing in part(stop):
                hashing.read_all(stop)
                yield hashing

        # As many parts as there are weights: other questions get their turn between them.
        self._entry = entry
        self._question.ask((entry.path, entry.changed, entry.size, id(entry)), [part] * (entry.size // PART) + [rest])

    def cancel(self) -> None:
        """Ask no more."""
        self._entry = None
        self._question.cancel()

    @Slot(object, object)
    def _on_read(self, about: object, found: Hashing) -> None:
        entry = self._entry
        if entry is not None:
            if found.digest:
                self._catalog.keep_hash(entry, found.digest)
            self.read.emit(entry, found)

    @Slot(object, object)
    def _on_ended(self, about: object, ended: Ended) -> None:
        if ended.outcome == "failed" and self._entry is not None:
            log.info("%s", ended.error)
            self.failed.emit(self._entry)


class Facts(QObject):
    """Tells the card of the chosen checkpoint."""

    def __init__(self, scanning: Scanning, card: CardPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._card = card
        self._hashes = Hashes(scanning, self)
        self._hashes.read.connect(self._on_read)
        self._hashes.failed.connect(self._on_failed)

    @Slot(object)
    def show_entry(self, entry: Entry) -> None:
        """Find out what the card of this one does not say."""
        self._hashes.cancel()
        if entry.card is not None and not entry.sha256:
            self._card.set_hash(entry, "", 0.0)
            self._hashes.ask(entry)

    @Slot(object, object)
    def _on_read(self, entry: Entry, found: Hashing) -> None:
        share = found.done / found.size if found.size > SHOWN_FROM else 0.0
        of = tr("of {} files").format(count(found.count)) if entry.is_folder else ""
        self._card.set_hash(entry, found.digest, share, of)

    @Slot(object)
    def _on_failed(self, entry: Entry) -> None:
        self._card.set_hash(entry, "", None)
