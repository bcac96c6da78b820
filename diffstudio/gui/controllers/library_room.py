"""The room that the library takes: where it is more than the settings allow, the user is asked what may go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Slot

from diffstudio.gui.kit.words import size, tr
from diffstudio.gui.panels.runs.panel import runs_text
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.library import trash
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.run import Run

AGAIN = 1.1  # how much more the library has to take before somebody who said "Not now" is asked again


@dataclass(frozen=True)
class _Room:
    """plan: what would have to go.  taken, budget: bytes."""

    plan: list[Run]
    taken: int
    budget: int


class LibraryRoom(QObject):
    """Nothing is ever removed but what the user has seen in a list and agreed to."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self.parts = parts
        self._declined = 0  # what the library took when the user said "Not now"
        self._asking = False
        parts.runs.ended.connect(self.look)
        self.handlers = {"runs_room": self.ask}

    @Slot()
    def look(self) -> None:
        """After a run, and at the start: ask where there is too much."""
        self._plan(self._on_looked)

    def ask(self) -> None:
        """Ask, or say that there is room."""
        self._plan(self._on_asked)

    def _plan(self, then: Callable[[_Room], object]) -> None:
        budget = int(self.parts.settings.library_budget_gib * 2**30)
        traces = (self.parts.runs.trace, self.parts.runs.previous)
        shown = [trace.path for trace in traces if trace is not None]

        def plan(library: Library, stop: Stop) -> _Room:
            in_use = [run.id for run in map(library.by_file, shown) if run is not None]
            return _Room(trash.room_plan(library, budget, in_use), library.bytes(), budget)

        self.parts.library.ask("room", plan, then)

    def _on_looked(self, room: _Room) -> None:
        over = room.taken > room.budget
        self.parts.run_list.show_room(over)
        if over and room.taken > AGAIN * self._declined:
            self._show(room)

    def _on_asked(self, room: _Room) -> None:
        self.parts.run_list.show_room(room.taken > room.budget)
        if room.taken <= room.budget:
            words = tr("The runs take {} of the {} that the settings allow.")
            self.parts.window.say(words.format(size(room.taken), size(room.budget)))
        else:
            self._show(room)

    def _show(self, room: _Room) -> None:
        from diffstudio.gui.dialogs.library_room import LibraryRoom as Dialog

        p = self.parts
        if self._asking:
            return
        if not room.plan:
            words = tr("The runs take {}, more than the settings allow, but each has a star or is shown.")
            p.window.say(words.format(size(room.taken)))
            return
        self._asking = True
        dialog = Dialog(p.window, room.plan, room.taken, room.budget)

        def done(freed: int) -> None:
            p.run_list.say(tr("{} are free again.").format(size(freed)))
            self.look()

        def answered(yes: bool) -> None:
            self._asking = False
            going = dialog.going
            if not yes:
                self._declined = room.taken
                return
            self._declined = room.taken - sum(run.bytes for run in going)  # what was unticked is not asked for at once
            p.window.say(tr("Deleting {}…").format(runs_text(len(going))))
            p.library.change(lambda library, stop: trash.purge(library, _unstarred(library, going)), done)

        dialog.answered.connect(answered)
        dialog.open()


def _unstarred(library: Library, runs: list[Run]) -> list[Run]:
    """Those that nobody has starred or taken up meanwhile."""
    now = [library.get(run.id) for run in runs if library.has(run.id)]
    return [run for run in now if not run.star and run.state not in ("running", "queued")]
