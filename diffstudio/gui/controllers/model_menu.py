"""What can be done with a row of the picker: its menu, and the actions that do the same for what is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from diffstudio.checkpoints.catalog import BUNDLED
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import DiffStudioError
from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit import actions
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.request.command_line import command_line
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request

FOUND_BY_NAME = (BUNDLED, "user")  # what the command line finds by its name alone


class ModelMenu(QObject):
    """Bound to the parts of one window."""

    def __init__(self, parts: Parts, picking: Picking) -> None:
        super().__init__(parts.window)
        self._parts, self._picking = parts, picking
        self._calls: dict[str, Callable[[], object]] = {}

    @Slot(object, QPoint)
    def popup(self, entry: Entry, at: QPoint) -> None:
        """Show the menu of a row at that place on the screen."""
        menu = QMenu(self._parts.models)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        self._calls = {}
        if entry.card is not None:
            favourite = self._add(menu, "favourite", tr("Favourite"), lambda: self._picking.toggle_favourite(entry))
            favourite.setCheckable(True)
            favourite.setChecked(entry.card.name in self._parts.settings.favourites)
            favourite.setToolTip(actions.tooltip("favourite"))
            self._add(menu, "command", tr("Copy as command"), lambda: self.copy_command(entry)).setToolTip(
                actions.tooltip("copy_command")
            )
            self._add(menu, "name", tr("Copy name"), lambda: self.copy_name(entry)).setToolTip(
                actions.tooltip("copy_name")
            )
        self._add(menu, "path", tr("Copy path"), lambda: self.copy_path(entry))
        self._add(menu, "show", tr("Show in folder"), lambda: self.show_in_folder(entry))
        if entry.group in self._parts.settings.folders:
            menu.addSeparator()
            remove = self._add(
                menu, "remove", tr("Remove folder from the list"), lambda: self._picking.remove_folder(entry.group)
            )
            remove.setToolTip(tr("{} is listed no more; its files stay.").format(entry.group))
        menu.popup(at)

    def copy_command(self, entry: Entry | None) -> None:
        """The line that makes this run in a terminal, with the settings of the panel; of another model with its own."""
        p = self._parts
        entry = entry or p.models.entry
        if entry is None or entry.card is None:
            return
        try:
            chosen = p.models.entry is not None and p.models.entry.path == entry.path
            request = p.sampling.checked_request() if chosen else default_request(entry.card, entry.spec)
            self.copy_request(request, entry)
        except DiffStudioError as error:
            show_error(p.window, str(error))

    def copy_request(self, request: Request, entry: Entry) -> None:
        """The line that makes a run in a terminal, to the clipboard. Raises: as `command_line`."""
        if entry.card is not None:
            QGuiApplication.clipboard().setText(command_line(request, entry.card, self._place))
            self._parts.window.say(tr("Command copied."))

    def copy_name(self, entry: Entry | None) -> None:
        """What commands know it by, to the clipboard."""
        entry = entry or self._parts.models.entry
        if entry is not None and entry.card is not None:
            QGuiApplication.clipboard().setText(entry.spec)
            self._parts.window.say(tr("{} copied.").format(entry.spec))

    def copy_path(self, entry: Entry) -> None:
        """Where it lies, to the clipboard."""
        QGuiApplication.clipboard().setText(str(entry.path))
        self._parts.window.say(tr("Path copied."))

    def show_in_folder(self, entry: Entry | None) -> None:
        """Open the folder in which it lies."""
        entry = entry or self._parts.models.entry
        if entry is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(entry.path.parent)))

    def _place(self, model: str) -> str:
        """How a terminal finds what a request names."""
        entry = self._parts.catalog.find(model)
        return model if entry.group in FOUND_BY_NAME and not Path(model).is_absolute() else str(entry.path)

    def _add(self, menu: QMenu, name: str, title: str, call: Callable[[], object]) -> QAction:
        action = menu.addAction(title)
        action.setData(name)
        self._calls[name] = call
        action.triggered.connect(self._on_triggered)
        return action

    @Slot()
    def _on_triggered(self) -> None:
        self._calls[self.sender().data()]()  # pyright: ignore[reportAttributeAccessIssue]
