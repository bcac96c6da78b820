"""The sampling panel: what the chosen checkpoint understands, with its own defaults; its value is a Request."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Entry
from diffstudio.data import DATASETS
from diffstudio.gui import actions, icons
from diffstudio.gui.panels.advanced import AdvancedFields
from diffstudio.gui.panels.fields import Combo, LabelField, NumberField, SeedField
from diffstudio.gui.panels.source import SourceField
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import Fold, label
from diffstudio.gui.words import duration, number, size, tr
from diffstudio.studio.defaults import default_request
from diffstudio.studio.request import Request

UNDO_SECONDS = 0.6  # changes that follow faster than this are one change
UNDO_DEPTH = 200


class SamplingPanel(QWidget):
    """Emits `changed` after every change of the request, `generate` and `stop` from its button."""

    changed = Signal()
    generate = Signal()
    stop = Signal()
    presetSaveWanted = Signal()
    presetChosen = Signal(str)

    def __init__(
        self, tokens: Tokens, devices: tuple[str, ...] = ("auto", "cpu"), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
        self._defaults: Request | None = None
        self._per_model: dict[str, Request] = {}
        self._loading = False
        self._undo: list[Request] = []
        self._redo: list[Request] = []
        self._last: Request | None = None
        self._last_time = 0.0
        self._tokens = tokens
        self.source = SourceField()
        self.label = LabelField()
        self.solver = Combo([(s.name, tr(s.label), tr(s.tip)) for s in options.SOLVERS.values()])
        self.eta = NumberField(0, 1, 0.05, decimals=2)
        self.steps = NumberField(1, 100_000, slider_high=200)
        self.guidance = NumberField(0, 100, 0.1, decimals=1, slider_high=10)
        self.seed = SeedField(tokens)
        self.samples = QSpinBox()
        self.samples.setRange(1, 1_000_000)
        self.samples.setKeyboardTracking(False)
        self.advanced = AdvancedFields(devices)
        self.fold = Fold(tr("Advanced: spacing, path, recording"), self.advanced)
        self.button = QPushButton(tr("Generate"))
        self.button.setProperty("primary", True)
        self.button.setMinimumHeight(26)
        self.estimate = label("", "dim")
        self.estimate.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1)
        self.progress.setVisible(False)
        self._rows: dict[str, tuple[QLabel, QWidget, QToolButton]] = {}
        self._build()
        self.setEnabled(False)

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(5)
        grid.setHorizontalSpacing(6)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, 20)
        rows = (
            ("source", tr("Start from"), self.source, tr("Where the reverse chain starts.")),
            ("label", tr("Class"), self.label, tr("What to draw.")),
            ("solver", tr("Solver"), self.solver, ""),
            ("eta", "η", self.eta, tr("Share of fresh noise in each step: 0 is deterministic, 1 is DDPM.")),
            ("steps", tr("Steps"), self.steps, tr("Steps from noise to data; more are finer and slower.")),
            ("guidance", tr("Guidance"), self.guidance, tr("w in D = D_any + w·(D_class − D_any): 1 is none.")),
            ("seed", tr("Seed"), self.seed, tr("Sample i of seed s is the picture of seed s + i.")),
            ("samples", tr("Samples"), self.samples, tr("How many are drawn at once.")),
        )
        for line, (name, title, field, tip) in enumerate(rows):
            heading, reset = label(title), QToolButton()
            heading.setBuddy(field)
            reset.setProperty("flat", True)
            reset.setObjectName(name)
            reset.setToolTip(tr("Back to the model's default."))
            reset.setAccessibleName(tr("Reset {}").format(title))
            reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            reset.setFixedSize(20, 20)
            reset.setStyleSheet("QToolButton { padding: 1px; min-height: 0; }")
            reset.clicked.connect(self._on_reset)
            if tip:
                field.setToolTip(tip)
            field.setAccessibleName(title)
            for column, widget in enumerate((heading, field, reset)):
                top = Qt.AlignmentFlag.AlignTop if name in ("source", "label") and column != 1 else Qt.AlignmentFlag(0)
                grid.addWidget(widget, line, column, top)
            self._rows[name] = (heading, field, reset)
            changed = field.valueChanged if isinstance(field, QSpinBox) else field.changed  # pyright: ignore
            changed.connect(self._on_changed)
        self.advanced.changed.connect(self._on_changed)
        self.button.clicked.connect(self._on_button)
        self.button.setToolTip(actions.tooltip("generate"))
        self.presets = QToolButton()
        self.presets.setText(tr("Presets"))
        self.presets.setProperty("flat", True)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.presets.setToolTip(tr("Save these settings under a name, or take saved ones."))
        self.presets.setMenu(QMenu(self.presets))
        head = QHBoxLayout()
        head.addWidget(label(tr("SAMPLING"), "heading"), 1)
        head.addWidget(self.presets)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 8, 4, 4)
        inner.setSpacing(5)
        inner.addLayout(head)
        inner.addLayout(grid)
        inner.addWidget(self.fold)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        foot = QVBoxLayout()
        foot.setContentsMargins(10, 4, 10, 8)
        foot.setSpacing(4)
        foot.addWidget(self.button)
        foot.addWidget(self.progress)
        foot.addWidget(self.estimate)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 1)
        layout.addLayout(foot)
        self.set_presets([])
        self.apply_theme(self._tokens)

    # ── the checkpoint ──────────────────────────────────────────────────────────────────────────────────────────────

    def set_entry(self, entry: Entry) -> None:
        """Offer what this checkpoint understands; a model that was used before gets its settings back."""
        card = entry.card
        if card is None:
            return
        before = self.request() if self._entry else None
        if before is not None and self._entry is not None and self._entry.card is not None:
            self._per_model[self._entry.card.name] = before
        self._entry = entry
        spec = entry.spec if entry.group != "file" else str(entry.path)
        self._defaults = default_request(card, spec, seed=self.seed.value())
        kept = self._per_model.get(card.name)
        self.setEnabled(True)
        self._loading = True
        self.label.set_labels(card.labels)
        self._show_row("label", bool(card.labels))
        self._show_row("guidance", bool(card.labels))
        has_data = card.data.dataset in DATASETS
        self.source.set_has_data(has_data)
        self.source.check_file(card.shape, card.modality)
        self.advanced.set_card(card, has_data)
        self._loading = False
        seed = self.seed.value()
        self._show(kept.model_copy(update={"model": spec, "seed": seed}) if kept else self._defaults, source=not kept)
        self._undo, self._redo, self._last = [], [], self.request()
        self._on_changed()

    @property
    def card(self) -> Card | None:
        """The card of the chosen checkpoint."""
        return self._entry.card if self._entry else None

    def request(self) -> Request:
        """The request as it stands."""
        assert self._entry is not None
        solver = self.solver.value()
        has_eta = any(p.name == "eta" for p in options.SOLVERS[solver].params)
        values: dict[str, Any] = {
            "model": self._entry.spec if self._entry.group != "file" else str(self._entry.path),
            "label": self.label.value() if self.card and self.card.labels else None,
            "solver": solver,
            "solver_params": {"eta": self.eta.value()} if has_eta else {},
            "steps": int(self.steps.value()),
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
        self._last_time = 0.0
        self._on_changed()

    def _show(self, request: Request, source: bool = True) -> None:
        self._loading = True
        if source:
            self.source.set_fields(request)
        self.label.set_value(request.label)
        self.solver.set_value(request.solver)
        self.eta.set_value(request.solver_params.get("eta", 0.0))
        self.steps.set_value(request.steps)
        self.guidance.set_value(request.guidance)
        self.seed.set_value(request.seed)
        self.samples.setValue(request.samples)
        self.advanced.set_request(request)
        self._loading = False

    # ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._redo)

    def undo(self) -> None:
        """Take the last change back."""
        self._travel(self._undo, self._redo)

    def redo(self) -> None:
        """Make it again."""
        self._travel(self._redo, self._undo)

    def reset(self) -> None:
        """Every field to the model's defaults, the seed stays."""
        if self._defaults is not None:
            self.set_request(self._defaults.model_copy(update={"seed": self.seed.value()}))

    def _travel(self, back: list[Request], forth: list[Request]) -> None:
        if not back:
            return
        forth.append(self.request())
        self._show(back.pop(), source=False)
        self._last = self.request()
        self._settle()

    # ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_running(self, running: bool) -> None:
        """The button stops while a run goes."""
        self.button.setText(tr("Stop") if running else tr("Generate"))
        self.button.setToolTip(actions.tooltip("stop" if running else "generate"))
        self.button.setProperty("primary", not running)
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self.progress.setVisible(running)
        self.progress.setRange(0, 0 if running else 1)

    def show_progress(self, done: int, total: int, eta: float | None, rate: float) -> None:
        """Steps, speed and what is left."""
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(done)
        left = tr("{} left").format(duration(eta)) if eta is not None else tr("starting…")
        speed = tr("{} steps/s").format(number(rate, 1)) if eta is not None else ""
        self.estimate.setText(" · ".join(part for part in (f"{done} / {total}", left, speed) if part))

    def show_estimate(self, seconds: float | None, trace_bytes: int | None, problem: str = "") -> None:
        """What the run will take, or why it can't go."""
        if problem:
            self.estimate.setText(problem)
            return
        parts = [tr("about {}").format(duration(seconds))] if seconds is not None else []
        if trace_bytes is not None:
            parts.append(tr("trace {}").format(size(trace_bytes)))
        self.estimate.setText(" · ".join(parts))

    # ── presets ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_presets(self, names: list[str]) -> None:
        """The saved names."""
        menu = self.presets.menu()
        menu.clear()
        save = menu.addAction(tr("Save as preset…"))
        save.triggered.connect(self.presetSaveWanted)
        if names:
            menu.addSeparator()
        for name in names:
            action = menu.addAction(name.replace("&", "&&"))
            action.setData(name)
            action.triggered.connect(self._on_preset)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self._tokens = tokens
        self.seed.apply_theme(tokens)
        for _, _, reset in self._rows.values():
            reset.setIcon(icons.icon("reset", tokens, tokens.text_dim))

    def set_source_file(self, path: Path) -> None:
        """Start from a file. Raises: BadInput, BadFile."""
        if self.card is not None:
            self.source.set_file(path, self.card.shape, self.card.modality)

    @Slot()
    def _on_preset(self) -> None:
        self.presetChosen.emit(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]

    @Slot()
    def _on_button(self) -> None:
        if self.progress.isVisible():
            self.stop.emit()
        else:
            self.generate.emit()

    @Slot()
    def _on_reset(self) -> None:
        name, defaults = self.sender().objectName(), self._defaults
        if defaults is None:
            return
        if name == "source":
            self.source.combo.set_value("noise")
        elif name == "eta":
            self.eta.set_value(0.0)
        elif name == "label":
            self.label.set_value(defaults.label)
        elif name == "solver":
            self.solver.set_value(defaults.solver)
        elif name == "samples":
            self.samples.setValue(defaults.samples)
        else:
            value = 42 if name == "seed" else getattr(defaults, name)
            getattr(self, name).set_value(value)

    @Slot()
    def _on_changed(self) -> None:
        if self._loading or self._entry is None:
            return
        request, now = self.request(), time.monotonic()
        if self._last is not None and request != self._last:
            if now - self._last_time > UNDO_SECONDS:
                self._undo = [*self._undo, self._last][-UNDO_DEPTH:]
                self._redo.clear()
            self._last, self._last_time = request, now
        self._settle()

    def _settle(self) -> None:
        """Enable what goes together, mark what differs from the defaults, tell everybody."""
        solver = options.SOLVERS[self.solver.value()]
        self._show_row("eta", bool(solver.params))
        unconditional = self.label.value() is None
        self.guidance.setEnabled(not unconditional)
        reason = tr("Guidance pulls towards a class: choose one first.")
        self.guidance.setToolTip(reason if unconditional else tr("w in D = D_any + w·(D_class − D_any): 1 is none."))
        from_step = self.source.combo.value() == "step"
        self.advanced.forward.setEnabled(not from_step and self.source.combo.isEnabled())
        request, defaults = self.request(), self._defaults
        if defaults is not None:
            for name, (_, _, reset) in self._rows.items():
                if name == "eta":
                    differs = self.eta.value() != 0
                elif name == "source":
                    differs = self.source.combo.value() != "noise"
                else:
                    differs = name != "seed" and getattr(request, name) != getattr(defaults, name)
                reset.setVisible(differs)
        self.changed.emit()

    def _show_row(self, name: str, visible: bool) -> None:
        heading, field, reset = self._rows[name]
        heading.setVisible(visible)
        field.setVisible(visible)
        if not visible:
            reset.setVisible(False)
