"""Fields of the panels: each has `value`, `set_value` and the signal `changed`. The wheel scrolls, it sets nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSlider, QWidget

from diffstudio.gui.kit.number_box import NumberBox

SLIDER = 1000


class Combo(QComboBox):
    """A choice by name."""

    changed = Signal()

    def __init__(self, rows: Sequence[tuple[str, str, str]] = ()) -> None:
        """rows: (name, label, tip)."""
        super().__init__()
        self._aloud: QLabel | None = None
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

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self._label_aloud()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ParentChange:
            self._label_aloud()
        return super().event(event)

    def _label_aloud(self) -> None:
        """A label for screen readers, where none is seen beside it: on Linux Qt tells them the value as the name."""
        parent = self.parentWidget()
        if parent is None or not self.accessibleName():
            return
        beside = parent.findChildren(QLabel, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if any(line.buddy() is self for line in beside if line is not self._aloud):
            return
        if self._aloud is None:
            self._aloud = QLabel(parent)
            self._aloud.hide()
        self._aloud.setParent(parent)
        self._aloud.setText(self.accessibleName())
        self._aloud.setBuddy(self)

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


class DecimalSpin(NumberBox):
    """A number that need not be whole."""

    def __init__(self, decimals: int) -> None:
        """decimals: that are shown; more where the number needs them."""
        super().__init__(0.0, 99.0, 1.0, decimals)


class CountField(NumberBox):
    """A whole number that is typed or stepped."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)


class NumberField(QWidget):
    """A slider with a number; the number reaches further than the slider."""

    changed = Signal()
    mistakeChanged = Signal()

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
        self.slider.setMinimumWidth(80)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # to the keys the number is the same, and tells itself
        self.spin = NumberBox(low, high, step, decimals)
        self.spin.setFixedWidth(58)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.slider.wheelEvent = _ignore_wheel  # pyright: ignore[reportAttributeAccessIssue]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.spin)
        self.slider.valueChanged.connect(self._from_slider)
        self.spin.changed.connect(self._from_spin)
        self.spin.mistakeChanged.connect(self.mistakeChanged)
        self._show_slider()

    @property
    def mistake(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return self.spin.mistake

    def value(self) -> float:
        """The number; an int where it is whole."""
        return self.spin.value()

    def set_value(self, value: float) -> None:
        """Set the number (clamped)."""
        self.spin.set_value(value)

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
        self.spin.set_value(max(self._low, round(value, self.spin.shown)))

    @Slot()
    def _from_spin(self) -> None:
        self._show_slider()
        self.changed.emit()

    def _show_slider(self) -> None:
        share = max(0.0, min(1.0, (self.value() - self._low) / (self._top - self._low)))
        self.slider.blockSignals(True)
        self.slider.setValue(round(SLIDER * share ** (1 / self._power)))
        self.slider.blockSignals(False)


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
