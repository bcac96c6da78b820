"""Rows of fields in as many columns as there is room for: short ones share a line, long ones have it for themselves."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

CELL = 184  # px that a short row needs: heading, slider, number, reset
GAP = 10  # px between rows that share a line


class RowLayout(QLayout):
    """From left to right and down, in the order in which they were added; what is hidden leaves no hole."""

    def __init__(self, parent: QWidget, spacing: int) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._short: list[bool] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def add_row(self, widget: QWidget, short: bool = False) -> None:
        """Add a row; a short one takes half of the room of a long one where the panel is narrow."""
        self._short.append(short)
        self.addWidget(widget)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        if len(self._short) < len(self._items):
            self._short.append(False)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not 0 <= index < len(self._items):
            return None
        self._short.pop(index)
        return self._items.pop(index)

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        width = max((item.sizeHint().width() for item in self._items if not item.isEmpty()), default=0)
        return QSize(width, self.heightForWidth(width))

    def minimumSize(self) -> QSize:
        width = max((item.minimumSize().width() for item in self._items if not item.isEmpty()), default=0)
        return QSize(width, 0)

    def lines(self, width: int) -> list[list[tuple[QLayoutItem, int]]]:
        """What stands beside each other in a panel of that width: (item, cells that it takes)."""
        cells = max(1, (width + GAP) // (CELL + GAP))
        out: list[list[tuple[QLayoutItem, int]]] = []
        left = 0
        for item, short in zip(self._items, self._short, strict=True):
            if item.isEmpty():
                continue
            span = min(cells, 1 if short else 2)
            while span < cells and item.minimumSize().width() > _width(span, cells, width):
                span += 1
            if span > left:
                out.append([])
                left = cells
            out[-1].append((item, span))
            left -= span
        return out

    def _place(self, rect: QRect, move: bool) -> int:
        cells = max(1, (rect.width() + GAP) // (CELL + GAP))
        y = rect.y()
        for line in self.lines(rect.width()):
            x, height = rect.x(), 0
            for i, (item, span) in enumerate(line):
                last = i == len(line) - 1  # it has what is left of the line
                width = rect.right() + 1 - x if last else _width(span, cells, rect.width())
                tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                if move:
                    item.setGeometry(QRect(x, y, width, tall))
                x += width + GAP
                height = max(height, tall)
            y += height + self.spacing()
        return max(0, y - rect.y() - self.spacing())


def _width(span: int, cells: int, width: int) -> int:
    """Pixels of so many cells side by side."""
    return round((width + GAP) * span / cells) - GAP
