"""Rows of a panel: what a field is called, the field, a way back to its default, and why it can't be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from diffstudio.gui.kit import icons
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import Note, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.row_layout import RowLayout
from diffstudio.studio.request.request import Request

LINE = 24  # height of a field of one line; the heading of a taller field stands beside its first line
RESET = 16


class Row(QWidget):
    """Heading, field, reset. The field is any widget with `value`, `set_value` and the signal `changed`.

    One whose text can be wrong has `mistake`, the sentence, and `mistakeChanged`, when it is to be said or taken back.
    """

    resetWanted = Signal()

    def __init__(self, title: str, field: QWidget, tip: str = "", short: bool = False) -> None:
        """short: it can share its line with another."""
        super().__init__()
        self.field: Any = field
        self.short = short
        self._tip = tip
        self._reason = ""
        self.heading, self.reset = label(title), QToolButton()
        self.heading.setMinimumHeight(LINE)
        if title:  # a box that is ticked says what it is itself
            self.heading.setBuddy(field)
            field.setAccessibleName(title)
        self._show_tip(tip)
        self.reset.setProperty("flat", True)
        self.reset.setProperty("bare", True)
        self.reset.setToolTip(tr("Back to the model's own default."))
        self.reset.setAccessibleName(tr("Reset {}").format(title))
        self.reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.setFixedSize(RESET, RESET)
        kept = self.reset.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the field keeps its width when the button appears
        self.reset.setSizePolicy(kept)
        self.reset.hide()
        self.reset.clicked.connect(self.resetWanted)
        self.note = Note("wrong")
        self.note.hide()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(1)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.heading, 0, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(field, 0, 1)
        layout.addWidget(self.reset, 0, 2, Qt.AlignmentFlag.AlignVCenter if short else Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.note, 1, 0, 1, 3)
        if hasattr(field, "mistakeChanged"):
            self.field.mistakeChanged.connect(self.tell)

    def explain(self, tip: str) -> None:
        """Another tip: what the field is for depends on the checkpoint."""
        self._tip = tip
        self._show_tip(self._reason or tip)

    def set_available(self, reason: str) -> None:
        """Disable the field with one sentence; "" enables it."""
        if reason == self._reason:
            return  # every field is asked after every change
        self._reason = reason
        self.field.setEnabled(not reason)
        self.heading.setEnabled(not reason)
        self._show_tip(reason or self._tip)

    @property
    def mistake(self) -> str:
        """Why what the field says can't be used, "" if it can, or if nobody asks it."""
        return "" if self._reason or self.withdrawn else getattr(self.field, "mistake", "")

    @property
    def withdrawn(self) -> bool:
        """Whether it is not offered at all. (Before it is first shown, Qt calls every widget hidden.)"""
        return self.isHidden() and self.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)

    @Slot()
    def tell(self) -> None:
        """Say what is wrong beneath the field, or nothing."""
        mistake = getattr(self.field, "mistake", "")
        self.note.setText(mistake)
        self.note.setVisible(bool(mistake))

    def show_reset(self, differs: bool) -> None:
        """Offer the way back where the field differs from its default."""
        self.reset.setVisible((differs or bool(self.mistake)) and self.field.isEnabled())

    def apply_theme(self, tokens: Tokens) -> None:
        """Icon in other colours."""
        self.reset.setIcon(icons.icon("reset", tokens, tokens.text_dim))

    def _show_tip(self, tip: str) -> None:
        if tip:
            self.field.setToolTip(tip)
            self.heading.setToolTip(tip)
        if not self._reason and hasattr(self.field, "tell"):
            self.field.tell()  # a choice has its own tip


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
        layout = RowLayout(self, spacing)
        for name, row in rows.items():
            layout.add_row(row, row.short)
            if beneath and name in beneath:
                layout.add_row(beneath[name])
            row.field.changed.connect(self.changed)
            row.resetWanted.connect(self._on_reset)

    @property
    def wrong(self) -> Row | None:
        """The first row whose field says something that can't be used."""
        return next((row for row in self.rows.values() if row.mistake), None)

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
