"""The switch of clocks: segments side by side, or a menu where there is no room."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QFont, QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.clocks import CLOCKS

TITLES = {"step": "step", "t": "t", "sigma": "σ", "log_snr": "log-SNR", "nfe": "NFE"}
TIPS = {
    "step": "Steps stand at equal distances.",
    "t": "Steps stand at their time t, 0 data to 1 noise.",
    "sigma": "Steps stand at the logarithm of their noise level σ.",
    "log_snr": "Steps stand at their log signal-to-noise ratio.",
    "nfe": "Steps stand at the network calls they took; noising takes none.",
}
SEGMENT_PAD = 18


def clock_title(clock: str) -> str:
    """A clock's name in the user's language."""
    return tr(TITLES[clock])


def menu_button(name: str, tip: str, choices: list[tuple[str, object]]) -> QToolButton:
    """A flat button that opens a menu; each entry carries its value as data."""
    button = QToolButton()
    button.setProperty("flat", True)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setAccessibleName(name)
    button.setToolTip(tip)
    menu = QMenu(button)
    for text, value in choices:
        menu.addAction(text).setData(value)
    button.setMenu(menu)
    return button


class ClockSwitch(QWidget):
    """Which clock the axis has. `chosen` is emitted when the user takes another one."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.segments = QWidget()
        self.segments.setObjectName("clocks")
        self.segments.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.group = QButtonGroup(self)
        row = QHBoxLayout(self.segments)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for i, clock in enumerate(CLOCKS):
            segment = QToolButton()
            segment.setCheckable(True)
            segment.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            segment.setText(clock_title(clock))
            segment.setAccessibleName(f"{tr('Clock')}: {clock_title(clock)}")
            segment.setToolTip(tr(TIPS[clock]))
            self.group.addButton(segment, i)
            row.addWidget(segment)
        choices = [(clock_title(clock), clock) for clock in CLOCKS]
        self.menu = menu_button(tr("Clock"), actions.tooltip("next_clock"), list(choices))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.segments)
        layout.addWidget(self.menu)
        self.set_compact(False)
        self.group.idClicked.connect(self._on_segment)
        self.menu.menu().triggered.connect(self._on_menu)

    def show_clock(self, clock: str) -> None:
        """Mark the clock that the axis has."""
        self.group.button(CLOCKS.index(clock)).setChecked(True)
        self.menu.setText(f"{clock_title(clock)} ▾")

    def set_compact(self, compact: bool) -> None:
        """Be a menu."""
        self.segments.setVisible(not compact)
        self.menu.setVisible(compact)

    def apply_theme(self, tokens: Tokens) -> None:
        """Colours of another theme; the chosen segment is bold, which must not push the others."""
        self.setStyleSheet(_style(tokens))
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        for segment in self.group.buttons():
            segment.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(segment.text()) + SEGMENT_PAD)

    @Slot(int)
    def _on_segment(self, index: int) -> None:
        self.chosen.emit(CLOCKS[index])

    @Slot(QAction)
    def _on_menu(self, action: QAction) -> None:
        self.chosen.emit(action.data())


def _style(t: Tokens) -> str:
    return f"""
#clocks {{ border: 1px solid {t.border}; border-radius: 5px; background: transparent; }}
#clocks QToolButton {{ border: 0; border-radius: 4px; background: transparent; color: {t.text_dim};
  padding: 4px 8px; min-height: 16px; }}
#clocks QToolButton:hover {{ color: {t.text}; background: {t.raised}; }}
#clocks QToolButton:checked {{ background: {t.raised}; color: {t.text}; font-weight: 600; }}
"""
