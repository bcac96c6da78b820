"""The dock of runs: every run there ever was, found, sorted, chosen."""

from __future__ import annotations

import re
from array import array

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit import actions
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import ElidedLabel, Note, label
from diffstudio.gui.kit.words import count, size, tr
from diffstudio.gui.panels.models.facts import tip
from diffstudio.gui.panels.runs.filters import FilterButton, OrderButton, RunSearch, query_of
from diffstudio.gui.panels.runs.list import RunsList
from diffstudio.gui.panels.runs.model import PAGE, Row, RunsModel, rows_of
from diffstudio.gui.panels.runs.pictures import Pictures
from diffstudio.gui.panels.runs.row import HEIGHT, RunRow
from diffstudio.gui.work.jobs import Stop
from diffstudio.gui.work.library import LibraryWork
from diffstudio.studio.library.library import Library

_BREAK = re.compile(r"[/\\.-](?=\w)")
Found = tuple["array[int]", dict[int, Row], int]  # numbers, rows, bytes of the trash


class RunsPanel(QWidget):
    """Emits `acted` with an action of the table, `chosenChanged` when other runs are selected."""

    acted = Signal(str)
    chosenChanged = Signal()
    menuWanted = Signal(QPoint)

    def __init__(self, library: LibraryWork, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._trash = False
        self.search, self.order, self.filters = RunSearch(), OrderButton(), FilterButton()
        self.model, self.list = RunsModel(), RunsList()
        self.list.setModel(self.model)
        self._delegate = RunRow(tokens, self.list)
        self.list.setItemDelegate(self._delegate)
        self._pictures = Pictures(library, self.model, self)
        self.heading = label(tr("RUNS"), "heading")
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setProperty("flat", True)
        self.more.setProperty("small", True)
        self.more.setToolTip(tr("What can be done with the runs that are chosen, and with all of them."))
        self.more.setAccessibleName(tr("Actions of the runs"))
        self.more.clicked.connect(self._on_more)
        self.notice = Note("dim")
        self.room = self._button("runs_room", tr("Make room…"))
        self.empty = label("", "dim")
        self.empty.setWordWrap(True)
        self.said = ElidedLabel("", "dim")
        self._undoable = False
        self.undo = self._button("runs_undo", tr("Undo"))
        self.discard, self.leave = self._button("runs_empty", tr("Empty…")), self._button("runs_trash", tr("Back"))
        self._lay_out()
        self.search.typed.connect(self.refresh)
        self.search.downwards.connect(self._into_list)
        self.order.changed.connect(self.refresh)
        self.filters.changed.connect(self.refresh)
        self.filters.opening.connect(self._ask_models)
        self.model.wanted.connect(self._ask_rows)
        self.list.acted.connect(self.acted)
        self.list.menuWanted.connect(self.menuWanted)
        self.list.selectionModel().selectionChanged.connect(self.chosenChanged)
        self.list.selectionModel().currentChanged.connect(self.chosenChanged)
        self.model.dataChanged.connect(self.chosenChanged)
        library.changed.connect(self.refresh)
        library.noticed.connect(self.show_notice)
        self._show_foot()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.heading, 1)
        for part in (self.order, self.filters, self.more):
            head.addWidget(part)
        foot = QHBoxLayout()
        foot.setSpacing(2)
        foot.addWidget(self.said, 1)
        for part in (self.undo, self.discard, self.leave):
            foot.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 2)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.search)
        layout.addWidget(self.notice)
        layout.addWidget(self.room)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addLayout(foot)
        for part in (self.notice, self.room, self.empty):
            part.hide()

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self._delegate.tokens = tokens
        self.list.viewport().update()

    def stop(self) -> None:
        """Ask nothing more."""
        self.search.stop()

    # ── what is chosen ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def chosen(self) -> list[int]:
        """The numbers of the runs that are selected, from top to bottom."""
        return [self.model.numbers[i] for i in sorted(index.row() for index in self.list.selectedIndexes())]

    @property
    def current(self) -> Row | None:
        """The run that the keyboard is at, where it is selected and looked up."""
        index = self.list.currentIndex()
        selected = index.isValid() and self.list.selectionModel().isSelected(index)
        return self.model.known(index.row()) if selected else None

    @property
    def in_trash(self) -> bool:
        """Whether the trash is shown."""
        return self._trash

    def show_trash(self, on: bool) -> None:
        """Show what was deleted, or the runs again."""
        if on != self._trash:
            self._trash = on
            self.heading.setText(tr("TRASH") if on else tr("RUNS"))
            self.said.setText("")
            self._undoable = False
            self.list.clearSelection()
            self.refresh()

    def to_search(self) -> None:
        """To the search field."""
        self.search.setFocus()
        self.search.selectAll()

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def refresh(self) -> None:
        """Look again; what was found before stays until then."""
        try:
            query = query_of(self.search.text(), self.filters, self.order.order, self._trash)
        except DiffStudioError as error:
            self._say_empty(f"{error}.")
            return
        top, in_trash = self.list.top, self._trash
        before = self.model.numbers[top : top + PAGE]

        def find(library: Library, stop: Stop) -> Found:
            numbers = library.numbers(query)
            there = top > 0 and set(before) <= set(numbers)
            rows = rows_of(library, before if there else numbers[:PAGE])
            return numbers, rows, library.bytes(trash=True) if in_trash else 0

        self._library.ask("runs", find, self._on_found, self.show_notice)

    def _on_found(self, found: Found) -> None:
        numbers, rows, trash = found
        chosen, current = set(self.chosen), self._current_number()
        scrolled = self.list.verticalScrollBar().value()
        top = self._top_number() if scrolled else None
        if self.model.show(numbers, rows):
            self._choose(chosen, current)
            if top is not None and top in numbers:
                self.list.verticalScrollBar().setValue(scrolled % HEIGHT + numbers.index(top) * HEIGHT)
        self._pictures.want(rows)
        if not self.search.text() and not self.filters.active:
            self.search.show_count(len(numbers))
        self._say_empty("" if numbers else self._nothing())
        if self._trash:
            self.said.setText(tr("{}, {}").format(runs_text(len(numbers)), size(trash)))
        self._show_foot()
        self.chosenChanged.emit()

    def _nothing(self) -> str:
        if self.search.text().strip() or self.filters.active:
            return tr("Nothing is found. Clear the field, or show all in the filter.")
        return tr("The trash is empty.") if self._trash else tr("Nothing was generated yet. Every run is kept here.")

    def _say_empty(self, sentence: str) -> None:
        self.empty.setText(sentence)
        self.empty.setVisible(bool(sentence))

    def _choose(self, numbers: set[int], current: int | None) -> None:
        """Select runs again where they stand now."""
        if not numbers and current is None:
            return
        places = [place for place, number in enumerate(self.model.numbers) if number in numbers]
        selection = QItemSelection()
        for place in places:
            selection.select(self.model.index(place), self.model.index(place))
        flag = QItemSelectionModel.SelectionFlag
        if current is not None and current in self.model.numbers:
            at = self.model.index(self.model.numbers.index(current))
            self.list.selectionModel().setCurrentIndex(at, flag.NoUpdate)
        self.list.selectionModel().select(selection, flag.ClearAndSelect)

    def _current_number(self) -> int | None:
        place = self.list.currentIndex().row()
        return self.model.numbers[place] if place >= 0 else None

    def _top_number(self) -> int | None:
        return self.model.numbers[self.list.top] if self.list.top < len(self.model.numbers) else None

    @Slot(object)
    def _ask_rows(self, numbers: list[int]) -> None:
        self._library.ask("", lambda library, stop: rows_of(library, numbers), self._on_rows)

    def _on_rows(self, rows: dict[int, Row]) -> None:
        self.model.take(rows)
        self._pictures.want(rows)

    @Slot()
    def _ask_models(self) -> None:
        self._library.ask("models", lambda library, stop: library.values("model"), self.filters.set_models)

    # ── what is said ────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot(str)
    def show_notice(self, notice: str) -> None:
        """What is not as it should be with the library."""
        self.notice.setText(_BREAK.sub("\\g<0>\u200b", notice))  # a long path may be broken
        self.notice.setToolTip(tip(notice))
        self.notice.setVisible(bool(notice))

    def show_room(self, wanted: bool) -> None:
        """Whether the library takes more room than it may."""
        self.room.setVisible(wanted)

    def say(self, text: str, undoable: bool = False) -> None:
        """What was done, with the way back."""
        self.said.setText(text)
        self._undoable = undoable
        self._show_foot()

    def _show_foot(self) -> None:
        some = len(self.model.numbers) > 0
        self.undo.setVisible(self._undoable and not self._trash)
        self.discard.setVisible(self._trash and some)
        self.leave.setVisible(self._trash)
        self.said.setVisible(self._trash or bool(self.said.text()))

    @Slot()
    def _into_list(self) -> None:
        if self.model.numbers:
            if not self.list.currentIndex().isValid():
                self.list.setCurrentIndex(self.model.index(0))
            self.list.setFocus()

    @Slot()
    def _on_more(self) -> None:
        self.menuWanted.emit(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _button(self, action: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("flat", True)
        button.setProperty("small", True)
        button.setToolTip(actions.tooltip(action))
        button.setAccessibleName(actions.title(action))
        button.setObjectName(action)
        button.clicked.connect(self._on_button)
        return button

    @Slot()
    def _on_button(self) -> None:
        self.acted.emit(self.sender().objectName())


def runs_text(many: int) -> str:
    """So many runs."""
    return tr("1 run") if many == 1 else tr("{} runs").format(count(many))
