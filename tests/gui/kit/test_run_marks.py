"""Runs that are compared can be told apart, also by who does not see red or green."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from diffstudio.gui.kit.lineup import MOST
from diffstudio.gui.kit.run_marks import DARK, LIGHT, run_colour, run_letter, run_pen
from diffstudio.gui.kit.theme import THEMES

# Machado, Oliveira, Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009),
# severity 1: what is seen of linear RGB.
EYES = {
    "all": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(1)


def linear(colour):
    c = np.array(colour.getRgbF()[:3])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(colour, eye):
    x = XYZ @ np.clip(EYES[eye] @ linear(colour), 0, 1) / WHITE
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    bright, dim = sorted((float(linear(c) @ XYZ[1]) for c in (one, other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_marks_can_be_seen_and_told_apart(theme):
    tokens = THEMES[theme]
    colours = [run_colour(tokens, mark) for mark in range(MOST)]
    assert min(contrast(colour, QColor(tokens.bg)) for colour in colours) >= 3  # of lines (WCAG 2.2, 1.4.11)
    for i in range(MOST):
        for j in range(i):
            alike = run_pen(tokens, i).dashPattern() == run_pen(tokens, j).dashPattern()
            apart = min(np.linalg.norm(lab(colours[i], eye) - lab(colours[j], eye)) for eye in EYES)
            assert apart > (26 if alike else 13), (i, j, apart)
    assert len({run_letter(mark) for mark in range(MOST)}) == MOST == len(DARK) == len(LIGHT)
