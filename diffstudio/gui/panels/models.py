"""The picker: models with their checkpoints, grouped by modality, searched as one types."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import (
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QVBoxLayout,
    QWidget,
)

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Catalog, Entry, Model
from diffstudio.gui import actions
from diffstudio.gui.panels.model_row import HEIGHTS, KIND, PICTURE, SUBTITLE, ModelRow
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import label
from diffstudio.gui.words import count, parameters, shape_text, tr
from diffstudio.modalities import MODALITIES

ENTRY = Qt.ItemDataRole.UserRole
GROUPS = {
    **{name: row.title for name, row in MODALITIES.items()},
    "exact": "Exact",
}  # by the card's group, in their order


class ModelsPanel(QWidget):
    """Emits `selected` with the Entry that the user chose."""

    selected = Signal(object)
    activated = Signal(object)  # double click or Enter: choose and generate

    def __init__(self, catalog: Catalog, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self._chosen = ""
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Filter checkpoints…"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Filter checkpoints"))
        self.search.setToolTip(
            f"{tr('Find a model by its name, its data or its classes.')}  ({actions.shortcut_text('find_model')})"
        )
        self.tree = _Tree()
        self.tree.setAccessibleName(tr("Models and checkpoints"))
        self._delegate = ModelRow(tokens, self.tree)
        self.tree.setItemDelegate(self._delegate)
        self.empty = label(tr("No model fits. Clear the filter, or add a folder (File menu)."), "dim")
        self.empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 2)
        layout.setSpacing(6)
        layout.addWidget(label(tr("MODELS"), "heading"))
        layout.addWidget(self.search)
        layout.addWidget(self.empty)
        layout.addWidget(self.tree, 1)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.tree.setFocus)
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemActivated.connect(self._on_activated)
        self.reload()

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self._delegate.tokens = tokens
        self.tree.viewport().update()

    def reload(self) -> None:
        """Read the catalog again; the selection stays if its checkpoint is still there."""
        chosen = self._chosen
        self.tree.blockSignals(True)
        self.tree.clear()
        self._catalog.scan()
        groups: dict[str, QTreeWidgetItem] = {}
        order = list(GROUPS)
        for model in sorted(self._catalog.models(), key=lambda model: order.index(model.card.group)):
            name = GROUPS[model.card.group]
            if name not in groups:
                groups[name] = _group(self.tree, tr(name))
            _model_item(groups[name], model)
        broken = [entry for entry in self._catalog.entries if entry.problem]
        if broken:
            group = _group(self.tree, tr("Can't be used"))
            for entry in broken:
                _problem_item(group, entry)
        self.tree.blockSignals(False)
        self._filter(self.search.text())
        self.tree.updateGeometry()
        if chosen:
            self.choose(chosen)

    def choose(self, spec: str) -> bool:
        """Select "digits" or "digits@400"; False if there is none."""
        for item in self._items():
            entry = item.data(0, ENTRY)
            if isinstance(entry, Entry) and entry.card and spec in (entry.card.name, entry.spec, str(entry.path)):
                self.tree.setCurrentItem(item)
                return True
        return False

    def choose_first(self) -> None:
        """Select the first model."""
        for item in self._items():
            if item.data(0, KIND) == "model":
                self.tree.setCurrentItem(item)
                return

    @property
    def entry(self) -> Entry | None:
        """What is selected."""
        item = self.tree.currentItem()
        found = item.data(0, ENTRY) if item else None
        return found if isinstance(found, Entry) and found.card else None

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        shown = 0
        for item in self._items():
            kind = item.data(0, KIND)
            if kind in ("model", "problem"):
                fits = all(word in _haystack(item) for word in words)
                item.setHidden(not fits)
                shown += fits
        for i in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(i)
            assert group is not None
            group.setHidden(all(group.child(j).isHidden() for j in range(group.childCount())))  # pyright: ignore
        self.empty.setVisible(shown == 0)

    @Slot(QTreeWidgetItem, QTreeWidgetItem)
    def _on_current(self, item: QTreeWidgetItem | None, before: QTreeWidgetItem | None) -> None:
        entry = self.entry
        if entry is not None:
            self._chosen = entry.spec
            self.selected.emit(entry)

    @Slot(QTreeWidgetItem, int)
    def _on_activated(self, item: QTreeWidgetItem, column: int) -> None:
        if self.entry is not None:
            self.activated.emit(self.entry)

    def _items(self) -> list[QTreeWidgetItem]:
        out, stack = [], [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        while stack:
            item = stack.pop(0)
            assert item is not None
            out.append(item)
            stack = [item.child(i) for i in range(item.childCount())] + stack
        return out


class _Tree(QTreeWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)

    def sizeHint(self) -> QSize:
        return QSize(200, sum(HEIGHTS[kind] for kind in self._kinds()) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, HEIGHTS["group"] + 3 * HEIGHTS["model"])

    def _kinds(self) -> list[str]:
        """Of all rows, also of those that the filter hides: typing does not move what is below."""
        items = QTreeWidgetItemIterator(self)
        kinds = []
        while (item := items.value()) is not None:
            kinds.append(item.data(0, KIND))
            items += 1
        return kinds

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._walk(self.indexAbove if event.key() == Qt.Key.Key_Up else self.indexBelow)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        else:
            event.ignore()  # the rest belongs to the timeline

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.indexAt(event.position().toPoint()).flags() & Qt.ItemFlag.ItemIsSelectable:
            super().mousePressEvent(event)

    def _walk(self, following: Callable[[QModelIndex], QModelIndex]) -> None:
        """To the next row that can be chosen: not a heading, not a broken file."""
        index = following(self.currentIndex())
        while index.isValid() and not index.flags() & Qt.ItemFlag.ItemIsSelectable:
            index = following(index)
        if index.isValid():
            self.setCurrentIndex(index)


def _group(tree: QTreeWidget, title: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem(tree, [title])
    item.setData(0, KIND, "group")
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.setExpanded(True)
    return item


def _model_item(group: QTreeWidgetItem, model: Model) -> None:
    card = model.card
    item = QTreeWidgetItem(group, [card.name])
    path = options.PATHS[card.path.name].label
    item.setData(0, KIND, "model")
    item.setData(0, ENTRY, model.default)
    weights = [parameters(card.parameters)] if card.parameters else []  # an exact model has none to learn
    item.setData(0, SUBTITLE, " · ".join([shape_text(card.shape), *weights, path]))
    item.setData(0, PICTURE, thumbnail(card))
    title = card.title or card.name
    # What nothing was trained for needs a word of what it is.
    about = f"\n{card.description}" if card.group == "exact" else ""
    item.setToolTip(0, _plain(f"{title}\n{item.data(0, SUBTITLE)}{about}"))
    if len(model.entries) > 1:
        for entry in reversed(model.entries):
            assert entry.card is not None
            child = QTreeWidgetItem(item, [_checkpoint_title(entry.card, entry is model.default)])
            child.setData(0, KIND, "checkpoint")
            child.setData(0, ENTRY, entry)
        item.setExpanded(True)


def _checkpoint_title(card: Card, is_default: bool) -> str:
    steps = tr("{} steps").format(count(card.step))
    return f"{steps} · {tr('final')}" if is_default else steps


def _problem_item(group: QTreeWidgetItem, entry: Entry) -> None:
    item = QTreeWidgetItem(group, [entry.path.name])
    item.setData(0, KIND, "problem")
    item.setData(0, ENTRY, entry)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.setToolTip(0, _plain(entry.problem or ""))


def _plain(text: str) -> str:
    """A tooltip guesses at rich text: what a file says of itself is escaped."""
    return "<qt>" + text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>") + "</qt>"


def thumbnail(card: Card) -> QPixmap | None:
    """The picture in a card; None where it has none or a broken one."""
    if not card.thumbnail:
        return None
    pixmap = QPixmap()
    try:
        pixmap.loadFromData(base64.b64decode(card.thumbnail, validate=True), "PNG")  # pyright: ignore
    except (binascii.Error, ValueError):
        return None
    return None if pixmap.isNull() else pixmap


def _haystack(item: QTreeWidgetItem) -> str:
    entry = item.data(0, ENTRY)
    words = [item.text(0), str(item.data(0, SUBTITLE) or "")]
    if isinstance(entry, Entry) and entry.card:
        card = entry.card
        words += [card.title, card.description, card.data.title, card.network, card.prediction, *card.labels[:200]]
    return " ".join(words).casefold()
