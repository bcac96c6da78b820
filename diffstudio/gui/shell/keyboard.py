"""Which keys a focused control keeps for itself, although the window has a shortcut on them, and which it does not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextDocument
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QWidget,
)

from diffstudio.gui.controllers.pasting import pasted_paths
from diffstudio.gui.kit.number_box import NumberBox
from diffstudio.gui.shell.main_window import MainWindow

_PRESS = {Qt.Key.Key_Space}
_HALT = Qt.Key.Key_K
_MOVE = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}


class KeyRouter(QObject):
    """Space presses a button that was reached with Tab, arrows move such a slider; else the timeline has them.

    Controls take the focus by Tab alone, and a click on anything else takes it out of a field: after a click the keys
    belong to the timeline. `slow` is told whether the key that stops playing is held.
    """

    slow = Signal(bool)

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
        self.slow.emit(False)
        if old is not None:
            old.removeEventFilter(self)
        if new is not None:
            new.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            return self._overrides(watched, event)
        if event.type() == QEvent.Type.KeyRelease and event.key() == _HALT and not event.isAutoRepeat():
            self.slow.emit(False)
        if event.type() == QEvent.Type.KeyPress and _is_text(watched, self._window):
            return self._leaves(watched, event) or self._opens(watched, event)
        return False

    def _overrides(self, watched: QObject, event: QKeyEvent) -> bool:
        """Whether it is settled who has a key: the control that is focused, or the window's shortcut."""
        if _keeps(watched, event):
            event.accept()
            return True
        if _is_text(watched, self._window):
            event.setAccepted(False)
            return _has_nothing_to_undo(watched, event)  # then the panel's own undo has it
        if event.key() == _HALT and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.slow.emit(True)
        return False

    def _leaves(self, watched: QObject, event: QKeyEvent) -> bool:
        """Esc empties a filter first, then leaves the field; what was typed there that can't be used is gone."""
        if event.key() != Qt.Key.Key_Escape:
            return False
        if isinstance(watched, QLineEdit) and _can_be_cleared(watched):
            watched.clear()
            return True
        if isinstance(watched, NumberBox):
            watched.revert()
        self._window.setFocus()
        return True

    def _opens(self, watched: QObject, event: QKeyEvent) -> bool:
        """The path of a file that is pasted into a field is opened: no field takes one as its text."""
        paths = pasted_paths() if event.matches(QKeySequence.StandardKey.Paste) else []
        if paths:
            self._window.dropped.emit(paths)
        return bool(paths)


def _can_be_cleared(watched: QObject) -> bool:
    """Whether it is a field with a button that clears it, and there is something in it."""
    return isinstance(watched, QLineEdit) and watched.isClearButtonEnabled() and bool(watched.text())


def _is_text(watched: QObject, window: QWidget) -> bool:
    """Whether it is a field of the window that text is typed into."""
    return isinstance(watched, QLineEdit | QAbstractSpinBox | QPlainTextEdit) and watched.window() is window


def _has_nothing_to_undo(watched: QObject, event: QKeyEvent) -> bool:
    """Whether the key undoes or redoes, and the field that is focused has nothing of its own to take back."""
    undoes, redoes = (event.matches(key) for key in (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo))
    if not (undoes or redoes):
        return False
    field = watched.lineEdit() if isinstance(watched, QAbstractSpinBox) else watched
    text = field.document() if isinstance(field, QPlainTextEdit) else field
    assert isinstance(text, QLineEdit | QTextDocument)
    return not (text.isUndoAvailable() if undoes else text.isRedoAvailable())


def _keeps(watched: QObject, event: QKeyEvent) -> bool:
    plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
    if not plain:
        return False
    if event.key() == Qt.Key.Key_Escape:  # before it stops a run
        return _can_be_cleared(watched)
    if isinstance(watched, QAbstractButton):
        group = watched.group()
        return event.key() in _PRESS or (event.key() in _MOVE and group is not None and group.exclusive())
    if isinstance(watched, QSlider):
        return event.key() in _MOVE
    return isinstance(watched, QComboBox) and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, *_PRESS)
