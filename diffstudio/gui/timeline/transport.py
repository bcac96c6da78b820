"""The row above the film strip: playing, loop, speed, clock, the numbers at the playhead, marker, follow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from diffstudio.gui import actions
from diffstudio.gui.icons import icon
from diffstudio.gui.playhead import Playhead
from diffstudio.gui.theme import Tokens
from diffstudio.gui.timeline.clocks import CLOCKS
from diffstudio.gui.timeline.playback import LOOPS, SPEEDS, Player
from diffstudio.gui.timeline.reading import Reading
from diffstudio.gui.timeline.readout import GAP, Readout
from diffstudio.gui.words import tr

ICON = QSize(16, 16)
LOOP_ICONS = {"once": "once", "loop": "loop", "ping-pong": "pingpong"}
CLOCK_TITLES = {"step": "step", "t": "t", "sigma": "σ", "log_snr": "log-SNR", "nfe": "NFE"}
CLOCK_TIPS = {
    "step": "Steps stand at equal distances.",
    "t": "Steps stand at their time t, 0 data to 1 noise.",
    "sigma": "Steps stand at the logarithm of their noise level σ.",
    "log_snr": "Steps stand at their log signal-to-noise ratio.",
    "nfe": "Steps stand at the network calls that they took; noising takes none.",
}
FRACTIONS = {0.25: "¼", 0.5: "½"}
ROOMY, SHORT, TIGHT = 0, 1, 2  # everything in words; loop and follow as icons; the clock as a menu


def speed_text(speed: float) -> str:
    """A speed as it is shown: ½×, 2×."""
    return f"{FRACTIONS.get(speed, f'{speed:g}')}×"


def clock_title(clock: str) -> str:
    """A clock's name in the user's language."""
    return tr(CLOCK_TITLES[clock])


class Transport(QWidget):
    """Buttons that act on the player and the playhead. None takes the focus: Space belongs to the window."""

    clockChosen = Signal(str)

    def __init__(self, player: Player, playhead: Playhead, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player, self._playhead, self._tokens = player, playhead, tokens
        self._level = -1
        self._needs: list[int] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.first = self._button("first", "first")
        self.back = self._button("step_back", "previous")
        self.play = QPushButton()
        self.play.setProperty("primary", True)
        self._prepare(self.play, actions.title("play"), actions.tooltip("play"))
        self.on = self._button("step_on", "next")
        self.last = self._button("last", "last")
        self.loop = self._button("loop", "loop")
        self.speed = self._menu(tr("Playback speed"), tr("Playback speed."))
        for speed in SPEEDS:
            self._choice(self.speed, speed_text(speed), speed)
        self.clocks = self._clock_switch()
        self.clock_menu = self._menu(tr("Clock"), actions.tooltip("next_clock"))
        for clock in CLOCKS:
            self._choice(self.clock_menu, clock_title(clock), clock)
        self.readout = Readout(tokens)
        self.marker = self._button("marker", "marker")
        self.marker.setCheckable(True)
        self.follow = self._button("last", "follow")
        self.follow.setAccessibleName(tr("Follow the newest step"))
        self.follow.setText(tr("follow"))
        self.follow.setCheckable(True)
        self._lay_out()
        self._connect()
        self.apply_theme(tokens)
        self.show_clock("step")
        self._show_settings()
        self.set_active(False)

    def set_active(self, active: bool) -> None:
        """Whether there is a trace to move in."""
        for button in (self.first, self.back, self.play, self.on, self.last, self.marker, self.follow):
            button.setEnabled(active)
        if not active:
            self.readout.clear()

    def show_reading(self, reading: Reading) -> None:
        """The numbers at the playhead."""
        self.readout.show_reading(reading)

    def show_clock(self, clock: str) -> None:
        """Mark the clock that the axis has."""
        self._group.button(CLOCKS.index(clock)).setChecked(True)
        self.clock_menu.setText(f"{clock_title(clock)} ▾")

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons and colours of another theme."""
        self._tokens = tokens
        for button, name in ((self.first, "first"), (self.back, "previous"), (self.on, "next"), (self.last, "last")):
            button.setIcon(icon(name, tokens))
        self.readout.set_tokens(tokens)
        self.setStyleSheet(_style(tokens))
        self._show_settings()
        self._show_playing(self._player.playing)
        self._show_follow(self._playhead.follow)
        self.show_marker(force=True)
        self._needs = []
        self._fit()

    @Slot()
    def show_marker(self, force: bool = False) -> None:
        """Whether the playhead stands on a marker."""
        marked = self._playhead.position in self._playhead.markers
        if force or marked != self._marked:
            self._marked = marked
            self.marker.setIcon(icon("marker", self._tokens, self._tokens.lane_b if marked else None))
        self.marker.setChecked(marked)

    def minimumSizeHint(self) -> QSize:
        self._measure()
        return QSize(self._needs[TIGHT] - self._wish() + self.readout.minimumSizeHint().width(), self._height())

    def sizeHint(self) -> QSize:
        self._measure()
        return QSize(self._needs[ROOMY], self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._needs = []
        super().changeEvent(event)

    @Slot()
    def _on_first(self) -> None:
        self._playhead.move_to(0)

    @Slot()
    def _on_back(self) -> None:
        self._playhead.move_by(-1)

    @Slot()
    def _on_on(self) -> None:
        self._playhead.move_by(1)

    @Slot()
    def _on_play(self) -> None:
        self._player.toggle()

    @Slot()
    def _on_marker(self) -> None:
        self._playhead.toggle_marker()
        self.show_marker()

    @Slot(bool)
    def _on_follow(self, checked: bool) -> None:
        if checked:
            self._playhead.to_end()
        else:
            self._playhead.move_to(self._playhead.position)

    @Slot(QAction)
    def _on_speed(self, action: QAction) -> None:
        self._player.set_speed(action.data())

    @Slot(QAction)
    def _on_clock_menu(self, action: QAction) -> None:
        self.clockChosen.emit(action.data())

    @Slot(int)
    def _on_clock(self, index: int) -> None:
        self.clockChosen.emit(CLOCKS[index])

    @Slot(bool)
    def _show_playing(self, playing: bool) -> None:
        self.play.setIcon(icon("pause" if playing else "play", self._tokens, self._tokens.on_accent))
        self.play.setAccessibleName(tr("Pause") if playing else tr("Play"))

    @Slot(bool)
    def _show_follow(self, follow: bool) -> None:
        self.follow.setChecked(follow)
        ink = self._tokens.text if follow else self._tokens.text_dim
        self.follow.setIcon(icon("follow" if follow else "unfollow", self._tokens, ink))

    @Slot()
    def _show_settings(self) -> None:
        loop = self._player.loop
        self.loop.setIcon(icon(LOOP_ICONS[loop], self._tokens))
        self.loop.setText(tr(loop))
        self.loop.setAccessibleName(f"{actions.title('loop')}: {tr(loop)}")
        self.speed.setText(f"{speed_text(self._player.speed)} ▾")
        self.speed.setAccessibleName(f"{tr('Playback speed')}: {speed_text(self._player.speed)}")

    def _connect(self) -> None:
        self._marked = False
        self.first.clicked.connect(self._on_first)
        self.back.clicked.connect(self._on_back)
        self.play.clicked.connect(self._on_play)
        self.on.clicked.connect(self._on_on)
        self.last.clicked.connect(self._playhead.to_end)
        self.loop.clicked.connect(self._player.cycle_loop)
        self.marker.clicked.connect(self._on_marker)
        self.follow.clicked.connect(self._on_follow)
        self._group.idClicked.connect(self._on_clock)
        self.speed.menu().triggered.connect(self._on_speed)
        self.clock_menu.menu().triggered.connect(self._on_clock_menu)
        self._player.playingChanged.connect(self._show_playing)
        self._player.settingsChanged.connect(self._show_settings)
        self._playhead.followChanged.connect(self._show_follow)
        self._playhead.markersChanged.connect(self.show_marker)

    def _button(self, action: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name, self._tokens))
        self._prepare(button, actions.title(action), actions.tooltip(action))
        return button

    def _menu(self, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("flat", True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(QMenu(button))
        self._prepare(button, name, tip)
        return button

    def _choice(self, button: QToolButton, text: str, value: object) -> None:
        button.menu().addAction(text).setData(value)

    def _prepare(self, button: QAbstractButton, name: str, tip: str) -> None:
        button.setIconSize(ICON)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAccessibleName(name)
        button.setToolTip(tip)

    def _clock_switch(self) -> QWidget:
        switch = QWidget()
        switch.setObjectName("clocks")
        switch.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        switch.setAccessibleName(tr("Clock"))
        layout = QHBoxLayout(switch)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        self._group = QButtonGroup(self)
        for i, clock in enumerate(CLOCKS):
            segment = QToolButton()
            segment.setCheckable(True)
            segment.setText(clock_title(clock))
            self._prepare(segment, f"{tr('Clock')}: {clock_title(clock)}", tr(CLOCK_TIPS[clock]))
            self._group.addButton(segment, i)
            layout.addWidget(segment)
        return switch

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for button in (self.first, self.back, self.play, self.on, self.last):
            layout.addWidget(button)
        layout.addSpacing(6)
        for widget in (self.loop, self.speed, self.clocks, self.clock_menu):
            layout.addWidget(widget)
        layout.addSpacing(GAP)
        layout.addWidget(self.readout, 1)
        layout.addSpacing(6)
        layout.addWidget(self.marker)
        layout.addWidget(self.follow)

    def _wish(self) -> int:
        """Room for the numbers for which buttons give up their words."""
        return QFontMetrics(self.font()).horizontalAdvance("1000 / 1000  t 0.000  σ 0.000  log-SNR +0.00") + 3 * GAP

    def _height(self) -> int:
        return self.layout().minimumSize().height()

    def _measure(self) -> None:
        """How much width each level needs."""
        if self._needs:
            return
        self.ensurePolished()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        for segment in self._group.buttons():  # the chosen one is bold: it must not push the others
            segment.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(segment.text()) + 18)
        widest = max(QFontMetrics(self.font()).horizontalAdvance(tr(loop)) for loop in LOOPS)
        self._loop_width = widest + ICON.width() + 24
        level, self._level = self._level, -1
        for each in (ROOMY, SHORT, TIGHT):
            self._apply(each)
            fixed = self.layout().minimumSize().width() - self.readout.minimumSizeHint().width()
            self._needs.append(fixed + self._wish())
        self._apply(max(level, ROOMY))

    def _fit(self) -> None:
        self._measure()
        self._apply(next((level for level in (ROOMY, SHORT) if self._needs[level] <= self.width()), TIGHT))

    def _apply(self, level: int) -> None:
        if level == self._level:
            return
        self._level = level
        words = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if level == ROOMY else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.loop.setToolButtonStyle(words)
        self.follow.setToolButtonStyle(words)
        self.loop.setMinimumWidth(self._loop_width if level == ROOMY else 0)
        self.clocks.setVisible(level != TIGHT)
        self.clock_menu.setVisible(level == TIGHT)


def _style(t: Tokens) -> str:
    return f"""
#clocks {{ border: 1px solid {t.border}; border-radius: 5px; background: transparent; }}
#clocks QToolButton {{ border: 0; border-radius: 4px; background: transparent; color: {t.text_dim};
  padding: 4px 8px; min-height: 14px; }}
#clocks QToolButton:hover {{ color: {t.text}; background: {t.raised}; }}
#clocks QToolButton:checked {{ background: {t.raised}; color: {t.text}; font-weight: 600; }}
QToolButton:checked {{ background: {t.raised}; color: {t.text}; border-color: {t.border}; }}
"""

