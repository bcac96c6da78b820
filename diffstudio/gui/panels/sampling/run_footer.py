"""The foot of the sampling panel: the button that generates and stops, what a run will take, how far it is."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.widgets import Note
from diffstudio.gui.kit.words import count, duration, number, size, tr

MUCH_MEMORY = 2 << 30  # bytes from which it is worth a word
GAP = 4  # px between the button and the note


class RunFooter(QWidget):
    """Emits `generate`, or `stop` while a run goes."""

    generate = Signal()
    stop = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._running = False
        self.button = QPushButton()
        self.button.setMinimumHeight(26)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Progress of the run"))
        self.progress.setFixedHeight(GAP)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # else all of the column is laid out and painted anew at each press
        self.progress.setSizePolicy(policy)
        self.note = Note("dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 2, 10, 4)
        layout.setSpacing(0)  # the progress is the space between the other two
        layout.addWidget(self.button)
        layout.addWidget(self.progress)
        layout.addWidget(self.note)
        self.button.clicked.connect(self._on_button)
        self.set_running(False)

    def set_running(self, running: bool) -> None:
        """The button stops while a run goes."""
        self._running = running
        self.button.setText(tr("Stop") if running else tr("Generate"))
        self.button.setToolTip(actions.tooltip("stop" if running else "generate"))
        self.button.setProperty("primary", not running)
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self.progress.setVisible(running)
        self.progress.setRange(0, 0)  # busy until the first step is counted
        if running:
            self.note.setText(tr("starting…"))

    def show_progress(self, done: int, total: int, eta: float | None, rate: float) -> None:
        """Steps, what is left (seconds; None: not known yet), steps a second."""
        self.progress.setUpdatesEnabled(False)  # else it has all of the window painted before it returns
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(done)
        self.progress.setUpdatesEnabled(True)
        parts = [f"{count(done)} / {count(total)}"]
        if eta is None:
            parts.append(tr("starting…"))
        else:
            parts += [tr("{} left").format(duration(eta)), tr("{} steps/s").format(number(rate, 1))]
        self.note.setText(" · ".join(parts))

    def show_estimate(self, seconds: float | None, trace_bytes: int, memory: int = 0, free: int | None = None) -> None:
        """What the run will take; seconds: None while nothing has been measured.

        memory: bytes that it needs, said where they are many; free: bytes that there are, None where nobody knows.
        """
        parts = [tr("about {}").format(duration(seconds))] if seconds is not None else []
        parts.append(tr("trace {}").format(size(trace_bytes)))
        if free is not None and memory > free:
            parts = [tr("needs about {} of memory, only {} is free").format(size(memory), size(free))]
        elif memory >= MUCH_MEMORY:
            parts.append(tr("memory {}").format(size(memory)))
        self.note.setText(" · ".join(parts))

    def show_problem(self, sentence: str) -> None:
        """Why the run can't go."""
        self.note.setText(sentence)

    @Slot()
    def _on_button(self) -> None:
        if self._running:
            self.stop.emit()
        else:
            self.generate.emit()
