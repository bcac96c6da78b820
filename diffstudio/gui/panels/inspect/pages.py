"""The pages of the inspector. Its plots need pyqtgraph, so this is imported when the window has been painted."""

from __future__ import annotations

from typing import Protocol

from diffstudio.analysis import fields
from diffstudio.analysis.letters import Letters, letters
from diffstudio.analysis.summary import curves, distance_to_final, summarize
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.panels.inspect.plots import Curves, Histogram
from diffstudio.gui.timeline.curves import available
from diffstudio.studio.export.pictures import tensor_title
from diffstudio.traces.reader import Trace

SPACE, MASK = "␣", "▒"  # as they can be seen on an axis
NORMS = (("dx_norm", "‖Δx‖"), ("x0_change", "‖Δx̂0‖"), ("eps_norm", "‖ε̂‖"))


class Page(Protocol):
    """What the inspector asks of a page; each is a widget too."""

    def set_trace(self, trace: Trace | None) -> None:
        """Another run."""
        ...

    def refresh(self) -> None:
        """More records are there."""
        ...

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int) -> str:
        """Show a record; returns the line under the page."""
        ...

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        ...


class ValuesPage(Histogram):
    """The histogram of the tensor on the canvas."""

    def set_trace(self, trace: Trace | None) -> None:
        if trace is None or not len(trace):
            self.show_summary(None)

    def refresh(self) -> None:
        pass

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int) -> str:
        counted = letters(trace, k, tensor)
        if counted is not None:
            return self._show_letters(counted, tensor_title(trace, k, tensor))
        found = summarize(fields.tensor(trace, k, tensor))
        self.show_summary(found)
        numbers = tr("mean {} · std {} · {} non-finite").format(
            number(found.mean), number(found.std), count(found.non_finite)
        )
        return f"{tensor_title(trace, k, tensor)}: {numbers}"

    def _show_letters(self, counted: Letters, title: str) -> str:
        names = tuple(SPACE if token == " " else token for token in counted.vocabulary)
        self.show_counts((*names, MASK), counted.counts)
        parts = [f"{SPACE if token == ' ' else token} {number(100 * share, 0)} %" for token, share in counted.most]
        parts += [tr("{} masked").format(count(counted.masked))] if counted.masked else []
        return f"{title}: {' · '.join(parts)}" if parts else title


class NormsPage(Curves):
    """How much every step changes."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(tokens, [title for _, title in NORMS])
        self._trace: Trace | None = None
        self._shown = NORMS

    def set_trace(self, trace: Trace | None) -> None:
        self._trace = trace
        self._shown = NORMS if trace is None else _shown(trace)
        self.set_names([tr(title) for _, title in self._shown], tr("norm") if self._shown is NORMS else tr("number"))
        self.show_all()
        if trace is None or not len(trace):
            self.clear()

    def refresh(self) -> None:
        trace = self._trace
        if trace is None or not len(trace):
            self.clear()
            return
        known = curves(trace)
        shown = [known.get(name) for name, _ in self._shown]
        self.show_curves(shown, trace.scalars("step"), trace.first_of(1) or None, trace.planned)

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int) -> str:
        self.move_line(k)
        distance = distance_to_final(trace, k) if self._shown is NORMS else None
        return "" if distance is None else f"‖x̂0 − {tr('final')}‖ {number(distance)}"


def _shown(trace: Trace) -> tuple[tuple[str, str], ...]:
    """What is drawn of every step: norms, or what the modality counts."""
    lanes = [(lane.scalar, lane.title) for lane in available(trace) if lane.counted or lane.scalar in dict(NORMS)]
    return tuple(lanes[: len(NORMS)]) if any(name not in dict(NORMS) for name, _ in lanes) else NORMS
