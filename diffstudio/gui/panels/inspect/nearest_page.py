"""The inspector's page of the training samples that are nearest to what the model makes of the selected sample."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from diffstudio.analysis import fields
from diffstudio.analysis.neighbours import FiniteSet, Known, Neighbour, known, nearest, seen_by
from diffstudio.data import DATASETS
from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.panels.inspect.head import Scope
from diffstudio.gui.panels.inspect.nearest_painting import GAP, Query, layout, paint
from diffstudio.gui.work.jobs import Stop
from diffstudio.modalities.text import spec_of, tokens_of
from diffstudio.studio.export.pictures import tensor_title
from diffstudio.traces.reader import Trace

COUNT = 5
COPY, CLOSE = 0.1, 0.7  # of the distance between training samples: below them a copy, or remarkably close


class NearestPage(QWidget):
    """x̂0 first (in the forward chain the true x_0), then its neighbours with their classes, numbers and distances."""

    wanted = Signal(str, object)  # a question for the background: kind, find
    menuWanted = Signal(int, QPoint)  # of a training sample, at a place on the screen; −1: of the page
    scope: Scope = "sample"
    told_lines = 3

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._trace: Trace | None = None
        self.seen: FiniteSet | None = None  # what the model of the trace has seen
        self._known: Known | None = None
        self._asked = False
        self._query: Query | None = None
        self.neighbours: list[Neighbour] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Nearest training samples"))

    def set_trace(self, trace: Trace | None) -> None:
        self._trace, self._query, self.neighbours = trace, None, []
        seen = None if trace is None else seen_by(trace.header.card)
        if seen != self.seen:
            self.seen, self._known, self._asked = seen, None, False
        self.update()

    def refresh(self) -> None:
        if self.seen is not None and not self._asked and self._why_not() is None:
            self._asked = True
            self.wanted.emit("known", partial(_load, self.seen))

    def take_answer(self, answer: object) -> None:
        """The training data are loaded."""
        seen, found = answer if isinstance(answer, tuple) else (None, None)
        if seen == self.seen and isinstance(found, Known):
            self._known = found

    def show_step(self, trace: Trace, k: int, tensor: str, sample: int, alone: bool = True) -> str:
        self._query, self.neighbours = None, []
        self.update()
        if self._why_not() is not None:
            return ""  # it stands in the page
        if self._known is None:
            return tr("Loading the training data…")
        row = fields.tensor(trace, k, "x0_hat", sample)
        title = tr(tensor_title(trace, k, "x0_hat"))
        self.neighbours = nearest(self._known, _compared(trace, row, self._known), COUNT)
        if not self.neighbours:
            return tr("{} is not finite here.").format(title)
        self._query = Query(trace.meaning, row, title)
        return self._sentence(self._known, title, sample)

    def _sentence(self, data: Known, title: str, sample: int) -> str:
        """Which sample is near to which, how far that is, and how far training samples are from each other."""
        first = self.neighbours[0]
        near = self.name_of(first)
        subject = tr("{} of sample {}").format(title, count(sample + 1))
        if first.distance == 0:
            return tr("{} is training sample {}, of {}.").format(subject, near, count(len(data.samples)))
        far = tr("{} letters").format(count(round(first.distance))) if data.tokens else number(first.distance)
        said = tr("{} is {} from training sample {}, of {}").format(subject, far, near, count(len(data.samples)))
        if not data.apart:
            return f"{said}."
        share = first.distance / data.apart
        times = tr("{} × as far as those are apart").format(number(share, 2))
        word = tr("as good as a copy") if share < COPY else tr("remarkably close") if share < CLOSE else ""
        return f"{said}: {times}" + (f", {word}." if word else ".")

    def name_of(self, neighbour: Neighbour) -> str:
        """A training sample by its number, as people count, and its class."""
        labels = DATASETS[self.seen.dataset].labels if self.seen is not None else ()
        named = labels[neighbour.label] if neighbour.label < len(labels) else ""
        place = count(neighbour.index + 1)
        return tr("{} (class {})").format(place, named) if named else place

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in other colours."""
        self.tokens = tokens
        self.update()

    def picture_of(self, index: int) -> QImage:
        """The picture of the index-th neighbour as the page shows it, for the clipboard."""
        boxes = self._cells()
        return self.grab(boxes[index + 1].toAlignedRect()).toImage() if index + 1 < len(boxes) else QImage()

    def neighbour_at(self, x: float, y: float) -> int:
        """Which of the neighbours is shown there; −1: none."""
        found = [i for i, box in enumerate(self._cells()[1:]) if box.contains(x, y) and i < len(self.neighbours)]
        return found[0] if found else -1

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.fillRect(self.rect(), QColor(self.tokens.bg))
        reason = self._why_not()
        if reason is not None:
            painter.setPen(QColor(self.tokens.text_dim))
            place = self.rect().adjusted(GAP, 0, -GAP, 0)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), reason)
        if self._query is not None and self._known is not None and self.seen is not None:
            labels = DATASETS[self.seen.dataset].labels
            paint(painter, QRectF(self.rect()), self._query, self._known, self.neighbours, labels, self.tokens)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = 0 if by_key and self.neighbours else self.neighbour_at(event.x(), event.y())
        self.menuWanted.emit(index, event.globalPos())
        event.accept()

    def _cells(self) -> list[QRectF]:
        if self._query is None:
            return []
        return layout(QRectF(self.rect()), self._query.meaning, len(self.neighbours) + 1)

    def _why_not(self) -> str | None:
        """Why nothing can be near, in words; None where something can."""
        if self._trace is None:
            return tr("Nothing generated yet.")
        if self.seen is None:
            return tr("The training data of this model are not at hand.")
        source = DATASETS[self.seen.dataset]
        if self.seen.size is None and source.every is None and source.everything is None:
            return tr("These data are drawn from a formula: there is no nearest sample.")
        if source.modality != self._trace.modality:
            return tr("The training data are of another kind.")
        if source.modality != "text" and source.shape != self._trace.sample_shape:
            return tr("The training data have another shape.")
        if source.modality == "text" and not _same_letters(self._trace, source.vocabulary, source.shape[-1]):
            return tr("The training data have other letters, or another length.")
        return None


def _same_letters(trace: Trace, vocabulary: tuple[str, ...], length: int) -> bool:
    return trace.sample_shape[-1] == length and spec_of(trace.meaning).vocabulary == vocabulary


def _compared(trace: Trace, row: np.ndarray, data: Known) -> np.ndarray:
    """What is compared: the numbers themselves, of texts the tokens."""
    return tokens_of(row[None], spec_of(trace.meaning))[0] if data.tokens else row


def _load(seen: FiniteSet, stop: Stop) -> tuple[FiniteSet, Known | None]:
    return seen, known(seen)
