"""Presets at work: settings kept under a name, taken, renamed, deleted, and what of that can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.dialogs.presets import PresetName, PresetsDialog
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.app.settings import MOST_PRESETS
from diffstudio.studio.library.library import SUFFIX as TRACE
from diffstudio.studio.request.request import Request


class Presets(QObject):
    """The presets of one window; they lie in its settings."""

    changed = Signal()  # what can be undone

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self.parts = parts
        self._before: list[dict[str, dict[str, Any]]] = []  # as they were before each change
        self._page: PresetsDialog | None = None
        parts.sampling.presets.saveWanted.connect(self.ask_name)
        parts.sampling.presets.manageWanted.connect(self.open)
        parts.sampling.presets.chosen.connect(self.take)

    @property
    def models(self) -> dict[str, str]:
        """The names in their order, with the models that they are for."""
        found = self.parts.settings.presets
        return {name: _model(found[name]) for name in sorted(found, key=str.casefold)}

    def show(self) -> None:
        """Offer what there is."""
        self.parts.sampling.presets.set_presets(self.models)
        if self._page is not None:
            self._page.show_presets(self.models, self.can_undo)

    # ── saving and taking ───────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def ask_name(self) -> None:
        """Ask for a name and keep the panel's settings under it."""
        p = self.parts
        if p.sampling.card is None:
            return
        try:
            request = p.sampling.checked_request()
        except DiffStudioError as error:
            p.sampling.show_wrong()
            show_error(p.window, str(error))
            return
        dialog = PresetName(p.window, self.models, request.model)
        dialog.wanted.connect(lambda name: self._guarded(name, request))
        dialog.open()

    def _guarded(self, name: str, request: Request) -> None:
        try:
            self.keep(name, request)
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))

    def keep(self, name: str, request: Request) -> None:
        """Keep a request under a name; what has the name is replaced.

        Raises:
            BadInput: there are too many.
        """
        presets = self.parts.settings.presets
        if name not in presets and len(presets) >= MOST_PRESETS:
            raise BadInput(tr("{} presets are kept at most: delete one first").format(count(MOST_PRESETS)))
        kept = request.model_dump(mode="json")
        if kept["source"] == "step" or str(kept["source_file"] or "").endswith(TRACE):
            kept |= {"source": "noise", "source_file": None, "source_step": None}  # a run does not stay
        word = tr("Preset “{}” replaced; Undo brings the former back.") if name in presets else tr("Preset “{}” saved.")
        self._change({**presets, name: kept}, word.format(name))

    @Slot(str)
    def take(self, name: str) -> None:
        """Set what a preset holds, with its model where that is here."""
        p = self.parts
        try:
            request = Request.model_validate(p.settings.presets[name])
        except (KeyError, ValueError):
            show_error(p.window, tr("The preset '{}' can't be used any more.").format(name))
            return
        there = p.models.choose(request.model)
        p.sampling.set_request(request)
        if not there and p.sampling.card is not None:
            word = tr("{} is not here: its settings are set for {}.")
            p.window.say(word.format(request.model, p.sampling.request().model))

    # ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def open(self) -> None:
        """The page on which presets are used, renamed and deleted."""
        page = self._page = PresetsDialog(self.parts.window)
        page.used.connect(self.take)
        page.renameWanted.connect(self._ask_new_name)
        page.deleted.connect(self.delete)
        page.undoWanted.connect(self.undo)
        page.finished.connect(self._on_finished)
        self.show()
        page.open()

    def _ask_new_name(self, name: str) -> None:
        dialog = PresetName(self._page or self.parts.window, self.models, self.models[name], renamed=name)
        dialog.wanted.connect(lambda new: self.rename(name, new))
        dialog.open()

    def rename(self, old: str, new: str) -> None:
        """Give a preset another name."""
        presets = dict(self.parts.settings.presets)
        if new != old and old in presets:
            self._change({**presets, new: presets[old]}, tr("Preset “{}” is “{}” now.").format(old, new), old)

    @Slot(str)
    def delete(self, name: str) -> None:
        """Delete a preset."""
        if name in self.parts.settings.presets:
            word = tr("Preset “{}” deleted; Undo brings it back.")
            self._change(dict(self.parts.settings.presets), word.format(name), name)

    @Slot()
    def _on_finished(self) -> None:
        self._page = None

    # ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_undo(self) -> bool:
        """Whether a change of the presets can be taken back."""
        return bool(self._before)

    @Slot()
    def undo(self) -> None:
        """Bring the presets back as they were before the last change."""
        if self._before:
            self.parts.settings.presets = self._before.pop()
            self.show()
            self.parts.window.say(tr("The presets are as before."))
            self.changed.emit()

    @Slot()
    def forget(self) -> None:
        """Something else was changed, and is what Undo takes back."""
        if self._before:
            self._before.clear()
            self.changed.emit()

    def _change(self, presets: dict[str, dict[str, Any]], said: str, gone: str = "") -> None:
        self._before.append(dict(self.parts.settings.presets))
        presets.pop(gone, None)
        self.parts.settings.presets = presets
        self.show()
        self.parts.window.say(said)
        self.changed.emit()


def _model(preset: dict[str, Any]) -> str:
    """For which model a preset is, short."""
    model = str(preset.get("model", ""))
    return Path(model).name if "/" in model else model
