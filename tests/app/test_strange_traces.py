"""Anybody's traces in the real window: each opens and is drawn whole, or is a sentence; nothing raises."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QMessageBox

sys.path.insert(0, str(Path(__file__).parents[1] / "traces"))
from strange import KINDS, NUMBERS, Parts, changed, good, put

from diffstudio.analysis.fields import TENSORS
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.timeline.clocks import CLOCKS

SEEDS = 6  # changes of each kind
LOST = float("nan"), float("inf"), -1e38


@pytest.fixture
def opened(studio, qtbot, tmp_path):
    """Opens a trace by its bytes: whether it is shown, else what is said."""
    window = studio.parts.window
    window.resize(1200, 800)
    window.show()
    studio.parts.inspect.load_pages()
    count = iter(range(1000))

    def do(data):
        path, before = tmp_path / f"{next(count)}.trace", studio.parts.runs.trace
        path.write_bytes(data)
        studio.commands.filing.open_paths([path])
        studio.wait_read()
        settled(studio, qtbot)
        boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
        for box in boxes:
            box.close()
        shown = studio.parts.runs.trace is not before
        assert shown != bool(boxes)
        return "" if shown else boxes[0].text()

    return do


def settled(studio, qtbot):
    """Everything that was asked for is answered and painted."""
    p = studio.parts
    qtbot.waitUntil(lambda: not (p.background._open or p.files.open))
    QApplication.processEvents()


def hover(widget):
    for x, y in ((0.3, 0.3), (0.6, 0.7)):
        at = QPointF(widget.width() * x, widget.height() * y)
        none = Qt.MouseButton.NoButton
        move = QMouseEvent(
            QEvent.Type.MouseMove, at, widget.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(widget, move)


def look(studio, qtbot):
    """At everything: tensors, options, clocks, pages of the inspector, first and last record."""
    p = studio.parts
    for name in OPTIONS:
        p.canvas.set_option(name, True)
    for k in sorted({0, p.playhead.length // 2, p.playhead.length - 1} - {-1}):
        p.playhead.move_to(k)
        QApplication.processEvents()
    for name in TENSORS:
        p.canvas.set_tensor(name)
        QApplication.processEvents()
        p.canvas.readout(), p.canvas.picture()
        for action in p.canvas.verbs().keys() & {"copy_text", "copy_texts", "frame_on", "fit_view"}:
            p.canvas.act(action)
        if p.canvas._view is not None:
            hover(p.canvas._view)
    p.canvas.toggle_single()
    p.window.grab()
    p.canvas.toggle_single()
    p.canvas.set_tensor("xt")
    for clock in CLOCKS:
        p.timeline.set_clock(clock)
        hover(p.timeline.track)
        p.timeline.track.grab()
    for page in range(4):
        p.inspect._tabs.button(page).click()
        p.playhead.move_to(page)
        QApplication.processEvents()
    settled(studio, qtbot)
    p.window.grab()


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_has_become_nan_is_drawn(studio, qtbot, opened, kind):
    """As one does that diverges: from some record on states and norms are no numbers, or far out."""
    for value in LOST:
        parts = good(kind)
        _become(parts, value)
        assert opened(parts.bytes()) == ""
        assert len(studio.parts.runs.trace) == 8
        look(studio, qtbot)


def _become(parts: Parts, value: float):
    for k in range(5, 8):
        parts.payloads[k][:] = np.full(len(parts.payloads[k]) // 4, value, "<f4").tobytes()
        for name in ("dx_norm", "eps_norm", "x0_change", "masked", "entropy"):
            if name in parts.header["scalars"]:
                parts.scalars[k][parts.header["scalars"].index(name)] = value


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_changed_in_a_trace_it_is_drawn_or_refused(studio, qtbot, opened, kind):
    for seed in range(SEEDS):
        what, data = changed(good(kind), seed + 100 * list(KINDS).index(kind))
        with _named(what):
            said = opened(data)
            assert not said or (".trace: " in said and said.isprintable())
            if not said:
                look(studio, qtbot)


@contextlib.contextmanager
def _named(what: str):
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise


def test_scalars_that_are_anything_are_drawn(studio, qtbot, opened):
    for name in ("dx_norm", "x0_change", "eps_norm", "log_snr", "t", "s", "step"):
        parts = good("points")
        column = parts.header["scalars"].index(name)
        for k, value in enumerate(NUMBERS[: len(parts.scalars)]):
            parts.scalars[k][column] = value
        opened(parts.bytes())
        look(studio, qtbot)


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (("card", "modality"), ["image"], "modality"),
        (("card", "modality"), "smell", "which is not known here"),
        (("fields", 0, "shape"), [3], "a state of shape"),
        (("chains", 0, "records"), 2 * 10**9, "records"),
    ],
)
def test_a_header_that_fits_no_modality_is_a_sentence_and_the_run_before_stays(studio, opened, at, value, says):
    assert opened(good("points").bytes()) == ""
    shown = studio.parts.runs.trace
    parts = good("points")
    put(parts.header, at, value)
    assert says in opened(parts.bytes())
    assert studio.parts.runs.trace is shown


def test_that_a_trace_is_damaged_is_said_of_it_alone(studio, opened):
    whole = good("image").bytes()
    assert opened(whole[:-30]) == ""
    assert "damaged: 7 steps are shown" in studio.parts.window.message.text()
    assert opened(whole) == ""
    assert "damaged" not in studio.parts.window.message.text()
