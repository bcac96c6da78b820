"""A film strip: chosen steps of a chain side by side in one picture, each with its step and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from diffstudio.analysis import fields
from diffstudio.studio.export import pictures
from diffstudio.studio.export.layout import Subject, picture_size, scale_of
from diffstudio.studio.export.options import ExportOptions
from diffstudio.traces.reader import Trace

_BOARD = {True: (27, 28, 32), False: (243, 244, 246)}  # behind the pictures, so that clouds have edges
_TEXT = {True: ((230, 231, 234), (157, 160, 170)), False: ((27, 29, 34), (86, 90, 100))}  # plain, dim
# The built-in font has neither hats nor Greek.
_NAMES = {"xt": "x_t", "x0_hat": "predicted x_0", "eps_hat": "predicted noise", "delta": "change of x_t"}
_TRUE_NAMES = {"x0_hat": "x_0", "eps_hat": "noise"}
_WAYS = ("Forward chain, data to noise", "Reverse chain, noise to sample")


def strip_rows(trace: Trace, chosen: Sequence[int], columns: int) -> list[list[int]]:
    """The records that are shown: a row for each chain, at most `columns` evenly spread, with its first and last."""
    rows = []
    for chain in (0, 1):
        found = [k for k in chosen if trace.chain(k) == chain]
        if found:
            places = np.linspace(0, len(found) - 1, min(columns, len(found))).round().astype(int)
            rows.append([found[i] for i in places])
    return rows


def strip_size(subject: Subject, counts: Sequence[int], options: ExportOptions) -> tuple[int, int]:
    """Width and height of a strip with rows of so many pictures."""
    shape = _Shape(subject, options)
    width = 2 * shape.margin + max(counts) * (shape.cell + shape.gap) - shape.gap
    return max(width, shape.least_width), 2 * shape.margin + len(counts) * shape.row - shape.margin


def draw_strip(trace: Trace, rows: list[list[int]], options: ExportOptions, steps: Iterable[int]) -> Image.Image:
    """Draw it. `steps` yields the records of all rows one after the other, and may raise to stop."""
    subject = Subject.of(trace)
    shape, scale = _Shape(subject, options), scale_of(subject, options)
    strip = Image.new("RGB", strip_size(subject, [len(row) for row in rows], options), _BOARD[options.dark])
    pen = ImageDraw.Draw(strip)
    plain, dim = _TEXT[options.dark]
    large, small = ImageFont.load_default(shape.heading), ImageFont.load_default(shape.caption)
    places = [(r, c) for r, row in enumerate(rows) for c in range(len(row))]
    for (r, c), k in zip(places, steps, strict=True):
        x, y = shape.margin + c * (shape.cell + shape.gap), shape.margin + r * shape.row
        if c == 0:
            pen.text((x, y), heading(trace, k, options), plain, large, anchor="la")
        y += shape.above
        pixels = pictures.picture(trace, k, options.tensor, options.sample, scale, options.look)
        strip.paste(Image.fromarray(pixels), (x + (shape.cell - shape.width) // 2, y))
        y += shape.height + shape.caption // 2
        middle = x + shape.cell // 2
        pen.text((middle, y), f"step {trace.scalar(k, 'step'):.0f}", plain, small, anchor="ma")
        pen.text((middle, y + shape.line), f"t {trace.scalar(k, 't'):.3f}", dim, small, anchor="ma")
    return strip


def heading(trace: Trace, k: int, options: ExportOptions) -> str:
    """What a row shows, truthfully: in the forward chain x_0 and the noise are known, not predicted."""
    name = _NAMES[options.tensor]
    if fields.is_true(trace, k):
        name = _TRUE_NAMES.get(options.tensor, name)
    return f"{_WAYS[trace.chain(k)]}: {name}"


class _Shape:
    """Measures of a strip in pixels; text grows with the pictures."""

    def __init__(self, subject: Subject, options: ExportOptions) -> None:
        self.width, self.height = picture_size(subject, options)
        self.caption = min(32, max(12, self.width // 11))
        self.heading = self.caption + 2
        self.margin, self.gap = self.caption, self.caption // 2
        self.line = round(self.caption * 1.35)
        # Wide enough for the widest caption, whatever the picture's width.
        self.cell = max(self.width, round(ImageFont.load_default(self.caption).getlength("step 100000")))
        self.above = round(self.heading * 1.7)
        self.row = self.above + self.height + self.caption // 2 + 2 * self.line + self.margin
        longest = max(len(way) for way in _WAYS) + 2 + max(len(name) for name in _NAMES.values())
        self.least_width = 2 * self.margin + round(ImageFont.load_default(self.heading).getlength("n" * longest))
