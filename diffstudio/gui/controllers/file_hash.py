"""What takes longer to find out about the chosen checkpoint: the sha256 of its file, read beside the window."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from PySide6.QtCore import QObject, Slot

from diffstudio.checkpoints.hashing import PART, Hashing
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.panels.models.card import CardPanel
from diffstudio.gui.work.asking import Question
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.jobs import Ended, Stop

log = logging.getLogger("diffstudio")
SHOWN_FROM = PART  # bytes of a file from which its progress is shown


class Facts(QObject):
    """Tells the card; another checkpoint that is chosen ends the reading of the one before."""

    def __init__(self, scanning: Scanning, card: CardPanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._card, self._cache = card, scanning.catalog.cache
        self._question = Question(scanning.jobs, self)
        self._question.answered.connect(self._on_read)
        self._question.ended.connect(self._on_ended)

    @Slot(object)
    def show_entry(self, entry: Entry) -> None:
        """Find out what the card of this one does not say."""
        self._question.cancel()
        if entry.card is None or entry.card.sha256:
            return
        shared: list[Hashing] = []

        def part(stop: Stop) -> Iterator[Hashing]:
            if not shared:
                shared.append(Hashing(entry.path, self._cache))
            if not shared[0].digest:
                shared[0].read(stop)
            yield shared[0]

        # As many parts as the file has: other questions get their turn between them.
        self._card.set_hash(entry, "", 0.0)
        self._question.ask((entry.path, entry.changed, entry.size, id(entry)), [part] * (entry.size // PART + 1))
        self._entry = entry

    @Slot(object, object)
    def _on_read(self, about: object, found: Hashing) -> None:
        share = found.done / found.size if found.size > SHOWN_FROM else 0.0
        name = found.file.name if found.file != self._entry.path else ""
        self._card.set_hash(self._entry, found.digest, share, name)

    @Slot(object, object)
    def _on_ended(self, about: object, ended: Ended) -> None:
        if ended.outcome == "failed":
            log.info("%s", ended.error)
            self._card.set_hash(self._entry, "", None)
