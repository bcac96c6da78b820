"""The sampling panel: what the chosen checkpoint understands, with its own defaults; its value is a Request."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.data import DATASETS
from diffstudio.errors import BadInput
from diffstudio.gui.kit.number_box import NumberBox
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ContentScroll, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.folds import Folds
from diffstudio.gui.panels.rows import Row, align, heading_width
from diffstudio.gui.panels.sampling.advanced import AdvancedFields
from diffstudio.gui.panels.sampling.edit import EditFields
from diffstudio.gui.panels.sampling.guidance import GuidanceFields
from diffstudio.gui.panels.sampling.main_fields import MainFields
from diffstudio.gui.panels.sampling.params import ParamFields
from diffstudio.gui.panels.sampling.presets import PresetsButton
from diffstudio.gui.panels.sampling.request_history import RequestHistory
from diffstudio.gui.panels.sampling.run_footer import RunFooter
from diffstudio.studio.request.checks import Resolved, resolve, solver_problem, unavailable
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
        self._seen: tuple[dict[str, Any], Resolved] | None = None  # what the fields said last, and what comes of it
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
        self.folds.opened.connect(self._on_fold, Qt.ConnectionType.QueuedConnection)
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
        seed = self.seed.value() if self.card is not None else None
        if self.card is not None:
            self._per_model[self.card.name] = self.request()
        self._entry, self._seen = entry, None
        self._defaults = default_request(card, _spec(entry), device=self._device)
        self.setEnabled(True)
        self._loading = True
        self._offer(card, guides)
        for group in self._groups:
            group.set_defaults(self._defaults)
        stops = [self.presets, *self.label.controls(), self.rows["label"].reset]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)  # new widgets come last, wherever they stand
        self._loading = False
        kept = self._per_model.get(card.name)
        shown = {"model": _spec(entry)} | ({} if seed is None else {"seed": seed})  # the seed goes along
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
        self._align()

    def _align(self) -> None:
        """Let the fields of a group begin at one place: that which the headings that are offered leave."""
        for group in self._groups:
            width = heading_width(row for row in group.rows.values() if not row.withdrawn)
            align(group.rows.values(), width)
            for fields in group.findChildren(ParamFields):
                fields.set_heading_width(width)

    @property
    def card(self) -> Card | None:
        """The card of the chosen checkpoint."""
        return self._entry.card if self._entry else None

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
        wrong = self.wrong
        if wrong is not None:
            raise BadInput(wrong.mistake)
        return self.request()

    @property
    def reasons(self) -> dict[str, str]:
        """Why fields are disabled, see `checks.unavailable`."""
        return self._resolved().reasons

    @Slot()
    def commit(self) -> None:
        """Enter what is typed in the fields, as leaving them does."""
        for box in self.findChildren(NumberBox):
            box.commit()
        if self._entry is not None and (self._seen is None or self._values() != self._seen[0]):
            self._on_changed()

    @property
    def wrong(self) -> Row | None:
        """The first row whose field says something that can't be used."""
        return next((group.wrong for group in self._groups if group.wrong), None)

    def show_wrong(self) -> None:
        """Bring the field that can't be used into view, and the keys into it."""
        row = self.wrong
        if row is None:
            return
        for name, page in self.folds.pages.items():
            if page.isAncestorOf(row):
                self.folds.unfold(name)
        row.tell()
        self.fields.ensureWidgetVisible(row)
        first = next((child for child in row.field.findChildren(QWidget) if getattr(child, "mistake", "")), None)
        (first or getattr(row.field, "edit", row.field)).setFocus()

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

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        for group in self._groups:
            group.apply_theme(tokens)

    def _settle(self) -> None:
        """Enable what goes together, mark what differs from the defaults, tell everybody."""
        found, card = self._resolved(), self.card
        assert card is not None
        request = found.request
        self._loading = True
        # What did not go with another choice fell back, and a list of times says how many steps there are.
        self.solver.set_value(request.solver)
        if self.steps.value() != request.steps:
            self.steps.set_value(request.steps)
        self.advanced.grid.set_value(request.grid)
        self.advanced.path.set_value(request.path.name if request.path else "")
        self._loading = False
        for group in self._groups:
            group.settle(found.reasons)
        self.advanced.offer(card, request)
        self.changed.emit()

    @Slot(str)
    def _on_fold(self, name: str) -> None:
        """What was opened comes into view, and what is above it goes no further than it must."""
        page, bar = self.folds.pages[name], self.fields.verticalScrollBar()
        top = bar.value() + page.mapTo(self.fields.viewport(), QPoint(0, 0)).y()
        bar.setValue(max(bar.value(), min(top, top + page.height() - self.fields.viewport().height())))

    @Slot()
    def _on_changed(self) -> None:
        if not self._loading and self._entry is not None:
            self._history.note(self.request())
            self._settle()


def _spec(entry: Entry) -> str:
    """What a request names: a checkpoint that was opened from somewhere goes by its path."""
    return entry.spec if entry.group != "file" else str(entry.path)
