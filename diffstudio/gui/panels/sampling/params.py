"""The numbers that belong to an option: of a solver, a grid, a path."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import Combo, NumberField
from diffstudio.gui.panels.rows import Row, align, heading_width
from diffstudio.options import Param


class ParamFields(QWidget):
    """One row for each `options.Param` of the option that is shown. Another option keeps its numbers meanwhile."""

    changed = Signal()

    def __init__(
        self, tokens: Tokens, spacing: int, choice: Combo | None = None, table: Mapping[str, Any] | None = None
    ) -> None:
        """choice: a combo box that is followed, its values are rows of `table`. Make this before others hear of it."""
        super().__init__()
        self._choice, self._table = choice, table or {}
        self._tokens = tokens
        self._options: dict[str, tuple[ParamRow, ...]] = {}
        self._shown: tuple[ParamRow, ...] = ()
        self._heading_width = 0
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(spacing)
        if choice is not None:
            choice.changed.connect(self._on_choice)
            self._on_choice()

    def set_option(self, name: str, params: tuple[Param, ...]) -> None:
        """Show the numbers of the option of that name."""
        if name not in self._options:
            self._options[name] = tuple(self._make(param) for param in params)
        for row in self._shown:
            row.hide()
        self._shown = self._options[name]
        self._align()
        for row in self._shown:
            row.show()
        self.setVisible(not self.empty)

    @property
    def empty(self) -> bool:
        """Whether the option that is shown has no numbers."""
        return not self._shown

    def set_heading_width(self, width: int) -> None:
        """Where the fields begin."""
        self._heading_width = width
        self._align()

    def values(self) -> dict[str, float]:
        """What differs from the defaults, by name."""
        return {row.param.name: row.field.value() for row in self._shown if row.differs}

    def set_values(self, values: Mapping[str, float]) -> None:
        """Show numbers; a missing one has its default."""
        for row in self._shown:
            row.field.set_value(values.get(row.param.name, row.param.default))

    def row(self, name: str) -> ParamRow:
        """The row of a parameter that is shown. Raises: KeyError."""
        return {row.param.name: row for row in self._shown}[name]

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self._tokens = tokens
        for rows in self._options.values():
            for row in rows:
                row.apply_theme(tokens)

    def _make(self, param: Param) -> ParamRow:
        row = ParamRow(param)
        row.apply_theme(self._tokens)
        row.changed.connect(self.changed)
        self._layout.addWidget(row)
        return row

    def _align(self) -> None:
        """In one column, with the panel's where the headings are not too long for it."""
        align(self._shown, max(self._heading_width, heading_width(self._shown)))

    @Slot()
    def _on_choice(self) -> None:
        if self._choice is not None:
            name = self._choice.value()
            self.set_option(name, self._table[name].params if name in self._table else ())


class ParamRow(Row):
    """One number within its bounds."""

    changed = Signal()

    def __init__(self, param: Param) -> None:
        field = NumberField(param.low, param.high, param.step, 0 if param.integer else decimals(param.step))
        super().__init__(tr(param.label), field, tr(param.tip))
        self.param = param
        field.set_value(param.default)
        field.changed.connect(self._on_changed)
        self.resetWanted.connect(self._on_reset)

    @property
    def differs(self) -> bool:
        """Whether the number is another than the default."""
        return self.field.value() != self.param.default

    @Slot()
    def _on_reset(self) -> None:
        self.field.set_value(self.param.default)

    @Slot()
    def _on_changed(self) -> None:
        self.show_reset(self.differs)
        self.changed.emit()


def decimals(step: float) -> int:
    """Decimals that show a step of that size: 2 for 0.05, 4 for 1e-4."""
    return max(1, math.ceil(-math.log10(step) - 1e-9))
