"""The field of one number: what it shows is what it is, also while it is typed."""

from __future__ import annotations

from PySide6.QtCore import QDynamicPropertyChangeEvent, QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleValueChangeEvent, QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QSizePolicy, QStyle, QStyleOptionSpinBox

from diffstudio.gui.kit.widgets import indent
from diffstudio.gui.kit.words import field_text, tr
from diffstudio.studio.request.numbers import read_number, read_whole

MAX_SEED = 2**63 - 1
SHORT = 6  # significant digits of a number that needs more than its decimals
BOUND = 10  # digits of a bound in a sentence
NARROW = 50  # px that a field has at least
LETTERS = 9  # a field is at most so wide that this many digits are seen
TYPED = frozenset("eE+-−–.,'’٫٬ \u00a0\u202f×^")  # that begin or belong to a number, beside digits
HELD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class NumberBox(QAbstractSpinBox):
    """A number within bounds, typed in any language, stepped with the arrows; the wheel scrolls, it sets nothing.

    `value()` is what the text says at any moment. Text that says no number within the bounds stays, `mistake` says so,
    and the value is the last that was one. decimals: 0 is for whole numbers, of any size.
    """

    changed = Signal()  # another number was entered, stepped to or set
    mistakeChanged = Signal()  # `mistake` is to be said, now that the field is left or entered, or it is gone

    def __init__(self, low: float, high: float, step: float = 1, decimals: int = 0) -> None:
        super().__init__()
        self.shown, self._step, self._low, self._high = decimals, step, low, high
        self._value = self._bounded(0)
        self._typed: float | None = None  # what the text says, where it is not what was entered last
        self._telling = False
        self.mistake = ""
        self._said = False  # somebody shows it
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        indent(self)
        self.lineEdit().textChanged.connect(self._on_text)
        self._show()

    # ── the number ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are taken."""
        return self.shown == 0

    def value(self) -> float:
        """The number; an int where only whole ones are taken."""
        return self._value if self._typed is None else self._typed

    def set_value(self, value: float) -> None:
        """Set the number (clamped); what was typed is gone."""
        before, self._value = self._value, self._bounded(value)
        self._typed = None
        self._show()
        if self._value != before:
            self._announce()

    setValue = set_value  # as Qt's own boxes are asked

    def minimum(self) -> float:
        """The lowest number."""
        return self._low

    def maximum(self) -> float:
        """The highest number."""
        return self._high

    def setRange(self, low: float, high: float) -> None:
        """Other bounds; the number goes along."""
        self._low, self._high = low, high
        self.set_value(self.value())

    def singleStep(self) -> float:
        """What an arrow adds."""
        return self._step

    def setSingleStep(self, step: float) -> None:
        """What an arrow is to add."""
        self._step = step
        self._show()

    @Slot()
    def commit(self) -> None:
        """Enter what is typed; what is no number stays as it is."""
        if self._typed is not None:
            self.set_value(self._typed)
        elif self.mistake:
            self._said = True
            self.mistakeChanged.emit()

    interpretText = commit

    def revert(self) -> None:
        """Put the last number back where something is typed that is none."""
        if self.mistake:
            self.set_value(self._value)

    # ── what is typed ───────────────────────────────────────────────────────────────────────────────────────────────

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.lineEdit().setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.lineEdit().setToolTip(text)

    @Slot(str)
    def _on_text(self, text: str) -> None:
        if self._telling:
            return
        if text == self._text(self._value):  # what is shown of a number can have fewer digits than it
            self._typed = None
            self._tell("")
            return
        number = read_whole(text) if self.whole else read_number(text)
        fits = number is not None and self._low <= number <= self._high
        self._typed = number if fits else None
        self._tell("" if fits else self._sentence(text))

    def _sentence(self, text: str) -> str:
        """Why a text is not taken."""
        low, high = (field_text(self._bounded(bound), None, BOUND) for bound in (self._low, self._high))
        if not text.strip():
            plain = tr("{field} is empty: write a number from {low} to {high}")
        elif self.whole:
            plain = tr("{field}: “{text}” is no whole number from {low} to {high}, written like 1000")
        else:
            plain = tr("{field}: “{text}” is no number from {low} to {high}")
        return plain.format(field=self.accessibleName() or tr("This field"), text=text[:40], low=low, high=high)

    def _tell(self, mistake: str) -> None:
        if mistake == self.mistake:
            return
        self.mistake = mistake
        self.setProperty("wrong", bool(mistake))
        self.style().unpolish(self)
        self.style().polish(self)
        if not mistake and self._said:
            self._said = False
            self.mistakeChanged.emit()

    def _bounded(self, value: float) -> float:
        bounded = max(self._low, min(self._high, value))
        return int(bounded) if self.whole else float(bounded)

    # ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

    def _text(self, value: float) -> str:
        """With so many decimals, or as many digits as it needs: 0.50, 1.2345, 1e-07."""
        if self.whole or round(value, self.shown) == value:
            return field_text(value, self.shown)
        return field_text(value, None, SHORT)

    def _show(self) -> None:
        self._telling = True
        text = self._text(self._value)
        if text != self.lineEdit().text():
            self.lineEdit().setText(text)
        for name, number in (("value", self._value), ("minimum", self._low), ("maximum", self._high)):
            self.setProperty(name, number)  # what Qt tells a screen reader of a box that is none of its own
        self.setProperty("singleStep", self._step)
        self._telling = False
        self._tell("")

    def _announce(self) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleValueChangeEvent(self, self._value))
        self.changed.emit()

    def sizeHint(self) -> QSize:
        longest = max(len(self._text(bound)) for bound in (self._low, self._high))
        letters = max(3, min(LETTERS, longest))
        inner = QSize(self.fontMetrics().horizontalAdvance("0" * letters) + 12, self.fontMetrics().height())
        option = QStyleOptionSpinBox()
        self.initStyleOption(option)
        return self.style().sizeFromContents(QStyle.ContentsType.CT_SpinBox, option, inner, self)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(NARROW, self.sizeHint().width()), self.sizeHint().height())

    # ── keys, focus, wheel ──────────────────────────────────────────────────────────────────────────────────────────

    def stepBy(self, steps: int) -> None:
        value = self.value() + steps * self._step
        near = round(value, self.shown)
        # 0.1 + 0.2 is 0.3 here; a number between the steps stays between them.
        self.set_value(near if abs(near - value) < 1e-9 * max(1.0, abs(value)) else value)
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags, none = QAbstractSpinBox.StepEnabledFlag, QAbstractSpinBox.StepEnabledFlag.StepNone
        up = flags.StepUpEnabled if self.value() < self._high else none
        return up | (flags.StepDownEnabled if self.value() > self._low else none)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text() if not event.modifiers() & HELD else ""
        if len(text) == 1 and text.isprintable() and not text.isdecimal() and text not in TYPED:
            return  # a letter: no number begins with it
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.commit()
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        menu = QApplication.activePopupWidget()
        own = menu is not None and self.isAncestorOf(menu)
        if not (own and event.reason() == Qt.FocusReason.PopupFocusReason):  # its own menu pastes into what is typed
            self.commit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QDynamicPropertyChangeEvent) and not self._telling and event.propertyName() == b"value":
            self.set_value(float(self.property("value")))  # a screen reader sets it
        return super().event(event)
