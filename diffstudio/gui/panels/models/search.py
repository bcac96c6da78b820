"""Above the list of models: the field that filters it, and the order in which it stands."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.models.order import SORTS


class ModelSearch(QLineEdit):
    """Filters by what is typed."""

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(tr("Filter checkpoints…"))
        self.setClearButtonEnabled(True)
        self.setAccessibleName(tr("Filter checkpoints"))
        self.setToolTip(
            f"{tr('Find a model by its name, its data or its classes.')}  ({actions.shortcut_text('find_model')})"
        )


class SortButton(QToolButton):
    """Shows how the list is sorted, and offers the other ways; emits `chosen` with a key of SORTS."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("flat", True)
        self.setProperty("small", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tr("How the models are sorted; the favourites stand first."))
        self.setMenu(QMenu(self))
        self._choices = QActionGroup(self)
        for name, title in SORTS.items():
            action = self.menu().addAction(tr(title))
            action.setCheckable(True)
            action.setData(name)
            action.triggered.connect(self._on_chosen)
            self._choices.addAction(action)
        self.set_sort("name")

    def set_sort(self, name: str) -> None:
        """Show another one as chosen."""
        for action in self._choices.actions():
            action.setChecked(action.data() == name)
        self.setText(f"{tr(SORTS[name])} ▾")
        self.setAccessibleName(tr("Sorted by: {}").format(tr(SORTS[name])))

    @Slot()
    def _on_chosen(self) -> None:
        self.chosen.emit(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]
