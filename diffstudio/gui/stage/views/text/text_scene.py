"""What the text view shows of a record, without the widget: what each cell holds, and what is known of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from diffstudio.analysis import fields
from diffstudio.errors import BadFile, BadInput
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.stage.views.grid import Grid, Zoom, zoomed
from diffstudio.gui.stage.views.text.text_layout import ALONE, TextLayout, arrange, larger
from diffstudio.modalities import Shown
from diffstudio.modalities.text import WRITTEN, Cells, cells_of, changed, spec_of, spelled, strings, tokens_of
from diffstudio.modalities.text_file import read_prompt
from diffstudio.specs import TextSpec
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

SEEN = 0.0005  # chances below are no guess worth a word


@dataclass(frozen=True)
class Sheet:
    """The visible samples' cells, (B, L) each. first: number of the first sample.

    changed: how much the cells differ from the record before, 0..1.  heat: entropy as a share of the most there can be.
    since: how far the chain was when the cell's token was set, 0..1; NaN where it is not known or masked.
    limit: the difference that `changed` counts as 1.  steps: of the chain, which `since` counts as 1.
    """

    first: int
    cells: Cells
    changed: np.ndarray
    heat: np.ndarray
    since: np.ndarray
    limit: float = 1.0
    steps: float = 1.0


@dataclass(frozen=True)
class CellFacts:
    """What is known of one cell. guesses: (token, chance), the likeliest first; () where nothing is guessed."""

    position: int
    token: str
    masked: bool
    guesses: tuple[tuple[str, float], ...]
    entropy: float | None
    nearness: float | None
    revealed: int | None
    prompted: bool
    true: bool


class TextScene:
    """Reads a record when something has changed, and answers what lies where. Logical pixels."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.trace: Trace | None = None
        self.spec: TextSpec | None = None
        self.prompted = np.zeros(0, bool)  # cells that the prompt fixes
        self.k, self.sample = -1, 0
        self.tensor = "xt"
        self.single = False
        self.scroll = 0
        self.room: tuple[int, int] = (1, 1)
        self.layout: TextLayout | None = None
        self.grid_zoom = Zoom()
        self._fitted: TextLayout | None = None
        self.sheet: Sheet | None = None
        self.problem = ""
        self._stale = True

    def set_trace(self, trace: Trace | None) -> None:
        """Another run: its vocabulary and its prompt."""
        self.trace, self.k = trace, -1
        self.spec = None if trace is None else spec_of(trace.meaning)
        self.prompted = np.zeros(0, bool) if trace is None else _prompted(trace, spec_of(trace.meaning))

    def changed(self) -> None:
        """What was read no longer holds."""
        self._stale = True

    def lay_out(self) -> None:
        """Find the places for the present trace and room."""
        self.layout = self._fitted = None
        if self.trace is not None:
            length = self.trace.sample_shape[1]
            if self.single:
                self.layout = arrange(1, length, self.room, ALONE)
            else:
                self.layout = self._fitted = arrange(self.trace.batch, length, self.room)
                if self.grid_zoom.level:
                    grown = larger(self._fitted, self._sizes[min(self.grid_zoom.level, self.top_level) - 1])
                    cell = grown.grid.width, grown.grid.height
                    self.layout = replace(grown, grid=zoomed(grown.grid, cell, 1, self.grid_zoom, self.room))
        self.changed()

    @property
    def _sizes(self) -> list[int]:
        """The sizes of letters that a zoom goes through."""
        own = self._fitted.size if self._fitted is not None else 0
        return [size for size in reversed(ALONE) if size > own]

    @property
    def top_level(self) -> int:
        """The largest zoom of the grid."""
        return len(self._sizes)

    @property
    def fitted_width(self) -> int:
        """Width of a sample's cell where the grid is not zoomed."""
        return self._fitted.grid.width if self._fitted is not None else 1

    @property
    def grid(self) -> Grid | None:
        """Where the samples lie."""
        return None if self.layout is None else self.layout.grid

    @property
    def ready(self) -> bool:
        """Whether there is a record to show."""
        return self.trace is not None and self.layout is not None and 0 <= self.k < len(self.trace)

    @property
    def signed(self) -> bool:
        """Whether a difference is shown, not a text."""
        return self.tensor in pictures.SIGNED

    @property
    def visible(self) -> tuple[int, int]:
        """First sample that is shown, and one past the last."""
        if self.single or self.layout is None:
            return self.sample, self.sample + 1
        return self.layout.grid.visible(self.scroll)

    def cell(self, sample: int, index: int) -> tuple[int, int, int, int]:
        """Left, top, width, height of one cell of a visible sample."""
        assert self.layout is not None
        return self.layout.cell(*((0, index, 0) if self.single else (sample, index, self.scroll)))

    def origin(self, sample: int) -> tuple[int, int]:
        """Left and top of a sample's first cell."""
        return self.cell(sample, 0)[:2]

    def under(self, x: float, y: float) -> tuple[int, int] | None:
        """Sample and cell at a position."""
        if self.layout is None or y >= self.room[1]:
            return None
        found = self.layout.at(x, y, 0 if self.single else self.scroll)
        return (self.sample, found[1]) if found and self.single else found

    def compose(self) -> None:
        """Bring `sheet` and `problem` up to date."""
        if not self._stale:
            return
        self._stale, self.sheet, self.problem = False, None, ""
        first, last = self.visible
        if not self.ready or first == last:
            return
        assert self.trace is not None and self.spec is not None
        try:
            self.sheet = _sheet(self.trace, self.k, self.tensor, slice(first, last), self.spec)
        except (BadFile, IndexError) as error:
            self.problem = str(error)

    def texts(self, samples: slice) -> list[str]:
        """Samples as strings, of x̂0 where that is shown, else of x_t; masked cells are boxes.

        Raises:
            BadFile: the trace can't be read any more.
        """
        if not self.ready or self.trace is None or self.spec is None:
            return []
        name = "x0_hat" if self.tensor == "x0_hat" else "xt"
        shown = pictures.shown(self.trace, self.k, name, samples)
        if name == "xt":
            return [line.rstrip() for line in strings(shown.rows, self.spec)]
        return [line.rstrip() for line in spelled(cells_of(shown, self.spec).letters, self.spec)]

    def facts(self, sample: int, index: int) -> CellFacts:
        """What is known of a cell at this step. Raises BadFile: the trace can't be read any more."""
        assert self.trace is not None and self.spec is not None
        trace, spec, k = self.trace, self.spec, self.k
        true = fields.is_true(trace, k)
        rows = trace.array(k, "xt", slice(sample, sample + 1))
        number = int(tokens_of(rows, spec)[0, index])
        shown = pictures.shown(trace, k, "xt", sample)
        guesses, odds, entropy, revealed = (
            None if found is None else found[0, :, index]
            for found in map(shown.other, ("guesses", "odds", "entropy", "revealed"))
        )
        known: tuple[tuple[str, float], ...] = ()
        if true:
            letter = int(tokens_of(trace.array(k, "x0_hat", slice(sample, sample + 1)), spec)[0, index])
            known = ((spec.vocabulary[min(letter, spec.mask - 1)], 1.0),)
        elif guesses is not None and odds is not None:
            named = zip(guesses, odds, strict=True)
            known = tuple((spec.vocabulary[_whole(g) % spec.mask], float(p)) for g, p in named if p >= SEEN)
        return CellFacts(
            position=index,
            token="" if number == spec.mask else spec.vocabulary[number],
            masked=number == spec.mask,
            guesses=known,
            entropy=None if entropy is None else float(entropy[0]),
            nearness=None if spec.discrete else float(_nearness_at(shown, spec, index)),
            revealed=None if revealed is None else _whole(revealed[0]),
            prompted=bool(self.prompted[index]) and trace.chain(k) == 1,
            true=true,
        )


def _whole(number: np.floating) -> int:
    """A recorded number that counts something; a run that has become NaN counts nothing."""
    return int(np.nan_to_num(number).clip(-1e9, 1e9))


def _nearness_at(shown: Shown, spec: TextSpec, index: int) -> float:
    return float(cells_of(shown._replace(other=lambda _: None), spec).strength[0, index])


def _sheet(trace: Trace, k: int, name: str, some: slice, spec: TextSpec) -> Sheet:
    """What the cells of some samples show. Of a difference the letters are those of x_t, dim."""
    shown = pictures.shown(trace, k, name if name in WRITTEN else "xt", some)
    found = cells_of(shown, spec)
    none = np.zeros(found.letters.shape, np.float32)
    limit = steps = 1.0
    if name in pictures.SIGNED:
        rows = fields.tensor(trace, k, name, some)
        limit = pictures.signed_limit(name, rows)
        difference = changed(rows, spec, limit)
    elif name == "xt" and spec.discrete:
        difference = changed(fields.tensor(trace, k, "delta", some), spec, 1.0)
    else:
        difference = none
    entropy, revealed = shown.other("entropy"), shown.other("revealed")
    heat = none if entropy is None else (entropy[:, 0] / math.log2(len(spec.vocabulary))).clip(0, 1)
    since = np.full(none.shape, np.nan, np.float32)
    if revealed is not None:
        steps = max(1.0, trace.scalar(len(trace) - 1, "step"), trace.planned - 1 - (trace.first_of(1) or 0))
        since = np.where(revealed[:, 0] < 0, np.nan, revealed[:, 0] / steps)
    return Sheet(some.start, found, difference, heat, since, limit, steps)


def _prompted(trace: Trace, spec: TextSpec) -> np.ndarray:
    """The cells that the run's prompt fixes, (L,) bool."""
    length = trace.sample_shape[1]
    try:
        return read_prompt(str(trace.header.request.get("prompt", "")), spec, length)[1]
    except BadInput:
        return np.zeros(length, bool)
