"""The button that plays the selected sample's sound at this step, and what it says where nothing can be played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QPushButton

from diffstudio.errors import BadInput
from diffstudio.gui.kit.actions import tooltip
from diffstudio.gui.kit.icons import icon
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.stage.views.audio.sounds import Found
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.app import playing

CHECK, PLAY = "speaker-check", "speaker"  # kinds of question
Find = Callable[[Stop], Found]


@dataclass(frozen=True)
class Playing:
    """The answer to PLAY: what was found, and for how long it sounds; 0 where it can't, and `problem` says why."""

    found: Found | None
    seconds: float
    problem: str = ""


class Speaker(QObject):
    """Everything that touches the audio device happens on the background's thread: it may wait for the device.

    wanted: kind and question for `gui.background`.  found: a sound that was found in order to be played.
    """

    wanted = Signal(str, object)
    found = Signal(object)
    pressed = Signal()

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._problem, self._checked, self._reason = "", False, ""
        self.sounding = False
        self.button = QPushButton()
        self.button.setProperty("flat", True)
        self.button.setIconSize(QSize(16, 16))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self.pressed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_end)
        self._show()

    def check(self) -> None:
        """Ask once whether there is an audio device."""
        if not self._checked:
            self._checked = True
            self.wanted.emit(CHECK, lambda stop: playing.problem())

    def set_reason(self, reason: str) -> None:
        """Why what is shown has no sound, or ""."""
        if reason != self._reason:
            self._reason = reason
            self._show()

    @property
    def problem(self) -> str:
        """Why nothing can be played now, or ""."""
        return self._problem or self._reason

    def play(self, find: Find, rate: int) -> None:
        """Find a sound and play it; nothing where nothing can be played."""
        if self.problem:
            return
        self.sounding = True
        self._show()
        self.wanted.emit(PLAY, lambda stop: _play(find, rate, stop))

    def stop(self) -> None:
        """Be silent."""
        if self.sounding:
            self._timer.stop()
            self.wanted.emit(PLAY, _silence)
            self._on_end()

    def take(self, kind: str, answer: object) -> None:
        """An answer to what was `wanted`."""
        if kind == CHECK:
            self._problem = str(answer)
        elif kind == PLAY and isinstance(answer, Playing):
            if answer.found is not None:
                self.found.emit(answer.found)
            self._problem = answer.problem or self._problem
            if self.sounding and answer.seconds > 0:
                self._timer.start(round(1000 * answer.seconds))
                return
            self.sounding = False
        self._show()

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self._show()

    @Slot()
    def _on_end(self) -> None:
        self.sounding = False
        self._show()

    def _show(self) -> None:
        self.button.setIcon(icon("stop" if self.sounding else "play", self._tokens))
        self.button.setText(tr("Stop the sound") if self.sounding else tr("Play the sound"))
        self.button.setEnabled(not self.problem)
        sentence = self.problem
        self.button.setToolTip(sentence[:1].upper() + sentence[1:] + "." if sentence else tooltip("play_sound"))


def _play(find: Find, rate: int, stop: Stop) -> Playing:
    found = find(stop)
    if found.sounds is None:
        return Playing(None, 0.0, found.problem)
    try:
        return Playing(found, 0.0 if stop() else playing.play(found.sounds[0], rate))
    except BadInput as error:
        return Playing(found, 0.0, str(error))


def _silence(stop: Stop) -> Playing:
    playing.stop()
    return Playing(None, 0.0)
