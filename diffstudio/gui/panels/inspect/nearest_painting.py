"""How a sample and its nearest training samples are drawn: as pictures, as lines of text, as points of the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from diffstudio.analysis.neighbours import Known, Neighbour
from diffstudio.gui.kit.fonts import monospace
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import SHY, count, number, tr
from diffstudio.gui.stage.views.legend import small
from diffstudio.modalities import Meaning, Shown, image
from diffstudio.modalities.text import spec_of, states_of, tokens_of
from diffstudio.studio.export.pictures import portrait

LINE = 15  # height of the words at a picture, in logical pixels
GAP = 8
LETTERS = 12  # pixels of the letters of a text, as far as there is room
ZOOM = 2.5  # of the distance of the farthest neighbour: the part of the plane that is shown


@dataclass(frozen=True)
class Query:
    """What is compared with the training data: one sample (*shape), and what it is."""

    meaning: Meaning
    row: np.ndarray
    title: str


def layout(room: QRectF, meaning: Meaning, many: int) -> list[QRectF]:
    """Places for the sample and its neighbours: of texts a line, of points the words, else as large as they can be."""
    inner = room.adjusted(GAP, GAP, -GAP, -GAP)
    if meaning.modality == "text":
        height = min(3.0 * LINE, inner.height() / many)
        return [QRectF(inner.left(), inner.top() + i * height, inner.width(), height) for i in range(many)]
    if meaning.kind.cloud:
        words = QRectF(inner.right() - 150, inner.top(), 150, inner.height())
        return [QRectF(words.left(), words.top() + i * LINE, words.width(), LINE) for i in range(many)]
    columns = image.columns_for(many, inner.width() / max(1.0, inner.height() - 2 * LINE))
    rows = -(-many // columns)
    width = (inner.width() + GAP) / columns - GAP
    height = (inner.height() + GAP) / rows - GAP
    return [
        QRectF(inner.left() + i % columns * (width + GAP), inner.top() + i // columns * (height + GAP), width, height)
        for i in range(many)
    ]


def paint(
    painter: QPainter,
    room: QRectF,
    query: Query,
    data: Known,
    neighbours: Sequence[Neighbour],
    labels: Sequence[str],
    tokens: Tokens,
) -> None:
    """The sample, then its neighbours. labels: the names of the classes."""
    painter.setFont(small(painter.font()))
    boxes = layout(room, query.meaning, len(neighbours) + 1)
    if query.meaning.modality == "text":
        _paint_texts(painter, boxes, query, data, neighbours, tokens)
    elif query.meaning.kind.cloud:
        _paint_points(painter, room, boxes, query, data, neighbours, labels, tokens)
    else:
        _paint_pictures(painter, boxes, query, data, neighbours, labels, tokens)


def picture_box(cell: QRectF, height: int, width: int) -> QRectF:
    """Where a picture of height × width pixels lies in its cell, in proportion, the words below it."""
    room = QRectF(cell.left(), cell.top(), cell.width(), max(1.0, cell.height() - 2 * LINE))
    scale = min(room.width() / width, room.height() / height)
    return QRectF(room.center().x() - width * scale / 2, room.bottom() - height * scale, width * scale, height * scale)


def _paint_pictures(
    painter: QPainter,
    boxes: Sequence[QRectF],
    query: Query,
    data: Known,
    neighbours: Sequence[Neighbour],
    labels: Sequence[str],
    tokens: Tokens,
) -> None:
    rows = [query.row, *(data.samples[n.index] for n in neighbours)]
    words = [(query.title, ""), *(_words(n, labels) for n in neighbours)]
    for i, (cell, row, (first, second)) in enumerate(zip(boxes, rows, words, strict=True)):
        drawn = portrait(query.meaning, Shown(row[None], dark=tokens.dark), round(min(cell.width(), cell.height())))
        frame = picture_box(cell, *drawn.shape[:2])
        painter.drawImage(frame, _to_image(drawn))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(tokens.lane_a if i == 0 else tokens.border))
        painter.drawRect(frame)
        for n, (text, ink) in enumerate(((first, tokens.text), (second, tokens.text_dim))):
            painter.setPen(QColor(ink))
            below = QRectF(cell.left() - GAP / 2, frame.bottom() + 1 + n * LINE, cell.width() + GAP, LINE)
            elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(below.width()))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, elided)


def _words(neighbour: Neighbour, labels: Sequence[str]) -> tuple[str, str]:
    """The class, and which training sample it is and how far."""
    place, far = count(neighbour.index + 1), number(neighbour.distance, 2)
    named = labels[neighbour.label] if neighbour.label < len(labels) else ""
    return (named, f"{tr('no. {}').format(place)} {SHY} {far}") if named else (tr("no. {}").format(place), far)


def _paint_texts(
    painter: QPainter,
    boxes: Sequence[QRectF],
    query: Query,
    data: Known,
    neighbours: Sequence[Neighbour],
    tokens: Tokens,
) -> None:
    """Each text on a line of its own; what differs from the sample is marked."""
    spec = spec_of(query.meaning)
    own = tokens_of(query.row[None], spec)[0]
    rows = [own, *(tokens_of(states_of(data.samples[n.index][None], spec), spec)[0] for n in neighbours)]
    heads = [query.title, *(f"{_words(n, ())[0]} {SHY} {_letters(n)}" for n in neighbours)]
    plain = QFont(painter.font())
    for cell, row, head in zip(boxes, rows, heads, strict=True):
        painter.setFont(plain)
        painter.setPen(QColor(tokens.text_dim))
        painter.drawText(QRectF(cell.left(), cell.top(), cell.width(), LINE), Qt.AlignmentFlag.AlignVCenter, head)
        wide = min(LETTERS * 0.62, cell.width() / len(row))
        painter.setFont(monospace(max(6, round(wide / 0.62))))
        line = QRectF(cell.left(), cell.top() + LINE, wide, LINE + 2)
        for token, true in zip(row.tolist(), own.tolist(), strict=True):
            if token != true:
                ground = QColor(tokens.lane_b)
                ground.setAlphaF(0.35)
                painter.fillRect(line, ground)
            painter.setPen(QColor(tokens.text))
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, "" if token >= spec.mask else spec.vocabulary[token])
            line.translate(wide, 0)


def _letters(neighbour: Neighbour) -> str:
    return tr("{} letters differ").format(count(round(neighbour.distance)))


def _paint_points(
    painter: QPainter,
    room: QRectF,
    boxes: Sequence[QRectF],
    query: Query,
    data: Known,
    neighbours: Sequence[Neighbour],
    labels: Sequence[str],
    tokens: Tokens,
) -> None:
    """The part of the plane round the sample: the training points faint, the nearest strong, the sample as a ring."""
    plot = QRectF(room.left(), room.top(), max(1.0, boxes[0].left() - GAP), room.height())
    reach = max(1e-6, ZOOM * neighbours[-1].distance)
    scale = min(plot.width(), plot.height()) / 2 / reach

    def place(point: np.ndarray) -> QPointF:
        away = (point - query.row) * scale
        return plot.center() + QPointF(float(away[0]), -float(away[1]))

    painter.save()
    painter.setClipRect(plot)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    seen = np.abs(data.samples - query.row).max(1) * scale < max(plot.width(), plot.height())
    painter.setBrush(QColor(tokens.border))
    for point in data.samples[seen][:4000]:
        painter.drawEllipse(place(point), 2, 2)
    painter.setBrush(QColor(tokens.lane_b))
    for neighbour in neighbours:
        painter.drawEllipse(place(data.samples[neighbour.index]), 3.5, 3.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(tokens.lane_a), 2))
    painter.drawEllipse(plot.center(), 6, 6)
    painter.restore()
    heads = [query.title, *(f"{first} {SHY} {second}" for first, second in (_words(n, labels) for n in neighbours))]
    for i, (box, head) in enumerate(zip(boxes, heads, strict=True)):
        painter.setPen(QColor(tokens.lane_a if i == 0 else tokens.text))
        elided = painter.fontMetrics().elidedText(head, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, elided)


def _to_image(pixels: np.ndarray) -> QImage:
    height, width, _ = pixels.shape
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
