"""Which keys a focused control keeps for itself, although the window has a shortcut on them, and which it does not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QSlider, QWidget

from diffstudio.gui.controllers.pasting import pasted_paths
from diffstudio.gui.shell.main_window import MainWindow

_PRESS = {Qt.Key.Key_Space}
_MOVE = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}


class KeyRouter(QObject):
    """Space presses a button that was reached with Tab, arrows move such a slider; else the timeline has them.

    Controls take the focus by Tab alone: after a click the keys still belong to the timeline.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        for control in (*window.findChildren(QAbstractButton), *window.findChildren(QSlider)):
            if control.focusPolicy() == Qt.FocusPolicy.StrongFocus:
                control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)

    @Slot(QWidget, QWidget)
    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        # Keys go to who has the focus: to look at every event of the application would cost at every one of them.
        if old is not None:
            old.removeEventFilter(self)
        if new is not None:
            new.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _keeps(watched, event):
            event.accept()
            return True
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and isinstance(watched, QLineEdit | QAbstractSpinBox)
            and watched.window() is self._window
        ):
            self._window.setFocus()  # Esc leaves a field
            return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._opens(watched, event)
        return False

    def _opens(self, watched: QObject, event: QKeyEvent) -> bool:
        """The path of a file that is pasted into a field is opened: no field takes one as its text."""
        field = isinstance(watched, QLineEdit | QAbstractSpinBox) and watched.window() is self._window
        paths = pasted_paths() if field and event.matches(QKeySequence.StandardKey.Paste) else []
        if paths:
            self._window.dropped.emit(paths)
        return bool(paths)


def _keeps(watched: QObject, event: QKeyEvent) -> bool:
    plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
    if not plain:
        return False
    if isinstance(watched, QAbstractButton):
        return event.key() in _PRESS
    if isinstance(watched, QSlider):
        return event.key() in _MOVE
    return isinstance(watched, QComboBox) and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, *_PRESS)
