"""Numbers on the axes of the plots: none lies on another, none is cut, at any size that the panel can have."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QImage, QPainter

from diffstudio.analysis.summary import summarize
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect.pages import ValuesPage
from diffstudio.gui.panels.inspect.plots import Curves
from diffstudio.gui.panels.inspect.trajectory_page import TrajectoryPage

SIZES = ((160, 160), (160, 420), (300, 160), (300, 320), (760, 400), (1400, 900))
SCALES = (1e-7, 0.003, 1.0, 37.0, 12_345.0, 3e6)


def texts(plot, side):
    """The numbers of an axis as they are painted: boxes and words, and the axis' own box."""
    axis = plot.getAxis(side)
    paper = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(paper)
    axis.picture = None
    _, _, specs = axis.generateDrawSpecs(painter)
    painter.end()
    return [(rect, text) for rect, _, text in specs if text], axis.boundingRect()


def check(plot, what):
    for side in ("left", "bottom"):
        found, room = texts(plot, side)
        for (a, first), (b, second) in combinations(found, 2):
            assert not a.adjusted(1, 1, -1, -1).intersects(b), f"{what}: {first} lies on {second}, {side}"
        for rect, text in found:
            inside = room.adjusted(-1, -1, 1, 1)
            if side == "left":
                assert inside.left() <= rect.left() and rect.right() <= inside.right(), f"{what}: {text} is cut"
        assert len(found) >= 2, f"{what}: an axis with {[text for _, text in found]} says nothing, {side}"


@pytest.fixture
def place(shown, qtbot):
    QLocale.setDefault(QLocale.c())

    def do(widget, size):
        shown(widget, *size)
        qtbot.wait(5)
        return widget

    return do


@pytest.mark.parametrize("size", SIZES)
def test_of_the_values(place, size):
    page = place(ValuesPage(theme.DARK), size)
    rng = np.random.default_rng(0)
    for scale in SCALES:
        for count in (3, 200, 200_000):
            page.show_all()
            page.show_summary(summarize((rng.normal(size=count) * scale).astype(np.float32)))
            page.repaint()
            check(page, f"{count} values of scale {scale} at {size}")


@pytest.mark.parametrize("size", SIZES)
def test_of_letters(place, size):
    page = place(ValuesPage(theme.DARK), size)
    page.show_counts(tuple("␣abcdefghijklmnopqrstuvwxyz.,'-▒"), np.arange(32) * 900)
    page.repaint()
    check(page, f"letters at {size}")


@pytest.mark.parametrize("size", SIZES)
def test_of_the_norms(place, size):
    page = place(Curves(theme.DARK, ["a", "b", "c"]), size)
    for steps in (2, 30, 1000):
        for scale in SCALES:
            curves = [scale * np.linspace(1, 40, 2 * steps), None, np.full(2 * steps, scale * 3)]
            page.show_curves(curves, np.tile(np.arange(float(steps)), 2), steps, 2 * steps)
            page.plot.show_all()
            page.repaint()
            check(page.plot, f"{steps} steps of scale {scale} at {size}")


@pytest.mark.parametrize("size", SIZES)
def test_of_the_plane(place, size):
    page = place(TrajectoryPage(theme.DARK), size)
    for scale in SCALES:
        page.show_all()
        page.fit((-7.3 * scale, 4.1 * scale), (-2.2 * scale, 9.8 * scale))
        page.repaint()
        check(page, f"a plane of scale {scale} at {size}")


def test_other_steps_at_the_same_records_are_drawn_anew(place):
    page = place(Curves(theme.DARK, ["a", "b", "c"]), (400, 200))
    axis, drawn = page.plot.getAxis("bottom"), []
    for first in (0, 7):
        page.show_curves([np.ones(8), None, None], np.arange(first, first + 8.0), None, 8)
        drawn.append(page.plot.grab().toImage())
        assert axis.tickStrings([0, 1], 1, 1) == [str(first), str(first + 1)]
    assert drawn[0] != drawn[1], "no picture of the former numbers is kept"
