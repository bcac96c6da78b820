"""The inspector: numbers and plots of the record at the playhead."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from diffstudio.analysis import fields
from diffstudio.analysis.summary import curves, distance_to_final, summarize
from diffstudio.errors import DiffStudioError
from diffstudio.gui.panels.plots import Curves, Histogram
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import ElidedLabel
from diffstudio.gui.words import count, number, tr
from diffstudio.studio.pictures import tensor_title
from diffstudio.traces.reader import Trace

NORMS = (("dx_norm", "‖Δx‖"), ("x0_change", "‖Δx̂0‖"), ("eps_norm", "‖ε̂‖"))


class InspectPanel(QWidget):
    """Shows tensor `tensor` of the batch at the playhead; a click into a plot moves the playhead."""

    stepClicked = Signal(int)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: Trace | None = None
        self._k, self._tensor = 0, "xt"
        self.histogram, self.curves = Histogram(tokens), Curves(tokens)
        self.readout = ElidedLabel("", "dim")
        self._pages = QStackedWidget()
        self._tabs = QButtonGroup(self)
        tabs = QHBoxLayout()
        tabs.setSpacing(2)
        tabs.addWidget(ElidedLabel(tr("INSPECT"), "heading"), 1)
        for i, (title, tip, page) in enumerate(
            (
                (tr("Values"), tr("Histogram of the values, on a square-root scale."), self.histogram),
                (tr("Norms"), tr("How much every step changes, each curve on its own scale."), self.curves),
            )
        ):
            tab = QPushButton(title)
            tab.setCheckable(True)
            tab.setChecked(i == 0)
            tab.setProperty("flat", True)
            tab.setProperty("small", True)
            tab.setToolTip(tip)
            self._tabs.addButton(tab, i)
            tabs.addWidget(tab)
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 2, 10, 6)
        layout.setSpacing(4)
        layout.addLayout(tabs)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.readout)
        self._tabs.idClicked.connect(self._on_tab)
        self.curves.clicked.connect(self.stepClicked)

    def set_trace(self, trace: Trace | None) -> None:
        """Inspect another run."""
        self._trace = trace
        self.refresh()
        if trace is None or not len(trace):
            self.histogram.show_summary(None)
            self._say(tr("Nothing generated yet."))

    def set_tensor(self, name: str) -> None:
        """Inspect another tensor."""
        self._tensor = name
        self.show_step(self._k)

    def refresh(self) -> None:
        """More records are there."""
        if self._trace is None:
            self.curves.show_curves([], 1)
            return
        known = curves(self._trace)
        self.curves.show_curves([(title, known[n]) for n, title in NORMS if n in known], self._trace.planned)

    def show_step(self, k: int) -> None:
        """Inspect another record."""
        self._k = k
        trace = self._trace
        if trace is None or k >= len(trace):
            return
        try:
            if self._pages.currentIndex() == 0:
                self._show_values(trace, k)
            else:
                self._show_norms(trace, k)
        except DiffStudioError:
            return  # the file was cut under us: the canvas says so

    def _show_values(self, trace: Trace, k: int) -> None:
        found = summarize(fields.tensor(trace, k, self._tensor))
        self.histogram.show_summary(found)
        numbers = tr("mean {} · std {} · {} non-finite").format(
            number(found.mean), number(found.std), count(found.non_finite)
        )
        self._say(f"{tensor_title(trace, k, self._tensor)}: {numbers}")

    def _show_norms(self, trace: Trace, k: int) -> None:
        self.curves.show_step(k)
        parts = [f"{title} {number(trace.scalar(k, name))}" for name, title in NORMS if trace.has_scalar(name)]
        distance = distance_to_final(trace, k)
        if distance is not None:
            parts.append(f"‖x̂0 − {tr('final')}‖ {number(distance)}")
        self._say(" · ".join(parts))

    def _say(self, text: str) -> None:
        self.readout.setText(text)
        self.readout.setToolTip(text)

    @Slot(int)
    def _on_tab(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self.show_step(self._k)

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self.histogram.tokens = self.curves.tokens = tokens
        self.histogram.update()
        self.curves.redraw()
