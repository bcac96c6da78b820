"""Fields of the sampling panel: a value, its signal `changed`, and a way back to the default."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PySide6.QtCore import QRegularExpression, Qt, Signal, Slot
from PySide6.QtGui import QRegularExpressionValidator, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from diffstudio.gui import icons
from diffstudio.gui.theme import Tokens
from diffstudio.gui.widgets import FlowLayout
from diffstudio.gui.words import tr

SLIDER = 1000
MAX_SEED = 2**63 - 1


class Combo(QComboBox):
    """A choice by name; the wheel scrolls the panel, not the value."""

    changed = Signal()

    def __init__(self, rows: Sequence[tuple[str, str, str]] = ()) -> None:
        """rows: (name, label, tip)."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for name, title, tip in rows:
            self.addItem(title, name)
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.currentIndexChanged.connect(self._on_changed)

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
            if reason and not enabled:
                item.setToolTip(reason)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    @Slot()
    def _on_changed(self) -> None:
        tip = self.currentData(Qt.ItemDataRole.ToolTipRole)
        if tip:
            self.setToolTip(str(tip))
        self.changed.emit()


class NumberField(QWidget):
    """A slider with a spin box; the spin box reaches further than the slider."""

    changed = Signal()

    def __init__(
        self, low: float, high: float, step: float = 1, decimals: int = 0, slider_high: float | None = None
    ) -> None:
        super().__init__()
        self._low, self._top = low, slider_high if slider_high is not None else high
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER)
        self.slider.setPageStep(SLIDER // 10)
        self.slider.setMinimumWidth(60)
        self.spin = QDoubleSpinBox() if decimals else QSpinBox()
        if isinstance(self.spin, QDoubleSpinBox):
            self.spin.setDecimals(decimals)
            self.spin.setRange(low, high)
            self.spin.setSingleStep(step)
        else:
            self.spin.setRange(int(low), int(min(high, 2**31 - 1)))
            self.spin.setSingleStep(int(step))
        self.spin.setKeyboardTracking(False)
        self.spin.setFixedWidth(62)
        self.spin.setAlignment(Qt.AlignmentFlag.AlignRight)
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
        # The square gives the small numbers, which matter most, more room.
        share = (position / SLIDER) ** 2
        value = self._low + share * (self._top - self._low)
        self.spin.setValue(round(value) if isinstance(self.spin, QSpinBox) else value)  # pyright: ignore

    @Slot()
    def _from_spin(self) -> None:
        share = max(0.0, min(1.0, (self.value() - self._low) / (self._top - self._low)))
        self.slider.blockSignals(True)
        self.slider.setValue(round(SLIDER * share**0.5))
        self.slider.blockSignals(False)
        self.changed.emit()


class SeedField(QWidget):
    """A whole number, dice, and a lock that keeps the dice from changing it."""

    changed = Signal()

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.edit = QLineEdit("42")
        self.edit.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]{1,19}"), self.edit))
        self.dice, self.lock = QToolButton(), QToolButton()
        self.lock.setCheckable(True)
        self.dice.setToolTip(tr("Another seed.") + "  (Ctrl+D)")
        self.lock.setToolTip(tr("Keep this seed: the dice leave it alone."))
        self.dice.setAccessibleName(tr("Roll the dice"))
        self.lock.setAccessibleName(tr("Lock the seed"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.dice)
        layout.addWidget(self.lock)
        self.edit.editingFinished.connect(self.changed)
        self.dice.clicked.connect(self.roll)
        self.lock.toggled.connect(self._on_lock)
        self.apply_theme(tokens)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self._tokens = tokens
        self.dice.setIcon(icons.icon("dice", tokens))
        self._on_lock(self.lock.isChecked())

    def value(self) -> int:
        """The seed, 0 where the field is empty."""
        return min(int(self.edit.text() or 0), MAX_SEED)

    def set_value(self, seed: float) -> None:
        """Set the seed."""
        self.edit.setText(str(int(seed)))
        self.changed.emit()

    @Slot()
    def roll(self) -> None:
        """Another seed, unless locked."""
        if not self.lock.isChecked():
            self.set_value(random.SystemRandom().randrange(2**31))

    @Slot(bool)
    def _on_lock(self, locked: bool) -> None:
        colour = self._tokens.on_accent if locked else None
        self.lock.setIcon(icons.icon("lock" if locked else "unlock", self._tokens, colour))
        self.dice.setEnabled(not locked)


class LabelField(QWidget):
    """The class: chips where they are few, a list where they are many. None is "any", "each" the classes in turn."""

    changed = Signal()
    CHIPS = 16
    ANY, EACH = -2, -3  # ids; QButtonGroup takes -1 for "give me a number"

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._inner: QWidget | None = None
        self._group: QButtonGroup | None = None
        self._combo: Combo | None = None
        self._labels: tuple[str, ...] = ()

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """Offer other classes; "any" is chosen."""
        if labels == self._labels and self._inner is not None:
            return
        self._labels = labels
        if self._inner is not None:
            self._layout.removeWidget(self._inner)
            self._inner.hide()
            self._inner.deleteLater()
        self._inner, self._group, self._combo = QWidget(), None, None
        rows = [
            (self.ANY, tr("any"), tr("The model without its condition.")),
            (self.EACH, tr("each"), tr("The classes in turn, one for each sample.")),
            *((i, name, "") for i, name in enumerate(labels)),
        ]
        if len(labels) <= self.CHIPS:
            self._make_chips(self._inner, rows)
        else:
            box = QVBoxLayout(self._inner)
            box.setContentsMargins(0, 0, 0, 0)
            self._combo = Combo([(str(i), name, tip) for i, name, tip in rows])
            self._combo.changed.connect(self.changed)
            box.addWidget(self._combo)
        self._layout.addWidget(self._inner)

    def value(self) -> int | str | None:
        """Index of the class, "each", or None for any."""
        if self._group is not None:
            checked = self._group.checkedId()
        elif self._combo is not None:
            checked = int(self._combo.value())
        else:
            return None
        return checked if checked >= 0 else "each" if checked == self.EACH else None

    def set_value(self, label: int | str | None) -> None:
        """Choose a class."""
        wanted = self.ANY if label is None else label if isinstance(label, int) else self.EACH
        if self._combo is not None:
            self._combo.set_value(str(wanted))
        elif self._group is not None and self._group.button(wanted) is not None:
            self._group.button(wanted).setChecked(True)

    def _make_chips(self, parent: QWidget, rows: list[tuple[int, str, str]]) -> None:
        flow = FlowLayout(parent, 4)
        self._group = QButtonGroup(parent)
        for index, name, tip in rows:
            chip = QPushButton(name.replace("&", "&&"))
            chip.setCheckable(True)
            chip.setProperty("chip", True)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click the keys still belong to the timeline
            chip.setAccessibleName(tr("Class {}").format(name))
            chip.setToolTip(tip)
            self._group.addButton(chip, index)
            flow.addWidget(chip)
        self._group.button(self.ANY).setChecked(True)
        self._group.idToggled.connect(self._on_toggled)

    @Slot(int, bool)
    def _on_toggled(self, index: int, checked: bool) -> None:
        if checked:
            self.changed.emit()


def _ignore_wheel(event: QWheelEvent) -> None:
    """The wheel scrolls the panel; a value that changes under a passing wheel is a trap."""
    event.ignore()
