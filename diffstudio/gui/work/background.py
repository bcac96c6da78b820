"""Answers that take longer than a frame, found beside the window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.gui.work.jobs import Ended, Jobs, Stop

log = logging.getLogger("diffstudio")
Find = Callable[[Stop], object]


@dataclass
class _Question:
    """One question; the thread leaves the answer here, since arrays do not cross a signal."""

    find: Find
    answer: object = None

    def job(self, stop: Stop) -> Iterator[None]:
        try:
            with cancellable(stop):  # what reads files asks there
                self.answer = self.find(stop)
        except Cancelled:
            return
        yield None


class Background(QObject):
    """Of each kind only the newest question is answered."""

    answered = Signal(str, object)  # kind, answer; a question that failed is not answered

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = Jobs("background", self)
        self._jobs.ended.connect(self._on_ended)
        self._open: dict[str, tuple[int, _Question]] = {}

    @Slot(str, object)
    def ask(self, kind: str, find: Find) -> None:
        """Ask: `find(stop)` is called on the thread, and gives up early when `stop()` says so."""
        if kind in self._open:
            self._jobs.cancel(self._open[kind][0])
        question = _Question(find)
        self._open[kind] = self._jobs.submit(question.job), question

    def stop_all(self) -> None:
        """Stop; what is asked from now on is not heard."""
        self._jobs.stop_all()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Stop and join; True if it ended in time."""
        return self._jobs.shut_down(seconds)

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        for kind, (number, question) in list(self._open.items()):
            if number == ended.number:
                del self._open[kind]
                if ended.outcome == "done":
                    self.answered.emit(kind, question.answer)
                elif ended.outcome == "failed":
                    log.warning("%s: %s", kind, ended.error)
