"""The row above the film strip: playing, loop, speed, clock, the numbers at the playhead, marker, follow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.icons import icon
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.clock_switch import ClockSwitch, menu_button
from diffstudio.gui.timeline.playback import LOOPS, SPEEDS, Player
from diffstudio.gui.timeline.reading import Reading
from diffstudio.gui.timeline.readout import GAP, Readout

ICON = QSize(16, 16)
LOOP_ICONS = {"once": "once", "loop": "loop", "ping-pong": "pingpong"}
FRACTIONS = {0.25: "¼", 0.5: "½"}
SPACING = 6
PLAY_WIDTH = 40
BUTTON_PAD = 24  # of a button with icon and word
ROOMY, SHORT, TIGHT = 0, 1, 2  # everything in words; loop and follow as icons; the clock as a menu


def speed_text(speed: float) -> str:
    """A speed as it is shown: ½×, 2×."""
    return f"{FRACTIONS.get(speed, f'{speed:g}')}×"


class Transport(QWidget):
    """Buttons that act on the player and the playhead. None takes the focus: Space belongs to the window."""

    clockChosen = Signal(str)

    def __init__(self, player: Player, playhead: Playhead, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player, self._playhead, self._tokens = player, playhead, tokens
        self._level = -1
        self._marked, self._active = False, True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.first = self._button("first")
        self.back = self._button("step_back")
        self.play = QPushButton()
        self.play.setProperty("primary", True)
        self._prepare(self.play, "play")
        self.play.setFixedWidth(PLAY_WIDTH)
        self.on = self._button("step_on")
        self.last = self._button("last")
        self.loop = QPushButton()
        self._prepare(self.loop, "loop")
        speeds = [(speed_text(speed), speed) for speed in SPEEDS]
        keys = " · ".join(actions.tooltip(name) for name in ("slower", "faster"))
        self.speed = menu_button(tr("Playback speed"), keys, list(speeds))
        self.clocks = ClockSwitch()
        self.readout = Readout(tokens)
        self.marker = self._button("marker", checkable=True)
        self.follow = self._button("last", checkable=True)
        self.follow.setText(tr("follow"))
        self.follow.setAccessibleName(tr("Follow the newest step"))
        self._lay_out()
        self._connect()
        self.apply_theme(tokens)
        self.show_clock("step")
        self.set_active(False)

    def set_active(self, active: bool) -> None:
        """Whether there is a trace to move in."""
        if active == self._active:
            return
        self._active = active
        for button in (self.first, self.back, self.play, self.on, self.last, self.marker, self.follow):
            button.setEnabled(active)
        if not active:
            self.readout.clear()

    def show_reading(self, reading: Reading) -> None:
        """The numbers at the playhead."""
        self.readout.show_reading(reading)

    def show_clock(self, clock: str) -> None:
        """Mark the clock that the axis has."""
        self.clocks.show_clock(clock)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons and colours of another theme."""
        self._tokens = tokens
        for button, name in ((self.first, "first"), (self.back, "previous"), (self.on, "next"), (self.last, "last")):
            button.setIcon(icon(name, tokens))
        self.readout.set_tokens(tokens)
        self.clocks.apply_theme(tokens)
        for button in (self.marker, self.follow):
            button.setStyleSheet(_toggle_style(tokens))
        self._show_settings()
        self._show_playing(self._player.playing)
        self._show_follow(self._playhead.follow)
        self._show_marked(self._marked)
        self._level = -1
        self._fit()

    @Slot()
    def show_marker(self) -> None:
        """Show whether the playhead stands on a marker."""
        marked = self._playhead.position in self._playhead.markers
        if marked != self._marked:
            self._show_marked(marked)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._needs()[TIGHT] - self._wish() + self.readout.minimumSizeHint().width(), self._height())

    def sizeHint(self) -> QSize:
        return QSize(self._needs()[ROOMY], self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._level = -1
            self._fit()

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
    def _on_marker(self) -> None:
        self._playhead.toggle_marker()
        self._show_marked(self._playhead.position in self._playhead.markers)

    @Slot(bool)
    def _on_follow(self, checked: bool) -> None:
        if checked:
            self._playhead.to_end()
        else:
            self._playhead.move_to(self._playhead.position)

    @Slot(QAction)
    def _on_speed(self, action: QAction) -> None:
        self._player.set_speed(action.data())

    @Slot(bool)
    def _show_playing(self, playing: bool) -> None:
        self.play.setIcon(icon("pause" if playing else "play", self._tokens, self._tokens.on_accent))
        self.play.setAccessibleName(tr("Pause") if playing else tr("Play"))

    @Slot(bool)
    def _show_follow(self, follow: bool) -> None:
        self.follow.setChecked(follow)
        ink = self._tokens.text if follow else self._tokens.text_dim
        self.follow.setIcon(icon("follow" if follow else "unfollow", self._tokens, ink))

    def _show_marked(self, marked: bool) -> None:
        self._marked = marked
        self.marker.setIcon(icon("marker", self._tokens, self._tokens.lane_b if marked else None))
        self.marker.setChecked(marked)

    @Slot()
    def _show_settings(self) -> None:
        loop, speed = self._player.loop, speed_text(self._player.speed)
        self.loop.setIcon(icon(LOOP_ICONS[loop], self._tokens))
        self.loop.setText(tr(loop) if self._level == ROOMY else "")
        self.loop.setAccessibleName(f"{actions.title('loop')}: {tr(loop)}")
        self.speed.setText(f"{speed} ▾")
        self.speed.setAccessibleName(f"{tr('Playback speed')}: {speed}")

    def _connect(self) -> None:
        self.first.clicked.connect(self._on_first)
        self.back.clicked.connect(self._on_back)
        self.play.clicked.connect(self._player.toggle)
        self.on.clicked.connect(self._on_on)
        self.last.clicked.connect(self._playhead.to_end)
        self.loop.clicked.connect(self._player.cycle_loop)
        self.marker.clicked.connect(self._on_marker)
        self.follow.clicked.connect(self._on_follow)
        self.clocks.chosen.connect(self.clockChosen)
        self.speed.menu().triggered.connect(self._on_speed)
        self._player.playingChanged.connect(self._show_playing)
        self._player.settingsChanged.connect(self._show_settings)
        self._playhead.followChanged.connect(self._show_follow)
        self._playhead.markersChanged.connect(self.show_marker)

    def _button(self, action: str, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setCheckable(checkable)
        self._prepare(button, action)
        return button

    def _prepare(self, button: QAbstractButton, action: str) -> None:
        button.setIconSize(ICON)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAccessibleName(actions.title(action))
        button.setToolTip(actions.tooltip(action))

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        for button in (self.first, self.back, self.play, self.on, self.last):
            row.addWidget(button)
        row.addSpacing(SPACING)
        for widget in (self.loop, self.speed, self.clocks):
            row.addWidget(widget)
        row.addSpacing(GAP)
        row.addWidget(self.readout, 1)
        row.addSpacing(SPACING)
        row.addWidget(self.marker)
        row.addWidget(self.follow)

    def _height(self) -> int:
        return max(widget.sizeHint().height() for widget in (self.play, self.loop, self.clocks, self.follow))

    def _wish(self) -> int:
        """Room for the numbers for which buttons give up their words."""
        return self._width_of("1000 / 1000  t 0.000  σ 0.000  log-SNR +0.00") + 3 * GAP

    def _width_of(self, text: str) -> int:
        return QFontMetrics(self.font()).horizontalAdvance(text)

    def _needs(self) -> tuple[int, int, int]:
        """The width that each level needs, found without trying them on."""
        same = (self.first, self.back, self.play, self.on, self.last, self.speed, self.marker)
        base = sum(widget.sizeHint().width() + SPACING for widget in same) + 2 * SPACING + GAP + self._wish()
        icon_width = self.marker.sizeHint().width() + SPACING
        words = self._loop_width() + self._width_of(tr("follow")) + ICON.width() + BUTTON_PAD + 2 * SPACING
        segments = self.clocks.segments.sizeHint().width() + SPACING
        menu = self.clocks.menu.sizeHint().width() + SPACING
        icons = icon_width + PLAY_WIDTH + SPACING
        return base + words + segments, base + icons + segments, base + icons + menu

    def _loop_width(self) -> int:
        """The same for all three words: the row must not shake when they change."""
        return max(self._width_of(tr(loop)) for loop in LOOPS) + ICON.width() + BUTTON_PAD

    def _fit(self) -> None:
        needs = self._needs()
        self._apply(next((level for level in (ROOMY, SHORT) if needs[level] <= self.width()), TIGHT))

    def _apply(self, level: int) -> None:
        if level == self._level:
            return
        self._level = level
        words = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if level == ROOMY else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.loop.setText(tr(self._player.loop) if level == ROOMY else "")
        self.follow.setToolButtonStyle(words)
        self.loop.setFixedWidth(self._loop_width() if level == ROOMY else PLAY_WIDTH)
        self.clocks.set_compact(level == TIGHT)


def _toggle_style(t: Tokens) -> str:
    """A quiet toggle: following is the usual state, not a warning."""
    return f"""
QToolButton {{ color: {t.text_dim}; background: transparent; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:checked {{ background: {t.raised}; color: {t.text}; border-color: {t.border}; }}
QToolButton:disabled {{ color: {t.disabled}; }}
"""
