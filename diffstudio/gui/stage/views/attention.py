"""Where the user's attention is in a view: what lies under the cursor, and whether the keyboard has reached it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class Attention(QObject):
    """Watches a widget's events before the widget itself handles them, and repaints it when something changes.

    cursor: logical pixels, None outside of the view.  focus_shown: a click needs no frame to say where it went.
    """

    moved = Signal()  # the cursor: to another place, in or out

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
        return False

    def _point(self, at: QPointF | None) -> None:
        self.cursor = at
        self._view.update()
        self.moved.emit()
