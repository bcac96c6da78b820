"""The fold for guidance: away from what, where, how much contrast, and whether both halves are recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import CheckField, Combo, DecimalSpin, NumberField
from diffstudio.gui.panels.rows import Row, RowGroup
from diffstudio.studio.request.request import Request

NONE = ""
HIGHEST = 1e9  # σ


class GuidanceFields(RowGroup):
    """What changes guidance beside its strength."""

    def __init__(self, spacing: int) -> None:
        self.negative = ClassCombo()
        self.guide = GuideCombo()
        self.interval = IntervalField()
        self.rescale = NumberField(0, 1, 0.05, decimals=2, even=True)
        self.split = CheckField(tr("Record both halves"))
        tips = {name: tr(row.tip) for name, row in options.GUIDANCE.items()}
        super().__init__(
            {
                "negative": Row(tr("Away from"), self.negative, tips["negative"]),
                "guidance_model": Row(tr("Weaker"), self.guide, tips["weak"]),
                "guidance_interval": Row(tr("Interval"), self.interval, tips["interval"]),
                "guidance_rescale": Row(tr("Rescale φ"), self.rescale, tips["rescale"]),
                "record_split": Row("", self.split, tr("Also record x̂0 with the class and without it, at every step.")),
            },
            _shown,
            spacing,
        )
        self.split.setAccessibleName(self.split.text())

    def set_model(self, labels: Sequence[str], guides: Sequence[Entry]) -> None:
        """Offer what a checkpoint with these classes can be led away from."""
        self.negative.set_labels(labels)
        self.guide.set_entries(guides)
        self.rows["negative"].setVisible(bool(labels))

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        return {name: row.field.value() for name, row in self.rows.items()}

    def settle(self, reasons: Mapping[str, str]) -> None:
        """As any group; without another checkpoint there is none to choose."""
        if self.guide.count() < 2:
            none = tr("No other checkpoint that is here has the same shape and the same classes.")
            reasons = {**reasons, "guidance_model": none}
        super().settle(reasons)


class ClassCombo(Combo):
    """A class, or none."""

    def set_labels(self, labels: Sequence[str]) -> None:
        """Offer other classes; none is chosen."""
        self.blockSignals(True)
        self.clear()
        self.addItem(tr("no class"), NONE)
        for i, name in enumerate(labels):
            self.addItem(name, str(i))
        self.blockSignals(False)

    def value(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Index of the class."""
        found = self.currentData()
        return int(found) if found else None

    def set_value(self, name: int | None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Choose a class."""
        super().set_value(NONE if name is None else str(name))


class GuideCombo(Combo):
    """Another checkpoint, or none."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Offer other checkpoints; none is chosen."""
        self._entries = entries
        self.blockSignals(True)
        self.clear()
        self.addItem(tr("none"), NONE)
        for entry in entries:
            self.addItem(entry.spec, entry.spec)
        self.blockSignals(False)

    def value(self) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """How a request names it."""
        return self.currentData() or None

    def set_value(self, name: str | None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Choose by name, with or without its steps, or by path; one that is not offered is none."""
        found = NONE
        for entry in self._entries:
            if entry.card is not None and name in (entry.spec, entry.card.name, str(entry.path)):
                found = entry.spec
                if name != entry.card.name:
                    break  # a bare name is the last of its checkpoints
        super().set_value(found)


class IntervalField(QWidget):
    """On or off, and two noise levels."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        low, high = options.GUIDANCE["interval"].params
        self.on = CheckField("")
        self.low, self.high = _sigma(low), _sigma(high)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.on)
        line.addWidget(label("σ", "dim"))
        line.addWidget(self.low, 1)
        line.addWidget(label("–", "dim"))
        line.addWidget(self.high, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(line)
        self.on.changed.connect(self._on_changed)
        self.low.valueChanged.connect(self._on_changed)
        self.high.valueChanged.connect(self._on_changed)
        self._on_changed()

    def value(self) -> tuple[float, float] | None:
        """(low, high] in σ, None where it is off."""
        return (self.low.value(), self.high.value()) if self.on.value() else None

    def set_value(self, interval: tuple[float, float] | None) -> None:
        """Show an interval; off, the numbers stay."""
        before = self.value()
        for field in (self.on, self.low, self.high):
            field.blockSignals(True)
        if interval is not None:
            self.low.setValue(interval[0])
            self.high.setValue(interval[1])
        self.on.setChecked(interval is not None)
        for field in (self.on, self.low, self.high):
            field.blockSignals(False)
        if interval != before:
            self._on_changed()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.on.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.on.setToolTip(text)

    @Slot()
    def _on_changed(self) -> None:
        for spin in (self.low, self.high):
            spin.setEnabled(self.on.value())
        if self.high.value() <= self.low.value():
            self.high.blockSignals(True)
            self.high.setValue(self.low.value() + self.low.singleStep())  # never empty
            self.high.blockSignals(False)
        self.changed.emit()


def _sigma(param: options.Param) -> DecimalSpin:
    spin = DecimalSpin(2)
    spin.setRange(param.low, HIGHEST)
    spin.setSingleStep(param.step)
    spin.setValue(param.default)
    spin.setMinimumWidth(46)
    spin.setAlignment(Qt.AlignmentFlag.AlignRight)
    spin.setAccessibleName(tr(param.label))
    spin.setToolTip(tr(param.tip))
    return spin


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    return {
        "negative": request.negative,
        "guidance_model": request.guidance_model,
        "guidance_interval": request.guidance_interval,
        "guidance_rescale": request.guidance_rescale,
        "record_split": request.record_split,
    }
