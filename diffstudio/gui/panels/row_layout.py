"""Rows of fields that share a line where there is room: short ones in pairs, long ones in a wide panel."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

LONG = 280  # px from which a long row would have another beside it
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
        """Add a row; a short one needs no more room than it must have."""
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

    def lines(self, width: int) -> list[list[QLayoutItem]]:
        """What stands beside each other in a panel of that width."""
        out: list[list[QLayoutItem]] = []
        left = 0
        for item, short in zip(self._items, self._short, strict=True):
            if item.isEmpty():
                continue
            need = item.minimumSize().width() if short else max(LONG, item.minimumSize().width())
            if not out or need > left:
                out.append([])
                left = width
            out[-1].append(item)
            left -= need + GAP
        return out

    def _place(self, rect: QRect, move: bool) -> int:
        y = rect.y()
        for line in self.lines(rect.width()):
            x, height = rect.x(), 0
            for item, width in zip(line, _shares(line, rect.width()), strict=True):
                tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                if move:
                    item.setGeometry(QRect(x, y, width, tall))
                x += width + GAP
                height = max(height, tall)
            y += height + self.spacing()
        return max(0, y - rect.y() - self.spacing())


def _shares(line: list[QLayoutItem], width: int) -> list[int]:
    """Pixels of each: equal ones where they suffice, else what each must have and a part of what is left."""
    room = width - (len(line) - 1) * GAP
    least = [item.minimumSize().width() for item in line]
    share = room // len(line)
    if len(line) > 1 and max(least) > share:
        left = max(0, room - sum(least)) // len(line)
        return [need + left for need in least]
    return [*[share] * (len(line) - 1), room - share * (len(line) - 1)]
