"""The rows of the list of runs: their numbers all at once, what stands in them by the page."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap

from diffstudio.gui.panels.runs.words import spoken, tip_of, title_line
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.run import Run

ROW = Qt.ItemDataRole.UserRole
PAGE = 50
KEPT = 600  # rows that stay in memory; more than any window shows
Index = QModelIndex | QPersistentModelIndex


@dataclass
class Row:
    """One run as the list has it. missing: its trace is not where it was."""

    run: Run
    missing: bool
    picture: QImage | None = None
    pixmap: QPixmap | None = None


def rows_of(library: Library, numbers: Sequence[int]) -> dict[int, Row]:
    """Look up rows with their pictures: not for the window's thread."""
    runs = library.at(numbers)
    drawn = library.pictures([run.id for run in runs.values()])
    return {
        n: Row(run, run.missing, QImage.fromData(drawn[run.id]) if run.id in drawn else None) for n, run in runs.items()
    }


class RunsModel(QAbstractListModel):
    """Memory stays as it is whatever is scrolled through: `wanted` asks for what is looked at and not there."""

    wanted = Signal(object)  # list[int], the numbers of rows
    _asking = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.numbers: array[int] = array("q")
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._old: set[int] = set()  # rows that may have changed: shown until they are looked up again
        self._pages: set[int] = set()  # that are asked for, and not answered
        self._next: list[int] = []
        self._asking.connect(self._ask, Qt.ConnectionType.QueuedConnection)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.numbers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in (*_TEXTS, ROW):
            return None
        row = self.row(index.row())
        if row is None or role == ROW:
            return row
        return _TEXTS[Qt.ItemDataRole(role)](row)

    def row(self, place: int) -> Row | None:
        """What stands at a place; None, and it is asked for, where it is not there."""
        number = self.numbers[place]
        found = self._rows.get(number)
        if found is None or number in self._old:
            self._want(place // PAGE)
        else:
            self._rows.move_to_end(number)
        return found

    def known(self, place: int) -> Row | None:
        """The same, without asking."""
        return self._rows.get(self.numbers[place]) if 0 <= place < len(self.numbers) else None

    def show(self, numbers: array[int], rows: dict[int, Row]) -> bool:
        """Other runs, or the same that may have changed; whether they are others. rows: what is known of some."""
        self._old = set(self._rows) - set(rows)
        self._pages.clear()
        other = numbers != self.numbers
        if other:
            self.beginResetModel()
            self.numbers = numbers
        self._keep(rows)
        if other:
            self.endResetModel()
        elif len(numbers):
            self.dataChanged.emit(self.index(0), self.index(len(numbers) - 1))
        return other

    def take(self, rows: dict[int, Row]) -> None:
        """What was asked for is there."""
        self._keep(rows)
        self._old -= set(rows)
        for page in list(self._pages):
            first, last = page * PAGE, min((page + 1) * PAGE, len(self.numbers)) - 1
            if any(self.numbers[place] in rows for place in range(first, last + 1)):
                self._pages.discard(page)
                self.dataChanged.emit(self.index(first), self.index(last))

    def set_picture(self, number: int, picture: QImage) -> None:
        """A picture was drawn."""
        row, place = self._rows.get(number), self._place(number)
        if row is not None and place is not None:
            row.picture, row.pixmap = picture, None
            self.dataChanged.emit(self.index(place), self.index(place))

    def _keep(self, rows: dict[int, Row]) -> None:
        for number, row in rows.items():
            self._rows[number] = row
            self._rows.move_to_end(number)
        while len(self._rows) > KEPT:
            self._rows.popitem(last=False)

    def _place(self, number: int) -> int | None:
        try:
            return self.numbers.index(number)
        except ValueError:
            return None

    def _want(self, page: int) -> None:
        if page not in self._pages:
            self._pages.add(page)
            self._next.append(page)
            if len(self._next) == 1:
                self._asking.emit()  # once for all that one paint misses

    @Slot()
    def _ask(self) -> None:
        pages, self._next = self._next, []
        numbers = [n for page in pages for n in self.numbers[page * PAGE : (page + 1) * PAGE]]
        if numbers:
            self.wanted.emit(numbers)


_TEXTS = {
    Qt.ItemDataRole.DisplayRole: lambda row: title_line(row.run),
    Qt.ItemDataRole.ToolTipRole: lambda row: tip_of(row.run, row.missing),
    Qt.ItemDataRole.AccessibleTextRole: lambda row: spoken(row.run, row.missing),
}
