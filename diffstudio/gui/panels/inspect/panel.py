"""The inspector: numbers and plots of the record at the playhead, one page of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ElidedLabel
from diffstudio.gui.kit.words import tr
from diffstudio.traces.reader import Trace

if TYPE_CHECKING:
    from diffstudio.gui.panels.inspect.pages import Page

PAGES = (
    ("values", "Values", "Histogram of the values, on a square-root scale."),
    ("norms", "Norms", "How much every step changes, on a logarithmic scale."),
    ("trajectories", "PCA", "The samples' way through the chains, in the plane of its principal components."),
    ("known", "Nearest", "The training samples that are nearest to the selected sample's x̂0: new, or a copy?"),
)
LATER_MS = 12  # while a run goes, between canvas and inspector: the window sees to other events between the two


class InspectPanel(QWidget):
    """Shows tensor `tensor` of the batch at the playhead; a click into a plot moves the playhead.

    The pages come with `load_pages`, once the window has been painted: their plots take long to import.
    """

    stepClicked = Signal(int)
    wanted = Signal(str, object)  # a question for the background, named like the page
    painted = Signal()  # once, after the first paint

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._trace: Trace | None = None
        self._k, self._tensor, self._sample = 0, "xt", 0
        self._painted = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._catch_up)
        self.pages: dict[str, Page] = {}
        self._takers: dict[str, Callable[[object], None]] = {}
        self.readout = ElidedLabel("", "dim")
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._tabs = QButtonGroup(self)
        tabs = QHBoxLayout()
        tabs.setSpacing(2)
        tabs.addWidget(ElidedLabel(tr("INSPECT"), "heading"), 1)
        for i, (_, title, tip) in enumerate(PAGES):
            tab = QPushButton(tr(title))
            tab.setCheckable(True)
            tab.setChecked(i == 0)
            tab.setProperty("flat", True)
            tab.setProperty("small", True)
            tab.setToolTip(tr(tip))
            self._tabs.addButton(tab, i)
            tabs.addWidget(tab)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 2, 10, 6)
        layout.setSpacing(4)
        layout.addLayout(tabs)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.readout)
        self._tabs.idClicked.connect(self._on_tab)
        self._say(tr("Nothing generated yet."))

    @property
    def page(self) -> str:
        """The page that is shown: a name of PAGES."""
        return PAGES[self._tabs.checkedId()][0]

    def load_pages(self) -> None:
        """Make the pages. Imports pyqtgraph where nobody has."""
        if self.pages:
            return
        from diffstudio.gui.panels.inspect.nearest_page import NearestPage
        from diffstudio.gui.panels.inspect.pages import NormsPage, ValuesPage
        from diffstudio.gui.panels.inspect.trajectory_page import TrajectoryPage

        values, norms = ValuesPage(self._tokens), NormsPage(self._tokens)
        ways, near = TrajectoryPage(self._tokens), NearestPage(self._tokens)
        norms.clicked.connect(self.stepClicked)
        ways.wanted.connect(self.wanted)
        near.wanted.connect(self.wanted)
        self._takers = {"trajectories": ways.take_answer, "known": near.take_answer}
        for (name, _, _), page in zip(PAGES, (values, norms, ways, near), strict=True):
            self.pages[name] = page
            page.set_trace(self._trace)
            self._stack.addWidget(page)
        self._show_page()

    @Slot(str, object)
    def take_answer(self, kind: str, answer: object) -> None:
        """The answer to `wanted`."""
        if kind in self._takers:
            self._takers[kind](answer)
            self.show_step(self._k)

    def set_trace(self, trace: Trace | None) -> None:
        """Inspect another run."""
        self._trace = trace
        self._later.stop()
        for page in self.pages.values():
            page.set_trace(trace)
        if trace is None or not len(trace):
            self._say(tr("Nothing generated yet."))
        elif self.pages:
            self.pages[self.page].refresh()

    def set_tensor(self, name: str) -> None:
        """Inspect another tensor."""
        self._tensor = name
        self.show_step(self._k)

    def set_sample(self, i: int) -> None:
        """Another sample of the batch is the selected one."""
        self._sample = i
        self.show_step(self._k)

    def refresh(self) -> None:
        """More records are there: of a run that goes they are shown in a moment, when the canvas has been painted."""
        if self._trace is not None and not self._trace.complete:
            self._later.start()
        else:
            self._catch_up()

    def show_step(self, k: int) -> None:
        """Inspect another record; while a run goes, in a moment."""
        self._k = k
        if self._trace is not None and not self._trace.complete:
            self._later.start()
        else:
            self._show_step(k)

    @Slot()
    def _catch_up(self) -> None:
        self._later.stop()
        if self.pages:
            self.pages[self.page].refresh()
        self._show_step(self._k)

    def _show_step(self, k: int) -> None:
        trace = self._trace
        if trace is None or k >= len(trace) or not self.pages:
            return
        try:
            self._say(self.pages[self.page].show_step(trace, k, self._tensor, self._sample))
        except DiffStudioError:
            return  # the file was cut under us: the canvas says so

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self._tokens = tokens
        for page in self.pages.values():
            page.apply_theme(tokens)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.painted.emit)

    def _show_page(self) -> None:
        if self.pages:
            page = self.pages[self.page]
            page.refresh()
            self._stack.setCurrentWidget(page)  # pyright: ignore[reportArgumentType] - a Page is a widget
            self._show_step(self._k)

    def _say(self, text: str) -> None:
        self.readout.setText(text)
        self.readout.setToolTip(text)

    @Slot(int)
    def _on_tab(self, page: int) -> None:
        self._show_page()
