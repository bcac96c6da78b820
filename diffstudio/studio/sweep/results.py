"""What a finished sweep is read from: a table of its cells, and a labelled grid of their last pictures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from diffstudio.files import atomic_write, write_bytes
from diffstudio.modalities.points import Bounds
from diffstudio.scratch import temporary_path
from diffstudio.studio.engine import Engine
from diffstudio.studio.export.pictures import DARK, POINTS_SIDE, bounds, cloud, picture
from diffstudio.studio.sweep.axes import shown
from diffstudio.studio.sweep.folder import GRID, TABLE
from diffstudio.studio.sweep.running import Running
from diffstudio.traces.reader import Trace

TEXT, DIM = (230, 231, 234), (157, 160, 170)
MAX_SIDE = 8000  # of the whole picture: larger cells are made smaller
AIM = 256  # of a cell's picture, where no scale is given


def write_table(running: Running) -> Path:
    """Write cells.csv: a row for each cell with its values, state, seconds, NFE and ‖x_end − x_end of the first cell‖.

    The distance is over all samples; it is left empty where the shapes differ or one of both is not done.
    """
    out = io.StringIO(newline="")
    table = csv.writer(out)
    fields = [axis.field for axis in running.sweep.axes]
    table.writerow(["cell", *fields, "state", "seconds", "nfe", "distance", "file", "problem"])
    first = _end(running, 0)
    for cell, state in zip(running.cells, running.states, strict=True):
        values = [shown(cell.values[field]) for field in fields]
        apart = "" if first is None else _distance(first, _end(running, cell.number))
        facts = ["" if fact is None else fact for fact in (state.seconds, state.nfe)]
        table.writerow([cell.number, *values, state.state, *facts, apart, state.file, state.problem])
    path = running.folder.path / TABLE
    write_bytes(path, out.getvalue().encode())
    return path


def _end(running: Running, number: int) -> np.ndarray | None:
    """x at the last step of a cell, None where it is not done."""
    if running.states[number].state != "done":
        return None
    with Trace.open(running.folder.trace(running.cells[number])) as trace:
        return trace.array(len(trace) - 1, "xt")


def _distance(first: np.ndarray, other: np.ndarray | None) -> float | str:
    if other is None or other.shape != first.shape:
        return ""
    return float(f"{np.linalg.norm((other.astype(np.float64) - first).ravel()):.9g}")


def write_grid(running: Running, tensor: str = "xt", scale: int = 0) -> Path:
    """Write grid.png: the last step of every cell; the last axis along the columns, the one before it along the rows.

    Further axes are blocks, one beneath the other. Where a cell did not run it says so. Clouds share one frame.

    Raises:
        BadInput, BadFile, NotFound: a latent model can't be loaded again for its pictures.
    """
    frame = _frame(running)
    found = [_picture(running, k, tensor, scale, frame) for k in range(len(running.cells))]
    *_, rows, columns = (1, 1, *running.sweep.shape)
    blocks = max(1, len(found) // (rows * columns))
    width = max((one.width for one in found if one), default=AIM)
    height = max((one.height for one in found if one), default=AIM)
    share = min(1.0, MAX_SIDE / (columns * width), MAX_SIDE / (blocks * rows * height))
    path = running.folder.path / GRID
    board = _board(running, found, (max(1, int(width * share)), max(1, int(height * share))), share)
    with atomic_write(path) as stream:
        board.save(stream, "PNG")
    return path


def _frame(running: Running) -> Bounds | None:
    """The square that all clouds are drawn in."""
    found = []
    for cell, state in zip(running.cells, running.states, strict=True):
        if state.state == "done" and cell.plan is not None and cell.plan.card.meaning.kind.cloud:
            with Trace.open(running.folder.trace(cell)) as trace:
                found.append(bounds(trace))
    if not found:
        return None
    low, high = np.min(found, 0), np.max(found, 0)
    return float(low[0]), float(low[1]), float(high[2]), float(high[3])


def _picture(running: Running, number: int, tensor: str, scale: int, frame: Bounds | None) -> Image.Image | None:
    if running.states[number].state != "done":
        return None
    with Trace.open(running.folder.trace(running.cells[number])) as trace:
        last = len(trace) - 1
        if trace.meaning.kind.cloud and frame is not None:
            return Image.fromarray(cloud(trace, last, tensor, POINTS_SIDE * (scale or 1), DARK, None, frame))
        if tensor in ("xt", "x0_hat") and trace.header.card.get("decoded"):
            return _decoded(running.engine, trace, last, tensor, scale)
        one = picture(trace, last, tensor)
        return Image.fromarray(picture(trace, last, tensor, scale=scale or max(1, AIM // max(one.shape[:2]))))


def _decoded(engine: Engine, trace: Trace, last: int, tensor: str, scale: int) -> Image.Image:
    """What a latent model's states are pictures of."""
    path = temporary_path(trace.path.parent, trace.path.name)
    try:
        for _ in engine.decode(trace, [last], path):
            pass
        with Trace.open(path) as decoded:
            return Image.fromarray(picture(decoded, 0, tensor, scale=scale or 1))
    finally:
        path.unlink(missing_ok=True)


def _board(running: Running, found: Sequence[Image.Image | None], cell: tuple[int, int], share: float) -> Image.Image:
    """The pictures in their places, with the values of the axes beside them."""
    axes = running.sweep.axes
    across = axes[-1]
    down = axes[-2] if len(axes) > 1 else None
    rows, columns = len(down.values) if down else 1, len(across.values)
    blocks = max(1, math.prod(running.sweep.shape[:-2]))
    width, height = cell
    caption = min(32, max(12, width // 11))
    small = ImageFont.load_default(caption)
    gap, line = caption, round(caption * 1.5)  # wider than between the samples of a cell
    names = [f"{down.field} {label}" for label in down.labels] if down else []
    left = gap + (round(max(map(small.getlength, names))) + gap if names else 0)
    heading = line if len(axes) > 2 else 0
    tall = heading + line + rows * (height + gap)
    board = Image.new("RGB", (left + columns * (width + gap), gap + blocks * tall), DARK.paper)
    pen = ImageDraw.Draw(board)
    for block in range(blocks):
        top = gap + block * tall
        if heading:
            values = running.cells[block * rows * columns].values
            said = ", ".join(f"{axis.field} {shown(values[axis.field])}" for axis in axes[:-2])
            pen.text((left, top), said, TEXT, small, anchor="la")
        top += heading
        for c, label in enumerate(across.labels):
            _write(pen, (left + c * (width + gap), top), f"{across.field} {label}", width, small)
        top += line
        for r in range(rows):
            y = top + r * (height + gap)
            if names:
                pen.text((gap, y + height // 2), names[r], TEXT, small, anchor="lm")
            for c in range(columns):
                number = (block * rows + r) * columns + c
                one, x = found[number], left + c * (width + gap)
                if one is None:
                    pen.rectangle((x, y, x + width - 1, y + height - 1), outline=DIM)
                    _write(pen, (x + gap, y + gap), running.states[number].state, width - gap, small)
                    continue
                if share < 1:
                    one = one.resize((max(1, int(one.width * share)), max(1, int(one.height * share))))
                board.paste(one, (x, y))
    return board


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    width: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Text within a width: what is too long ends in dots."""
    whole = text
    while text and font.getlength(text) > width:
        whole = whole[:-1]
        text = f"{whole}..." if whole else ""
    pen.text(at, text, TEXT, font, anchor="la")
