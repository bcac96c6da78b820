"""The command palette: type a few letters of anything the window has, Enter does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from diffstudio.gui.kit.fuzzy import score
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr

COMMAND = Qt.ItemDataRole.UserRole
MOST = 80  # that are listed at once
RECENT = 0.75  # what was done lately is so much better
PAGE = 10  # rows of a page key
KEYS = {
    Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: PAGE, Qt.Key.Key_PageUp: -PAGE,
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """Something that can be done. id: by which it is remembered.  group: what it belongs to.  keys: as they are shown.

    words: what else it is called.  problem: why it can't be done now, in a few words.
    takes: what typing a value behind its name does, e.g. "steps 50": the command for that value, None for no value.
    """

    id: str
    group: str
    title: str
    run: Callable[[], object]
    keys: str = ""
    words: str = ""
    problem: str = ""
    takes: Callable[[str], Command | None] | None = None

    @property
    def name(self) -> str:
        """What it is found by, and listed as."""
        return f"{self.group}: {self.title}"


def matches(commands: Sequence[Command], query: str, recent: Sequence[str]) -> list[Command]:
    """Those that fit, the best first: a value that was typed for a field, then by name, then what can't be done now.

    With nothing typed all of them, what was done lately first. recent: ids, the last one first.
    """
    lately = {name: 1 - i / len(recent) for i, name in enumerate(recent)}
    if not query.strip():
        return sorted(commands, key=lambda command: -lately.get(command.id, 0.0))
    found: list[tuple[bool, float, Command]] = []
    for command in commands:
        fits = score(query, command.name, command.words)
        if fits is not None:
            found.append((bool(command.problem), -fits - RECENT * lately.get(command.id, 0.0), command))
    return [*_with_values(commands, query), *(row[2] for row in sorted(found, key=lambda row: row[:2]))]


def _with_values(commands: Sequence[Command], query: str) -> list[Command]:
    """What a query means whose last words are a value: "steps 50"."""
    words = query.split()
    out: list[tuple[float, Command]] = []
    for cut in range(1, len(words)):
        name, value = " ".join(words[:cut]), " ".join(words[cut:])
        for command in commands:
            fits = score(name, command.title, command.words) if command.takes is not None else None
            made = command.takes(value) if fits is not None and command.takes is not None else None
            if made is not None and fits is not None:
                out.append((-fits, made))
    return [command for _, command in sorted(out, key=lambda row: row[0])][:8]


class Palette(QDialog):
    """Lists commands; those that can't be done now are dimmed and say why."""

    chosen = Signal(object)  # Command

    def __init__(self, commands: Sequence[Command], recent: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._commands, self._recent = commands, recent
        self.search, self.list, self.none = QLineEdit(), QTreeWidget(), label("", "dim")
        self.search.setPlaceholderText(tr("A command, a model, a field with its value, a setting…"))
        self.search.setAccessibleName(tr("Command"))
        self.list.setHeaderHidden(True)
        self.list.setColumnCount(2)
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setUniformRowHeights(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName(tr("Commands"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.none.setWordWrap(True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.none.setContentsMargins(12, 24, 12, 12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.none, 1)
        self.resize(560, 420)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        self._filter("")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is not None:
            self.resize(min(self.width(), parent.width() - 20), min(self.height(), parent.height() - 80))
            corner = parent.mapToGlobal(parent.rect().topLeft())
            self.move(corner.x() + (parent.width() - self.width()) // 2, corner.y() + 60)
        self.list.setColumnWidth(0, self.list.viewport().width() - 130)
        self.search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in KEYS:
                self._move(KEYS[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentItem())
                return True
            if event.key() == Qt.Key.Key_Tab:
                self._complete()
                return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _filter(self, text: str) -> None:
        found = matches(self._commands, text, self._recent)[:MOST]
        self.list.clear()
        for command in found:
            reason = f"   ({command.problem})" if command.problem else ""
            item = QTreeWidgetItem([command.name + reason, command.keys])
            item.setData(0, COMMAND, command)
            item.setToolTip(0, command.name + reason)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setDisabled(bool(command.problem))
            self.list.addTopLevelItem(item)
            if self.list.currentItem() is None and not command.problem:
                self.list.setCurrentItem(item)
        self.list.setVisible(bool(found))
        self.none.setVisible(not found)
        self.none.setText(tr("Nothing is called “{}”. Try fewer letters, or another word.").format(text.strip()))

    def _move(self, by: int) -> None:
        """Some rows further; one that can't be run is passed over."""
        items = [self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount())]
        open_ = [item for item in items if item is not None and not item.isDisabled()]
        if not open_:
            return
        current = self.list.currentItem()
        at = open_.index(current) if current in open_ else -1
        to = (at + by) % len(open_) if abs(by) == 1 else max(0, min(at + by, len(open_) - 1))
        self.list.setCurrentItem(open_[to])

    def _complete(self) -> None:
        """Tab writes the name of what is chosen, ready for a value behind it."""
        item = self.list.currentItem()
        command: Command | None = item.data(0, COMMAND) if item is not None else None
        if command is not None:
            self.search.setText(f"{command.title} " if command.takes is not None else command.title)

    @Slot(QTreeWidgetItem)
    def _run(self, item: QTreeWidgetItem | None) -> None:
        if item is None or item.isDisabled():
            return
        command = item.data(0, COMMAND)
        self.close()
        self.chosen.emit(command)
