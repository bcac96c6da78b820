"""Questions to the engine beside the runs: the newest of a kind is answered, the others are forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.gui.work.jobs import Ended, Job, Jobs, Stop

Part = Callable[[Stop], Iterator[Any]]


class Question(QObject):
    """One kind of question. Its parts are jobs of their own, so that other kinds get their turn between two of them.

    answered carries what the question was about and one answer of a part; ended what it was about and how it ended:
    after the last part, the first that failed, or a `cancel`. A newer question ends the old one without a word.
    """

    answered = Signal(object, object)
    ended = Signal(object, object)  # and jobs.Ended

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._number = 0
        self._about: Any = None
        self._parts: list[Part] = []
        self._answers: deque[Any] = deque()  # arrays stay out of the signals between threads
        jobs.progressed.connect(self._on_progress)
        jobs.ended.connect(self._on_ended)

    @property
    def open(self) -> bool:
        """Whether an answer is still to come."""
        return self._number != 0

    def ask(self, about: Any, parts: Sequence[Part]) -> None:
        """Ask; the same question, while it is being answered, is not asked again."""
        if not parts or (self.open and about == self._about):
            return
        self._forget()
        self._about, self._parts = about, list(parts)
        self._next()

    def cancel(self) -> None:
        """Stop before the next network call; what is found after it is dropped."""
        if self.open:
            number, about = self._number, self._about
            self._forget()
            self.ended.emit(about, Ended(number, "cancelled"))

    def _forget(self) -> None:
        if self.open:
            self._jobs.cancel(self._number)
            self._number, self._parts = 0, []

    def _next(self) -> None:
        self._answers = answers = deque()
        self._number = self._jobs.submit(_kept(self._parts.pop(0), answers))

    @Slot(int, object)
    def _on_progress(self, number: int, progress: object) -> None:
        if self.open and number == self._number:
            self._tell()

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        if not self.open or ended.number != self._number:
            return
        self._tell()
        if not self.open or ended.number != self._number:
            return  # who heard the answer asked something else
        if self._parts and ended.outcome == "done":
            self._next()
            return
        self._number, self._parts = 0, []
        self.ended.emit(self._about, ended)

    def _tell(self) -> None:
        answers = self._answers
        while answers and answers is self._answers:
            self.answered.emit(self._about, answers.popleft())


def _kept(part: Part, answers: deque[Any]) -> Job:
    def job(stop: Stop) -> Iterator[None]:
        try:
            for answer in part(stop):
                answers.append(answer)
                yield None
        except Exception:
            if not stop():  # a call that was stopped may end in any way: nobody waits for it
                raise

    return job
