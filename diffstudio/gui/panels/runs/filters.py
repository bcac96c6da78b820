"""Above the list of runs: what is looked for, which runs are shown, and in which order."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.runs.words import state_words
from diffstudio.studio.library.query import Query, Sort, parse_query

TYPED_MS = 120  # without a key before it is looked for
ORDERS: dict[Sort, str] = {
    "newest": "Newest", "oldest": "Oldest", "name": "Name", "model": "Model", "steps": "Steps", "seed": "Seed",
    "seconds": "Longest", "size": "Largest", "star": "Starred first",
}  # fmt: skip


class RunSearch(QLineEdit):
    """Emits `typed` when nothing more was typed for a moment, `downwards` to go into the list."""

    typed = Signal()
    downwards = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setClearButtonEnabled(True)
        self.setMaxLength(500)
        self.setAccessibleName(tr("Find runs"))
        what = tr(
            "Words of model, class, prompt, name, note, tags, solver; or filters such as steps>20 seed:3 date:week."
        )
        self.setToolTip(f"{what}  ({actions.shortcut_text('find_run')})")
        self.show_count(0)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPED_MS)
        self._timer.timeout.connect(self.typed)
        self.textChanged.connect(self._on_text)
        self.returnPressed.connect(self._on_return)

    def show_count(self, many: int) -> None:
        """How many runs there are to find something in."""
        self.setPlaceholderText(tr("Find in {} runs…").format(count(many)) if many > 1 else tr("Find runs…"))

    def stop(self) -> None:
        """Wait no more."""
        self._timer.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.downwards.emit()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _on_text(self) -> None:
        self._timer.start()

    @Slot()
    def _on_return(self) -> None:
        self.stop()
        self.typed.emit()
        self.downwards.emit()


class _MenuButton(QToolButton):
    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setProperty("flat", True)
        self.setProperty("small", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setMenu(QMenu(self))


class OrderButton(_MenuButton):
    """The order of the list; emits `changed`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(tr("How the runs are sorted."))
        self.order: Sort = "newest"
        self._choices = QActionGroup(self)
        for name, title in ORDERS.items():
            action = self.menu().addAction(tr(title))
            action.setCheckable(True)
            action.setData(name)
            action.triggered.connect(self._on_chosen)
            self._choices.addAction(action)
        self.set_order("newest")

    def set_order(self, order: Sort) -> None:
        """Another order."""
        self.order = order
        for action in self._choices.actions():
            action.setChecked(action.data() == order)
        self.setText(f"{tr(ORDERS[order])} ▾")
        self.setAccessibleName(tr("Sorted by: {}").format(tr(ORDERS[order])))

    @Slot()
    def _on_chosen(self) -> None:
        self.set_order(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]
        self.changed.emit()


class FilterButton(_MenuButton):
    """Which runs are shown: states, a model, starred ones alone; emits `changed`, and `opening` to be told models."""

    changed = Signal()
    opening = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Which runs are shown."))
        self.states: set[str] = set()
        self.model, self.starred = "", False
        self._star = self._box(self.menu(), tr("Starred alone"), "*")
        self.menu().addSeparator()
        self._states = [self._box(self.menu(), title, f"state {name}") for name, title in state_words().items()]
        self.menu().addSeparator()
        self.models = self.menu().addMenu(tr("Model"))
        self.all = self.menu().addAction(tr("Show all"))
        self.all.triggered.connect(self.clear)
        self.menu().aboutToShow.connect(self.opening)
        self.set_models([])
        self._settle()

    @property
    def active(self) -> bool:
        """Whether some runs are not shown."""
        return bool(self.states or self.model or self.starred)

    def set_models(self, names: list[str]) -> None:
        """The models that there are runs of, the most frequent first."""
        self.models.clear()
        for name in dict.fromkeys([*names[:40], *filter(None, [self.model])]):
            self._box(self.models, name.replace("&", "&&"), f"model {name}").setChecked(name == self.model)
        self.models.setEnabled(bool(names))

    def apply(self, query: Query) -> Query:
        """A query for those that are shown alone."""
        if self.states:
            marks = ", ".join("?" * len(self.states))
            query = query.and_(f"state IN ({marks})", *sorted(self.states))
        if self.model:
            query = query.and_("model = ?", self.model)
        return query.and_("star = 1") if self.starred else query

    @Slot()
    def clear(self) -> None:
        """Show all."""
        self.states, self.model, self.starred = set(), "", False
        self._settle()
        self.changed.emit()

    def _box(self, menu: QMenu, title: str, name: str) -> QAction:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setData(name)
        action.triggered.connect(self._on_chosen)
        return action

    @Slot()
    def _on_chosen(self) -> None:
        kind, _, name = str(self.sender().data()).partition(" ")  # pyright: ignore[reportAttributeAccessIssue]
        if kind == "state":
            self.states ^= {name}
        elif kind == "model":
            self.model = "" if self.model == name else name
        else:
            self.starred = not self.starred
        self._settle()
        self.changed.emit()

    def _settle(self) -> None:
        self._star.setChecked(self.starred)
        for action in self._states:
            action.setChecked(action.data().partition(" ")[2] in self.states)
        for action in self.models.actions():
            action.setChecked(action.data().partition(" ")[2] == self.model)
        self.all.setEnabled(self.active)
        chosen = [state_words()[name] for name in state_words() if name in self.states]
        said = [*([tr("starred")] if self.starred else []), *chosen, *filter(None, [self.model])]
        self.setText(f"{tr('Filter')} • ▾" if said else f"{tr('Filter')} ▾")
        self.setAccessibleName(tr("Shown: {}").format(", ".join(said) if said else tr("all runs")))


def query_of(text: str, filters: FilterButton, order: Sort, trash: bool) -> Query:
    """What the list shows. An order that is typed goes before the chosen one. Raises: BadInput: a filter is unknown."""
    query = parse_query(text)
    sort = query.sort if "sort:" in text else order
    return replace(filters.apply(query), sort=sort, trash=trash)
