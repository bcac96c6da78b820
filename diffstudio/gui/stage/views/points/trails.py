"""Where points come from: fading trails of the last steps, and the whole path of one point."""

from __future__ import annotations

import numpy as np

from diffstudio.analysis import fields
from diffstudio.gui.stage.views.points import splat
from diffstudio.gui.stage.views.points.plane import Plane
from diffstudio.gui.stage.views.points.splat import Box, Taps
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

LENGTH = 12  # records that a trail reaches back
MOST, MOST_OF_MANY, MANY = 500, 250, 2_000  # points that have a trail: more of them are a fog that shows nothing
KEPT = 48  # steps whose ink is kept: playing and scrubbing to and fro compute one at a time
INK = 0.8  # of the newest part


class Trails:
    """Trails of one view of one tensor: the ink of each step is computed once and kept while the view stands still."""

    def __init__(self) -> None:
        self._steps: dict[int, Taps] = {}
        self._of: tuple[object, ...] = ()

    def taps(self, trace: Trace, k: int, tensor: str, plane: Plane, box: Box, ink: float = 1.0) -> list[Taps]:
        """Lines along the last steps up to record k in its chain, fading with age; none at a chain's first record."""
        of = (trace, tensor, plane, box)
        if of != self._of:
            self._steps.clear()
            self._of = of
        out = []
        for age in range(LENGTH):
            if fields.is_first(trace, k - age):
                break
            at, weight = self._step(trace, k - age, tensor, plane, box)
            out.append((at, weight * np.float32(ink * INK * (1 - age / LENGTH))))
        return out

    def _step(self, trace: Trace, k: int, tensor: str, plane: Plane, box: Box) -> Taps:
        """From record k − 1 to record k."""
        if k not in self._steps:
            while len(self._steps) >= KEPT:
                self._steps.pop(next(iter(self._steps)))
            some = slice(0, min(MOST if trace.batch <= MANY else MOST_OF_MANY, trace.batch))
            start, end = (plane.to_screen(pictures.displayed(trace, j, tensor, some)) for j in (k - 1, k))
            self._steps[k] = splat.lines(start, end, box, 1.0)
        return self._steps[k]


class Paths:
    """The path of one point through its whole chain, kept until another is asked for or the run has gone on."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[tuple[object, ...], np.ndarray, int]] = {}

    def of(self, trace: Trace, k: int, tensor: str, sample: int) -> tuple[np.ndarray, int]:
        """Positions (M, 2) as they are displayed, and which of them is record k's."""
        chain = trace.chain(k)
        key = (trace, chain, tensor, len(trace))
        if sample not in self._kept or self._kept[sample][0] != key:
            while len(self._kept) >= 2:  # the selected point and the one under the cursor
                self._kept.pop(next(iter(self._kept)))
            records = np.flatnonzero(trace.scalars("chain") == chain)
            positions = np.stack([pictures.displayed(trace, int(j), tensor, sample) for j in records])
            self._kept[sample] = key, positions, int(records[0])
        _, positions, first = self._kept[sample]
        return positions, k - first
