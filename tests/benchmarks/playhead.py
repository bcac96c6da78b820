"""Moving the playhead: the whole window's answer, painted, for 200 steps of 16 samples of 128×128.

python tests/benchmarks/playhead.py [--profile]
"""

from __future__ import annotations

import cProfile
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from table import Row, percentile, report
from window import open_window, wait

from diffstudio.gui.app import Studio
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

STEPS, BATCH, SIDE = 200, 16, 128
MOVES = 600


def write_trace(path: Path) -> None:
    """Noise that becomes a smooth picture, in as many records of both chains as there are steps."""
    shape = (BATCH, 1, SIDE, SIDE)
    header = TraceHeader(
        created="2026-01-01T00:00:00+00:00",
        request=Request(samples=BATCH, steps=STEPS // 2 - 1).model_dump(mode="json"),
        card={"name": "synthetic", "title": "Synthetic", "modality": "image", "shape": shape[1:]},
        fields=(FieldSpec(name="xt", shape=shape), FieldSpec(name="x0_hat", shape=shape)),
        chains=tuple(ChainSpec(name=name, records=STEPS // 2) for name in ("forward", "reverse")),
    )
    rng = np.random.default_rng(0)
    eps = rng.standard_normal(shape, np.float32)
    x0 = np.sin(np.linspace(0, 9, SIDE, dtype=np.float32) * np.linspace(0, 3, SIDE, dtype=np.float32)[:, None])
    levels = np.linspace(0, 1, STEPS // 2)
    with TraceWriter(path, header) as writer:
        for chain, times in enumerate((levels, levels[::-1])):
            for step, t in enumerate(times):
                log_snr = 2 * float(np.log(max(1 - t, 1e-9) / max(t, 1e-9)))
                norms = {"dx_norm": 3 + step % 7, "eps_norm": SIDE, "x0_change": 1 + step % 5}
                scalars = {"chain": chain, "step": step, "t": t, "a": 1 - t, "s": t, "log_snr": log_snr, "nfe": step}
                guess = (x0 + 0.2 * t * eps).astype(np.float32)
                xt = ((1 - t) * x0 + t * eps).astype(np.float32)
                writer.append(scalars | norms | {"seconds": 0.01 * step}, {"xt": xt, "x0_hat": guess})


class Painted(QObject):
    """Counts the paints of widgets."""

    def __init__(self, *widgets: QObject) -> None:
        super().__init__()
        self.seen: set[QObject] = set()
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.seen.add(watched)
        return False


def moves(studio: Studio, answer: Callable[[], None]) -> list[float]:
    """Milliseconds from the move to the painted answer: a drag through both chains, then jumps to anywhere."""
    rng, found = random.Random(0), []
    drag = [*range(STEPS), *reversed(range(STEPS))]
    jumps = [rng.randrange(STEPS) for _ in range(MOVES - len(drag))]
    for k in drag + jumps:
        if k == studio.parts.playhead.position:
            continue
        begun = time.perf_counter()
        studio.parts.playhead.move_to(k)
        answer()
        found.append(1000 * (time.perf_counter() - begun))
    return found


def measure() -> list[Row]:
    """What a move repaints by itself, as on the screen; and every pixel of the window repainted."""
    with tempfile.TemporaryDirectory() as folder, open_window() as studio:
        path = Path(folder) / "synthetic.trace"
        write_trace(path)
        parts = studio.parts
        parts.runs.show_trace(Trace.open(path))
        wait(3000)  # the film strip's thumbnails are drawn in the background
        rows, size = [], f"{STEPS} steps × {BATCH} × {SIDE}×{SIDE}"
        painted = Painted(*parts.canvas.findChildren(QObject), *parts.timeline.findChildren(QObject))
        profile = cProfile.Profile()
        if "--profile" in sys.argv:
            profile.enable()
        for tensor in ("xt", "x0_hat", "eps_hat", "delta"):
            parts.canvas.set_tensor(tensor)
            wait(1500)
            painted.seen.clear()
            found = moves(studio, QCoreApplication.processEvents)
            assert painted.seen, "nothing was painted"
            rows.append(percentile(f"playhead move, painted: {tensor}, {size}", found, "ms", 12))
        profile.disable()
        if "--profile" in sys.argv:
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
        parts.canvas.set_tensor("xt")
        wait(1500)
        whole = moves(studio, parts.window.repaint)
        rows.append(percentile("the same for x_t, every pixel of the window repainted", whole, "ms"))
        parts.runs.trace = None
        studio._on_trace(None)
    return rows


if __name__ == "__main__":
    report(measure)
