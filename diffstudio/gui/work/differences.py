"""How far the compared runs are from the leading one, found beside the window and kept while both are here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from diffstudio.analysis.divergence import Difference, Divergence, difference, partners, why_not
from diffstudio.errors import BadFile
from diffstudio.gui.kit.lineup import Lineup, Member
from diffstudio.gui.work.background import Background
from diffstudio.gui.work.jobs import Stop
from diffstudio.traces.moment import Clock
from diffstudio.traces.reader import Trace

KIND = "differences"
LATER_MS = 150  # a run that grows, or several that come at once, are looked at together
Known = dict[tuple[int, int], Difference]


class Differences(QObject):
    """Looks at each pair of records once: a run that grows, or another clock, asks for what is new alone."""

    changed = Signal()

    def __init__(self, lineup: Lineup, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lineup, self._background = lineup, background
        self._found: dict[tuple[Path, Path], Divergence] = {}
        self._known: dict[tuple[Path, Path], Known] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._ask)
        lineup.changed.connect(self._on_lineup)
        lineup.clockChanged.connect(self.look)
        background.answered.connect(self._on_answer)

    def of(self, member: Member) -> Divergence | None:
        """How one of the others differs from the leading run; None as long as it is not known."""
        lead = self._lineup.leading
        return None if lead is None else self._found.get((lead.trace.path, member.trace.path))

    @Slot()
    def look(self) -> None:
        """Something is new: other runs, more records, another clock."""
        if self._lineup.leading is not None and self._lineup.others and not self._later.isActive():
            self._later.start()

    @Slot()
    def _on_lineup(self) -> None:
        lead = self._lineup.leading
        here = {(lead.trace.path, member.trace.path) for member in self._lineup.others} if lead is not None else set()
        for kept in (self._found, self._known):
            for pair in [pair for pair in kept if pair not in here]:
                del kept[pair]
        self.look()

    @Slot()
    def _ask(self) -> None:
        lead = self._lineup.leading
        if lead is None or not self._lineup.others:
            return
        others = [member.trace for member in self._lineup.others]
        known = {pair: dict(found) for pair, found in self._known.items()}
        clock = self._lineup.clock
        self._background.ask(KIND, lambda stop: _all(lead.trace, others, clock, known, stop))

    @Slot(str, object)
    def _on_answer(self, kind: str, answer: object) -> None:
        lead = self._lineup.leading
        if kind != KIND or not isinstance(answer, dict) or lead is None:
            return
        here = {(lead.trace.path, member.trace.path) for member in self._lineup.others}
        for pair, (divergence, known) in answer.items():
            if pair in here:
                self._found[pair], self._known[pair] = divergence, known
        self.changed.emit()


def _all(
    lead: Trace, others: list[Trace], clock: Clock, known: dict[tuple[Path, Path], Known], stop: Stop
) -> dict[tuple[Path, Path], tuple[Divergence, Known]]:
    found = {}
    for other in others:
        pair = lead.path, other.path
        already = known.get(pair, {})
        try:
            divergence = _one(lead, other, clock, already, stop)
        except (BadFile, IndexError):  # it was closed, or cut, meanwhile: what was found before stays
            continue
        found[pair] = divergence, already
    return found


def _one(lead: Trace, other: Trace, clock: Clock, known: Known, stop: Stop) -> Divergence:
    problem = why_not(lead, other)
    if problem:
        return Divergence(problem=problem)
    pairs = partners(lead, other, clock)
    for pair in pairs:
        if stop():
            break
        if pair not in known:
            known[pair] = difference(lead, pair[0], other, pair[1])
    return Divergence(tuple(known[pair] for pair in pairs if pair in known))
