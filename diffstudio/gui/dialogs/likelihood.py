"""How likely data are under the chosen model: what is judged, how finely, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.gui.dialogs.likelihood_table import LikelihoodTable
from diffstudio.gui.kit.widgets import indent, label
from diffstudio.gui.kit.words import SHY, count, duration, number, tr
from diffstudio.gui.work.jobs import Ended
from diffstudio.studio.likelihoods import Judging, Likelihoods
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request

FILE = "file"
MAX_SAMPLES = 100_000
OWN_FILE = ("source_file", "source_fit", "source_invert")


class LikelihoodDialog(QDialog):
    """Asks with `wanted` (request, split, steps, probes), ends with `unwanted`; `saved` carries what goes into a file.

    The same question as `diffstudio likelihood`, with the same numbers.
    """

    wanted = Signal(object, str, int, int)
    unwanted = Signal()
    saved = Signal(object)  # Likelihoods

    def __init__(self, parent: QWidget | None, card: Card, request: Request, problem: Callable[[Request], str]) -> None:
        """request: of the panel, whose model, file, class, seed and device go on. problem: why one can't be asked."""
        super().__init__(parent)
        self.setWindowTitle(tr("Likelihood of the data under {}").format(card.spec))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._card, self._given, self._problem = card, request, problem
        self._running = self._busy = False
        self.found: Likelihoods | None = None
        splits = [("held-out", tr("Held-out data")), ("train", tr("Training data"))]
        rows = splits if card.data.dataset in DATASETS else []
        if request.source == FILE and request.source_file:
            rows = [*rows, (FILE, tr("My file: {}").format(Path(request.source_file).name))]
        classes = [(None, tr("any")), ("each", tr("each")), *enumerate(card.labels)]
        self.data = _combo(rows)
        self.label = _combo(classes if card.labels else classes[:1])
        self.label.setCurrentIndex(max(0, self.label.findData(request.label)))
        self.samples = _spin(1, MAX_SAMPLES, 16)
        self.seed = _spin(0, 2**31 - 1, min(request.seed, 2**31 - 1))
        self.steps, self.probes = _spin(1, 10_000, 40), _spin(2, 10_000, 8)
        self.run, self.copy, self.save = (QPushButton(tr(text)) for text in ("Judge", "Copy", "Save as CSV…"))
        self.run.setProperty("primary", True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Progress of the likelihood"))
        self.note, self.mean, self.effort = label("", "dim"), label("", "title"), label("", "dim")
        self.table = LikelihoodTable()
        self._build()
        self.settle()

    def _build(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(8)
        fields = (
            (
                tr("Data"),
                self.data,
                tr("Held-out data were not trained on: a model that memorised finds them unlikely."),
            ),
            (tr("Class"), self.label, tr("The class that the model is asked about; 'each' takes the classes in turn.")),
            (tr("Samples"), self.samples, tr("How many are judged.")),
            (tr("Seed"), self.seed, tr("Of the data and of the probes: sample i has seed + i.")),
            (tr("Steps"), self.steps, tr("Steps of the probability-flow ODE, four calls of the network each.")),
            (tr("Probes"), self.probes, tr("Random probes of the divergence: more make the standard error smaller.")),
        )
        for i, (title, field, tip) in enumerate(fields):
            heading = label(title)
            for widget in (heading, field):
                widget.setToolTip(tip)
            field.setAccessibleName(title)
            heading.setBuddy(field)
            row, column = i % 2, 2 * (i // 2)
            form.addWidget(heading, row, column)
            form.addWidget(field, row, column + 1)
            form.setColumnStretch(column + 1, 2 if column == 0 else 1)
            if field is self.probes and len(self._card.shape) == 1:
                heading.hide()  # the trace of points is exact
                field.hide()
        action = QHBoxLayout()
        action.addWidget(self.run)
        action.addWidget(self.note, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.effort, 1)
        shut = QPushButton(tr("Close"))
        for button in (self.copy, self.save, shut):
            foot.addWidget(button)
        for button in (self.copy, self.save, shut, self.run):
            button.setAutoDefault(button is self.run)
        self.note.setWordWrap(True)
        self.mean.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addLayout(action)
        layout.addWidget(self.progress)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.mean)
        layout.addLayout(foot)
        self.resize(680, 560)
        self.run.clicked.connect(self._on_run)
        self.copy.clicked.connect(self._on_copy)
        self.save.clicked.connect(self._on_save)
        shut.clicked.connect(self.close)
        for combo in (self.data, self.label):
            combo.currentIndexChanged.connect(self.settle)
        for spin in (self.samples, self.seed, self.steps, self.probes):
            spin.valueChanged.connect(self.settle)

    # -- the question

    def request(self) -> Request:
        """What is asked: the model's own path, without guidance."""
        own = self.data.currentData() == FILE
        file = {name: getattr(self._given, name) for name in OWN_FILE} if own else {}
        return default_request(
            self._card,
            self._given.model,
            source=FILE if own else "data",
            **file,
            label=self.label.currentData(),
            samples=self.samples.value(),
            seed=self.seed.value(),
            guidance=1.0,
            device=self._given.device,
        )

    @property
    def split(self) -> str:
        """Which part of the model's own data."""
        return "train" if self.data.currentData() == "train" else "held-out"

    def set_busy(self, busy: bool) -> None:
        """While a run goes nothing can be asked."""
        self._busy = busy
        self.settle()

    @Slot()
    def settle(self) -> None:
        """Say what can be asked and what is there."""
        self.run.setText(tr("Stop") if self._running else tr("Judge"))
        for field in (self.data, self.label, self.samples, self.seed, self.steps, self.probes):
            field.setEnabled(not self._running)
        for button in (self.copy, self.save):
            button.setEnabled(self.found is not None)
        self.progress.setVisible(self._running)
        if self._running:
            return
        if not self.data.count():
            reason = tr("There are no data to judge: start from a file of your own in the sampling panel.")
        elif self._busy:
            reason = tr("A run goes on: wait for its end.")
        else:
            reason = self._problem(self.request())
        self.run.setEnabled(not reason)
        self.note.setText(reason or self._outlook())

    def _outlook(self) -> str:
        """How the number is found."""
        if len(self._card.shape) == 1:
            return tr("Exact trace of the divergence, on the model's own path, without guidance.")
        return tr("Hutchinson's estimate on the model's own path, without guidance, of dequantised grey levels.")

    @Slot()
    def _on_run(self) -> None:
        if self._running:
            self.unwanted.emit()
            return
        self._show(None)
        self._running = True
        self.settle()
        self.progress.setRange(0, 0)  # busy until the first step is counted
        self.note.setText(tr("starting…"))
        self.wanted.emit(self.request(), self.split, self.steps.value(), self.probes.value())

    # -- the answer

    @Slot(object)
    def show_progress(self, now: Judging) -> None:
        """A step of the ODE was made."""
        if not self._running:
            return
        self.progress.setRange(0, now.total)
        self.progress.setValue(now.done)
        left = tr("starting…") if now.eta is None else tr("{} left").format(duration(now.eta))
        self.note.setText(f"{count(now.done)} / {count(now.total)} {SHY} {left}")
        if now.found is not None:
            self._show(now.found)

    @Slot(object)
    def show_end(self, ended: Ended) -> None:
        """It is over."""
        if not self._running:
            return
        self._running = False
        self.settle()
        judged = len(self.found.log_p) if self.found is not None else 0
        if ended.outcome == "failed":
            self.note.setText(ended.error)
        elif ended.outcome == "cancelled":
            self.note.setText(
                tr("Stopped: {} of {} samples are judged.").format(count(judged), count(self.samples.value()))
            )

    def _show(self, found: Likelihoods | None) -> None:
        self.found = found
        self.table.show_found(found)
        self.mean.setText("" if found is None else _mean(found))
        self.effort.setText("" if found is None else found.effort)

    # -- what becomes of it

    @Slot()
    def _on_copy(self) -> None:
        if self.found is not None:
            QGuiApplication.clipboard().setText(f"{self.found.table()}\n{self.found.effort}\n")

    @Slot()
    def _on_save(self) -> None:
        if self.found is not None:
            self.saved.emit(self.found)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.unwanted.emit()
        super().closeEvent(event)


def _mean(found: Likelihoods) -> str:
    """ "log p −812.34 ± 4.21 nats · 2.9612 ± 0.0078 bits/dim", over the samples."""
    nats, bits = number(found.mean[0], 3), number(found.mean_bits, 4)
    if len(found.log_p) > 1:  # a single sample has no spread
        nats, bits = f"{nats} ± {number(found.mean[1], 3)}", f"{bits} ± {number(found.mean_bits_error, 4)}"
    return tr("Mean log p {} nats").format(nats) + f" {SHY} " + tr("{} bits/dim").format(bits)


def _combo(rows: Sequence[tuple[Any, str]]) -> QComboBox:
    combo = QComboBox()
    for data, title in rows:
        combo.addItem(title, data)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(10)
    return combo


def _spin(low: int, high: int, value: int) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    indent(spin)
    return spin
