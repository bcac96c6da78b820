"""The sampling panel: what the chosen checkpoint understands, with its own defaults; its value is a Request."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadInput
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.panels.rows import Row
from diffstudio.gui.panels.sampling.fields_page import FieldsPage
from diffstudio.gui.panels.sampling.request_history import RequestHistory
from diffstudio.gui.panels.sampling.run_footer import RunFooter
from diffstudio.studio.request.checks import Resolved, resolve, unavailable
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request


class SamplingPanel(QWidget):
    """Emits `changed` after every change of the request."""

    changed = Signal()

    def __init__(self, tokens: Tokens, device: str = "auto", parent: QWidget | None = None) -> None:
        """device: where the network runs unless the request says otherwise."""
        super().__init__(parent)
        self._device = device
        self._entry: Entry | None = None
        self._defaults = Request.model_validate({})
        self._per_model: dict[str, Request] = {}
        self._loading = False
        self._history = RequestHistory()
        self._seen: tuple[dict[str, Any], Resolved] | None = None  # what the fields said last, and what comes of it
        self.fields = fields = FieldsPage(tokens, tuple(dict.fromkeys(("auto", "cpu", device))))
        self.folds, self.presets, main = fields.folds, fields.presets, fields.main
        self.guiding, self.edit, self.advanced = fields.guiding, fields.edit, fields.advanced
        self.rows, self.params = main.rows, main.params
        self.source, self.label, self.solver, self.steps = main.source, main.label, main.solver, main.steps
        self.prompt, self.negative_prompt, self.distilled = main.prompt, main.negative_prompt, main.distilled
        self.guidance, self.seed, self.samples = main.guidance, main.seed, main.samples
        self.footer = RunFooter()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(fields, 1)
        layout.addWidget(self.footer)
        fields.changed.connect(self._on_changed)
        self.source.changed.connect(self._on_source)
        self.apply_theme(tokens)
        self.setEnabled(False)

    # ── the checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────

    def set_entry(self, entry: Entry, guides: Sequence[Entry] = ()) -> None:
        """Offer what this checkpoint understands; a model that was used before gets its settings back.

        guides: the other checkpoints that guidance can lead away from.
        """
        card = entry.card
        if card is None:
            return
        shown: dict[str, Any] = {"model": _spec(entry)}
        if self.card is not None:
            self._per_model[self.card.name] = self.request()
            shown["seed"] = self.seed.value()  # it goes along
        self._entry, self._seen = entry, None
        self._defaults = default_request(card, _spec(entry), device=self._device)
        self.setEnabled(True)
        self._loading = True
        self.fields.offer(card, guides, self._defaults)
        self._loading = False
        self._show((self._per_model.get(card.name) or self._defaults).model_copy(update=shown))
        self._history.start(self.request())
        self._settle()

    @property
    def entry(self) -> Entry | None:
        """The chosen checkpoint."""
        return self._entry

    @property
    def card(self) -> Card | None:
        """The card of the chosen checkpoint."""
        return self._entry.card if self._entry else None

    # ── the request ─────────────────────────────────────────────────────────────────────────────────────────────────

    def request(self) -> Request:
        """The request as it stands, also while it is typed; a field that is disabled has its neutral value.

        A field whose text says nothing that can be used counts as what it said last: for a run ask `checked_request`.
        """
        return self._resolved().request

    def checked_request(self) -> Request:
        """The same, for a run or for keeping: what is seen in the fields, and nothing else.

        Raises:
            BadInput: a field holds something that can't be used.
        """
        if self.wrong is not None:
            raise BadInput(self.wrong.mistake)
        return self.request()

    @property
    def reasons(self) -> dict[str, str]:
        """Why fields are disabled, see `checks.unavailable`."""
        return self._resolved().reasons

    @property
    def wrong(self) -> Row | None:
        """The first row whose field says something that can't be used."""
        return self.fields.wrong

    def show_wrong(self) -> None:
        """Bring the field that can't be used into view, and the keys into it."""
        self.fields.show_wrong()

    @Slot()
    def commit(self) -> None:
        """Enter what is typed in the fields, as leaving them does."""
        self.fields.enter()
        if self._entry is None:
            return
        # The step to start from follows the playhead: that is no change of the user's to be noted.
        moves = {"source_step": None}
        if self._seen is None or self._values() | moves != self._seen[0] | moves:
            self._on_changed()

    def _resolved(self) -> Resolved:
        """What comes of the fields: built once for what they say."""
        assert self.card is not None
        values = self._values()
        if self._seen is None or self._seen[0] != values:
            # What the fields say together need not be a valid request before the unusable among them are left out.
            found = resolve(self.card, Request.model_construct(None, **values))
            self._seen = values, Resolved(Request.model_validate(dict(found.request)), found.reasons)
        return self._seen[1]

    def _values(self) -> dict[str, Any]:
        """What all fields say, disabled or not."""
        assert self._entry is not None
        return {"model": _spec(self._entry), **self.fields.values()}

    def all_rows(self) -> dict[str, Row]:
        """Every row by the name of the request's field that it sets."""
        return self.fields.rows

    def reveal(self, name: str) -> None:
        """Bring the row of a field into view, its fold opened, and give it the keyboard."""
        self.fields.reveal(self.fields.rows[name])

    def begin_run(self) -> None:
        """A run is to start: it may get a seed of its own, and what is changed for it is a change of its own."""
        self._history.separate()
        self.seed.begin_run()
        self._history.separate()

    def set_request(self, request: Request) -> None:
        """Show a request (of this model); one step of undo."""
        self._show(request)
        self._history.separate()
        self._on_changed()

    def set_device(self, name: str) -> None:
        """Another device is the default; a request that had the old one follows."""
        follows = self.advanced.device.value() == self._device
        self._device = name
        self.advanced.set_devices([name])
        self._defaults = self._defaults.model_copy(update={"device": name})
        self.advanced.set_defaults(self._defaults)
        if follows:
            self.advanced.device.set_value(name)

    def set_source_file(self, path: Path) -> None:
        """Start from a file. Raises: BadInput, BadFile."""
        if self.card is not None:
            self.source.set_file(path, self.card.meaning)

    def set_mask_file(self, path: Path) -> None:
        """Repaint where a picture is white. Raises: BadInput, BadFile."""
        if self.card is not None:
            self.edit.mask_file.set_file(path)

    def _show(self, request: Request, keep: bool = False) -> None:
        """Show a request. What it leaves no meaning for says nothing: it is the default, or is kept as it is."""
        assert self.card is not None
        values = self._values() if keep else dict(self._defaults)
        unused = unavailable(self.card, request).keys() & values.keys() - {"steps", "source"}
        self._loading = True
        self.fields.show_request(request.model_copy(update={name: values[name] for name in unused}))
        self._loading = False

    def _settle(self) -> None:
        """Enable what goes together, mark what differs from the defaults, tell everybody."""
        found, card = self._resolved(), self.card
        assert card is not None
        self._loading = True
        self.fields.fall_back(found.request)
        self._loading = False
        self.fields.settle(card, found)
        self.changed.emit()

    @Slot()
    def _on_source(self) -> None:
        """A mask of the source's own size lies where the source lies."""
        self.edit.mask_file.set_placing(self.source.placing)

    @Slot()
    def _on_changed(self) -> None:
        if not self._loading and self._entry is not None:
            self._history.note(self.request())
            self._settle()

    # ── from one start to the next ──────────────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, dict[str, Any]]:
        """What the fields say of each model that was used, as JSON."""
        said = self._per_model | ({self.card.name: self.request()} if self.card is not None else {})
        return {name: request.model_dump(mode="json", exclude_defaults=True) for name, request in said.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back a `state`, before a model is chosen; what is not understood is passed over."""
        for name, found in state.items():
            with contextlib.suppress(ValueError):
                self._per_model[name] = Request.model_validate(found)

    # ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return self._history.can_redo

    def undo(self) -> None:
        """Take the last change back."""
        self._travel(self._history.undo())

    def redo(self) -> None:
        """Make it again."""
        self._travel(self._history.redo())

    def reset(self) -> None:
        """Every field to the model's defaults, the seed stays."""
        if self._entry is not None:
            self.set_request(self._defaults.model_copy(update={"seed": self.seed.value()}))

    def _travel(self, request: Request | None) -> None:
        if request is not None:
            self._show(request, keep=True)
            self._settle()

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self.fields.apply_theme(tokens)


def _spec(entry: Entry) -> str:
    """What a request names: a checkpoint that was opened from somewhere goes by its path."""
    return entry.spec if entry.group != "file" else str(entry.path)
