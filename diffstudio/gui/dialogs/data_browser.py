"""The data of a model, as pictures with their classes and numbers, to choose one to start from."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from diffstudio import data
from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.work.jobs import Stop
from diffstudio.modalities import Meaning, Shown
from diffstudio.modalities.text import spec_of, strings
from diffstudio.studio.export.pictures import portrait

KIND = "data-browser"  # of the question
SIDE, CELL = 64, QSize(84, 92)  # of a picture, and of its cell with the words
DRAWN = 240  # samples that are shown of a formula: the draws of the first seeds
Rows = tuple[np.ndarray, np.ndarray]


class DataModel(QAbstractListModel):
    """Samples by their place in the list; `number` is what a request calls them."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._meaning, self._names = card.meaning, DATASETS[card.data.dataset].labels
        self._rows: np.ndarray = np.zeros((0, *card.shape), np.float32)
        self._labels: np.ndarray = np.zeros(0, np.int64)
        self._chosen: np.ndarray = np.zeros(0, np.int64)
        self._pictures: dict[int, QPixmap] = {}

    def set_rows(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """All samples (N, *shape) and their labels (N,), −1 where they have none."""
        self.beginResetModel()
        self._rows, self._labels, self._pictures = rows, labels, {}
        self._chosen = np.arange(len(rows))
        self.endResetModel()

    def filter(self, label: int | None, text: str) -> None:
        """Only those of a class, whose number, or text, has these letters in it."""
        self.beginResetModel()
        keep = np.ones(len(self._rows), bool) if label is None else self._labels == label
        chosen = np.flatnonzero(keep)
        words = text.strip().casefold()
        if words:
            chosen = np.array([i for i in chosen if words in self.words(int(i)).casefold()], np.int64)
        self._chosen = chosen
        self.endResetModel()

    def number(self, row: int) -> int:
        """The number of the sample in a row of the list."""
        return int(self._chosen[row])

    def row_of(self, index: int) -> int:
        """In which row a sample stands; −1: it is not listed."""
        found = np.flatnonzero(self._chosen == index)
        return int(found[0]) if len(found) else -1

    def label_of(self, index: int) -> int | None:
        """The class of a sample."""
        label = int(self._labels[index])
        return label if label >= 0 else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's default
        return 0 if parent.isValid() else len(self._chosen)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        which = self.number(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.words(which)
        if role == Qt.ItemDataRole.DecorationRole and self._meaning.modality != "text" and not self._meaning.kind.cloud:
            if which not in self._pictures:
                self._pictures[which] = _pixmap(self._meaning, self._rows[which])
            return self._pictures[which]
        return None

    def words(self, index: int) -> str:
        """Its number, as people count, its class, and of what has no picture what it is."""
        label = int(self._labels[index])
        parts = [count(index + 1)] + ([self._names[label]] if 0 <= label < len(self._names) else [])
        if self._meaning.modality == "text":
            spec = spec_of(self._meaning)
            states = self._meaning.kind.encode(self._meaning, self._rows[index][None])
            parts.append(strings(states, spec)[0].rstrip())
        elif self._meaning.kind.cloud:
            parts.append(f"({', '.join(number(float(v)) for v in self._rows[index])})")
        return " · ".join(parts)


class DataBrowser(QDialog):
    """`chosen` carries the number of a sample, and its class where the number means nothing without it."""

    asked = Signal(str, object)  # kind and question for `work.background`; the answer comes to `take`
    chosen = Signal(int, object)

    def __init__(self, card: Card, current: int | None, only: int | None, parent: QWidget) -> None:
        """current: the sample that is chosen now.  only: the class that is shown at first."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        source = DATASETS[card.data.dataset]
        self.setWindowTitle(tr("Data of {}").format(source.title))
        self._dataset, self._current = card.data.dataset, current
        self._formula = (source.every or source.everything) is None
        self.model = DataModel(card)
        self.label, self.search, self.list = QComboBox(), QLineEdit(), QListView()
        self.label.addItem(tr("All classes"), None)
        for i, name in enumerate(source.labels):
            self.label.addItem(name, i)
        self.label.setVisible(bool(source.labels))
        self.label.setAccessibleName(tr("Class"))
        self.search.setPlaceholderText(tr("Number or text"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Find a sample"))
        self.list.setModel(self.model)
        self.list.setAccessibleName(tr("Samples"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setUniformItemSizes(True)
        if card.meaning.modality != "text" and not card.meaning.kind.cloud:
            self.list.setViewMode(QListView.ViewMode.IconMode)
            self.list.setResizeMode(QListView.ResizeMode.Adjust)
            self.list.setMovement(QListView.Movement.Static)
            self.list.setIconSize(QSize(SIDE, SIDE))
            self.list.setGridSize(CELL)
            self.list.setLayoutMode(QListView.LayoutMode.Batched)
        self.note = label(tr("Loading…"), "dim")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(tr("Start from it"))
        self._build()
        if only is not None:
            self.label.setCurrentIndex(max(0, self.label.findData(only)))
        self._settle()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.label)
        top.addWidget(self.search, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addLayout(foot)
        self.resize(640, 480)
        self.label.currentIndexChanged.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.list.selectionModel().selectionChanged.connect(self._settle)
        self.list.doubleClicked.connect(self._on_accept)
        self.buttons.accepted.connect(self._on_accept)
        self.buttons.rejected.connect(self.reject)

    def load(self) -> None:
        """Ask for the data."""
        self.asked.emit(KIND, partial(_find, self._dataset, self._formula))

    @Slot(str, object)
    def take(self, kind: str, answer: object) -> None:
        """An answer of the background; those to others come here too."""
        if kind != KIND or not isinstance(answer, tuple) or answer[0] != self._dataset:
            return
        self.model.set_rows(answer[1], answer[2])
        self._filter()
        row = -1 if self._current is None else self.model.row_of(self._current)
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row))
            self.list.scrollTo(self.model.index(row), QAbstractItemView.ScrollHint.PositionAtCenter)
        self.list.setFocus()

    @Slot()
    def _filter(self) -> None:
        self.model.filter(self.label.currentData(), self.search.text())
        self._settle()

    @Slot()
    def _settle(self) -> None:
        self.ok.setEnabled(self.list.currentIndex().isValid())
        if self.model.rowCount():
            found = tr("{} samples").format(count(self.model.rowCount()))
            self.note.setText(tr("{}, drawn from a formula").format(found) if self._formula else found)
        elif self.search.text():
            self.note.setText(tr("None has that number or text."))

    @Slot()
    def _on_accept(self) -> None:
        index = self.list.currentIndex()
        if index.isValid():
            which = self.model.number(index.row())
            self.accept()
            self.chosen.emit(which, self.model.label_of(which) if self._formula else None)


def _find(dataset: str, formula: bool, stop: Stop) -> tuple[str, np.ndarray, np.ndarray]:
    source = DATASETS[dataset]
    every = source.every or source.everything
    if every is not None:
        rows, labels = every("train")
        return dataset, rows, labels if source.labels else np.full(len(rows), -1)
    # Of a formula the draw of each seed, each class in turn: the number is the seed, and goes with its class.
    wanted = [i % len(source.labels) if source.labels else None for i in range(DRAWN)]
    rows, labels = data.sample(dataset, wanted, range(DRAWN))
    return dataset, rows, np.array([-1 if label is None else label for label in labels])


def _pixmap(meaning: Meaning, row: np.ndarray) -> QPixmap:
    drawn = portrait(meaning, Shown(row[None]), SIDE)
    height, width, _ = drawn.shape
    picture = QImage(drawn.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    smooth = max(width, height) > SIDE
    how = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
    return QPixmap.fromImage(picture.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, how))
