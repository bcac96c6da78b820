"""Settings that were found in a picture: what would change, what is not as it was, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from diffstudio.checkpoints.hashing import Hashing
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.controllers.file_hash import Hashes
from diffstudio.gui.controllers.mask import MASKS
from diffstudio.gui.kit.changes import differences
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.app.recalled import Note, checkpoint_of, other_weights

if TYPE_CHECKING:
    from diffstudio.gui.dialogs.questions import RestoreQuestion
    from diffstudio.studio.app.opening import Opened
    from diffstudio.studio.request.request import Request


class Restoring(QObject):
    """Asks once for each picture; the newest question is told what is found out meanwhile."""

    def __init__(self, parts: Parts, show_entry: Callable[[Entry], object]) -> None:
        super().__init__(parts.window)
        self._parts, self._show_entry = parts, show_entry
        self._question: RestoreQuestion | None = None
        self._there = ""  # the hash in the picture
        self._hashes = Hashes(parts.scanning, self)
        self._hashes.read.connect(self._on_hash)

    def offer(self, found: Opened) -> None:
        """Ask whether they are to be taken.

        Raises:
            BadFile: they are no settings.  NotFound: the model is not here, under no name.
        """
        from diffstudio.gui.dialogs.questions import RestoreQuestion
        from diffstudio.studio import provenance
        from diffstudio.studio.app.opening import at_hand

        p, settings = self._parts, found.settings or {}
        request = provenance.request_of(settings, str(found.path))
        request, notes = at_hand(request, p.runs.folder / MASKS)
        self._there = str(settings.get("checkpoint_sha256", ""))
        entry, more = checkpoint_of(request, self._there, p.catalog.listing)
        request = request.model_copy(update={"model": entry.spec})
        changes = differences(p.sampling.request(), request, p.sampling.card, entry.card)
        question = RestoreQuestion(p.window, found.path.name, changes, words((*notes, *more)))

        def answered(yes: bool) -> None:
            if self._question is question:
                self._question = None
                self._hashes.cancel()
            if yes:
                self._take(request, entry, found.path.name)

        question.answered.connect(answered)
        self._question = question
        question.open()
        if self._there and not entry.sha256:
            self._hashes.ask(entry)

    def _take(self, request: Request, entry: Entry, name: str) -> None:
        p = self._parts
        if not p.models.choose_entry(entry):
            self._show_entry(entry)
        p.sampling.set_request(request)
        p.window.say(tr("Settings of {} restored.").format(name))

    @Slot(object, object)
    def _on_hash(self, entry: Entry, found: Hashing) -> None:
        if self._question is not None and found.digest:
            self._question.add_note(words(other_weights(entry, self._there, found.digest)))


def words(notes: Sequence[Note]) -> str:
    """What is not as it was, a sentence a line."""
    return "\n".join(map(_words, notes))


def _words(note: Note) -> str:
    if note.kind == "source":
        return tr("It started from the file {}, which is not in the picture: noise is set instead.").format(note.what)
    if note.kind == "mask":
        return tr("Its mask {} is not in the picture: everything is repainted.").format(note.what)
    if note.kind == "renamed":
        return tr("What made it is called {} here; it was {} there.").format(note.other, note.what)
    there, _, here = note.other.partition(", ")
    return tr(
        "{} has other weights than those that made it (sha256 {}… there, {}… here): the result will differ."
    ).format(note.what, there, here)
