"""The main window: where everything sits. What the actions do is in `commands`, who talks to whom in `app`."""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from diffstudio.gui.kit import actions, icons
from diffstudio.gui.kit.actions import ACTIONS, MENUS
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.docks import Arrangement

ROOM_FOR_TITLE = 1000  # pixels of width from which the toolbar repeats the name in the title bar


class MainWindow(QMainWindow):
    """Holds the given widgets in docks; a dropped file, a triggered action and closing are signals."""

    triggered = Signal(str)
    dropped = Signal(object)  # list[Path]
    closing = Signal()

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.setWindowTitle("DiffStudio")
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.resize(QSize(1440, 900).boundedTo(self.screen().availableSize()))
        self.actions_by_id = {row.id: self._action(row) for row in ACTIONS.values()}
        self._menus = self._build_menus()
        self.recent = QMenu(tr("Open recent"), self)
        self._menus["File"].insertMenu(self.actions_by_id["save_trace"], self.recent)
        self._buttons: list[tuple[QToolButton | QPushButton, str]] = []
        self.device = label("", "dim")
        self._build_toolbar()
        self.message, self.left, self.right = QLabel(), label(""), label("")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.statusBar().addWidget(self.message)
        self.statusBar().addWidget(self.left)
        self.statusBar().addPermanentWidget(self.right)
        self.statusBar().setSizeGripEnabled(False)
        self._arrangement: Arrangement | None = None
        self.apply_theme(tokens)

    # ── composition ─────────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, canvas: QWidget, panels: dict[str, QWidget]) -> None:
        """Put the canvas in the middle and the panels round it; panels: by the names of `arrangement.TITLES`."""
        self._menus["View"].addSeparator()
        self._arrangement = Arrangement(self, canvas, panels, self._menus["View"])

    def reset_layout(self) -> None:
        """Every panel where a window of this size has it first."""
        if self._arrangement is not None:
            self._arrangement.reset()

    def state(self) -> dict[str, Any]:
        """Geometry and arrangement, as JSON."""
        geometry = base64.b64encode(self.saveGeometry().data()).decode()
        return {"geometry": geometry, **(self._arrangement.state() if self._arrangement is not None else {})}

    def restore(self, state: dict[str, Any]) -> None:
        """Take a `state` back; what is missing or damaged is left as it is."""
        with contextlib.suppress(binascii.Error, ValueError):
            self.restoreGeometry(QByteArray(base64.b64decode(str(state.get("geometry", "")), validate=True)))
        if self._arrangement is not None and state:
            self._arrangement.restore(state)

    # ── what is enabled, how it looks ───────────────────────────────────────────────────────────────────────────────

    def set_states(self, states: set[str]) -> None:
        """Enable the actions whose `when` is in the set ("always" is)."""
        for row in ACTIONS.values():
            self.actions_by_id[row.id].setEnabled(row.when == "always" or row.when in states)

    @Slot(str, bool)
    def set_checked(self, name: str, on: bool) -> None:
        """Show an action that has an on and an off as it is."""
        self.actions_by_id[name].setChecked(on)

    def set_recent(self, paths: Iterable[str]) -> None:
        """The files of the "Open recent" menu."""
        self.recent.clear()
        for path in paths:
            entry = self.recent.addAction(Path(path).name.replace("&", "&&"))
            entry.setData(path)
            entry.setStatusTip(path)
            entry.triggered.connect(self._on_recent)
        self.recent.setEnabled(not self.recent.isEmpty())

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours (the style sheet is the application's)."""
        for row in ACTIONS.values():
            if row.icon:
                self.actions_by_id[row.id].setIcon(icons.icon(row.icon, tokens))
        for button, name in self._buttons:
            colour = tokens.on_accent if name == "generate" else None
            button.setIcon(icons.icon(ACTIONS[name].icon, tokens, colour))

    def say(self, text: str) -> None:
        """One line at the left of the status bar."""
        self.message.setText(text)

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.dropped.emit(paths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._title.setVisible(self.width() >= ROOM_FOR_TITLE)
        if self._arrangement is not None:
            self._arrangement.fit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        super().closeEvent(event)

    def _on_triggered(self) -> None:
        self.triggered.emit(self.sender().objectName())

    def _on_recent(self) -> None:
        self.dropped.emit([Path(self.sender().data())])  # pyright: ignore[reportAttributeAccessIssue]

    # ── building ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _action(self, row: actions.Action) -> QAction:
        action = QAction(tr(row.title), self)
        action.setObjectName(row.id)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setToolTip(actions.tooltip(row.id))
        action.setStatusTip(tr(row.tip))
        action.setCheckable(row.checkable)
        action.triggered.connect(self._on_triggered)
        self.addAction(action)
        return action

    def _build_menus(self) -> dict[str, QMenu]:
        menus = {}
        for name in MENUS:
            menus[name] = self.menuBar().addMenu(tr(name))
            for row in ACTIONS.values():
                if row.menu == name:
                    if row.separator:
                        menus[name].addSeparator()
                    menus[name].addAction(self.actions_by_id[row.id])
        return menus

    def _build_toolbar(self) -> None:
        bar = QToolBar(tr("Toolbar"))
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(bar)
        self._title = bar.addWidget(label("DiffStudio  ", "title"))
        for name, text in (
            ("open", tr("Open…")),
            ("generate", f"{tr('Generate')}   {actions.shortcut_text('generate')}"),
            ("stop", tr("Stop")),
            ("export", tr("Export…")),
            ("compare", "A | B"),
        ):
            bar.addWidget(self._button(name, text))
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        search = self._button("palette", f"{tr('Search commands…')}    {actions.shortcut_text('palette')}")
        bar.addWidget(search)
        bar.addWidget(self.device)

    def _button(self, name: str, text: str) -> QPushButton:
        action = self.actions_by_id[name]
        button = QPushButton(text)
        button.setToolTip(actions.tooltip(name))
        button.setAccessibleName(tr(ACTIONS[name].title))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("primary", name == "generate")
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        if ACTIONS[name].icon:
            self._buttons.append((button, name))
        return button
