"""The library beside the window: what is asked and changed there, what is brought in, and what was said of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from diffstudio.errors import DiffStudioError
from diffstudio.gui.work.jobs import Ended, Job, Jobs, Stop
from diffstudio.studio.library.intake import recover
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.shelf import Shelf
from diffstudio.studio.library.table import LibraryProblem

log = logging.getLogger("diffstudio")
Find = Callable[[Library, Stop], Any]
Then = Callable[[Any], object]
POLL_MS = 2000  # between two looks at whether another window or a command has changed the library


@dataclass
class _Order:
    """Something to be done with the library. kind: "" of one that no newer one replaces."""

    kind: str
    find: Find
    then: Then
    refused: Callable[[str], object]
    answer: Any = None


class LibraryWork(QObject):
    """One window's way to its library. Short questions do not wait for long work: each has a thread."""

    changed = Signal()  # something in the library is not as it was; told from any thread
    noticed = Signal(str)  # what is not as it should be, "" nothing
    taken = Signal(int)  # so many traces of the time before the library were brought in

    def __init__(self, shelf: Shelf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shelf = shelf
        self.notice = ""
        self._orders: dict[tuple[int, int], _Order] = {}
        self._threads = (Jobs("library", self, at_once=True), Jobs("library files", self))
        for jobs in self._threads:
            jobs.ended.connect(self._on_ended)
        self._seen = 0
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._look)
        self._begun = False

    def begin(self) -> None:
        """Open the library, bring in what it does not know yet, and watch it. A second call does nothing."""
        if self._begun:
            return
        self._begun = True
        self.ask("", lambda library, stop: library.notice, self._say)
        self.work(lambda library, stop: recover(library), self._on_recovered)
        self.work(lambda library, stop: self.shelf.take_in_others(), self._on_taken)
        self._poll.start()

    def ask(
        self, kind: str, find: Find, then: Then = lambda answer: None, refused: Callable[[str], object] | None = None
    ) -> None:
        """Call `find` with the library on its thread, then `then` with what it found, or `refused` with a sentence.

        Of each kind only the newest is answered; "" is a kind of which every one is.
        """
        self._submit(0, _Order(kind, find, then, refused or self._warn))

    def change(self, find: Find, then: Then = lambda answer: None) -> None:
        """Change something: as `ask`, and everybody learns that the library is another; what fails is the notice."""

        def done(answer: Any) -> None:
            self.changed.emit()
            then(answer)

        self._submit(0, _Order("", find, done, self._say))

    def work(
        self,
        find: Find,
        then: Then = lambda answer: None,
        refused: Callable[[str], object] | None = None,
        kind: str = "",
    ) -> None:
        """As `ask`, for what takes long: files are read or written."""
        self._submit(1, _Order(kind, find, then, refused or self._warn))

    def stop_all(self) -> None:
        """Stop; what is asked from now on is not heard."""
        self._poll.stop()
        self._begun = True
        for jobs in self._threads:
            jobs.stop_all()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Stop and join, and close the library; True if it ended in time."""
        self.stop_all()
        ended = min(jobs.shut_down(seconds) for jobs in self._threads)  # each is waited for
        if ended:
            self.shelf.close()
        return ended

    def _submit(self, place: int, order: _Order) -> None:
        jobs = self._threads[place]
        for (where, number), other in self._orders.items():
            if order.kind and other.kind == order.kind and where == place:
                jobs.cancel(number)
        self._orders[place, jobs.submit(self._job(order))] = order

    def _job(self, order: _Order) -> Job:
        def job(stop: Stop) -> Iterator[None]:
            try:
                order.answer = order.find(self.shelf.library, stop)
            except sqlite3.Error as error:
                raise LibraryProblem(f"the library {self.shelf.folder} can't be read: {error}") from error
            yield None

        return job

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        place = 0 if self.sender() is self._threads[0] else 1
        order = self._orders.pop((place, ended.number), None)
        if order is None:
            return
        if ended.outcome == "done":
            try:
                order.then(order.answer)
            except DiffStudioError as error:
                order.refused(str(error))
        elif ended.outcome == "failed":
            order.refused(ended.error)

    def _warn(self, sentence: str) -> None:
        log.warning("%s", sentence)

    def _say(self, notice: str) -> None:
        if notice != self.notice:
            self.notice = notice
            self.noticed.emit(notice)

    def _on_recovered(self, runs: list[Any]) -> None:
        if runs:
            self.changed.emit()

    def _on_taken(self, count: int) -> None:
        if count:
            self.changed.emit()
            self.taken.emit(count)

    @Slot()
    def _look(self) -> None:
        self.ask("look", lambda library, stop: (library.change, library.notice), self._on_looked)

    def _on_looked(self, found: tuple[int, str]) -> None:
        change, notice = found
        self._say(notice)
        if change != self._seen:
            self._seen = change
            self.changed.emit()
