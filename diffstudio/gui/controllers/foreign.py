"""Pictures of other programs that say how they were made: their prompt, steps and seed become settings here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import DiffStudioError
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.changes import differences
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.parameters_text import Parameters, taken_over
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request

SHORTEST_HASH = 8  # digits of a sha256 that name a model


class Foreign(QObject):
    """Asks whether they are taken over, or the picture is to be the source."""

    def __init__(self, parts: Parts, show_entry: Callable[[Entry], None]) -> None:
        super().__init__(parts.window)
        self.parts, self._show_entry = parts, show_entry

    def offer(self, path: Path, found: Parameters) -> None:
        """What would change with the chosen model, or with the one that made the picture where it is here."""
        from diffstudio.gui.dialogs.questions import RestoreQuestion

        p = self.parts
        entry = self._model(found)
        if entry is None:
            p.sampling.set_source_file(path)
            p.window.say(
                tr("{} says how another program drew it, for a model that is told a prompt.").format(path.name)
            )
            return
        assert entry.card is not None
        chosen = p.sampling.card
        now = p.sampling.request() if entry.card == chosen else default_request(entry.card, entry.spec)
        request, notes = taken_over(found, now, entry.card)
        changes = differences(p.sampling.request() if chosen else now, request, chosen, entry.card)
        question = RestoreQuestion(p.window, path.name, changes, "\n".join(notes), can_start=True)
        question.answered.connect(partial(self._answered, path, entry, request))
        question.startWanted.connect(partial(self._start, path))
        question.open()

    def _model(self, found: Parameters) -> Entry | None:
        """The model of that hash or name, else the chosen one, else any that is told a prompt; None where none is."""
        p = self.parts
        told = [e for model in p.catalog.models() for e in model.entries if e.card and e.card.prompts is not None]
        digits, name = found.fields.get("model hash", "").casefold(), found.fields.get("model", "").casefold()
        if len(digits) >= SHORTEST_HASH:
            for entry in told:
                if entry.card and entry.card.sha256.startswith(digits):
                    return entry
        for entry in told:
            if name and entry.card and name in (entry.card.name.casefold(), entry.path.stem.casefold()):
                return entry
        card = p.sampling.card
        if card is not None and card.prompts is not None:
            return p.sampling.entry
        return told[0] if told else None

    def _answered(self, path: Path, entry: Entry, request: Request, yes: bool) -> None:
        p = self.parts
        if yes:
            if entry.card != p.sampling.card and not p.models.choose(entry.spec):
                self._show_entry(entry)
            p.sampling.set_request(request)
            p.window.say(tr("Settings of {} restored.").format(path.name))

    def _start(self, path: Path) -> None:
        try:
            self.parts.sampling.set_source_file(path)
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))
