"""Where the panels of the window sit: two columns and the timeline round the canvas, shown, hidden, remembered."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, Slot
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QWidget

from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.column import Column

LAYOUT_VERSION = 2
COLUMNS = {"left": ("models", "card"), "right": ("sampling", "inspect")}
SHARES = {"left": 0.42, "right": 0.0}  # of the lower panel: a long list leaves room for the card
TITLES = {"models": "Models", "card": "Card", "sampling": "Sampling", "inspect": "Inspect", "timeline": "Timeline"}


class Arrangement(QObject):
    """The docks of one window. A panel that is hidden leaves its room to its neighbours."""

    def __init__(self, window: QMainWindow, canvas: QWidget, panels: dict[str, QWidget], menu: QMenu) -> None:
        """panels: by the names of TITLES. menu: gets an entry for each, which shows and hides it."""
        super().__init__(window)
        self._window, self._panels = window, panels
        self._docks: dict[str, QDockWidget] = {}
        self._dragged = False
        window.setCentralWidget(canvas)
        area = Qt.DockWidgetArea
        window.setCorner(Qt.Corner.BottomLeftCorner, area.BottomDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, area.BottomDockWidgetArea)
        self._columns = {
            name: Column(panels[upper], panels[lower], SHARES[name]) for name, (upper, lower) in COLUMNS.items()
        }
        self._dock("left", self._columns["left"], area.LeftDockWidgetArea)
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
        self._window.restoreState(self._first, LAYOUT_VERSION)
        for name in TITLES:
            self.set_shown(name, True)
        for column in self._columns.values():
            column.reset()
        self._dragged = False
        self.fit()
        if focus is not None:
            focus.setFocus()

    def set_shown(self, name: str, shown: bool) -> None:
        """Show or hide a panel; a column without panels goes too."""
        self._part(name).setVisible(shown)
        for side, pair in COLUMNS.items():
            if name in pair:
                self._docks[side].setVisible(any(self.is_shown(p) for p in pair))

    def is_shown(self, name: str) -> bool:
        """Whether a panel is shown, once its window is."""
        return not self._part(name).isHidden()

    def state(self) -> dict[str, Any]:
        """What is worth remembering, as JSON."""
        return {
            "docks": base64.b64encode(self._window.saveState(LAYOUT_VERSION).data()).decode(),
            "columns": {name: column.state() for name, column in self._columns.items()},
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
            column.restore(columns.get(name) if isinstance(columns, dict) else None)
        for name in TITLES:
            self.set_shown(name, not (isinstance(hidden, list) and name in hidden))

    def fit(self) -> None:
        """Sizes that suit the window's, until the user drags one: in a small one canvas and timeline come first."""
        if self._dragged:
            return
        width, height = self._window.width(), self._window.height()
        sides = [_between(220, 0.13 * width, 300), _between(300, 0.16 * width, 380)]
        self._window.resizeDocks([self._docks["left"], self._docks["right"]], sides, Qt.Orientation.Horizontal)
        line = [_between(240, 0.25 * height, 340)]
        self._window.resizeDocks([self._docks["timeline"]], line, Qt.Orientation.Vertical)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            self._dragged = self._dragged or self._window.isSeparator(event.position().toPoint())
        return False

    def _part(self, name: str) -> QWidget:
        """What is hidden for it: a panel alone in its dock goes with the dock."""
        return self._docks.get(name) or self._panels[name]

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


def _between(low: float, wanted: float, high: float) -> int:
    return round(max(low, min(wanted, high)))
