"""Views of a known size, and what they show as an array."""

import re

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.points.points_view import PointsView


def pixels_of(picture):
    """A QImage as (H, W, 3) uint8."""
    picture = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).copy()


@pytest.fixture
def pixels():
    return pixels_of


@pytest.fixture
def grab():
    """What a widget paints now: (H, W, 3) uint8."""
    return lambda widget: pixels_of(widget.grab().toImage())


@pytest.fixture
def colour():
    """#rrggbb → the three bytes."""
    return lambda text: np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


@pytest.fixture
def image_view(qtbot):
    return _shown(qtbot, ImageView(theme.DARK), 400, 326)


@pytest.fixture
def points_view(qtbot):
    return _shown(qtbot, PointsView(theme.DARK), 460, 430)  # a plot of 400×400


def _shown(qtbot, made, width, height):
    theme.apply(QApplication.instance(), theme.DARK)
    qtbot.addWidget(made)
    made.resize(width, height)
    made.show()
    return made


@pytest.fixture
def values():
    """Every number of a text, ∞ and the true minus sign understood."""

    def find(text):
        words = re.findall(r"[−+]?(?:\d[\d,]*(?:\.\d+)?|∞)", text)
        return [float(w.replace("−", "-").replace("∞", "inf").replace(",", "")) for w in words]

    return find
