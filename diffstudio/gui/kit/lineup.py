"""The runs that stand beside each other: the leading one, whose records the playhead counts, and those compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import QObject, Signal, Slot

from diffstudio.errors import BadInput
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.run_names import run_name
from diffstudio.gui.kit.words import tr
from diffstudio.traces.moment import CLOCKS, Clock, Moment, moment_of, nearest
from diffstudio.traces.reader import Trace

MOST = 9  # runs


@dataclass(frozen=True, eq=False)
class Member:
    """A run that is compared. mark: its colour and dash, by number; it stays with the run as long as it is here."""

    trace: Trace
    mark: int

    @property
    def name(self) -> str:
        """What tells it from most other runs."""
        return run_name(self.trace.header)


class Lineup(QObject):
    """Who is compared, and which record of each is "the same moment" as the playhead's.

    The leading run is the window's (`Runs` opens and closes it); the others are opened for the line-up, which closes
    them.
    """

    changed = Signal()  # other members, or other places
    clockChanged = Signal(str)

    def __init__(self, playhead: Playhead, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._playhead = playhead
        self._lead: Member | None = None
        self._others: tuple[Member, ...] = ()
        self._clock: Clock = "step"

    @property
    def leading(self) -> Member | None:
        """The run that the playhead is in."""
        return self._lead

    @property
    def others(self) -> tuple[Member, ...]:
        """Those beside it, in their order."""
        return self._others

    @property
    def members(self) -> tuple[Member, ...]:
        """All, the leading one first."""
        return (self._lead, *self._others) if self._lead is not None else self._others

    @property
    def comparing(self) -> bool:
        """Whether there are two runs at least."""
        return len(self.members) > 1

    @property
    def clock(self) -> Clock:
        """What "the same moment" means."""
        return self._clock

    @Slot(str)
    def set_clock(self, clock: str) -> None:
        """Raises: ValueError: none of moment.CLOCKS."""
        if clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, found {clock!r}")
        if clock != self._clock:
            self._clock = cast(Clock, clock)
            self.clockChanged.emit(clock)

    @Slot(object)
    def lead(self, trace: Trace | None) -> None:
        """Another run leads, in the place of the one before; one that stood beside it does not any more."""
        if trace is None:
            self._lead = None
            self._others = self._without(self._others)
        else:
            beside = self.find(trace)
            mark = beside.mark if beside in self._others and beside is not None else self._place_of_lead()
            self._others = tuple(member for member in self._others if member is not beside)
            if beside is not None and beside is not self._lead:
                beside.trace.close()
            self._lead = Member(trace, mark)
        self.changed.emit()

    def add(self, trace: Trace) -> Member:
        """Compare another run; it is closed when it leaves.

        Raises:
            BadInput: it is here already, or there are as many as can be compared.
        """
        if self.find(trace) is not None:
            raise BadInput(tr("This run is compared already: {}.").format(run_name(trace.header)))
        if len(self.members) >= MOST:
            raise BadInput(tr("{} runs are compared, which is the most: take one away first.").format(MOST))
        member = Member(trace, self._free())
        self._others = (*self._others, member)
        self.changed.emit()
        return member

    def remove(self, member: Member) -> None:
        """Compare it no longer; the leading one can't be taken away."""
        if member in self._others:
            self._others = self._without((member,))
            self.changed.emit()

    def exchange(self, first: Member, second: Member) -> None:
        """Two of the others take each other's place."""
        places = {id(first): second, id(second): first}
        self._others = tuple(places.get(id(member), member) for member in self._others)
        self.changed.emit()

    def clear(self) -> None:
        """Compare nothing: the leading run stays alone."""
        if self._others:
            self._others = self._without(self._others)
            self.changed.emit()

    def find(self, trace: Trace) -> Member | None:
        """The member of that file."""
        return next((member for member in self.members if member.trace.path == trace.path), None)

    def moment(self) -> Moment | None:
        """What the playhead holds; None without a record."""
        lead = self._lead
        if lead is None or not 0 <= self._playhead.position < len(lead.trace):
            return None
        return moment_of(lead.trace, self._playhead.position)

    def record_of(self, member: Member) -> int | None:
        """The record of a run at the playhead's moment; None where it has none of that chain."""
        if member is self._lead:
            return self._playhead.position if self.moment() is not None else None
        moment = self.moment()
        return None if moment is None or not len(member.trace) else nearest(member.trace, moment, self._clock)

    def shut_down(self) -> None:
        """Close what was opened for it; nobody is told."""
        self._others = self._without(self._others)

    def _without(self, gone: tuple[Member, ...]) -> tuple[Member, ...]:
        for member in gone:
            member.trace.close()
        return tuple(member for member in self._others if member not in gone)

    def _place_of_lead(self) -> int:
        return self._lead.mark if self._lead is not None else self._free()

    def _free(self) -> int:
        taken = {member.mark for member in self.members}
        return next(mark for mark in range(MOST + 1) if mark not in taken)
