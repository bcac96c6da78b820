"""The tree of the picker: how tall it would like to be, which keys and clicks it takes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem, QTreeWidgetItemIterator

from diffstudio.gui.panels.models.row import HEIGHTS


class ModelTree(QTreeWidget):
    """Emits `menuWanted` with the row and the place on the screen."""

    menuWanted = Signal(QTreeWidgetItem, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self._wanted = 0
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)

    def set_wanted(self, height: int) -> None:
        """The height of all rows, also of those that the filter hides: typing does not move what is below."""
        if height != self._wanted:
            self._wanted = height
            self.updateGeometry()

    def items(self) -> list[QTreeWidgetItem]:
        """All rows from top to bottom."""
        out = []
        found = QTreeWidgetItemIterator(self)
        while (item := found.value()) is not None:
            out.append(item)
            found += 1
        return out

    def sizeHint(self) -> QSize:
        return QSize(200, self._wanted + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, HEIGHTS["group"] + 3 * HEIGHTS["model"])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().height() < event.oldSize().height() or not event.oldSize().isValid():
            self.show_current()

    def show_current(self) -> None:
        """What is selected comes into view."""
        item = self.currentItem()
        if item is not None:
            self.scrollToItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._walk(self.indexAbove if event.key() == Qt.Key.Key_Up else self.indexBelow)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        else:
            event.ignore()  # the rest belongs to the timeline

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # The other button asks for the menu of a row, and chooses nothing.
        plain = event.button() == Qt.MouseButton.LeftButton
        if plain and self.indexAt(event.position().toPoint()).flags() & Qt.ItemFlag.ItemIsSelectable:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at = event.pos()
        item = self.itemAt(at)
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            item = self.currentItem()
            at = self.visualItemRect(item).center() if item is not None else at
        if item is not None:
            self.menuWanted.emit(item, self.viewport().mapToGlobal(at))

    def _walk(self, following: Callable[[QModelIndex], QModelIndex]) -> None:
        """To the next row that can be chosen: not a heading, not a broken file."""
        index = following(self.currentIndex())
        while index.isValid() and not index.flags() & Qt.ItemFlag.ItemIsSelectable:
            index = following(index)
        if index.isValid():
            self.setCurrentIndex(index)
