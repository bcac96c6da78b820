"""Where points come from: fading trails of the last steps, and the whole path of one point."""

from __future__ import annotations

import numpy as np

from diffstudio.analysis import fields
from diffstudio.gui.views import splat
from diffstudio.gui.views.plane import Plane
from diffstudio.gui.views.splat import Box, Taps
from diffstudio.studio import pictures
from diffstudio.traces.reader import Trace

LENGTH = 12  # records that a trail reaches back
MOST, MOST_OF_MANY, MANY = 500, 250, 2_000  # points that have a trail: more of them are a fog that shows nothing
INK = 0.8  # of the newest part


def trails(trace: Trace, k: int, tensor: str, plane: Plane, box: Box, ink: float = 1.0) -> Taps:
    """Lines along the last steps up to record k in its chain, fading with age; none at a chain's first record."""
    oldest = k
    while k - oldest < LENGTH and not fields.is_first(trace, oldest):
        oldest -= 1
    some = slice(0, min(MOST if trace.batch <= MANY else MOST_OF_MANY, trace.batch))
    at = np.stack([plane.to_screen(pictures.displayed(trace, j, tensor, some)) for j in range(oldest, k + 1)])
    fading = np.repeat((np.arange(k - oldest) + 1) / LENGTH + (1 - (k - oldest) / LENGTH), at.shape[1])
    return splat.lines(at[:-1].reshape(-1, 2), at[1:].reshape(-1, 2), box, ink * INK * fading)


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
