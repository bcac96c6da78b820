"""A region of points, drawn over the data: a rectangle or a lasso, and which coordinate is drawn anew."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from diffstudio.gui.dialogs.plane_canvas import PlaneCanvas
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.fields import Combo
from diffstudio.modalities import Meaning
from diffstudio.modalities.points import POINTS
from diffstudio.modalities.region import Inside, Region, Span, inside, parse_region

PLANE = Meaning("points", (2,))


class RegionDialog(QDialog):
    """`drawn` carries the region in words."""

    drawn = Signal(str)

    def __init__(self, points: np.ndarray, start: str | None, tokens: Tokens, parent: QWidget) -> None:
        """points: (N, 2), the data.  start: a region to begin with, where it is a rectangle or a lasso."""
        super().__init__(parent)
        self.setWindowTitle(tr("Draw a region"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._points = points
        self.plane = PlaneCanvas(points, tokens)
        self.shape = Combo(
            [
                ("box", tr("Rectangle"), tr("Drag from one corner to the other.")),
                ("lasso", tr("Lasso"), tr("Drag around the points.")),
            ]
        )
        self.shape.setAccessibleName(tr("Shape"))
        self.anew = Combo(
            [
                ("both", tr("Draw them anew"), tr("Both coordinates of the points inside.")),
                ("x", tr("Draw x anew, keep y"), tr("Of the points inside.")),
                ("y", tr("Draw y anew, keep x"), tr("Of the points inside.")),
                ("not", tr("Keep them"), tr("The points outside are drawn anew.")),
            ]
        )
        self.anew.setMinimumContentsLength(max(len(self.anew.itemText(i)) for i in range(self.anew.count())))
        self.anew.setAccessibleName(tr("What is drawn anew"))
        self.note = label("", "dim")
        self.words = label("", "dim")
        self.words.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Use as region"))
        tools = QHBoxLayout()
        tools.addWidget(self.shape)
        tools.addWidget(self.anew)
        tools.addStretch(1)
        tools.addWidget(self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addLayout(tools)
        layout.addWidget(self.plane, 1)
        layout.addWidget(label(tr("Drag over the points. Arrows move the rectangle, with Shift they size it."), "dim"))
        layout.addWidget(self.words)
        layout.addWidget(self.buttons)
        self.shape.changed.connect(self._on_shape)
        self.anew.changed.connect(self._settle)
        self.plane.changed.connect(self._settle)
        self.buttons.accepted.connect(self._on_ok)
        self.buttons.rejected.connect(self.reject)
        self._begin(start)
        self.plane.setFocus()
        self._settle()

    def region(self) -> str:
        """What is drawn, in words; "" before anything is."""
        anew, words = self.anew.value(), self.plane.words()
        if not words:
            return anew if anew in ("x", "y") else ""
        return {"both": words, "not": f"not {words}"}.get(anew, f"{words}, {anew}")

    def _begin(self, start: str | None) -> None:
        """Go on from a region that could have been drawn here."""
        try:
            found = parse_region(start) if start else Region(())
        except ValueError:
            return
        if len(found.boxes) != 1:
            return
        whole = [term.axis for term in found.boxes[0] if not isinstance(term, Span | Inside)]
        self.anew.set_value("not" if found.inverse else whole[0] if len(whole) == 1 else "both")
        for term in found.boxes[0]:
            if isinstance(term, Inside):
                self.shape.set_value("lasso")
                self.plane.corners = list(term.corners)
        spans = {term.axis: term for term in found.boxes[0] if isinstance(term, Span)}
        if spans and self.shape.value() == "box":
            left, bottom, right, top = self.plane.bounds
            x, y = spans.get("x", Span("x", left, right)), spans.get("y", Span("y", bottom, top))
            self.plane.corners = [(x.low, y.low), (x.high, y.high)]

    @Slot()
    def _on_shape(self) -> None:
        self.plane.lasso = self.shape.value() == "lasso"
        self.plane.corners = []
        self._settle()

    @Slot()
    def _settle(self) -> None:
        region = self.region()
        self.words.setText(region)
        anew = 0
        if region:
            found = inside(parse_region(region), POINTS.axes(PLANE, self._points))
            anew = int(np.broadcast_to(found, self._points.shape).any(1).sum())
        self.note.setText(tr("{} of {} points").format(count(anew), count(len(self._points))))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(anew > 0)
        self.plane.update()

    @Slot()
    def _on_ok(self) -> None:
        region = self.region()
        self.accept()
        self.drawn.emit(region)
