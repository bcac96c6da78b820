"""The sampling panel: what the chosen checkpoint understands, with its own defaults; its value is a Request."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Entry
from diffstudio.data import DATASETS
from diffstudio.gui.panels.advanced import AdvancedFields
from diffstudio.gui.panels.fields import Combo, CountField, NumberField
from diffstudio.gui.panels.label_field import LabelField
from diffstudio.gui.panels.params import ParamFields
from diffstudio.gui.panels.presets import PresetsButton
from diffstudio.gui.panels.request_history import RequestHistory
from diffstudio.gui.panels.rows import Row, align, heading_width
from diffstudio.gui.panels.run_footer import RunFooter
from diffstudio.gui.panels.seed_field import SeedField
from diffstudio.gui.panels.source import SourceField
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import ContentScroll, Fold, label
from diffstudio.gui.words import tr
from diffstudio.studio.defaults import default_request
from diffstudio.studio.plan import can_go_forward
from diffstudio.studio.request import Request

SPACING = 4
GUIDANCE = "w in D = D_any + w·(D_class − D_any): 1 is none."


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
        self.source = SourceField()
        self.label = LabelField()
        self.solver = Combo([(s.name, tr(s.label), tr(s.tip)) for s in options.SOLVERS.values()])
        self.params = ParamFields(tokens, SPACING)
        self.steps = NumberField(1, 100_000, slider_high=200)
        self.guidance = NumberField(0, 100, 0.1, decimals=2, slider_high=10)
        self.seed = SeedField(tokens)
        self.samples = CountField(1, 1_000_000)
        self.advanced = AdvancedFields(SPACING, tuple(dict.fromkeys(("auto", "cpu", device))))
        self.fold = Fold(tr("Advanced: spacing, path, recording"), self.advanced)
        self.presets = PresetsButton()
        self.footer = RunFooter()
        self.rows = {
            "source": Row(tr("Start from"), self.source, tr("Where the reverse chain starts.")),
            "label": Row(tr("Class"), self.label, tr("What to draw.")),
            "solver": Row(tr("Solver"), self.solver),
            "steps": Row(tr("Steps"), self.steps, tr("Steps from noise to data; more are finer and slower.")),
            "guidance": Row(tr("Guidance"), self.guidance, tr(GUIDANCE)),
            "seed": Row(tr("Seed"), self.seed, tr("Sample i of seed s is the picture of seed s + i.")),
            "samples": Row(tr("Samples"), self.samples, tr("How many are drawn at once.")),
        }
        self._build()
        self._wire()
        self.apply_theme(tokens)
        self._on_solver()
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
        for name, row in self.rows.items():
            inner.addWidget(row)
            if name == "solver":
                inner.addWidget(self.params)
        inner.addWidget(self.fold)
        inner.addStretch(1)
        width = heading_width([*self.rows.values(), *self.advanced.rows.values()])
        align([*self.rows.values(), *self.advanced.rows.values()], width)
        self.params.set_heading_width(width)
        self.fields = ContentScroll(body)
        self.fields.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes to what is in it, and it scrolls there
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.fields, 1)
        layout.addWidget(self.footer)

    def _wire(self) -> None:
        self.solver.changed.connect(self._on_solver)  # before the others hear of it
        for row in self.rows.values():
            row.field.changed.connect(self._on_changed)
            row.resetWanted.connect(self._on_reset)
        self.params.changed.connect(self._on_changed)
        self.advanced.changed.connect(self._on_changed)

    # ── the checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────

    def set_entry(self, entry: Entry) -> None:
        """Offer what this checkpoint understands; a model that was used before gets its settings back."""
        card = entry.card
        if card is None:
            return
        if self.card is not None:
            self._per_model[self.card.name] = self.request()
        self._entry = entry
        self._defaults = default_request(card, _spec(entry), device=self._device)
        self.setEnabled(True)
        self._loading = True
        self.label.set_labels(card.labels)
        stops = [self.rows["source"].reset, *self.label.controls(), self.rows["label"].reset]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)  # new widgets come last, wherever they stand
        self.rows["label"].setVisible(bool(card.labels))
        self.rows["guidance"].setVisible(bool(card.labels))
        self.source.set_has_data(card.data.dataset in DATASETS)
        self.source.check_file(card.shape, card.modality)
        self.advanced.set_defaults(self._defaults)
        self._loading = False
        kept = self._per_model.get(card.name)
        shown = {"model": _spec(entry), "seed": self.seed.value()}
        self._show((kept or self._defaults).model_copy(update=shown), source=kept is None)
        self._history.start(self.request())
        self._settle()

    @property
    def card(self) -> Card | None:
        """The card of the chosen checkpoint."""
        return self._entry.card if self._entry else None

    def request(self) -> Request:
        """The request as it stands."""
        assert self._entry is not None
        values: dict[str, Any] = {
            "model": _spec(self._entry),
            "label": self.label.value() if self.card and self.card.labels else None,
            "solver": self.solver.value(),
            "solver_params": self.params.values(),
            "steps": self.steps.value(),
            "guidance": self.guidance.value(),
            "seed": self.seed.value(),
            "samples": self.samples.value(),
            **self.advanced.fields(),
            **self.source.fields(),
        }
        return Request.model_validate(values)

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
            self.source.set_file(path, self.card.shape, self.card.modality)

    def _show(self, request: Request, source: bool = True) -> None:
        self._loading = True
        if source:
            self.source.set_fields(request)
        for name in ("label", "solver", "steps", "guidance", "seed", "samples"):
            self.rows[name].field.set_value(getattr(request, name))
        self.params.set_values(request.solver_params)
        self.advanced.set_request(request)
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
            self._show(request)
            self._settle()

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self.seed.apply_theme(tokens)
        self.params.apply_theme(tokens)
        self.advanced.apply_theme(tokens)
        for row in self.rows.values():
            row.apply_theme(tokens)

    def _settle(self) -> None:
        """Enable what goes together, mark what differs from the defaults, tell everybody."""
        request, card = self.request(), self.card
        assert card is not None
        unconditional = request.label is None
        self.guidance.setEnabled(not unconditional)
        reason = tr("Guidance pulls towards a class: choose one first.")
        self.rows["guidance"].set_tip(reason if unconditional else tr(GUIDANCE))
        self.advanced.allow_forward(can_go_forward(card, request), request.source)
        for name, row in self.rows.items():
            row.show_reset(row.field.value() != getattr(self._defaults, name))
        self.changed.emit()

    @Slot()
    def _on_solver(self) -> None:
        solver = options.SOLVERS[self.solver.value()]
        self.params.set_option(solver.name, solver.params)

    @Slot()
    def _on_reset(self) -> None:
        for name, row in self.rows.items():
            if row is self.sender():
                row.field.set_value(getattr(self._defaults, name))

    @Slot()
    def _on_changed(self) -> None:
        if not self._loading and self._entry is not None:
            self._history.note(self.request())
            self._settle()


def _spec(entry: Entry) -> str:
    """What a request names: a checkpoint that was opened from somewhere goes by its path."""
    return entry.spec if entry.group != "file" else str(entry.path)
