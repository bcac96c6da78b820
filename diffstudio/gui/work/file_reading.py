"""Files of the user's own are read in the background: what is found is taken up in the window, or a sentence said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.errors import DiffStudioError
from diffstudio.gui.work.jobs import Ended, Jobs, Stop

Find = Callable[[], Any]
Take = Callable[[Any], object]
Refuse = Callable[[str, str], object]  # the sentence, and the traceback where it is a fault of the program


@dataclass
class _Question:
    """The thread leaves the answer here, since arrays do not cross a signal."""

    find: Find
    take: Take
    refuse: Refuse
    answer: Any = None

    def job(self, stop: Stop) -> Iterator[None]:
        try:
            with cancellable(stop):
                self.answer = self.find()
        except Cancelled:
            return
        yield None


class FileReading(QObject):
    """One file after the other, each by itself: none is read in the window's thread."""

    changed = Signal()  # whether anything is being read

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = Jobs("reading", self)
        self._jobs.ended.connect(self._on_ended)
        self._open: dict[int, _Question] = {}

    @property
    def busy(self) -> bool:
        """Whether there is something that `stop` would stop."""
        return bool(self._open)

    def ask(self, find: Find, take: Take, refuse: Refuse) -> None:
        """`find` is called on the thread, and `take` with its answer, or `refuse`, on the window's; a stop is silent.

        take may raise one of our errors, which is refused too.
        """
        question = _Question(find, take, refuse)
        self._open[self._jobs.submit(question.job)] = question
        self.changed.emit()

    @Slot()
    def stop(self) -> None:
        """Read no more of what was asked for."""
        for number in self._open:
            self._jobs.cancel(number)

    def stop_all(self) -> None:
        """Stop; what is asked from now on is not heard."""
        self._open.clear()
        self._jobs.stop_all()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Stop and join; True if it ended in time."""
        self.stop_all()
        return self._jobs.shut_down(seconds)

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        question = self._open.pop(ended.number, None)
        if question is None:
            return
        self.changed.emit()
        if ended.outcome == "failed":
            question.refuse(ended.error, ended.details)
        elif ended.outcome == "done":
            try:
                question.take(question.answer)
            except DiffStudioError as error:
                question.refuse(str(error), "")
