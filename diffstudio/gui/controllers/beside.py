"""What the timeline shows of the runs that stand beside the leading one: curves, legend, and where they part."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from diffstudio.analysis.divergence import Difference, Divergence
from diffstudio.gui.kit.lineup import Lineup, Member
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.run_marks import run_letter
from diffstudio.gui.kit.run_names import run_line
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.timeline.clocks import spans
from diffstudio.gui.timeline.compared import Compared
from diffstudio.gui.timeline.legend import Entry
from diffstudio.gui.timeline.reading import chain_name, read
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.gui.work.differences import Differences


class Beside(QObject):
    """Bound to one window's timeline and line-up."""

    def __init__(self, timeline: Timeline, playhead: Playhead, lineup: Lineup, differences: Differences) -> None:
        super().__init__(timeline)
        self._timeline, self._playhead, self._lineup, self._differences = timeline, playhead, lineup, differences
        lineup.changed.connect(self.refresh)
        lineup.clockChanged.connect(self.refresh)
        differences.changed.connect(self.refresh)
        playhead.moved.connect(self._show_legend)
        playhead.grew.connect(self._on_grew)
        timeline.legend.chosen.connect(self.go_to_parting)

    @Slot()
    def refresh(self) -> None:
        """Other runs, another clock, or something new is known of them."""
        lead = self._lineup.leading
        others = self._lineup.others if lead is not None else ()
        runs = tuple(Compared(m.trace, m.mark, self._differences.of(m)) for m in others)
        self._timeline.track.set_runs(lead.mark if lead is not None else 0, runs, self._records)
        self._show_legend()

    @Slot(int)
    def go_to_parting(self, mark: int) -> None:
        """To the step at which a run and the leading one part; of the leading one itself, to the first of all."""
        found = self._partings(None if self._is_lead(mark) else mark)
        if found:
            self._timeline.pause()
            self._playhead.move_to(found[0].first)

    def next_parting(self) -> bool:
        """To the next step at which a run parts from the leading one, from the last one to the first; whether any."""
        found = sorted({difference.first for difference in self._partings(None)})
        if not found:
            return False
        self._timeline.pause()
        self._playhead.move_to(next((k for k in found if k > self._playhead.position), found[0]))
        return True

    def _partings(self, mark: int | None) -> list[Difference]:
        """Where a run parts, or each of them: in the reverse chain first."""
        lead, found = self._lineup.leading, []
        for member in self._lineup.others if lead is not None else ():
            divergence = self._differences.of(member)
            if lead is not None and divergence is not None and mark in (None, member.mark):
                found += [d for d in (divergence.first(lead.trace, chain) for chain in (1, 0)) if d is not None]
        return found

    def _is_lead(self, mark: int) -> bool:
        return self._lineup.leading is not None and self._lineup.leading.mark == mark

    def _records(self) -> dict[int, int | None]:
        return {member.mark: self._lineup.record_of(member) for member in self._lineup.others}

    @Slot(int)
    def _on_grew(self, length: int) -> None:
        self._differences.look()

    @Slot()
    def _show_legend(self) -> None:
        members = self._lineup.members if self._lineup.comparing else ()
        self._timeline.legend.show_entries([self._entry(member) for member in members])

    def _entry(self, member: Member) -> Entry:
        parting, more = "", ""
        if member is not self._lineup.leading and self._lineup.leading is not None:
            divergence = self._differences.of(member)
            if divergence is not None:
                parting, more = parting_words(divergence, self._lineup.leading, member)
        record = self._lineup.record_of(member)
        place = _place(member, record)
        return Entry(member.mark, run_line(member.trace.header), place, parting, more)


def _place(member: Member, record: int | None) -> str:
    """At which step of how many a run stands."""
    if record is None or record >= len(member.trace):
        return tr("no such step")
    reading = read(member.trace, spans(member.trace, "step"), record)
    return tr("{} / {}, t {}").format(count(reading.step), count(reading.steps), number(reading.t, 2))


def parting_words(divergence: Divergence, lead: Member, member: Member) -> tuple[str, str]:
    """What there is between a run and the leading one: in a few words, and in a sentence."""
    a, b = run_letter(lead.mark), run_letter(member.mark)
    if divergence.problem:
        return tr("not subtracted"), tr("{} − {} can't be had: {}.").format(a, b, divergence.problem)
    if divergence.equal:
        return f"= {a}", tr("All that {} and {} share is the same to the last bit.").format(a, b)
    if divergence.together:
        return f"≈ {a}", tr("{} and {} differ by rounding alone.").format(a, b)
    found = divergence.first(lead.trace, 1) or divergence.first(lead.trace, 0)
    if found is None or found.sample is None:
        return "", ""
    step = count(int(lead.trace.scalar(found.first, "step")))
    words = tr("≠ {} from step {}").format(a, step)
    where = tr("{} and {} part at step {} of the {} chain: there sample {} differs, the largest difference is {}.")
    chain, sample, most = chain_name(lead.trace.chain(found.first)), count(found.sample), number(found.most, 4)
    times = "" if found.same_time else tr("They do not stand at the same time there: their steps lie elsewhere.")
    return words, " ".join(filter(None, (where.format(a, b, step, chain, sample, most), times)))
