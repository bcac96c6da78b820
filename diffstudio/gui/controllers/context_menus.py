"""Menus of what lies under the mouse, or under the keyboard: actions of the window, greyed with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.inspect.nearest_page import NearestPage
from diffstudio.gui.shell.parts import Parts

LINE = ""  # between groups
SAMPLE = (
    "save_sample", "copy_sample", "copy_values", "copy_text", LINE,
    "start_from", "vary", "fork_sample", "page_known", LINE,
    "toggle_single", "fit_view", LINE,
    "fork", "marker", LINE,
    "export", "copy_picture", "copy_texts",
)  # fmt: skip
STEP = (
    "fork", "start_from", "marker", "previous_marker", "next_marker", LINE,
    "range_in", "range_out", "range_clear", LINE,
    "zoom_in", "zoom_out", "zoom_fit", "next_clock", LINE,
    "export", "save_trace",
)  # fmt: skip
RUN = (
    "runs_open", "runs_use", "runs_command", "runs_folder", LINE,
    "runs_star", "runs_rename", "runs_note", LINE,
    "runs_delete", "runs_undo", "runs_restore", LINE,
    "runs_export", "runs_import", LINE,
    "runs_trash", "runs_empty", "runs_room",
)  # fmt: skip


class ContextMenus(QObject):
    """One menu at a time."""

    def __init__(self, parts: Parts, why: Callable[[str], str], use_data: Callable[[int, int | None], object]) -> None:
        """why: the reason for which an action is disabled.  use_data: starts from a training sample by its number."""
        super().__init__(parts.window)
        self._parts, self._why, self._use_data = parts, why, use_data
        parts.canvas.menuWanted.connect(self.of_sample)
        parts.timeline.menuWanted.connect(self.of_step)
        parts.run_list.menuWanted.connect(self.of_run)
        parts.inspect.menuWanted.connect(self.of_neighbour)
        parts.window.menuWanted.connect(self._of_window)

    @Slot(QPoint)
    def of_sample(self, at: QPoint) -> None:
        """Of the selected sample, and of the canvas."""
        self._popup(SAMPLE, at)

    @Slot(QPoint)
    def _of_window(self, at: QPoint) -> None:
        """The keyboard is at something without a menu of its own: the sample's, where the sample is."""
        self._popup(SAMPLE, self._parts.canvas.place_of_sample())

    @Slot(QPoint)
    def of_step(self, at: QPoint) -> None:
        """Of the step at the playhead."""
        self._popup(STEP, at)

    @Slot(QPoint)
    def of_run(self, at: QPoint) -> None:
        """Of the runs that are chosen, and of the library."""
        self._popup(RUN, at)

    @Slot(object, int, QPoint)
    def of_neighbour(self, page: NearestPage, index: int, at: QPoint) -> None:
        """Of a training sample that the inspector shows."""
        if not 0 <= index < len(page.neighbours):
            self.of_sample(at)
            return
        neighbour, menu = page.neighbours[index], self._menu()
        copy = menu.addAction(tr("Copy picture"))
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setImage(page.picture_of(index)))
        start = menu.addAction(tr("Start from training sample {}").format(page.name_of(neighbour)))
        problem = self._not_startable(page)
        start.setText(_with_reason(start.text(), problem))
        start.setEnabled(not problem)
        start.triggered.connect(lambda: self._use_data(neighbour.index, None))
        menu.popup(at)

    def _not_startable(self, page: NearestPage) -> str:
        card = self._parts.sampling.card
        seen = page.seen
        if seen is None or card is None or card.data.dataset != seen.dataset:
            return tr("the chosen model has other data")
        return tr("it was drawn for this model alone") if seen.size else ""

    def by_key(self) -> None:
        """The menu of what has the keyboard's focus; of a place that has none, that of the selected sample."""
        focus = QApplication.focusWidget()
        if QApplication.activePopupWidget() is not None:
            return
        if focus is not None:
            middle = focus.rect().center()
            reason = QContextMenuEvent.Reason.Keyboard
            event = QContextMenuEvent(reason, middle, focus.mapToGlobal(middle), Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(focus, event)  # it goes up to the window, which has the sample's
        else:
            self.of_sample(self._parts.canvas.place_of_sample())

    def _popup(self, ids: Sequence[str], at: QPoint) -> None:
        menu = self._menu()
        for name in ids:
            if name == LINE:
                menu.addSeparator()
                continue
            source = self._parts.window.actions_by_id[name]
            if not source.isEnabled() and actions.ACTIONS[name].when == actions.VIEW:
                continue  # another kind of sample has it: here it would say nothing
            self._mirror(menu, name, source)
        menu.popup(at)

    def _menu(self) -> QMenu:
        menu = QMenu(self._parts.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _mirror(self, menu: QMenu, name: str, source: QAction) -> None:
        """An entry that does what an action of the window does; disabled it says why."""
        text = source.text() if source.isEnabled() else _with_reason(source.text(), self._why(name))
        key = actions.shortcut_text(name)
        entry = menu.addAction(f"{text}\t{key}" if key else text)
        entry.setObjectName(name)
        entry.setEnabled(source.isEnabled())
        entry.setCheckable(source.isCheckable())
        entry.setChecked(source.isChecked())
        entry.triggered.connect(source.trigger)


def shown_menu(window: QWidget) -> QMenu | None:
    """The context menu that is open."""
    found = [menu for menu in window.findChildren(QMenu) if menu.isVisible()]
    return found[-1] if found else None


def _with_reason(text: str, reason: str) -> str:
    return f"{text}  ({reason})" if reason else text
