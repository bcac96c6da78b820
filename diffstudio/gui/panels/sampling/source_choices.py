"""How a file is taken: its fit, its part, and the values that are black and white, a choice each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from diffstudio.gui.kit.titles import title
from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.panels.fields import Combo
from diffstudio.modalities import FITS, Fit, SourceInfo

OWN = ""  # what is recognised
SPANS = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0))


class FitCombo(Combo):
    """What is done to another size."""

    def __init__(self) -> None:
        super().__init__(_fit_rows(FITS))
        self.setAccessibleName(title("source_fit"))

    def offer(self, names: Sequence[Fit], chosen: Fit | None) -> None:
        """Show these, one of them chosen."""
        self.clear()
        for name, choice, tip in _fit_rows(names):
            self.addItem(choice, name)
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.set_value(chosen or names[0])

    def fit(self) -> Fit | None:
        """The choice."""
        name = self.value()
        return name if name in ("crop", "pad", "stretch", "keep") else None


class PartCombo(Combo):
    """Which part of a file is taken: one of those that are offered, or what is typed; empty is the file's own."""

    def __init__(self) -> None:
        super().__init__()
        self._line = QLineEdit()
        self.setLineEdit(self._line)
        self.setInsertPolicy(Combo.InsertPolicy.NoInsert)
        self.setAccessibleName(title("source_part"))
        self._line.setAccessibleName(title("source_part"))
        self._line.editingFinished.connect(self.changed)

    def offer(self, info: SourceInfo) -> None:
        """Show the parts of another file, and nothing chosen."""
        usual = {
            "page": tr("page {}").format(info.part or 1), "frame": tr("all frames, or 10..40"),
            "seconds": tr("loudest, or from second 1.5"), "array": info.part, "rows": info.part,
        }  # fmt: skip
        blocked = self.blockSignals(True)
        self.clear()
        for part in info.parts:
            self.addItem(part, part)
        self.setCurrentIndex(-1)
        self.setEditText("")
        self.blockSignals(blocked)
        self._line.setPlaceholderText(usual.get(info.part_name, tr("all of it")))

    def value(self) -> str:
        """What is chosen or typed; "" the file's own."""
        return self.currentText().strip()

    def set_value(self, name: str) -> None:
        """Show a part."""
        if name != self.value():
            self.setEditText(name)
            self.changed.emit()


class SpanCombo(Combo):
    """The values that are black and white."""

    def __init__(self) -> None:
        super().__init__([(OWN, tr("Range: recognised"), tr("The values that are black and white, as they look."))])
        self.setAccessibleName(title("source_range"))
        for span in SPANS:
            self._offer(span)

    def span(self) -> tuple[float, float] | None:
        """The choice; None what is recognised."""
        ends = self.value().split("|")
        return (float(ends[0]), float(ends[1])) if len(ends) == 2 else None

    def set_span(self, span: tuple[float, float] | None) -> None:
        """Show a choice, also one that is not offered."""
        if span is not None:
            self._offer(span)
        self.set_value(_span_name(span))

    def _offer(self, span: tuple[float, float]) -> None:
        name = _span_name(span)
        if self.findData(name) < 0:
            low, high = (number(value, 0 if value == int(value) else 3) for value in span)
            self.addItem(tr("Range: {} to {}").format(low, high), name)
            tip = tr("The first value is black, the second white.")
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)


def _fit_rows(names: Sequence[Fit]) -> list[tuple[str, str, str]]:
    rows = {
        "crop": (tr("Fit: crop"), tr("The middle of it, as large as it can be.")),
        "pad": (tr("Fit: pad"), tr("All of it: pictures with a border, points centred and scaled.")),
        "stretch": (tr("Fit: stretch"), tr("All of it, each side scaled by itself.")),
        "keep": (tr("Fit: keep"), tr("Points stay where they are, also outside of the model's plane.")),
    }
    return [(name, *rows[name]) for name in names]


def _span_name(span: tuple[float, float] | None) -> str:
    return OWN if span is None else f"{span[0]!r}|{span[1]!r}"
