"""The rows of a likelihood: a sample each, sorted by any column."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QHeaderView, QTreeView

from diffstudio.gui.kit.words import number, tr
from diffstudio.studio.likelihoods import Likelihoods

Index = QModelIndex | QPersistentModelIndex
COLUMNS = (
    ("Sample", "Counted from 0, as everywhere: sample i is that of the seed plus i."),
    ("Class", "The class that the sample was drawn from, where it is known."),
    ("log p (nats)", "The logarithm of the density that the model gives this sample."),
    ("± s.e.", "Standard error of log p, from the spread between the random probes; 0 where the trace is exact."),
    ("Bits/dim", "−log2 p for each number of the sample: of the 256 grey levels of pictures, of a density otherwise."),
)
SORT = Qt.ItemDataRole.UserRole


class _Rows(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[int, str, float, float, float]] = []

    def show(self, found: Likelihoods | None) -> None:
        self.beginResetModel()
        self._rows = []
        if found is not None:
            named = [label or "" for label in found.labels]
            numbers = (found.log_p, found.standard_error, found.bits_per_dim)
            self._rows = list(zip(range(len(named)), named, *numbers, strict=True))
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        texts = {int(Qt.ItemDataRole.DisplayRole): 0, int(Qt.ItemDataRole.ToolTipRole): 1}
        return tr(COLUMNS[section][texts[int(role)]]) if int(role) in texts else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self._rows[index.row()][index.column()]
        if role == SORT:
            return value
        if role == Qt.ItemDataRole.DisplayRole:
            digits = 4 if index.column() == 4 else 3
            return number(value, digits) if isinstance(value, float) else str(value)
        return _alignment(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None


def _alignment(column: int) -> Qt.AlignmentFlag:
    """Numbers stand to the right."""
    side = Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class LikelihoodTable(QTreeView):
    """Shows a `Likelihoods`; a click on a heading sorts, the order stays while more rows come."""

    def __init__(self) -> None:
        super().__init__()
        self._rows, self._sorted = _Rows(), QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._rows)
        self._sorted.setSortRole(SORT)
        self.setModel(self._sorted)
        self.setAccessibleName(tr("Likelihood of each sample"))
        self.setProperty("table", True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def show_found(self, found: Likelihoods | None) -> None:
        """The samples so far; None empties the table."""
        self._rows.show(found)
