"""The inspector's page of the training samples that are nearest to the selected sample's x̂0."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from diffstudio.analysis import fields
from diffstudio.analysis.neighbours import Known, Neighbour, known, nearest
from diffstudio.data import DATASETS
from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.work.jobs import Stop
from diffstudio.modalities import image
from diffstudio.traces.reader import Trace

COUNT = 5
LINE = 14  # height of the words under a picture
GAP = 6


class NearestPage(QWidget):
    """x̂0 at the left, then its neighbours with their classes and distances."""

    wanted = Signal(str, object)  # a question for the background: kind, find

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._trace: Trace | None = None
        self._dataset = ""
        self._known: Known | None = None
        self._asked = False
        self._x0_hat: np.ndarray | None = None
        self.neighbours: list[Neighbour] = []
        self.setMinimumHeight(44)
        self.setAccessibleName(tr("Nearest training samples"))

    def set_trace(self, trace: Trace | None) -> None:
        self._trace, self._x0_hat, self.neighbours = trace, None, []
        data = trace.header.card.get("data") if trace is not None else None
        name = str(data.get("dataset", "")) if isinstance(data, dict) else ""
        if name != self._dataset:
            self._dataset, self._known, self._asked = name, None, False
        self.update()

    def refresh(self) -> None:
        if not self._asked and self._why_not() is None:
            self._asked = True
            self.wanted.emit("known", partial(_load, self._dataset))

    def take_answer(self, answer: object) -> None:
        """The training data are loaded."""
        name, found = answer if isinstance(answer, tuple) else ("", None)
        if name == self._dataset and isinstance(found, Known):
            self._known = found

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int) -> str:
        self._x0_hat, self.neighbours = None, []
        self.update()
        reason = self._why_not()
        if reason is not None:
            return ""  # it stands in the page
        if self._known is None:
            return tr("Loading the training data…")
        self._x0_hat = fields.tensor(trace, k, "x0_hat", sample)
        self.neighbours = nearest(self._known, self._x0_hat, COUNT)
        if not self.neighbours:
            return tr("x̂0 is not finite here.")
        distance, among = number(self.neighbours[0].distance), count(len(self._known.samples))
        return tr("‖x̂0 − nearest‖ {} of {} samples").format(distance, among)

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self.tokens = tokens
        self.update()

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.fillRect(self.rect(), QColor(self.tokens.bg))
        reason = self._why_not()
        if reason is not None:
            painter.setPen(QColor(self.tokens.text_dim))
            place = self.rect().adjusted(GAP, 0, -GAP, 0)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), reason)
        if self._x0_hat is None or self._known is None:
            return
        font = QFont(self.font())
        font.setPixelSize(10)
        painter.setFont(font)
        pictures = [self._x0_hat, *(self._known.samples[n.index] for n in self.neighbours)]
        labels = DATASETS[self._dataset].labels
        words = ["x̂0", *(f"{labels[n.label]} · {number(n.distance, 1)}" for n in self.neighbours)]
        for i, (cell, picture, text) in enumerate(zip(self._cells(), pictures, words, strict=False)):
            side = min(cell.width(), cell.height() - LINE)
            frame = QRectF(cell.center().x() - side / 2, cell.top(), side, side)
            painter.drawImage(frame, _image(picture))
            painter.setPen(QColor(self.tokens.lane_a if i == 0 else self.tokens.border))
            painter.drawRect(frame)
            painter.setPen(QColor(self.tokens.text_dim))
            below = QRectF(cell.left(), frame.bottom() + 1, cell.width(), LINE)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)

    def _cells(self) -> list[QRectF]:
        """Room for x̂0 and its neighbours, as large as it can be."""
        columns = image.columns_for(COUNT + 1, self.width() / max(1, self.height()))
        rows = -(-(COUNT + 1) // columns)
        width = (self.width() - GAP) / columns - GAP
        height = min((self.height() - GAP) / rows - GAP, width + LINE)
        return [
            QRectF(GAP + i % columns * (width + GAP), GAP + i // columns * (height + GAP), width, height)
            for i in range(COUNT + 1)
        ]

    def _why_not(self) -> str | None:
        """Why nothing can be near, in words; None where something can."""
        if self._trace is None:
            return tr("Nothing generated yet.")
        source = DATASETS.get(self._dataset)
        if source is None:
            return tr("The training data of this model are not at hand.")
        if self._trace.modality == "text":
            return tr("How far a text is from others is not counted: its letters are no numbers.")
        if source.everything is None:
            return tr("These data are drawn from a formula: there is no nearest sample.")
        if source.shape != self._trace.sample_shape:
            return tr("The training data have another shape.")
        return None


def _load(name: str, stop: Stop) -> tuple[str, Known | None]:
    return name, known(name)


def _image(x: np.ndarray) -> QImage:
    pixels = image.to_pixels(x[None])[0]
    height, width, _ = pixels.shape
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
