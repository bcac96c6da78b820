"""The row above the canvas: which tensor, what is under the cursor, grid or single, and what else is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from diffstudio.analysis.fields import TENSORS
from diffstudio.gui.kit.actions import title, tooltip
from diffstudio.gui.kit.icons import icon
from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import FlowLayout
from diffstudio.gui.kit.words import tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.options import option_titles
from diffstudio.studio.export.pictures import NAMES

HALVES = ("x0_cond", "x0_free", "split")  # of guidance: a frame of its own, shown where the trace holds them
READOUT = 170  # logical pixels that the readout should have before the rest goes to a line of its own


def tensor_titles() -> dict[str, tuple[str, ...]]:
    """Every title that a tensor can have: its button is wide enough for all, so nothing moves while scrubbing."""
    return {
        "xt": (NAMES["xt"],),
        "x0_hat": (NAMES["x0_hat"], tr("x_0 (true)")),
        "eps_hat": (NAMES["eps_hat"], tr("ε (true)")),
        "delta": (NAMES["delta"],),
        **{name: (tr(NAMES[name]),) for name in HALVES},
    }


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
        self._offered: tuple[str, ...] = ()
        self._every = tr("Grid")
        self._arranged: tuple[bool, list[QWidget]] | None = None
        self._place()
        self.set_options(())
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

    def set_available(self, names: Iterable[str], meaningless: Iterable[str] = ()) -> None:
        """Which tensors the trace holds or implies; the others say why they can't be shown.

        meaningless: those that would say nothing of such states.
        """
        self._halves.setVisible(not set(HALVES).isdisjoint(names))
        for name in TENSORS:
            button, there = self._tensors[name], name in names
            button.setEnabled(there)
            lacks = tr("Between tokens there is nothing that this could be.") if name in meaningless else ""
            lacks = lacks or tr("This trace does not hold what it takes.")
            button.setToolTip(tooltip(f"tensor_{name}") if there else lacks)
        self._arrange()

    def set_options(self, names: tuple[str, ...], every: str = "") -> None:
        """What else the view can draw, and its word for all samples at once, e.g. "Grid"."""
        self._offered = names
        self._every = every or tr("Grid")
        for name, button in self._options.items():
            button.setVisible(name in names)
        self.set_single(self._single.isChecked())
        self._arrange()

    def set_single(self, single: bool) -> None:
        """Show which of the two it is."""
        self._single.setChecked(single)
        self._single.setText(tr("Single") if single else self._every)
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
            "#segments, #halves {"
            f" background: {tokens.surface}; border: 1px solid {tokens.border}; border-radius: 6px; }}"
            "#segments QPushButton, #halves QPushButton { padding: 2px 9px; border-radius: 4px; }"
        )
        self.set_single(self._single.isChecked())
        self.readout.update()

    # -- arrangement

    def _place(self) -> None:
        self._first, self._second = QHBoxLayout(), FlowLayout()
        self._first.setSpacing(4)
        self._halves = _segments("halves", [self._tensors[name] for name in HALVES])
        for widget in (self._halves, *self._options.values()):
            widget.setParent(self)  # also while they lie in no line
        self._halves.hide()
        self._first.addWidget(_segments("segments", [b for n, b in self._tensors.items() if n not in HALVES]))
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
        """Halves and options beside the tensors, or below them where the readout would have no room."""
        halves: list[QWidget] = [] if self._halves.isHidden() else [self._halves]
        options: list[QWidget] = [self._options[name] for name in self._offered]
        buttons = [b for n, b in self._tensors.items() if n not in HALVES or halves] + [self._single, *options]
        needed = sum(max(b.sizeHint().width(), b.minimumWidth()) + 4 for b in buttons) + READOUT + 40
        two_lines = bool(halves or options) and self.width() < needed
        if (two_lines, halves + options) == self._arranged:
            return
        self._arranged = two_lines, halves + options
        for widget in (self._halves, *self._options.values()):
            self._first.removeWidget(widget)
            self._second.removeWidget(widget)
        if two_lines:
            for widget in halves + options:
                self._second.addWidget(widget)
            return
        for widget in halves:  # beside the other tensors, the options beside "Single"
            self._first.insertWidget(1, widget)
        for widget in options:
            self._first.insertWidget(self._first.indexOf(self._single), widget)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fix_widths()
            self._arrange()

    def _fix_widths(self) -> None:
        self.ensurePolished()
        for name, button in self._tensors.items():
            button.setFixedWidth(_width(button, tensor_titles()[name]))
        self._single.setFixedWidth(_width(self._single, (tr("All"), tr("Grid"), tr("Single"))))


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

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        text = self.text
        self.setAccessibleName(text)
        painter.setFont(legend.small(self.font(), 12))
        painter.setPen(QColor(self.tokens.text_dim))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(QRect(0, 0, self.width(), self.height()), int(right), elided)


def _segments(name: str, buttons: Iterable[QWidget]) -> QFrame:
    """Buttons of which one is marked, in one frame."""
    out = QFrame()
    out.setObjectName(name)
    inside = QHBoxLayout(out)
    inside.setContentsMargins(2, 2, 2, 2)
    inside.setSpacing(2)
    for button in buttons:
        inside.addWidget(button)
    return out


def _button(text: str, action: str) -> QPushButton:
    out = QPushButton(text)
    out.setCheckable(True)
    out.setProperty("flat", True)
    out.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    out.setToolTip(tooltip(action))
    return out


def _width(button: QPushButton, titles: Iterable[str]) -> int:
    """Wide enough for each title, in the style that the button has."""
    now = button.text()
    padding = button.sizeHint().width() - button.fontMetrics().horizontalAdvance(now)
    return padding + max(button.fontMetrics().horizontalAdvance(title) for title in titles)
