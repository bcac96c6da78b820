"""Saved settings: a menu of their names."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QMenu, QToolButton

from diffstudio.gui.kit.words import tr


class PresetsButton(QToolButton):
    """Emits `saveWanted`, or `chosen` with a name."""

    saveWanted = Signal()
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
        self.set_names([])

    def set_names(self, names: list[str]) -> None:
        """Offer these."""
        menu = self.menu()
        menu.clear()
        menu.addAction(tr("Save as preset…")).triggered.connect(self.saveWanted)
        if names:
            menu.addSeparator()
        for name in names:
            action = menu.addAction(name.replace("&", "&&"))
            action.setData(name)
            action.triggered.connect(self._on_chosen)

    @Slot()
    def _on_chosen(self) -> None:
        self.chosen.emit(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]
