"""A column of two panels: one above the other where there is room for both, else one at a time behind tabs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.column import Column


class TabbedColumn(QWidget):
    """`column` holds the two. A panel can be hidden, or be lent to another place for a while."""

    def __init__(self, panels: tuple[QWidget, QWidget], titles: tuple[str, str], share: float, lines: int) -> None:
        """titles: of the tabs.  share: as for `Column`.  lines: of text, that both need one above the other."""
        super().__init__()
        self._panels, self._lines = panels, lines
        self._shown = [True, True]
        self._lent: QWidget | None = None
        self.column = Column(*panels, share)
        self.tabs = QTabBar()
        self.tabs.setExpanding(True)
        self.tabs.setDrawBase(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName(tr("Panels of this column"))
        for title in titles:
            self.tabs.addTab(title)
        self.tabs.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self.column, 1)
        self.tabs.currentChanged.connect(self._settle)

    @property
    def tabbed(self) -> bool:
        """Whether one panel is seen at a time."""
        return not self.tabs.isHidden()

    def is_shown(self, panel: QWidget) -> bool:
        """Whether it is not hidden; it may be behind a tab."""
        return self._shown[self._panels.index(panel)]

    def set_shown(self, panel: QWidget, shown: bool) -> None:
        """Show or hide one of the two."""
        self._shown[self._panels.index(panel)] = shown
        self._settle()

    def bring_up(self, panel: QWidget) -> None:
        """Show one of the two, in front of the other."""
        self.set_shown(panel, True)
        self.tabs.setCurrentIndex(self._panels.index(panel))

    def lend(self, panel: QWidget) -> None:
        """Give a panel away; the other has the whole column until `take_back`."""
        self._lent = panel
        self._settle()

    def take_back(self) -> None:
        """The panel that was given away is here again, at its place."""
        if self._lent is not None:
            self.column.insertWidget(self._panels.index(self._lent), self._lent)
            self._lent = None
            self._settle()
            self.column.fit()

    def reset(self) -> None:
        """Both shown, as they fit."""
        self.take_back()
        self._shown = [True, True]
        self.tabs.setCurrentIndex(0)
        self._settle()
        self.column.reset()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()

    @Slot()
    def _settle(self) -> None:
        here = [shown and panel is not self._lent for panel, shown in zip(self._panels, self._shown, strict=True)]
        tabbed = all(here) and self.height() < self._lines * self.fontMetrics().lineSpacing()
        self.tabs.setVisible(tabbed)
        for i, panel in enumerate(self._panels):
            if panel is not self._lent:
                panel.setVisible(here[i] and (not tabbed or i == self.tabs.currentIndex()))
