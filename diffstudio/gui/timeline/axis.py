"""The axis: records ↔ pixels, for both chains, at any zoom. Pure arithmetic, no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from diffstudio.gui.timeline.clocks import Span

GAP = 3.0  # px between the chains' bands
CELL_GAP = 3.0  # px between cells of the film strip, at least
MIN_SHARE = 0.25  # of the width, for each chain
CELLS_PER_RECORD = 2.0  # at the largest zoom


@dataclass(frozen=True, eq=False)
class Band:
    """A chain's share of the axis, in content pixels. pitch: of its film strip's cells."""

    span: Span
    left: float
    width: float
    cells: int

    @property
    def pitch(self) -> float:
        """Distance of two cells' centres."""
        return self.width / self.cells

    @cached_property
    def xs(self) -> np.ndarray:
        """Where each planned record stands. The outer cells' centres are the first and the last."""
        margin = min(self.pitch, self.width / 2)
        return self.left + margin / 2 + self.span.placed * (self.width - margin)


@dataclass(frozen=True)
class Cell:
    """A film strip's cell: its left edge in the view, and the record that it shows."""

    left: int
    record: int


@dataclass(frozen=True, eq=False)
class Axis:
    """What of the content is in view. width: of the view; content is width·zoom wide, seen from offset on."""

    spans: tuple[Span, ...]
    width: float
    side: float
    zoom: float = 1.0
    offset: float = 0.0

    @property
    def content(self) -> float:
        """Width of everything in pixels."""
        return self.width * self.zoom

    @property
    def planned(self) -> int:
        """Records when the run is complete."""
        return sum(span.count for span in self.spans)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The chains from left to right."""
        out, left = [], 0.0
        room = self.content - GAP * (len(self.spans) - 1)
        for span, share in zip(self.spans, _shares([span.count for span in self.spans]), strict=True):
            width = max(1.0, room * share)
            out.append(Band(span, left, width, max(1, int(width / (self.side + CELL_GAP)))))
            left += width + GAP
        return tuple(out)

    @cached_property
    def xs(self) -> np.ndarray:
        """Where every planned record stands in the content, increasing."""
        return np.concatenate([band.xs for band in self.bands]) if self.spans else np.zeros(0)

    @cached_property
    def _middles(self) -> np.ndarray:
        return (self.xs[1:] + self.xs[:-1]) / 2

    def x_of(self, record: float) -> float:
        """Where a record stands in the view; between two records for a fraction."""
        return float(np.interp(record, np.arange(len(self.xs)), self.xs)) - self.offset if len(self.xs) else 0.0

    def record_at(self, x: float) -> int:
        """The planned record nearest to a place in the view, also outside of it."""
        return int(np.searchsorted(self._middles, x + self.offset, side="right"))

    def extent(self, band: Band) -> tuple[int, int]:
        """Left and right edge of a band in the view."""
        return round(band.left - self.offset), round(band.left + band.width - self.offset)

    def cells(self, band: Band, low: float, high: float) -> list[Cell]:
        """The cells of a band that show between two places of the view."""
        first = max(0, math.floor((low + self.offset - band.left) / band.pitch))
        last = min(band.cells, math.ceil((high + self.offset - band.left) / band.pitch))
        if first >= last:
            return []
        centres = band.left + (np.arange(first, last) + 0.5) * band.pitch
        records = band.span.first + np.searchsorted((band.xs[1:] + band.xs[:-1]) / 2, centres, side="right")
        lefts = np.rint(centres - self.offset - self.cell_side(band) / 2).astype(int)
        return [Cell(left, record) for left, record in zip(lefts.tolist(), records.tolist(), strict=True)]

    def cell_side(self, band: Band) -> int:
        """Side of a band's cells: smaller than asked for only where the band is narrower than one."""
        return max(1, int(min(self.side, band.pitch - CELL_GAP)))

    @property
    def max_zoom(self) -> float:
        """The zoom at which every record has more than one cell."""
        return max(1.0, CELLS_PER_RECORD * self.side * self.planned / max(1.0, self.width))

    def zoomed(self, factor: float, anchor: float) -> Axis:
        """Zoom so that what stands at `anchor` in the view stays there."""
        if not len(self.xs):
            return self
        zoom = min(max(self.zoom * factor, 1.0), self.max_zoom)
        records = np.arange(len(self.xs))
        record = float(np.interp(anchor + self.offset, self.xs, records))
        larger = replace(self, zoom=zoom, offset=0.0)
        return larger.scrolled_to(larger.x_of(record) - anchor)

    def scrolled_to(self, offset: float) -> Axis:
        """See the content from `offset` on, as far as there is content."""
        return replace(self, offset=round(min(max(0.0, offset), max(0.0, self.content - self.width))))

    def showing(self, record: int, margin: float, page: bool) -> Axis:
        """Scroll, if need be, so that a record is in view: just so, or (page) with room ahead of it."""
        x = self.x_of(record)
        if margin <= x <= self.width - margin:
            return self
        if page:
            return self.scrolled_to(self.offset + x - self.width * (0.15 if x > margin else 0.85))
        return self.scrolled_to(self.offset + x - (margin if x < margin else self.width - margin))

    def fitted(self, spans: tuple[Span, ...], width: float, side: float) -> Axis:
        """The same view of other spans, width or cells."""
        scale = width / self.width if self.width else 1.0
        fresh = replace(self, spans=spans, width=width, side=side, offset=self.offset * scale)
        zoom = min(fresh.zoom, fresh.max_zoom)
        return replace(fresh, zoom=zoom).scrolled_to(fresh.offset * zoom / fresh.zoom)


def fitted_side(spans: tuple[Span, ...], width: float, side: float) -> int:
    """The side, at most `side`, with which the cells of the unzoomed axis stand without gaps."""
    bands = Axis(spans, width, side).bands
    cells = [max(1, math.ceil(band.width / (side + CELL_GAP) - 1e-9)) for band in bands]
    return max(1, int(min([side, *(band.width / n - CELL_GAP for band, n in zip(bands, cells, strict=True))])))


def _shares(counts: list[int]) -> list[float]:
    """Each chain's share of the width: in proportion to its records, but no chain vanishes."""
    total = sum(counts)
    shares = [max(MIN_SHARE, count / total) for count in counts]
    if len(shares) == 2 and sum(shares) > 1:
        largest = shares.index(max(shares))
        shares[largest] = 1 - shares[1 - largest]
    return shares
