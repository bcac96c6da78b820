"""Saved settings: a menu of their names."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QToolButton

from diffstudio.gui.kit.words import tr


class PresetsButton(QToolButton):
    """Emits `saveWanted`, `manageWanted`, or `chosen` with a name."""

    saveWanted = Signal()
    manageWanted = Signal()
    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setText(tr("Presets"))
        self.setProperty("flat", True)
        self.setProperty("small", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tr("Save these settings under a name, or take saved ones."))
        self.setMenu(QMenu(self))
        self.set_presets({})

    def set_presets(self, models: Mapping[str, str]) -> None:
        """Offer these: their names, and the models that they are for."""
        menu = self.menu()
        menu.clear()
        menu.addAction(tr("Save as preset…")).triggered.connect(self.saveWanted)
        menu.addAction(tr("Rename or delete presets…")).triggered.connect(self.manageWanted)
        if models:
            menu.addSeparator()
        for name, model in models.items():
            action = menu.addAction(f"{name}\t{model}".replace("&", "&&"))
            action.setData(name)
            action.triggered.connect(self._on_chosen)

    @Slot()
    def _on_chosen(self) -> None:
        self.chosen.emit(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]
