"""All fields of the sampling panel on one page: those of every run, and folds with those of few."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.data import DATASETS
from diffstudio.gui.kit.number_box import NumberBox
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ContentScroll, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.folds import Folds
from diffstudio.gui.panels.rows import Row, RowGroup, align, heading_width
from diffstudio.gui.panels.sampling.advanced import AdvancedFields
from diffstudio.gui.panels.sampling.edit import EditFields
from diffstudio.gui.panels.sampling.guidance import GuidanceFields
from diffstudio.gui.panels.sampling.main_fields import MainFields
from diffstudio.gui.panels.sampling.params import ParamFields
from diffstudio.gui.panels.sampling.presets import PresetsButton
from diffstudio.studio.request.checks import Resolved, solver_problem
from diffstudio.studio.request.request import Request

SPACING = 4


class FieldsPage(ContentScroll):
    """Emits `changed` after every change of a field. What the fields mean together is the panel's to say."""

    changed = Signal()

    def __init__(self, tokens: Tokens, devices: tuple[str, ...]) -> None:
        self.main = MainFields(tokens, SPACING)
        self.guiding = GuidanceFields(SPACING)
        self.edit = EditFields(tokens, SPACING)
        self.advanced = AdvancedFields(tokens, SPACING, self.main.steps, devices)
        self.presets = PresetsButton()
        bodies = {
            "guidance": (tr("Guidance"), tr("Away from what, where, and how much of it."), self.guiding),
            "edit": (tr("Edit"), tr("Strength, mask, noise between or near others."), self.edit),
            "advanced": (tr("Advanced"), tr("Spacing, path, clipping, recording, device."), self.advanced),
        }
        self.folds = Folds(bodies, SPACING)
        self.groups: tuple[RowGroup, ...] = (self.main, self.guiding, self.edit, self.advanced)
        head = QHBoxLayout()
        head.addWidget(label(tr("SAMPLING"), "heading"), 1)
        head.addWidget(self.presets)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 6, 4, 0)
        inner.setSpacing(SPACING)
        inner.addLayout(head)
        inner.addWidget(self.main)
        inner.addWidget(self.folds)
        inner.addStretch(1)
        super().__init__(body)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes to what is in it, and it scrolls there
        for group in self.groups:
            group.changed.connect(self.changed)
        # Queued: where it is open is known when it has been laid out.
        self.folds.opened.connect(self._on_fold, Qt.ConnectionType.QueuedConnection)

    # ── what they say ───────────────────────────────────────────────────────────────────────────────────────────────

    def values(self) -> dict[str, Any]:
        """The request's fields but the model, disabled or not."""
        return {
            **self.main.fields(),
            **self.guiding.fields(),
            **self.edit.fields(),
            **self.advanced.fields(),
            **self.main.source.fields(),
        }

    def enter(self) -> None:
        """Enter what is typed, as leaving a field does."""
        for box in self.findChildren(NumberBox):
            box.commit()

    @property
    def wrong(self) -> Row | None:
        """The first row whose field says something that can't be used."""
        return next((group.wrong for group in self.groups if group.wrong), None)

    def show_wrong(self) -> None:
        """Bring the field that can't be used into view, and the keys into it."""
        row = self.wrong
        if row is not None:
            row.tell()
            self.reveal(row)

    @property
    def rows(self) -> dict[str, Row]:
        """Every row by the name of the request's field that it sets."""
        return {name: row for group in self.groups for name, row in group.rows.items()}

    def reveal(self, row: Row) -> None:
        """Bring a row into view, its fold opened, and the keys into it: to the part that is wrong, if one is."""
        for name, page in self.folds.pages.items():
            if page.isAncestorOf(row):
                self.folds.unfold(name)
        self.ensureWidgetVisible(row)
        wrong = next((child for child in row.field.findChildren(QWidget) if getattr(child, "mistake", "")), None)
        parts = [getattr(row.field, part) for part in ("spin", "edit", "combo") if hasattr(row.field, part)]
        (wrong or (parts or [row.field])[0]).setFocus(Qt.FocusReason.ShortcutFocusReason)

    # ── what they show and offer ────────────────────────────────────────────────────────────────────────────────────

    def offer(self, card: Card, guides: Sequence[Entry], defaults: Request) -> None:
        """What there is to choose from with a checkpoint, and where the ways back lead."""
        main = self.main
        main.label.set_labels(card.labels)
        main.rows["label"].setVisible(bool(card.labels))
        main.set_card(card)
        can_guide = bool(card.labels or guides or card.prompts)
        main.rows["guidance"].setVisible(can_guide)
        self.folds.set_offered("guidance", can_guide)
        self.guiding.set_model(card.labels, guides)
        self.edit.set_card(card)
        self.advanced.set_card(card)
        main.source.set_has_data(card.data.dataset in DATASETS)
        main.source.check_file(card.meaning)
        for name in options.SOLVERS:
            problem = solver_problem(card, name)
            main.solver.set_enabled(name, not problem, problem)
        for group in self.groups:
            group.set_defaults(defaults)
        self._align()
        stops = [self.presets, *main.label.controls(), main.rows["label"].reset]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)  # new widgets come last, wherever they stand

    def show_request(self, request: Request) -> None:
        """Show a request."""
        for group in self.groups:
            group.show_request(request.model_copy(update={"source": self.main.source.value()}))
        self.main.source.set_fields(request)  # at last: a file may be gone

    def fall_back(self, request: Request) -> None:
        """Show what came of choices that did not go with another; a list of times says how many steps there are."""
        self.main.solver.set_value(request.solver)
        if self.main.steps.value() != request.steps:
            self.main.steps.set_value(request.steps)
        self.advanced.grid.set_value(request.grid)
        self.advanced.path.set_value(request.path.name if request.path else "")

    def settle(self, card: Card, found: Resolved) -> None:
        """Enable what goes together, mark what differs from the defaults."""
        for group in self.groups:
            group.settle(found.reasons)
        self.advanced.offer(card, found.request)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        for group in self.groups:
            group.apply_theme(tokens)

    def _align(self) -> None:
        """Let the fields of a group begin at one place: that which the headings that are offered leave."""
        for group in self.groups:
            width = heading_width(row for row in group.rows.values() if not row.withdrawn)
            align(group.rows.values(), width)
            for fields in group.findChildren(ParamFields):
                fields.set_heading_width(width)

    @Slot(str)
    def _on_fold(self, name: str) -> None:
        """What was opened comes into view, and what is above it goes no further than it must."""
        page, bar = self.folds.pages[name], self.verticalScrollBar()
        top = bar.value() + page.mapTo(self.viewport(), QPoint(0, 0)).y()
        bar.setValue(max(bar.value(), min(top, top + page.height() - self.viewport().height())))
