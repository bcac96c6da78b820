"""Where the user's attention is in a view: what lies under the cursor, and whether the keyboard has reached it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


class Attention(QObject):
    """Watches a widget's events before the widget itself handles them, and repaints it when something changes.

    cursor: logical pixels, None outside of the view.  focus_shown: a click needs no frame to say where it went.
    """

    moved = Signal()  # the cursor: to another place, in or out
    arrow = Signal(int, int)  # columns and rows: an arrow key of a view that the keyboard has reached

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.cursor: QPointF | None = None
        self.focus_shown = False
        view.setMouseTracking(True)
        view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent | QWheelEvent | QEnterEvent):
            self._point(event.position())
        elif event.type() == QEvent.Type.Leave:
            self._point(None)
        elif isinstance(event, QFocusEvent):
            self.focus_shown = event.gotFocus() and event.reason() in KEYBOARD
            self._view.update()
        elif isinstance(event, QKeyEvent):
            return self._take(event)
        return False

    def _take(self, event: QKeyEvent) -> bool:
        """Arrows belong to the timeline, but here where the frame says that the keyboard is."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if not (plain and self.focus_shown and event.key() in ARROWS):
            return False
        if event.type() == QEvent.Type.KeyPress:
            self.arrow.emit(*ARROWS[event.key()])
        event.accept()  # of a ShortcutOverride this keeps the window's own shortcut away
        return True

    def _point(self, at: QPointF | None) -> None:
        self.cursor = at
        self._view.update()
        self.moved.emit()
