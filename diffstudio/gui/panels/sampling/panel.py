"""The sampling panel: what the chosen checkpoint understands, with its own defaults; its value is a Request."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.data import DATASETS
from diffstudio.errors import BadInput
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ContentScroll, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.folds import Folds
from diffstudio.gui.panels.rows import align, heading_width
from diffstudio.gui.panels.sampling.advanced import AdvancedFields
from diffstudio.gui.panels.sampling.edit import EditFields
from diffstudio.gui.panels.sampling.guidance import GuidanceFields
from diffstudio.gui.panels.sampling.main_fields import MainFields
from diffstudio.gui.panels.sampling.presets import PresetsButton
from diffstudio.gui.panels.sampling.request_history import RequestHistory
from diffstudio.gui.panels.sampling.run_footer import RunFooter
from diffstudio.studio.request.checks import solver_problem, unavailable, usable
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request

SPACING = 4


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
        self._main = main = MainFields(tokens, SPACING)
        self.rows, self.params = main.rows, main.params
        self.source, self.label, self.solver, self.steps = main.source, main.label, main.solver, main.steps
        self.prompt, self.negative_prompt, self.distilled = main.prompt, main.negative_prompt, main.distilled
        self.guidance, self.seed, self.samples = main.guidance, main.seed, main.samples
        self.presets = PresetsButton()
        self.footer = RunFooter()
        self.guiding = GuidanceFields(SPACING)
        self.edit = EditFields(tokens, SPACING)
        self.advanced = AdvancedFields(tokens, SPACING, self.steps, tuple(dict.fromkeys(("auto", "cpu", device))))
        bodies = {
            "guidance": (tr("Guidance"), tr("Away from what, where, and how much of it."), self.guiding),
            "edit": (tr("Edit"), tr("Strength, mask, noise between or near others."), self.edit),
            "advanced": (tr("Advanced"), tr("Spacing, path, clipping, recording, device."), self.advanced),
        }
        self.folds = Folds(bodies, SPACING)
        self._groups = (self._main, self.guiding, self.edit, self.advanced)
        self._build()
        for group in self._groups:
            group.changed.connect(self._on_changed)
        # Queued: where it is open is known when it has been laid out.
        self.folds.clicked.connect(self._on_fold, Qt.ConnectionType.QueuedConnection)
        self.apply_theme(tokens)
        self.setEnabled(False)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(label(tr("SAMPLING"), "heading"), 1)
        head.addWidget(self.presets)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 6, 4, 0)
        inner.setSpacing(SPACING)
        inner.addLayout(head)
        inner.addWidget(self._main)
        inner.addWidget(self.folds)
        inner.addStretch(1)
        rows = [row for group in self._groups for row in group.rows.values()]
        width = heading_width(rows)
        align(rows, width)
        for params in (self.params, *self.advanced.params.values()):
            params.set_heading_width(width)
        self.fields = ContentScroll(body)
        self.fields.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes to what is in it, and it scrolls there
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.fields, 1)
        layout.addWidget(self.footer)

    # ── the checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────

    def set_entry(self, entry: Entry, guides: Sequence[Entry] = ()) -> None:
        """Offer what this checkpoint understands; a model that was used before gets its settings back.

        guides: the other checkpoints that guidance can lead away from.
        """
        card = entry.card
        if card is None:
            return
        if self.card is not None:
            self._per_model[self.card.name] = self.request()
        self._entry = entry
        self._defaults = default_request(card, _spec(entry), device=self._device)
        self.setEnabled(True)
        self._loading = True
        self._offer(card, guides)
        for group in self._groups:
            group.set_defaults(self._defaults)
        stops = [self.rows["source"].reset, *self.label.controls(), self.rows["label"].reset]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)  # new widgets come last, wherever they stand
        self._loading = False
        kept = self._per_model.get(card.name)
        shown = {"model": _spec(entry), "seed": self.seed.value()}
        self._show((kept or self._defaults).model_copy(update=shown))
        self._history.start(self.request())
        self._settle()

    def _offer(self, card: Card, guides: Sequence[Entry]) -> None:
        """What there is to choose from."""
        self.label.set_labels(card.labels)
        self.rows["label"].setVisible(bool(card.labels))
        self._main.set_card(card)
        can_guide = bool(card.labels or guides or card.prompts)
        self.rows["guidance"].setVisible(can_guide)
        self.folds.set_offered("guidance", can_guide)
        self.guiding.set_model(card.labels, guides)
        self.edit.set_card(card)
        self.advanced.set_card(card)
        self.source.set_has_data(card.data.dataset in DATASETS)
        self.source.check_file(card.meaning)
        for name in options.SOLVERS:
            problem = solver_problem(card, name)
            self.solver.set_enabled(name, not problem, problem)

    @property
    def card(self) -> Card | None:
        """The card of the chosen checkpoint."""
        return self._entry.card if self._entry else None

    def request(self) -> Request:
        """The request as it stands; a field that is disabled has its neutral value."""
        assert self.card is not None
        # What the fields say together need not be a valid request before the unusable among them are left out.
        request = usable(self.card, Request.model_construct(None, **self._values()))
        return Request.model_validate(dict(request))

    def checked_request(self) -> Request:
        """The same, for a run.

        Raises:
            BadInput: a field holds something that can't be read.
        """
        if self.advanced.problem:
            raise BadInput(self.advanced.problem)
        return self.request()

    def _values(self) -> dict[str, Any]:
        """What all fields say, disabled or not."""
        assert self._entry is not None
        return {
            "model": _spec(self._entry),
            **self._main.fields(),
            **self.guiding.fields(),
            **self.edit.fields(),
            **self.advanced.fields(),
            **self.source.fields(),
        }

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
        unused = unavailable(self.card, request).keys() & values.keys() - {"steps"}
        # The source is shown last, by `set_fields`: a file may be gone.
        shown = request.model_copy(update={**{name: values[name] for name in unused}, "source": self.source.value()})
        self._loading = True
        for group in self._groups:
            group.show_request(shown)
        self.source.set_fields(request)
        self._loading = False

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

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        for group in self._groups:
            group.apply_theme(tokens)

    def _settle(self) -> None:
        """Enable what goes together, mark what differs from the defaults, tell everybody."""
        request, card = self.request(), self.card
        assert card is not None
        self._loading = True
        # What did not go with another choice fell back, and a list of times says how many steps there are.
        self.solver.set_value(request.solver)
        self.steps.set_value(request.steps)
        self.advanced.grid.set_value(request.grid)
        self.advanced.path.set_value(request.path.name if request.path else "")
        self._loading = False
        reasons = unavailable(card, request)
        for group in self._groups:
            group.settle(reasons)
        self.advanced.offer(card, request)
        self.changed.emit()

    @Slot()
    def _on_fold(self) -> None:
        """In a small window, what was opened comes into view."""
        if self.folds.open:
            self.fields.verticalScrollBar().setValue(self.folds.y())

    @Slot()
    def _on_changed(self) -> None:
        if not self._loading and self._entry is not None:
            self._history.note(self.request())
            self._settle()


def _spec(entry: Entry) -> str:
    """What a request names: a checkpoint that was opened from somewhere goes by its path."""
    return entry.spec if entry.group != "file" else str(entry.path)
