"""The list of runs: which keys and clicks it takes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTreeView

from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.runs.row import HEIGHT

# What an action of the table has as a key while the list has the keyboard.
KEYS = {QKeySequence(key).toString(): row.id for row in ACTIONS.values() for key in row.list_keys}
_WALK = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End,
}  # fmt: skip


class RunsList(QTreeView):
    """Emits `acted` with the id of an action; all keys that it does not know belong to the timeline.

    A tree of one level: to find a row at a place QListView asks thousands of times how many there are, 28 ms of 50,000.
    """

    acted = Signal(str)
    menuWanted = Signal(QPoint)  # the place on the screen

    def __init__(self) -> None:
        super().__init__()
        self.setUniformRowHeights(True)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setItemsExpandable(False)
        self.setExpandsOnDoubleClick(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(tr("Runs"))
        self.setToolTip("")
        self.doubleClicked.connect(self._on_double)

    def sizeHint(self) -> QSize:
        return QSize(200, 10 * HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 2 * HEIGHT)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = KEYS.get(_name(event))
        if action:
            self.acted.emit(action)
        elif self._takes(event):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at, index = event.pos(), self.indexAt(event.pos())
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            at = self.visualRect(self.currentIndex()).center()
        elif index.isValid() and not self.selectionModel().isSelected(index):
            self.setCurrentIndex(index)
        self.menuWanted.emit(self.viewport().mapToGlobal(at))

    @property
    def top(self) -> int:
        """The place of the first row in sight."""
        return self.verticalScrollBar().value() // HEIGHT

    def _takes(self, event: QKeyEvent) -> bool:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        walks = event.key() in _WALK and modifiers in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        )
        return walks or _name(event) in KEYS or event.matches(QKeySequence.StandardKey.SelectAll)

    def _on_double(self, index: QModelIndex) -> None:
        self.acted.emit("runs_open")


def _name(event: QKeyEvent) -> str:
    """The key as the table writes it; that of the number pad is the same, and a sign is itself with Shift or not."""
    if event.text() in KEYS and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return event.text()
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(event.key() | modifiers.value).toString()
