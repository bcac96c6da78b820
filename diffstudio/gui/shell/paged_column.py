"""A column and a panel that takes its whole place, behind tabs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from diffstudio.gui.kit.words import tr


class PagedColumn(QWidget):
    """One of the two at a time; without the other there are no tabs."""

    def __init__(self, pages: tuple[QWidget, QWidget], titles: tuple[str, str]) -> None:
        super().__init__()
        self._here = [True, True]
        self.tabs = QTabBar()
        self.tabs.setExpanding(True)
        self.tabs.setDrawBase(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tabs.setAccessibleName(tr("Pages of this column"))
        self._stack = QStackedWidget()
        for page, title in zip(pages, titles, strict=True):
            self.tabs.addTab(title)
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)
        self.tabs.currentChanged.connect(self._settle)

    @property
    def page(self) -> int:
        """The page in front, as the tabs have it."""
        return self.tabs.currentIndex()

    def is_here(self, page: int) -> bool:
        """Whether a page is not hidden; it may be behind the other."""
        return self._here[page]

    def set_here(self, page: int, here: bool) -> None:
        """Show or hide a page."""
        self._here[page] = here
        self._settle()

    def bring_up(self, page: int) -> None:
        """Show a page, in front of the other."""
        self.set_here(page, True)
        self.tabs.setCurrentIndex(page)

    @Slot()
    def _settle(self) -> None:
        self.tabs.setVisible(all(self._here))
        self._stack.setCurrentIndex(self.page if all(self._here) else self._here.index(True) if any(self._here) else 0)
