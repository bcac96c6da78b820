"""How runs that are compared are told apart: by a colour that a colour-blind reader can tell, and by a dash.

Colours: near those of Okabe and Ito, "Color Universal Design" (2008), moved until each stands off its theme's ground
and no two of one dash come closer than 26 in CIELAB, also as seen without red or green.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from diffstudio.gui.kit.theme import Tokens

DARK = ("#7bd0ff", "#eba400", "#009e72", "#f3e747", "#cc79a7", "#c75404", "#8cb0ff", "#c8c8c8", "#7b75c9")
LIGHT = ("#0e79c6", "#774100", "#127a5b", "#8e7a33", "#b65687", "#df6507", "#1f4ca0", "#504a4b", "#5e2b76")
# Lengths of dashes and gaps, in widths of the pen; () is a whole line.
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 3), (1.5, 2.5), (7, 2.5, 1.5, 2.5))
LETTERS = "ABCDEFGHI"


def run_colour(tokens: Tokens, mark: int) -> QColor:
    """The colour of a run, by its mark."""
    row = DARK if tokens.dark else LIGHT
    return QColor(row[mark % len(row)])


def run_pen(tokens: Tokens, mark: int, width: float = 1.5) -> QPen:
    """The line of a run: its colour and its dash."""
    pen = QPen(
        run_colour(tokens, mark), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.BevelJoin
    )
    dash = DASHES[mark % len(DASHES)]
    if dash:
        pen.setDashPattern(list(dash))
    return pen


def run_letter(mark: int) -> str:
    """The letter by which a run is called where there is no room for its name."""
    return LETTERS[mark % len(LETTERS)]
