"""The row above the canvas: which tensor, what is under the cursor, grid or single, and what else is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from diffstudio.analysis.fields import TENSORS
from diffstudio.gui.actions import title, tooltip
from diffstudio.gui.icons import icon
from diffstudio.gui.theme import Tokens
from diffstudio.gui.views import legend
from diffstudio.gui.words import tr
from diffstudio.studio.pictures import NAMES

SEGMENTS = 4  # items of the first line before the options: segments, space, readout, space
READOUT = 190  # logical pixels that the readout should have before the options go to a line of their own


def tensor_titles() -> dict[str, tuple[str, ...]]:
    """Every title that a tensor can have: its button is wide enough for all, so nothing moves while scrubbing."""
    return {
        "xt": (NAMES["xt"],),
        "x0_hat": (NAMES["x0_hat"], tr("x_0 (true)")),
        "eps_hat": (NAMES["eps_hat"], tr("ε (true)")),
        "delta": (NAMES["delta"],),
    }


def option_titles() -> dict[str, str]:
    """What else can be drawn of points."""
    return {"trails": tr("Trails"), "underlay": tr("Data"), "arrows": tr("Score"), "density": tr("Density")}


class Header(QWidget):
    """Buttons that say what is wanted; the canvas decides and calls the setters back."""

    tensorWanted = Signal(str)
    singleWanted = Signal(bool)
    optionWanted = Signal(str, bool)

    def __init__(self, tokens: Tokens, readout: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tokens = tokens
        self._tensors = {name: _button(titles[0], f"tensor_{name}") for name, titles in tensor_titles().items()}
        self._group = QButtonGroup(self)
        for name, button in self._tensors.items():
            self._group.addButton(button)
            button.setAccessibleName(title(f"tensor_{name}"))
            button.setFont(legend.hatted(button.font()))
            button.clicked.connect(lambda _=False, name=name: self.tensorWanted.emit(name))
        self._options = {name: _button(text, name) for name, text in option_titles().items()}
        for name, button in self._options.items():
            button.setAccessibleName(title(name))
            button.clicked.connect(lambda on=False, name=name: self.optionWanted.emit(name, on))
        self._single = _button("", "toggle_single")
        self._single.setProperty("flat", False)
        self._single.clicked.connect(lambda on=False: self.singleWanted.emit(on))
        self.readout = Readout(readout, tokens)
        self._points = False
        self._two_lines: bool | None = None
        self._place()
        self.set_points(False)
        self.set_single(False)
        self.apply_theme(tokens)

    def set_tensor(self, name: str) -> None:
        """Mark the tensor that is shown."""
        self._tensors[name].setChecked(True)

    def set_titles(self, titles: dict[str, str]) -> None:
        """What the tensors are at the playhead; a title that did not change costs nothing."""
        for name, text in titles.items():
            if self._tensors[name].text() != tr(text):
                self._tensors[name].setText(tr(text))

    def set_available(self, names: Iterable[str]) -> None:
        """Which tensors the trace holds or implies; the others say why they can't be shown."""
        for name in TENSORS:
            button, there = self._tensors[name], name in names
            button.setEnabled(there)
            button.setToolTip(tooltip(f"tensor_{name}") if there else tr("This trace does not hold what it takes."))

    def set_points(self, points: bool) -> None:
        """Points have options that images have not."""
        self._points = points
        for button in self._options.values():
            button.setVisible(points)
        self.set_single(self._single.isChecked())
        self._arrange()

    def set_single(self, single: bool) -> None:
        """Show which of the two it is."""
        every = tr("All") if self._points else tr("Grid")
        self._single.setChecked(single)
        self._single.setText(tr("Single") if single else every)
        self._single.setAccessibleName(tr("Show one sample alone"))
        self._single.setIcon(
            icon("single" if single else "grid", self._tokens, self._tokens.on_accent if single else None)
        )

    def set_option(self, name: str, on: bool) -> None:
        """Mark an option as on or off."""
        self._options[name].setChecked(on)

    def set_option_reason(self, name: str, reason: str) -> None:
        """Disable an option that can't be had and say why; "" enables it."""
        self._options[name].setEnabled(not reason)
        self._options[name].setToolTip(reason or tooltip(name))

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = self.readout.tokens = tokens
        self.setStyleSheet(
            f"Header {{ background: {tokens.bg}; }}"
            f"#segments {{ background: {tokens.surface}; border: 1px solid {tokens.border}; border-radius: 6px; }}"
            "#segments QPushButton { padding: 2px 9px; border-radius: 4px; }"
        )
        self.set_single(self._single.isChecked())
        self.ensurePolished()
        for name, button in self._tensors.items():
            button.setFixedWidth(_width(button, tensor_titles()[name]))
        self._single.setFixedWidth(_width(self._single, (tr("All"), tr("Grid"), tr("Single"))))
        self.readout.update()

    # -- arrangement

    def _place(self) -> None:
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        for line in (self._first, self._second):
            line.setSpacing(4)
        segments = QFrame()
        segments.setObjectName("segments")
        inside = QHBoxLayout(segments)
        inside.setContentsMargins(2, 2, 2, 2)
        inside.setSpacing(2)
        for button in self._tensors.values():
            inside.addWidget(button)
        self._first.addWidget(segments)
        self._first.addSpacing(8)
        self._first.addWidget(self.readout, 1)
        self._first.addSpacing(8)
        self._first.addWidget(self._single)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 8, 12, 8)
        whole.setSpacing(6)
        whole.addLayout(self._first)
        whole.addLayout(self._second)

    def _arrange(self) -> None:
        """The options beside the tensors, or below them where the readout would have no room."""
        buttons = (*self._tensors.values(), self._single, *self._options.values())
        needed = sum(max(b.sizeHint().width(), b.minimumWidth()) + 4 for b in buttons) + READOUT + 40
        two_lines = self._points and self.width() < needed
        if two_lines == self._two_lines:
            return
        self._two_lines = two_lines
        for button in self._options.values():
            self._first.removeWidget(button)
            self._second.removeWidget(button)
        for i, button in enumerate(self._options.values()):
            if two_lines:
                self._second.addWidget(button)
            else:
                self._first.insertWidget(SEGMENTS + i, button)
        if two_lines and self._second.itemAt(len(self._options)) is None:
            self._second.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()


class Readout(QWidget):
    """One line of text, asked for when it is painted: moving fast costs nothing that nobody sees."""

    def __init__(self, source: Callable[[], str], tokens: Tokens) -> None:
        super().__init__()
        self._source = source
        self.tokens = tokens
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def text(self) -> str:
        """What it says now."""
        return self._source()

    def sizeHint(self) -> QSize:
        return QSize(40, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        text = self.text
        self.setAccessibleName(text)
        painter = QPainter(self)
        painter.setFont(legend.small(self.font(), 12))
        painter.setPen(QColor(self.tokens.text_dim))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(QRect(0, 0, self.width(), self.height()), int(right), elided)


def _button(text: str, action: str) -> QPushButton:
    out = QPushButton(text)
    out.setCheckable(True)
    out.setProperty("flat", True)
    out.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    out.setToolTip(tooltip(action))
    return out


def _width(button: QPushButton, titles: Iterable[str]) -> int:
    """Wide enough for each title, in the style that the button has."""
    now = button.text()
    padding = button.sizeHint().width() - button.fontMetrics().horizontalAdvance(now)
    return padding + max(button.fontMetrics().horizontalAdvance(title) for title in titles)
