"""The picker: models with their checkpoints, grouped by modality, searched as one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPoint, QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QTreeWidgetItem, QVBoxLayout, QWidget

from diffstudio.checkpoints.listing import Entry, Listing
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.models.items import ENTRY, MORE, ModelRows, group_item, problem_item
from diffstudio.gui.panels.models.order import BROKEN, FAVOURITES, GROUPS, Order, arranged
from diffstudio.gui.panels.models.row import HEIGHTS, KIND, ModelRow
from diffstudio.gui.panels.models.search import ModelSearch, SortButton
from diffstudio.gui.panels.models.tree import ModelTree

PLACES = {title: place for place, title in enumerate((FAVOURITES, *GROUPS.values(), BROKEN))}


class ModelsPanel(QWidget):
    """Emits `selected` with the Entry that the user chose."""

    selected = Signal(object)
    activated = Signal(object)  # double click or Enter: choose and generate
    menuWanted = Signal(object, QPoint)  # an Entry, and where on the screen

    def __init__(self, listing: Listing, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listing, self._order = listing, Order()
        self._chosen: Entry | None = None
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._rows: dict[str, ModelRows] = {}
        self._shown: dict[str, list[QTreeWidgetItem]] = {}  # the rows of each group, in their order
        self._unfolded: set[str] = set()
        self.search = ModelSearch()
        self.sort = SortButton()
        self.tree = ModelTree()
        self.tree.setAccessibleName(tr("Models and checkpoints"))
        self._delegate = ModelRow(tokens, self.tree)
        self.tree.setItemDelegate(self._delegate)
        self.empty = label(tr("No model fits. Clear the filter, or add a folder (File menu)."), "dim")
        self.empty.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(label(tr("MODELS"), "heading"), 1)
        head.addWidget(self.sort)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 2)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.search)
        layout.addWidget(self.empty)
        layout.addWidget(self.tree, 1)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.tree.setFocus)
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemActivated.connect(self._on_activated)
        self.tree.itemClicked.connect(self._on_clicked)
        self.tree.menuWanted.connect(self._on_menu)
        self._arrange()

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self._delegate.tokens = tokens
        self.tree.viewport().update()

    def show_listing(self, listing: Listing) -> None:
        """Show what is there now; the selection stays if its checkpoint is still there."""
        self._listing = listing
        self._arrange()

    def set_order(self, order: Order) -> None:
        """Other favourites, or another order."""
        if order != self._order:
            self._order = order
            self.sort.set_sort(order.sort)
            self._arrange()

    def choose(self, spec: str) -> bool:
        """Select "digits" or "digits@400"; False if there is none."""
        rows = self._rows.get(spec)
        item = rows.item if rows is not None else self._item_of(spec)
        if item is not None:
            self.tree.setCurrentItem(item)
        return item is not None

    def choose_first(self) -> None:
        """Select the first model."""
        for item in self.tree.items():
            if item.data(0, KIND) == "model":
                self.tree.setCurrentItem(item)
                return

    @property
    def entry(self) -> Entry | None:
        """What is selected."""
        return _entry_of(self.tree.currentItem())

    # ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arrange(self) -> None:
        """Make the rows those of the listing: what has not changed stays as it is."""
        with QSignalBlocker(self.tree):
            groups = arranged(self._listing, self._order)
            changed = False
            for title, models in groups.items():
                for model in models:
                    rows = self._rows.get(model.name)
                    if rows is None:
                        rows = self._rows[model.name] = ModelRows(model)
                    starred, unfolded = model.name in self._order.favourites, model.name in self._unfolded
                    changed |= rows.update(model, starred, unfolded)
                self._fill(title, [self._rows[model.name].item for model in models])
            self._fill(BROKEN, self._problems())
            for title in [title for title in self._shown if title not in groups and title != BROKEN]:
                self._fill(title, [])
            for name in self._rows.keys() - self._listing.by_name.keys():
                del self._rows[name]
            self._filter(self.search.text())
            heights = [rows.height for rows in self._rows.values()]
            broken = HEIGHTS["problem"] * len(self._shown.get(BROKEN, ()))
            self.tree.set_wanted(sum(heights) + broken + HEIGHTS["group"] * len(self._groups))
        self._keep_choice()

    def _problems(self) -> list[QTreeWidgetItem]:
        """A row for each file that can't be used; the ones that were there before stay."""
        before = _by_entry(self._shown.get(BROKEN, ()))
        return [before.get(id(e)) or problem_item(e) for e in self._listing.entries if e.problem]

    def _fill(self, title: str, items: Sequence[QTreeWidgetItem]) -> None:
        """Let the group of that title have these rows; without any it goes."""
        before = self._shown.get(title, [])
        if list(items) == before:
            return
        group = self._group(title)
        kept = set(map(id, items))
        for item in before:
            if id(item) not in kept and item.parent() is group:
                group.removeChild(item)
        for item in items:
            parent = item.parent()
            if parent is not None and parent is not group:  # it came from another group
                parent.removeChild(item)
        _insert(group, items, [item for item in before if id(item) in kept])
        self._shown[title] = list(items)
        if not items:
            self.tree.takeTopLevelItem(self.tree.indexOfTopLevelItem(self._groups.pop(title)))
            del self._shown[title]

    def _group(self, title: str) -> QTreeWidgetItem:
        if title not in self._groups:
            item = self._groups[title] = group_item(tr(title))
            above = sum(PLACES[other] < PLACES[title] for other in self._groups if other != title)
            self.tree.insertTopLevelItem(above, item)
            item.setExpanded(True)
        return self._groups[title]

    def _item_of(self, spec: str, entry: Entry | None = None) -> QTreeWidgetItem | None:
        """The row of the checkpoint of that name or path; where it is folded away it is shown."""
        for rows in self._rows.values():
            for found in rows.model.entries:
                if found.spec == spec or str(found.path) == spec:
                    return self._row_of(rows, found)
        return None

    def _row_of(self, rows: ModelRows, entry: Entry) -> QTreeWidgetItem:
        if entry is rows.model.default:
            return rows.item
        items = _by_entry(rows.children)
        if id(entry) not in items:
            self._unfold(rows)
            items = _by_entry(rows.children)
        return items[id(entry)]

    def _unfold(self, rows: ModelRows) -> None:
        with QSignalBlocker(self.tree):
            self._unfolded.add(rows.model.name)
            self._arrange()

    # ── what is chosen and shown ────────────────────────────────────────────────────────────────────────────────────

    def _keep_choice(self) -> None:
        """Select again what was selected, if its row went; tell only of a checkpoint that is not what it was."""
        chosen, now = self._chosen, self.entry
        if chosen is None or now is chosen:
            return
        item = self._item_of(str(chosen.path))
        with QSignalBlocker(self.tree):
            self.tree.setCurrentItem(item)  # pyright: ignore[reportArgumentType] - None: nothing
        found = _entry_of(item)
        if found is not None and (found.changed, found.size, found.spec) != (chosen.changed, chosen.size, chosen.spec):
            self._on_current(item, None)
        elif found is not None:
            self._chosen = found

    @Slot(str)
    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        shown = 0
        for rows in self._rows.values():
            shown += _show(rows.item, not words or all(word in rows.words for word in words))
        for item in self._shown.get(BROKEN, ()):
            shown += _show(item, all(word in item.text(0).casefold() for word in words))
        for title, group in self._groups.items():
            _show(group, any(not item.isHidden() for item in self._shown.get(title, ())))
        self.empty.setVisible(shown == 0)

    @Slot(QTreeWidgetItem, QTreeWidgetItem)
    def _on_current(self, item: QTreeWidgetItem | None, before: QTreeWidgetItem | None) -> None:
        entry = _entry_of(item)
        if entry is not None:
            self._chosen = entry
            self.selected.emit(entry)

    @Slot(QTreeWidgetItem, int)
    def _on_activated(self, item: QTreeWidgetItem, column: int) -> None:
        if self.entry is not None:
            self.activated.emit(self.entry)
        elif item.data(0, KIND) == MORE:
            self._show_more(item)

    @Slot(QTreeWidgetItem, int)
    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if item.data(0, KIND) == MORE:
            self._show_more(item)

    def _show_more(self, item: QTreeWidgetItem) -> None:
        rows = next(rows for rows in self._rows.values() if item in rows.children)
        place = rows.children.index(item)
        self._unfold(rows)
        self.tree.setCurrentItem(rows.children[place])

    @Slot(QTreeWidgetItem, QPoint)
    def _on_menu(self, item: QTreeWidgetItem, at: QPoint) -> None:
        entry = item.data(0, ENTRY)
        if isinstance(entry, Entry):
            self.menuWanted.emit(entry, at)


def _entry_of(item: QTreeWidgetItem | None) -> Entry | None:
    found = item.data(0, ENTRY) if item is not None else None
    return found if isinstance(found, Entry) and found.card else None


def _by_entry(items: Iterable[QTreeWidgetItem]) -> dict[int, QTreeWidgetItem]:
    """Rows by the identity of what they show."""
    return {id(item.data(0, ENTRY)): item for item in items}


def _show(item: QTreeWidgetItem, on: bool) -> bool:
    if item.isHidden() == on:
        item.setHidden(not on)
    return on


def _insert(group: QTreeWidgetItem, items: Sequence[QTreeWidgetItem], there: list[QTreeWidgetItem]) -> None:
    """Bring a group's rows into this order; those that are there already must be among them."""
    known = set(map(id, there))
    if [item for item in items if id(item) in known] != there:
        group.takeChildren()
        known = set()
    place = 0
    while place < len(items):
        run = [items[place]]
        if id(items[place]) in known:
            place += 1
            continue
        while place + len(run) < len(items) and id(items[place + len(run)]) not in known:
            run.append(items[place + len(run)])
        group.insertChildren(place, run)
        for item in run:
            item.setExpanded(True)
        place += len(run)
