"""Fields of the panels: each has `value`, `set_value` and the signal `changed`. The wheel scrolls, it sets nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLocale, Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel, QValidator, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QSlider, QSpinBox, QWidget

from diffstudio.gui.kit.widgets import indent

SLIDER = 1000
EXACT = 30  # decimals that a spin box keeps: a number that was made elsewhere comes back as it was


class Combo(QComboBox):
    """A choice by name."""

    changed = Signal()

    def __init__(self, rows: Sequence[tuple[str, str, str]] = ()) -> None:
        """rows: (name, label, tip)."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._tips = {name: tip for name, _, tip in rows}
        for name, title, tip in rows:
            self.addItem(title, name)
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.currentIndexChanged.connect(self._on_changed)
        self.tell()

    def value(self) -> str:
        """The chosen name."""
        return str(self.currentData())

    def set_value(self, name: str) -> None:
        """Choose by name; an unknown one changes nothing."""
        index = self.findData(name)
        if index >= 0:
            self.setCurrentIndex(index)

    def set_enabled(self, name: str, enabled: bool, reason: str = "") -> None:
        """Make one choice available or not; the reason is its tooltip."""
        index, model = self.findData(name), self.model()
        item = model.item(index) if isinstance(model, QStandardItemModel) and index >= 0 else None
        if item is not None:
            item.setEnabled(enabled)
            item.setToolTip(self._tips.get(name, "") if enabled else reason)

    def can_choose(self, name: str) -> bool:
        """Whether there is such a choice, and it is available."""
        index, model = self.findData(name), self.model()
        item = model.item(index) if isinstance(model, QStandardItemModel) and index >= 0 else None
        return item is not None and item.isEnabled()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def tell(self) -> None:
        """The tip of the choice is the tip of the field."""
        tip = self.currentData(Qt.ItemDataRole.ToolTipRole)
        if tip:
            self.setToolTip(str(tip))

    @Slot()
    def _on_changed(self) -> None:
        self.tell()
        self.changed.emit()


class DecimalSpin(QDoubleSpinBox):
    """A number that is shown with so many decimals, or with as many digits as it needs: 0.50, 1.2345, 1e-07."""

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self.shown = decimals
        self.setDecimals(EXACT)
        plain = QLocale()
        plain.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
        self.setLocale(plain)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def textFromValue(self, value: float) -> str:
        rounded = round(value, self.shown)
        if rounded == value:
            return self.locale().toString(value, "f", self.shown)
        return self.locale().toString(value, "g", 6)

    def valueFromText(self, text: str) -> float:
        value, understood = self.locale().toDouble(text)
        # What was not touched is the number itself, not what is shown of it.
        return value if understood and text != self.textFromValue(self.value()) else self.value()

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        value, understood = self.locale().toDouble(text)
        if not understood:
            begun = all(c in "0123456789eE+-.," for c in text)
            return (QValidator.State.Intermediate if begun else QValidator.State.Invalid, text, position)
        fits = self.minimum() <= value <= self.maximum()
        return (QValidator.State.Acceptable if fits else QValidator.State.Intermediate, text, position)


class NumberField(QWidget):
    """A slider with a spin box; the spin box reaches further than the slider."""

    changed = Signal()

    def __init__(
        self,
        low: float,
        high: float,
        step: float = 1,
        decimals: int = 0,
        slider_high: float | None = None,
        even: bool = False,
    ) -> None:
        """even: the slider moves in even steps; else the small numbers, which matter most, have more room."""
        super().__init__()
        self._low, self._top = low, slider_high if slider_high is not None else high
        self._power = 1 if even else 2
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER)
        self.slider.setPageStep(SLIDER // 10)
        self.slider.setMinimumWidth(60)
        self.spin = DecimalSpin(decimals) if decimals else QSpinBox()
        if isinstance(self.spin, DecimalSpin):
            self.spin.setRange(low, high)
            self.spin.setSingleStep(step)
        else:
            self.spin.setRange(int(low), int(min(high, 2**31 - 1)))
            self.spin.setSingleStep(int(step))
        self.spin.setKeyboardTracking(False)
        self.spin.setFixedWidth(62)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        indent(self.spin)
        self.slider.wheelEvent = _ignore_wheel  # pyright: ignore[reportAttributeAccessIssue]
        self.spin.wheelEvent = _ignore_wheel  # pyright: ignore[reportAttributeAccessIssue]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.spin)
        self.slider.valueChanged.connect(self._from_slider)
        self.spin.valueChanged.connect(self._from_spin)
        self._from_spin()

    def value(self) -> float:
        """The number; whole where the spin box is."""
        return self.spin.value()

    def set_value(self, value: float) -> None:
        """Set the number (clamped)."""
        if isinstance(self.spin, QSpinBox):
            self.spin.setValue(int(max(self.spin.minimum(), min(self.spin.maximum(), value))))
        else:
            self.spin.setValue(value)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.slider.setAccessibleName(name)
        self.spin.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.slider.setToolTip(text)
        self.spin.setToolTip(text)

    @Slot(int)
    def _from_slider(self, position: int) -> None:
        share = (position / SLIDER) ** self._power
        value = self._low + share * (self._top - self._low)
        if isinstance(self.spin, DecimalSpin):
            self.spin.setValue(max(self._low, round(value, self.spin.shown)))
        else:
            self.spin.setValue(round(value))

    @Slot()
    def _from_spin(self) -> None:
        share = max(0.0, min(1.0, (self.value() - self._low) / (self._top - self._low)))
        self.slider.blockSignals(True)
        self.slider.setValue(round(SLIDER * share ** (1 / self._power)))
        self.slider.blockSignals(False)
        self.changed.emit()


class CountField(QSpinBox):
    """A whole number that is typed or stepped."""

    changed = Signal()

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        indent(self)
        self.valueChanged.connect(self.changed)

    def set_value(self, value: int) -> None:
        """Set the number (clamped)."""
        self.setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class CheckField(QCheckBox):
    """On or off."""

    changed = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.toggled.connect(self.changed)

    def value(self) -> bool:
        """Whether it is on."""
        return self.isChecked()

    def set_value(self, on: bool) -> None:
        """Switch it."""
        self.setChecked(on)


def _ignore_wheel(event: QWheelEvent) -> None:
    """The wheel scrolls the panel; a value that changes under a passing wheel is a trap."""
    event.ignore()
