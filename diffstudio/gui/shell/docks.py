"""Where the panels of the window sit: two columns and the timeline round the canvas, shown, hidden, remembered."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, Slot
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QStackedWidget, QWidget

from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.paged_column import PagedColumn
from diffstudio.gui.shell.tabbed_column import TabbedColumn

LAYOUT_VERSION = 2
COLUMNS = {"left": ("models", "card"), "right": ("sampling", "inspect")}
PAGES = {"left": "run_list"}  # a panel that has a whole column, behind a tab beside the others of it
SHARES = {"left": 0.42, "right": 0.0}  # of the lower panel: a long list leaves room for the card
LINES = {"left": 0, "right": 38}  # of text: a lower column shows one panel at a time, behind tabs
LOW = 58  # lines of text: in a lower window the right column goes down beside the timeline
TITLES = {
    "models": "Models", "card": "Card", "run_list": "Runs", "sampling": "Sampling", "inspect": "Inspect",
    "timeline": "Timeline",
}  # fmt: skip


class Arrangement(QObject):
    """The docks of one window. A panel that is hidden leaves its room to its neighbours."""

    def __init__(self, window: QMainWindow, canvas: QWidget, panels: dict[str, QWidget], menu: QMenu) -> None:
        """panels: by the names of TITLES. menu: gets an entry for each, which shows and hides it."""
        super().__init__(window)
        self._window, self._panels = window, panels
        self._docks: dict[str, QDockWidget] = {}
        self._dragged = False
        self._large: str | None = None
        self._stage = QStackedWidget()
        self._stage.addWidget(canvas)
        for name, panel in {"canvas": canvas, **panels}.items():
            panel.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the keys leave the fields of another, Tab goes on in it
            panel.setAccessibleName(panel.accessibleName() or tr(TITLES.get(name, "")))
        area = Qt.DockWidgetArea
        window.setCorner(Qt.Corner.BottomLeftCorner, area.BottomDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, area.BottomDockWidgetArea)
        self._columns = {
            side: TabbedColumn(
                (panels[upper], panels[lower]), (tr(TITLES[upper]), tr(TITLES[lower])), SHARES[side], LINES[side]
            )
            for side, (upper, lower) in COLUMNS.items()
        }
        self._pages = {
            side: PagedColumn((self._columns[side], panels[name]), (tr(TITLES[COLUMNS[side][0]]), tr(TITLES[name])))
            for side, name in PAGES.items()
        }
        # In the order in which Tab goes through them.
        self._dock("left", self._pages["left"], area.LeftDockWidgetArea)
        window.setCentralWidget(self._stage)
        self._dock("right", self._columns["right"], area.RightDockWidgetArea)
        self._dock("timeline", panels["timeline"], area.BottomDockWidgetArea)
        self._toggles = [self._toggle(menu, name) for name in TITLES]
        menu.aboutToShow.connect(self._check)
        self.fit()
        window.installEventFilter(self)
        self._first = window.saveState(LAYOUT_VERSION)

    def reset(self) -> None:
        """As a window of this size is laid out first; the focus stays where it is."""
        focus = self._window.focusWidget()
        self.enlarge(None)
        self._window.restoreState(self._first, LAYOUT_VERSION)
        for name in TITLES:
            self.set_shown(name, True)
        for column in self._columns.values():
            column.reset()
        for pages in self._pages.values():
            pages.bring_up(0)
        self._dragged = False
        self.fit()
        if focus is not None:
            focus.setFocus()

    def set_shown(self, name: str, shown: bool) -> None:
        """Show or hide a panel; a column without panels goes too."""
        if name == self._large:
            self.enlarge(None)
        side = _side_of(name)
        if side is None:
            self._docks[name].setVisible(shown)
            return
        if name in COLUMNS[side]:
            self._columns[side].set_shown(self._panels[name], shown)
        pages = self._pages.get(side)
        if pages is not None:
            pages.set_here(0, any(self.is_shown(other) for other in COLUMNS[side]))
            pages.set_here(1, shown if name == PAGES[side] else pages.is_here(1))
        self._docks[side].setVisible(any(self.is_shown(other) for other in _panels_of(side)))

    def is_shown(self, name: str) -> bool:
        """Whether a panel is shown, once its window is; it may be behind a tab."""
        side = _side_of(name)
        if side is None:
            return not self._docks[name].isHidden()
        if name == PAGES.get(side):
            return self._pages[side].is_here(1)
        return self._columns[side].is_shown(self._panels[name])

    def bring_up(self, name: str) -> None:
        """Show a panel where it can be seen: not hidden, not behind another."""
        if name == self._large:
            return
        self.set_shown(name, True)
        side = _side_of(name)
        if side in self._pages:
            self._pages[side].bring_up(int(name == PAGES[side]))
        if side is not None and name in COLUMNS[side]:
            self._columns[side].bring_up(self._panels[name])

    @property
    def large(self) -> str | None:
        """The panel that fills the place of the canvas, None where the canvas itself does."""
        return self._large

    def enlarge(self, name: str | None) -> None:
        """Let a panel of a column fill the place of the canvas, or (None) put it back."""
        if name == self._large:
            return
        if self._large is not None:
            self._columns[_side_of(self._large) or ""].take_back()
            self._large = None
        self._stage.setCurrentIndex(0)
        if name is not None:
            self.set_shown(name, True)
            self._large = name
            self._columns[_side_of(name) or ""].lend(self._panels[name])
            self._stage.addWidget(self._panels[name])
            self._stage.setCurrentWidget(self._panels[name])

    def state(self) -> dict[str, Any]:
        """What is worth remembering, as JSON."""
        self.enlarge(None)
        return {
            "docks": base64.b64encode(self._window.saveState(LAYOUT_VERSION).data()).decode(),
            "columns": {name: column.column.state() for name, column in self._columns.items()},
            "pages": {side: pages.page for side, pages in self._pages.items()},
            "dragged": self._dragged,
            "hidden": [name for name in TITLES if not self.is_shown(name)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take a `state` back; what is missing or damaged is left as it is."""
        try:
            docks = base64.b64decode(str(state.get("docks", "")), validate=True)
        except (binascii.Error, ValueError):
            docks = b""
        self._window.restoreState(QByteArray(docks), LAYOUT_VERSION)
        self._dragged = state.get("dragged") is True
        columns, hidden = state.get("columns"), state.get("hidden")
        for name, column in self._columns.items():
            column.column.restore(columns.get(name) if isinstance(columns, dict) else None)
        front = state.get("pages")
        for side, pages in self._pages.items():
            if isinstance(front, dict) and front.get(side) in (0, 1):
                pages.bring_up(front[side])
        for name in TITLES:
            self.set_shown(name, not (isinstance(hidden, list) and name in hidden))
        self.fit()

    def fit(self) -> None:
        """Sizes that suit the window's, until the user drags one: in a small one canvas and timeline come first.

        In a low one the right column takes the corner: fields and plots need height, the timeline only width.
        """
        low = self._window.height() < LOW * self._window.fontMetrics().lineSpacing()
        area = Qt.DockWidgetArea.RightDockWidgetArea if low else Qt.DockWidgetArea.BottomDockWidgetArea
        if self._window.corner(Qt.Corner.BottomRightCorner) != area:
            self._window.setCorner(Qt.Corner.BottomRightCorner, area)
        if self._dragged:
            return
        width, height = self._window.width(), self._window.height()
        sides = [_between(220, 0.13 * width, 300), _between(340, 0.34 * width, 440)]
        self._window.resizeDocks([self._docks["left"], self._docks["right"]], sides, Qt.Orientation.Horizontal)
        line = [_between(min(240, 0.32 * height), 0.25 * height, 340)]
        self._window.resizeDocks([self._docks["timeline"]], line, Qt.Orientation.Vertical)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            self._dragged = self._dragged or self._window.isSeparator(event.position().toPoint())
        return False

    def _dock(self, name: str, widget: QWidget, area: Qt.DockWidgetArea) -> None:
        dock = QDockWidget(self._window)
        dock.setObjectName(name)
        dock.setTitleBarWidget(QWidget())  # the panels have headings of their own
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setWidget(widget)
        self._window.addDockWidget(area, dock)
        self._docks[name] = dock

    def _toggle(self, menu: QMenu, name: str) -> QAction:
        action = menu.addAction(tr(TITLES[name]))
        action.setObjectName(name)
        action.setCheckable(True)
        action.setStatusTip(tr("Show or hide this panel."))
        action.triggered.connect(self._on_toggled)
        return action

    @Slot()
    def _check(self) -> None:
        for action in self._toggles:
            action.setChecked(self.is_shown(action.objectName()))

    @Slot(bool)
    def _on_toggled(self, shown: bool) -> None:
        self.set_shown(self.sender().objectName(), shown)


def _side_of(name: str) -> str | None:
    """The column that a panel is in; None of one alone in its dock."""
    return next((side for side in COLUMNS if name in _panels_of(side)), None)


def _panels_of(side: str) -> tuple[str, ...]:
    return (*COLUMNS[side], PAGES[side]) if side in PAGES else COLUMNS[side]


def _between(low: float, wanted: float, high: float) -> int:
    return round(max(low, min(wanted, high)))
