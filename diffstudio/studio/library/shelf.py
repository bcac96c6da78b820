"""The library as a window has it: opened by whoever needs it first, and another one where its folder can't be used."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffstudio.errors import BadFile
from diffstudio.studio.library.intake import parent_of, recorded, take_left, take_over
from diffstudio.studio.library.library import TRACES, Library
from diffstudio.studio.library.run import Run, State, facts_of
from diffstudio.traces.glance import Glance, glance


class Shelf:
    """One library, whatever becomes of its folder. Any thread may use it; the first call opens it."""

    def __init__(self, folder: Path, spare: Path) -> None:
        """spare: where runs were recorded before there was a library, and are where its folder can't be made."""
        self.folder, self.spare = folder, spare
        self._library: Library | None = None
        self._lock = threading.Lock()

    @property
    def library(self) -> Library:
        """The library; opened by the first call, which may take a while."""
        with self._lock:
            if self._library is None:
                self._library = self._open()
            return self._library

    def holds(self, trace: Path) -> bool:
        """Whether a file lies in a folder in which runs are recorded."""
        return trace.parent in (self.folder / TRACES, self.spare, self.spare / TRACES)

    @property
    def opened(self) -> bool:
        """Whether somebody has opened it."""
        return self._library is not None

    def _open(self) -> Library:
        reason = _not_writable(self.folder / TRACES)
        if not reason:
            return Library(self.folder)
        found = Library(self.spare)
        found.notice = (
            f"The library {self.folder} can't be used: {reason}. Runs are recorded in {self.spare} until it can be "
            "written again."
        )
        return found

    def take_in_others(self) -> int:
        """List the traces of the time before the library, once, and those that the spare folder got; how many."""
        library = self.library
        if library.folder != self.folder:
            return 0
        return take_over(library, self.spare) + take_left(library, self.spare / TRACES)

    def close(self) -> None:
        """Close it; a second call does nothing."""
        with self._lock:
            if self._library is not None:
                self._library.close()
                self._library = None


class Recording:
    """A run of the library while it is recorded."""

    def __init__(self, library: Library, request: Mapping[str, Any], card: Mapping[str, Any]) -> None:
        """List it as running; `run.file` is where it is to be recorded. Raises: BadInput: the folder can't be made."""
        self._library = library
        self.state: State | None = "running"  # None: nothing was recorded, and it is forgotten
        parent, step = parent_of(library, request)
        self.run: Run = library.begin(request, card, parent=parent, parent_step=step)

    def end(self, problem: str = "") -> None:
        """Note down what became of it: done, or failed with a problem, else stopped (`state`).

        One that was stopped before its first record is forgotten; a file without a record is removed.
        """
        run, seen = self.run, _seen(self.run.file)
        if seen is None or not seen.records:
            with contextlib.suppress(OSError):  # what can't be removed has no record: nobody lists it
                run.file.unlink(missing_ok=True)
            self.state = "failed" if problem else None
            if problem:
                self._library.finish(run.id, "failed", problem=problem)
            else:
                self._library.forget(run.id)
            return
        self.state = state = "failed" if problem else "done" if seen.complete else "stopped"
        facts = facts_of(seen.header.request, seen.header.card) | recorded(seen)
        facts.pop("same_but_seed")  # of the request as it was asked for
        self._library.finish(run.id, state, problem=problem, **facts)


def _seen(path: Path) -> Glance | None:
    try:
        return glance(path)
    except BadFile:
        return None


def _not_writable(folder: Path) -> str:
    """Why nothing can be recorded in a folder, "" where it can."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""
