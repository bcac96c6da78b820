"""The command palette: type a few letters of any command, Enter runs it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from diffstudio.gui.kit.actions import key_text
from diffstudio.gui.kit.words import tr

ACTION = Qt.ItemDataRole.UserRole


class Palette(QDialog):
    """Lists actions; those that can't run now are dimmed."""

    chosen = Signal(object)

    def __init__(self, actions: Sequence[tuple[str, QAction]], parent: QWidget) -> None:
        """actions: (menu, action)."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.search, self.list = QLineEdit(), QTreeWidget()
        self.search.setPlaceholderText(tr("Type a command…"))
        self.search.setAccessibleName(tr("Command"))
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(2)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName(tr("Commands"))
        for menu, action in actions:
            title = action.text().replace("&&", "\0").replace("&", "").replace("\0", "&")
            item = QTreeWidgetItem([f"{menu}: {title}", key_text(action.shortcut().toString())])
            item.setData(0, ACTION, action)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            item.setDisabled(not action.isEnabled())
            self.list.addTopLevelItem(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.resize(520, 420)
        self.list.setColumnWidth(0, 380)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        self._filter("")

    def showEvent(self, event) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is not None:
            corner = parent.mapToGlobal(parent.rect().topLeft())
            self.move(corner.x() + (parent.width() - self.width()) // 2, corner.y() + 60)
        self.search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._move(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _filter(self, text: str) -> None:
        first = None
        for i in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(i)
            assert item is not None
            fits = all(_in_order(word, item.text(0).casefold()) for word in text.casefold().split())
            item.setHidden(not fits)
            if fits and first is None and not item.isDisabled():
                first = item
        if first is not None:
            self.list.setCurrentItem(first)

    def _move(self, direction: int) -> None:
        count = self.list.topLevelItemCount()
        current = self.list.currentItem()
        at = -1 if current is None else self.list.indexOfTopLevelItem(current)
        for i in range(1, count + 1):
            item = self.list.topLevelItem((at + direction * i) % count)
            if item is not None and not item.isHidden() and not item.isDisabled():
                self.list.setCurrentItem(item)
                return

    @Slot(QTreeWidgetItem)
    def _run(self, item: QTreeWidgetItem | None) -> None:
        if item is None or item.isHidden() or item.isDisabled():
            return
        action = item.data(0, ACTION)
        self.close()
        self.chosen.emit(action)


def _in_order(word: str, text: str) -> bool:
    """Whether the letters of word occur in text in that order, the first at the start of a word."""
    for start in [0, *(i + 1 for i, c in enumerate(text) if c in " :/")]:
        rest = iter(text[start:])
        if text[start : start + 1] == word[0] and all(c in rest for c in word):
            return True
    return False
