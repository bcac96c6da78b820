"""Rows of a panel: what a field is called, the field, a way back to its default, and why it can't be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from diffstudio.gui.kit import icons
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr
from diffstudio.studio.request.request import Request

LINE = 24  # height of a field of one line; the heading of a taller field stands beside its first line
RESET = 20


class Row(QWidget):
    """Heading, field, reset. The field is any widget with `value`, `set_value` and the signal `changed`."""

    resetWanted = Signal()

    def __init__(self, title: str, field: QWidget, tip: str = "") -> None:
        super().__init__()
        self.field: Any = field
        self._tip = tip
        self.heading, self.reset = label(title), QToolButton()
        self.heading.setBuddy(field)
        self.heading.setMinimumHeight(LINE)
        field.setAccessibleName(title)
        self._show_tip(tip)
        self.reset.setProperty("flat", True)
        self.reset.setProperty("bare", True)
        self.reset.setToolTip(tr("Back to the default."))
        self.reset.setAccessibleName(tr("Reset {}").format(title))
        self.reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.setFixedSize(RESET, RESET)
        kept = self.reset.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the field keeps its width when the button appears
        self.reset.setSizePolicy(kept)
        self.reset.hide()
        self.reset.clicked.connect(self.resetWanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(field, 1)
        layout.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignTop)

    def explain(self, tip: str) -> None:
        """Another tip: what the field is for depends on the checkpoint."""
        self._tip = tip
        self._show_tip(tip)

    def set_available(self, reason: str) -> None:
        """Disable the field with one sentence; "" enables it."""
        self.field.setEnabled(not reason)
        self.heading.setEnabled(not reason)
        self._show_tip(reason or self._tip)
        if not reason and hasattr(self.field, "tell"):
            self.field.tell()  # a choice has its own tip

    def show_reset(self, differs: bool) -> None:
        """Offer the way back where the field differs from its default."""
        self.reset.setVisible(differs and self.field.isEnabled())

    def apply_theme(self, tokens: Tokens) -> None:
        """Icon in other colours."""
        self.reset.setIcon(icons.icon("reset", tokens, tokens.text_dim))

    def _show_tip(self, tip: str) -> None:
        if tip:
            self.field.setToolTip(tip)
            self.heading.setToolTip(tip)


class RowGroup(QWidget):
    """Rows one below the other, named after the fields of the request that they set.

    shown: what the fields show of a request, by name; a name that is left out keeps what it has.
    beneath: a widget under the row of that name, e.g. its numbers.
    """

    changed = Signal()

    def __init__(
        self,
        rows: Mapping[str, Row],
        shown: Callable[[Request], dict[str, Any]],
        spacing: int,
        beneath: Mapping[str, QWidget] | None = None,
    ) -> None:
        super().__init__()
        self.rows = dict(rows)
        self._shown = shown
        self._defaults = shown(Request.model_validate({}))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(spacing)
        for name, row in rows.items():
            layout.addWidget(row)
            if beneath and name in beneath:
                layout.addWidget(beneath[name])
            row.field.changed.connect(self.changed)
            row.resetWanted.connect(self._on_reset)

    def show_request(self, request: Request) -> None:
        """Show a request."""
        for name, value in self._shown(request).items():
            self.rows[name].field.set_value(value)

    def set_defaults(self, request: Request) -> None:
        """What "default" means: the resets lead there."""
        self._defaults = self._shown(request)

    def settle(self, reasons: Mapping[str, str]) -> None:
        """Disable what has a reason, offer the way back for what differs from the defaults."""
        for name, row in self.rows.items():
            row.set_available(reasons.get(name, ""))
            row.show_reset(name in self._defaults and row.field.value() != self._defaults[name])

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        for row in self.rows.values():
            row.apply_theme(tokens)

    @Slot()
    def _on_reset(self) -> None:
        for name, row in self.rows.items():
            if row is self.sender():
                row.field.set_value(self._defaults[name])


def heading_width(rows: Iterable[Row]) -> int:
    """The widest heading."""
    return max((row.heading.sizeHint().width() for row in rows), default=0)


def align(rows: Iterable[Row], width: int) -> None:
    """Let the fields of all rows begin at the same place."""
    for row in rows:
        row.heading.setMinimumWidth(width)
