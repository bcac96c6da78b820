"""Work beside the window. The only file with threads.

A `Jobs` owns one long-lived QThread; jobs run on it one after the other. A job is a generator: what it yields becomes
progress (at most 30 times a second, the newest always), its end exactly one `ended`. Arrays never cross a signal.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from diffstudio.errors import DiffStudioError, NoRoom
from diffstudio.gui.kit.words import tr
from diffstudio.gui.work.garbage import worker_begins, worker_ended

log = logging.getLogger("diffstudio")
PROGRESS_MS = 34
LONGEST_WAIT = 0.03  # seconds
BEGIN_MS = 20  # the window shows first that a job begins, and what the one before has left to be painted
NICER = 5  # than the window's thread: a third of its weight where both want a core
Stop = Callable[[], bool]
Job = Callable[[Stop], Iterator[Any]]


@dataclass(frozen=True)
class Ended:
    """How a job ended. error: one sentence for the user; details: the traceback, for the log and "Details".

    device: where a run that had no room would have it, "" where nothing is known of another place; half: whether it
    would have it in half precision.
    """

    number: int
    outcome: Literal["done", "cancelled", "failed"]
    error: str = ""
    details: str = ""
    device: str = ""
    half: bool = False


class _Worker(QObject):
    """Lives on the thread and drives one generator at a time."""

    progressed = Signal(int, object)
    ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.stopped: set[int] = set()  # written by the window's thread, read here: single set operations are atomic
        self.newest: deque[tuple[int, Any]] = deque(maxlen=1)  # progress that the window has not taken yet
        self.may_go_on = threading.Event()  # not while the window shows what it has taken
        self.may_go_on.set()

    @Slot()
    def step_back(self) -> None:
        """Let the window's thread have a core before this one and those that torch will start from it.

        torch computes on every core. Among equals Linux lets the window wait for several milliseconds each time that
        it wakes: a paint of 6 ms took 20. (Linux alone counts niceness by thread.)
        """
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a sandbox may forbid it: the window is slower then, no more
                thread = threading.get_native_id()
                os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER)

    @Slot(int, object)
    def run(self, number: int, job: Job) -> None:
        self.ended.emit(self._drive(number, job))

    def _drive(self, number: int, job: Job) -> Ended:
        def stop() -> bool:
            # Asked before every network call. Both threads want the interpreter: beside a network of short calls the
            # window would take three times as long to paint, and no run be the sooner at its end.
            self.may_go_on.wait(LONGEST_WAIT)
            return number in self.stopped

        if stop():
            return Ended(number, "cancelled")
        try:
            steps = job(stop)
            for progress in steps:
                self.newest.append((number, progress))
                if stop():
                    steps.close()  # pyright: ignore[reportAttributeAccessIssue] - a generator's
                    break
        except DiffStudioError as error:
            device, half = (error.device, error.half) if isinstance(error, NoRoom) else ("", False)
            return Ended(number, "failed", str(error), device=device, half=half)
        except MemoryError:
            return Ended(number, "failed", tr("There is not enough memory: use fewer samples."))
        except BaseException as error:  # the worker's boundary: whatever it is, the window lives on
            if type(error).__name__ == "OutOfMemoryError":
                return Ended(number, "failed", tr("The GPU has not enough memory: use fewer samples, or the CPU."))
            details = traceback.format_exc()
            log.error("a job failed\n%s", details)
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            return Ended(number, "failed", tr("Something went wrong: {}").format(reason), details)
        finally:
            for last in _taken(self.newest):
                self.progressed.emit(*last)
        return Ended(number, "cancelled" if stop() else "done")


def _taken(newest: deque[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """What is there, at most one; both threads take, and each thing is taken once."""
    try:
        return [newest.pop()]
    except IndexError:
        return []


class Jobs(QObject):
    """Submit, cancel, shut down: all from the window's thread, none of them blocks except `shut_down`."""

    progressed = Signal(int, object)
    ended = Signal(object)
    _submitted = Signal(int, object)

    def __init__(self, name: str, parent: QObject | None = None, at_once: bool = False) -> None:
        """at_once: jobs so short that they need not wait until the window has painted."""
        super().__init__(parent)
        self._at_once = at_once
        self._numbers = itertools.count(1)
        self._worker = _Worker()
        self._thread = QThread(self)
        self._thread.setObjectName(name)
        self._worker.moveToThread(self._thread)
        self._thread.started.connect(self._worker.step_back)
        self._submitted.connect(self._worker.run)
        self._worker.progressed.connect(self.progressed)
        self._worker.ended.connect(self._on_ended)
        self.open: set[int] = set()
        self._over = self._begun = False
        # The window fetches progress: a step that takes long does not hold back what was told before it.
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS_MS)
        self._timer.timeout.connect(self._on_tick)
        self._painted = QTimer(self)  # its turn comes when what the progress changed has been painted
        self._painted.setSingleShot(True)
        self._painted.timeout.connect(self._worker.may_go_on.set)

    def submit(self, job: Job) -> int:
        """Queue a job; its number comes with every answer. After `shut_down` nothing is begun, nor answered."""
        number = next(self._numbers)
        if self._over:
            return number  # a window that is closed may still be painted once, a timer of it may still fire
        if not self._begun:
            self._begun = True
            worker_begins()
            self._thread.start()
        self.open.add(number)
        self._timer.start()
        self._window_first(BEGIN_MS)
        self._submitted.emit(number, job)
        return number

    def cancel(self, number: int) -> None:
        """Ask a job to stop: it does before its next network call or file."""
        if number in self.open:
            self._worker.stopped.add(number)

    def stop_all(self) -> None:
        """Cancel everything; from now on nothing is begun."""
        self._over = True
        self._worker.stopped.update(self.open)
        self._timer.stop()
        self._painted.stop()
        self._worker.may_go_on.set()
        self._thread.quit()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Cancel everything, end the thread and wait for it; True if it ended in time."""
        self.stop_all()
        if not self._begun:
            return True
        ended = self._thread.wait(int(seconds * 1000))
        if ended:
            self._begun = False
            worker_ended()
        return ended

    @Slot()
    def _on_tick(self) -> None:
        for newest in _taken(self._worker.newest):
            self._window_first()
            self.progressed.emit(*newest)

    def _window_first(self, milliseconds: int = 0) -> None:
        """The worker waits, before its next network call, until what changes now has been painted, or for longer."""
        if self._at_once:
            return
        self._worker.may_go_on.clear()
        self._painted.start(milliseconds)

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        self.open.discard(ended.number)
        self._worker.stopped.discard(ended.number)
        if not self.open:
            self._timer.stop()
        self.ended.emit(ended)
