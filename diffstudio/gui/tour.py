"""The tour: drives the real window through the main job and takes its picture at every stop."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEventLoop, QTimer

from diffstudio.errors import BadInput, NotFound
from diffstudio.files import write_bytes
from diffstudio.gui.app import Studio
from diffstudio.gui.application import make_application
from diffstudio.gui.shell.display import missing_display
from diffstudio.gui.shell.interrupt import Interrupt
from diffstudio.gui.startup import PATIENCE
from diffstudio.interrupts import Interrupted, received
from diffstudio.scratch import scratch_folder
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.write import export

SIZES = ((1280, 800), (2560, 1440))
MORE = (  # a model, what is fixed of a text, and how far along the reverse chain it is shown
    ("6-video", "bouncing-digits", "", 0.85),
    ("7-audio", "spoken-digits", "", 0.75),
    ("8-words", "words", "th_____ing", 0.5),
    ("8-sentences", "sentences", "", 0.5),
)


def run_tour(out: Path) -> None:
    """Generate in every modality, scrub, export; screenshots and timings.json into `out`. No screen is needed.

    Raises:
        BadInput: the folder can't be made.  NotFound: a bundled checkpoint is missing.  Interrupted: by a signal.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"can't make the folder {out}: {error.strerror}") from error
    if missing_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    begun = time.monotonic()
    app = make_application()
    with contextlib.closing(Interrupt(app)), scratch_folder() as folder:
        studio = Studio(folder / "settings.json", folder / "runs")
        studio.patience = PATIENCE
        with _no_exceptions():
            try:
                timings = _drive(studio, out, begun)
            finally:
                studio.parts.window.close()
                studio.shut_down()
                app.processEvents()
    write_bytes(out / "timings.json", json.dumps(timings, indent=2).encode())


@contextlib.contextmanager
def _no_exceptions() -> Iterator[None]:
    """Qt only prints what is raised in a slot or a paint: here it ends the tour, when that is over."""
    first: list[BaseException] = []
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        first.append(error)
        before(kind, error, traceback)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
    if first:
        raise first[0]


def _drive(studio: Studio, out: Path, begun: float) -> dict[str, float]:
    parts, timings = studio.parts, {}
    parts.window.resize(1440, 900)
    parts.window.show()
    _wait(100)
    timings["window_seconds"] = time.monotonic() - begun
    _shoot(studio, out, "1-first-look")
    _generate(studio)
    timings["first_batch_seconds"] = time.monotonic() - begun
    trace = parts.runs.trace
    assert trace is not None
    timings["digits_run_seconds"] = trace.scalar(len(trace) - 1, "seconds")
    first = trace.first_of(1) or 0
    for name, k in (("2-noise", first), ("3-denoising", first + 17), ("4-sample", len(trace) - 1)):
        parts.playhead.move_to(k)
        _shoot(studio, out, name)
    moves = []
    for k in range(len(trace)):
        start = time.perf_counter()
        parts.playhead.move_to(k)
        parts.window.repaint()
        moves.append(time.perf_counter() - start)
    timings["playhead_move_ms_median"] = 1000 * sorted(moves)[len(moves) // 2]
    for name, kind in (("digits.png", "picture"), ("digits.gif", "animation"), ("digits-strip.png", "strip")):
        export(trace, out / name, ExportOptions(kind=kind))  # pyright: ignore[reportArgumentType]
    parts.models.choose("shapes-2d")
    parts.sampling.label.set_value(3)
    _generate(studio)
    points = parts.runs.trace
    assert points is not None
    parts.playhead.move_to((points.first_of(1) or 0) + 30)
    _shoot(studio, out, "5-points")
    for name, model, prompt, share in MORE:
        if not parts.models.choose(model):
            raise NotFound(f"the tour shows '{model}', and there is no such checkpoint: put it into the folder")
        parts.sampling.prompt.set_value(prompt)
        _generate(studio)
        trace = parts.runs.trace
        assert trace is not None
        first = trace.first_of(1) or 0
        parts.playhead.move_to(first + round(share * (len(trace) - 1 - first)))
        _wait(600)  # a sound is found in the background
        _shoot(studio, out, name)
    parts.models.choose("digits")
    _generate(studio)
    for theme in ("light", "dark"):
        studio.use_settings(parts.settings.model_copy(update={"theme": theme}))
        for width, height in SIZES:
            parts.window.resize(width, height)
            _shoot(studio, out, f"9-{theme}-{width}x{height}")
    _library(studio, out)
    return {name: round(value, 3) for name, value in timings.items()}


def _library(studio: Studio, out: Path) -> None:
    """The runs of the tour; and where the panel says something else than the run."""
    parts = studio.parts
    parts.window.resize(1440, 900)
    studio.commands.run("find_run")
    _wait(1500)  # pictures are drawn in the background
    parts.sampling.steps.set_value(12)
    _shoot(studio, out, "10-library")


def _generate(studio: Studio) -> None:
    studio.commands.run("generate")
    while studio.parts.runs.running:
        _wait(20)


def _shoot(studio: Studio, out: Path, name: str) -> None:
    _wait(350)  # thumbnails are drawn in the background
    studio.parts.window.grab().save(str(out / f"{name}.png"))


def _wait(milliseconds: int) -> None:
    # Not QTest.qWait: it holds the interpreter while it sleeps, and the computing thread starves.
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
    if received():
        raise Interrupted
